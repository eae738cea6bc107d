"""A study is read as it was meant: encodings, separators, workbooks, dates, verdicts, writing."""

from __future__ import annotations

import datetime as dt
import string
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from conftest import GOOD_STUDY, write_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from ecoanalysis import schemas
from ecoanalysis.codebook import read_codebook
from ecoanalysis.errors import StudyError, UsageError
from ecoanalysis.study import (
    Descriptor,
    check_study,
    new_study,
    read_outlines,
    read_study,
    write_study,
)
from ecoanalysis.study import check as check_module
from ecoanalysis.study.columns import split_parts
from ecoanalysis.study.descriptor import FICTIONAL_NOTICE
from ecoanalysis.study.files import clean_text
from ecoanalysis.study.outlines import find_country, find_inside

HOSTILE = [
    "=HYPERLINK(1)",
    "<b>Gras</b>",
    "</script><script>alert(1)</script>",
    "{{ 7*7 }}",
    "$x^2$",
    "@handle",
    "Crédit, Mutuel; & Cie",
    'Le "Lab"',
    "NA",
    "null",
    "1e5",
    "-",
    "Line one\nline two",
]


def replace_file(study: Path, file: str, text: str, instead: str) -> None:
    before = (study / file).read_text("utf-8")
    assert text in before
    (study / file).write_text(before.replace(text, instead), encoding="utf-8", newline="")


# reading -----------------------------------------------------------------------------------------


def test_good_study_has_all_tables_with_types(good_study: Path) -> None:
    study = read_study(good_study)
    assert study.study_id == "good"
    assert tuple(study.tables) == schemas.TABLES
    for name, table in study.tables.items():
        extra = ["dont_know"] if name == "ratings" else []
        assert sorted(table.columns) == sorted(schemas.list_columns(name) + extra)
    actors = study.tables["actors"]
    assert list(actors.dtypes[["name", "kind", "tags", "publish"]].astype("str")) == ["str"] * 4
    assert list(actors.dtypes[["latitude", "founded"]].astype("str")) == ["float64"] * 2
    assert str(actors.dtypes["observed_on"]) == "datetime64[s]"
    assert actors.loc[0, "observed_on"] == pd.Timestamp(2024, 3, 15)
    assert actors.loc[1, "latitude"] == 12.64
    assert actors.loc[3, ["latitude", "subkind", "channels"]].isna().tolist() == [True, False, True]
    assert study.warnings.empty


def test_dont_know_differs_from_blank(good_study: Path) -> None:
    ratings = read_study(good_study).tables["ratings"]
    assert ratings["dont_know"].tolist() == [False, False, True, False, False]
    assert ratings["value"].isna().tolist() == [False, False, True, False, False]
    assert ratings["value"].sum() == 5 + 4 + 2.5 + 3


def test_the_studys_own_codes_join_the_codebook(good_study: Path) -> None:
    book = read_study(good_study).codebook
    assert book.label("kinds", "radio_station", "fr") == "Radios locales"
    assert book.criteria.loc["familiarity", "weight"] == 2
    assert book.criteria.loc["familiarity", "scale_max"] == 5
    assert "griots" in book.subkinds.index


def test_values_of_one_cell_are_told_apart_whatever_the_blanks(good_study: Path) -> None:
    cells = pd.Series(["a; b b ;;", None, " ", "c"], index=[3, 1, 4, 1])
    assert list(split_parts(cells).items()) == [(3, "a"), (3, "b b"), (1, "c")]
    assert split_parts(pd.Series([float("nan")])).empty
    replace_file(good_study, "subkinds.csv", "ts,community_", "ts,media ; community_")
    replace_file(good_study, "actors.csv", "organisation,,,users", "organisation,griots,,users")
    assert check_study(good_study).empty


def test_absent_tables_are_empty_with_their_columns(tmp_path: Path) -> None:
    only = {name: GOOD_STUDY[name] for name in ("territories.csv", "actors.csv", "kinds.csv")}
    study = read_study(write_folder(only, tmp_path / "bare"))
    assert list(study.tables["positions"]) == schemas.list_columns("positions")
    assert str(study.tables["ratings"]["dont_know"].dtype) == "bool"
    assert study.descriptor == Descriptor(title={"fr": "bare", "en": "bare"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(good_study: Path, encoding: str) -> None:
    text = GOOD_STUDY["actors.csv"].replace("Union des femmes", "Forêt & Œuvre – l’été")
    (good_study / "actors.csv").write_bytes(text.encode(encoding))
    actors = read_study(good_study).tables["actors"]
    assert actors.loc[4, "name"] == "Forêt & Œuvre – l’été"


def test_letters_of_no_encoding_are_refused(good_study: Path) -> None:
    text = GOOD_STUDY["actors.csv"].encode().replace(b"Union", b"Uni\x81\x8d\xffon")
    (good_study / "actors.csv").write_bytes(text)
    (fault,) = check_study(good_study).to_dict("records")
    assert (fault["code"], fault["file"]) == ("unreadable_encoding", "actors.csv")


def test_semicolons_with_decimal_commas(good_study: Path) -> None:
    expected = read_study(good_study).tables["challenges"]
    semicolons = (
        "territory_id;challenge_id;title;scope;needs_financial;needs_technical\n"
        "kabara;etatcivil;Un état civil, sans file d'attente;project;3,5;4\n"
        "nioro;marche;Un marché relié;ecosystem;0.25;-0,0\n"
    )
    (good_study / "challenges.csv").write_text(semicolons, encoding="cp1252")
    challenges = read_study(good_study).tables["challenges"]
    assert challenges["needs_financial"].tolist() == [3.5, 0.25]
    assert challenges.loc[0, "title"] == "Un état civil, sans file d'attente"
    assert expected["needs_financial"].tolist() == [3, 2]


def test_tabs_blank_lines_and_blank_columns(good_study: Path) -> None:
    rows = "code\thelix\t\t\nradio_station\tcivil\t\t\n\t\t\t\n\nlakeside\tpublic\n"
    (good_study / "kinds.csv").write_text(rows, encoding="utf-8")
    kinds = read_study(good_study).tables["kinds"]
    assert kinds["code"].tolist() == ["radio_station", "lakeside"]


def test_rows_are_counted_as_the_spreadsheet_shows_them(good_study: Path) -> None:
    """Blank lines count; a cell of two lines is still one row: line 8 of the file is row 5."""
    text = (
        'territory_id,challenge_id,title\n\nkabara,etatcivil,"one\ntwo\n\nthree"\n'
        "nioro,marche,M\nnioro,,N\n"
    )
    (good_study / "challenges.csv").write_text(text, encoding="utf-8")
    (fault,) = check_study(good_study).to_dict("records")
    assert (fault["code"], fault["row"], fault["field"]) == ("blank_value", 5, "challenge_id")


def test_hostile_names_are_kept_as_text(good_study: Path) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    rows = "".join(f"nioro,x{i},{name}" + "," * 17 + "\n" for i, name in enumerate(quoted))
    (good_study / "actors.csv").write_text(GOOD_STUDY["actors.csv"] + rows, encoding="utf-8")
    study = read_study(good_study)
    assert study.tables["actors"]["name"].tolist()[8:] == HOSTILE
    assert study.warnings.empty


def test_names_are_composed_trimmed_and_without_zero_width(good_study: Path) -> None:
    replace_file(
        good_study, "actors.csv", "Union des femmes", "\u00a0 Fore\u0302t\u200b\ufeff Verte "
    )
    assert read_study(good_study).tables["actors"].loc[4, "name"] == "Forêt Verte"


def test_months_first(good_study: Path) -> None:
    """Settled by the 21st: no month has that number."""
    replace_file(good_study, "ratings.csv", "2024-03-21", "3/21/2024")
    replace_file(good_study, "ratings.csv", "2024-04-03", "04/03/2024")
    days = read_study(good_study).tables["ratings"]["observed_on"].dt.strftime("%m-%d")
    assert days.tolist() == ["03-20", "03-21", "03-20", "03-20", "04-03"]


@pytest.mark.parametrize("declared", [True, False])
def test_days_first(good_study: Path, declared: bool) -> None:
    """Declared, or settled by the 21st: no month has that number."""
    text = GOOD_STUDY["ratings.csv"]
    for old, new in (("2024-03-20", "05/03/2024"), ("2024-03-21", "21.3.2024")):
        text = text.replace(old, new)
    text = text.replace("2024-04-03", "2024-04-03" if declared else "3/4/2024")
    if declared:
        text = text.replace("21.3.2024", "7-3-2024")
        replace_file(good_study, "datapackage.yaml", "census: no", "date_order: dmy")
    (good_study / "ratings.csv").write_text(text, encoding="utf-8")
    days = read_study(good_study).tables["ratings"]["observed_on"].dt.strftime("%Y-%m-%d")
    second = "2024-03-07" if declared else "2024-03-21"
    assert days.tolist() == ["2024-03-05", second, "2024-03-05", "2024-03-05", "2024-04-03"]


def test_days_and_months_in_both_orders_settle_nothing(good_study: Path) -> None:
    replace_file(good_study, "ratings.csv", "2024-03-21", "21/03/2024")
    replace_file(good_study, "ratings.csv", "2024-04-03", "03/21/2024")
    faults = check_study(good_study)
    assert faults[["code", "row"]].to_numpy().tolist() == [
        ["ambiguous_date", 3],
        ["ambiguous_date", 6],
    ]


def test_contacts_are_never_loaded_and_other_columns_are_kept(good_study: Path) -> None:
    frame = pd.read_csv(good_study / "actors.csv", dtype=str)
    frame.assign(Courriel="a@b.example", Surface=range(8)).to_csv(
        good_study / "actors.csv", index=False
    )
    study = read_study(good_study)
    assert "Courriel" not in study.tables["actors"]
    assert study.tables["actors"]["Surface"].tolist() == list("01234567")
    assert study.warnings[["code", "field"]].to_numpy().tolist() == [
        ["contact_column", "Courriel"],
        ["unused_column", "Surface"],
    ]


def test_all_faults_come_at_once(good_study: Path) -> None:
    replace_file(good_study, "actors.csv", ",1995,", ",MCMXCV,")
    replace_file(good_study, "relations.csv", "mairie,fablab", "mairie,mairie")
    (good_study / "raters.csv").unlink()
    with pytest.raises(StudyError) as caught:
        read_study(good_study)
    found = caught.value.faults[["file", "code"]].to_numpy().tolist()
    assert found == [
        ["raters.csv", "missing_table"],
        ["actors.csv", "not_a_number"],
        ["relations.csv", "self_relation"],
    ]


def test_missing_table_and_missing_folder(good_study: Path, tmp_path: Path) -> None:
    (good_study / "actors.csv").rename(good_study / "acteurs.csv")
    faults = check_study(good_study).set_index("code")
    assert faults.loc["missing_table", "file"] == "actors.csv"
    assert faults.loc["unused_file", "suggestion"] == "actors"
    with pytest.raises(UsageError, match="nowhere"):
        read_study(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "\n\n", "\u200b\n"])
def test_an_empty_file_is_an_empty_table(good_study: Path, text: str) -> None:
    (good_study / "actors.csv").write_text(text, encoding="utf-8")
    (fault,) = check_study(good_study).to_dict("records")
    assert (fault["code"], fault["file"]) == ("empty_table", "actors.csv")


def test_two_lines_of_prose_are_no_swallowed_row(good_study: Path) -> None:
    """The last column may hold a line with as many commas as a row has."""
    prose = '"Conflit ancien :\nterres, eau, bois, bétail, chemins"'
    replace_file(good_study, "constraints.csv", "Conflit ancien", prose)
    assert check_study(good_study).empty


def test_workbooks_and_tables_that_are_not_read_are_named(good_study: Path) -> None:
    for name in ("Actors2.csv", "relations.tsv", "contacts.xlsx", "~$study.xlsx", "README.md"):
        (good_study / name).write_text("x", encoding="utf-8")
    faults = check_study(good_study)
    assert faults[["code", "file", "suggestion"]].to_numpy().tolist() == [
        ["unused_file", "Actors2.csv", "actors"],
        ["unused_file", "relations.tsv", "relations"],
    ]


# workbooks ---------------------------------------------------------------------------------------


def fill_workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    path.mkdir(exist_ok=True)
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.remove(book["Sheet"])
    book.save(path / "study.xlsx")
    return path


ACTORS_SHEET: list[list[Any]] = [
    ["territory_id", "actor_id", "name", "latitude", "longitude", "founded", "sensitive",
     "observed_on", "tags", None],
    ["kabara", 1001, "Mairie", 12.65, -8, 1978, True, dt.date(2024, 3, 15), 3.0, None],
    [],
    ["kabara", "01001", True, 12.5, -8.25, 2015.0, False, dt.datetime(2024, 3, 16), None, None],
]  # fmt: skip
TERRITORIES_SHEET: list[list[Any]] = [
    ["territory_id", "name", "country_code"],
    ["kabara", "Kabara", "ML"],
]


def test_workbook_with_typed_cells(tmp_path: Path) -> None:
    path = fill_workbook(
        tmp_path / "book",
        {"Territories": TERRITORIES_SHEET, "actors": ACTORS_SHEET, "lisez-moi": [["Bonjour"]]},
    )
    study = read_study(path)
    actors = study.tables["actors"]
    assert actors["actor_id"].tolist() == ["1001", "01001"]
    assert actors["name"].tolist() == ["Mairie", "TRUE"]
    assert actors["latitude"].tolist() == [12.65, 12.5]
    assert actors["founded"].tolist() == [1978, 2015]
    assert actors["sensitive"].tolist() == ["yes", "no"]
    assert actors["observed_on"].tolist() == [pd.Timestamp(2024, 3, 15), pd.Timestamp(2024, 3, 16)]
    assert actors["tags"].tolist()[0] == "3"
    assert study.warnings.empty


def test_faults_of_a_workbook_name_its_sheet_and_row(tmp_path: Path) -> None:
    rows = [
        *ACTORS_SHEET[:3],
        ["kabara", "x", "N", None, None, "#N/A"],
        ["kabara", "y", "N", 95, 0],
    ]
    path = fill_workbook(
        tmp_path / "book",
        {"territories": TERRITORIES_SHEET, "actors": rows, "Feuil3": [["a"]]},
    )
    faults = check_study(path)[["code", "table", "file", "row", "field"]].to_numpy().tolist()
    assert faults[:2] == [
        ["spreadsheet_error", "actors", "study.xlsx", 4, "founded"],
        ["out_of_scale", "actors", "study.xlsx", 5, "latitude"],
    ]
    assert faults[2][:3] == ["unused_file", "", "study.xlsx"]


def test_workbook_and_csv_at_once_are_refused(good_study: Path) -> None:
    fill_workbook(good_study, {"territories": TERRITORIES_SHEET, "actors": ACTORS_SHEET})
    (fault,) = check_study(good_study).query("severity == 'refusal'").to_dict("records")
    assert (fault["code"], fault["file"]) == ("both_kinds", "study.xlsx")
    assert "actors.csv" in fault["found"]


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.xlsx").write_text("territory_id,name\n")
    (fault,) = check_study(tmp_path).to_dict("records")
    assert (fault["code"], fault["file"]) == ("binary_file", "study.xlsx")


# Parquet -----------------------------------------------------------------------------------------


def write_parquet(folder: Path) -> Path:
    """Turn the CSV files of a study into Parquet, with numbers, days and truths as such."""
    for file in folder.glob("*.csv"):
        table = pd.read_csv(file, dtype={"value": str})
        for column in table.columns.intersection(["observed_on", "due_on"]):
            table[column] = pd.to_datetime(table[column]).dt.date
        if "sensitive" in table:
            table["sensitive"] = table["sensitive"].map({"yes": True, "no": False})
        table.to_parquet(file.with_suffix(".parquet"))
        file.unlink()
    return folder


def test_parquet_reads_as_csv_does(good_study: Path) -> None:
    expected = read_study(good_study)
    study = read_study(write_parquet(good_study))
    assert study.warnings.empty
    for name, table in expected.tables.items():
        assert_frame_equal(study.tables[name], table)


def test_faults_of_parquet_name_file_and_row(good_study: Path) -> None:
    replace_file(good_study, "actors.csv", ",university,", ",universty,")
    (fault,) = check_study(write_parquet(good_study)).to_dict("records")
    assert (fault["file"], fault["row"], fault["suggestion"]) == ("actors.parquet", 5, "university")


@pytest.mark.parametrize("state", ["text", "lists"])
def test_parquet_that_is_no_table_of_cells_is_refused(good_study: Path, state: str) -> None:
    file = write_parquet(good_study) / "actors.parquet"
    if state == "text":
        file.write_text("territory_id,name\n")
    else:
        pd.read_parquet(file).assign(tags=[["a", "b"]] * 8).to_parquet(file)
    (fault,) = check_study(good_study).query("file == 'actors.parquet'").to_dict("records")
    assert fault["code"] == "binary_file"


def test_parquet_and_csv_at_once_are_refused(good_study: Path) -> None:
    text = (good_study / "actors.csv").read_text("utf-8")
    write_parquet(good_study)
    (good_study / "actors.csv").write_text(text, "utf-8")
    (fault,) = check_study(good_study).to_dict("records")
    assert (fault["code"], fault["found"]) == ("both_kinds", "actors.csv")


def test_parquet_without_its_library_says_what_to_install(
    good_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(good_study)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r"pip install 'ecoanalysis\[parquet\]'"):
        read_study(good_study)


# verdicts ----------------------------------------------------------------------------------------


def test_a_verdict_is_kept_until_a_file_changes(
    good_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("checked again")

    replace_file(good_study, "actors.csv", "12.64,-8.01", "0,0")
    first = check_study(good_study)
    monkeypatch.setattr(check_module, "_make_judge", fail)
    assert_frame_equal(check_study(good_study), first)
    assert_frame_equal(read_study(good_study).warnings, first)
    replace_file(good_study, "actors.csv", "Union des femmes", "Union des Femmes")
    with pytest.raises(AssertionError, match="checked again"):
        check_study(good_study)


@pytest.mark.parametrize("state", ["a file", "broken"])
def test_a_cache_that_cannot_be_used_does_no_harm(
    good_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    cache = tmp_path / "cache"
    if state == "a file":
        cache.write_text("not a folder")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(cache))
    check_study(good_study)
    for verdict in cache.rglob("*.json"):
        verdict.write_text("[[")
    assert check_study(good_study).empty


# descriptor --------------------------------------------------------------------------------------


def test_descriptor(good_study: Path) -> None:
    descriptor = read_study(good_study).descriptor
    assert descriptor.title == {"fr": "Two towns", "en": "Two towns"}
    assert descriptor.boundary_rule["en"] == "Seat in the municipality"
    assert (descriptor.census, descriptor.comparable, descriptor.fictional) == (False, True, False)
    assert descriptor.sources[0]["accessed_on"] == "2024-03-15"
    assert descriptor.retention_date == "2026-12-31"
    assert descriptor.notice == {}


def test_notice_of_a_fictional_study_and_of_an_own_text(good_study: Path) -> None:
    replace_file(good_study, "datapackage.yaml", "census: no", "fictional: yes")
    assert read_study(good_study).descriptor.notice == FICTIONAL_NOTICE
    replace_file(good_study, "datapackage.yaml", "fictional: yes", "notice: {fr: Vu, en: Seen}")
    assert read_study(good_study).descriptor.notice == {"fr": "Vu", "en": "Seen"}


def test_regions_that_compare_are_read_and_written(good_study: Path, tmp_path: Path) -> None:
    replace_file(good_study, "datapackage.yaml", "census: no", "comparable_regions: [Centre]")
    study = read_study(good_study)
    assert study.descriptor.comparable_regions == ("Centre",)
    write_study(study.tables, tmp_path / "copy", descriptor=study.descriptor)
    assert read_study(tmp_path / "copy").descriptor == study.descriptor


# writing -----------------------------------------------------------------------------------------


def test_a_study_written_and_read_is_the_same(good_study: Path, tmp_path: Path) -> None:
    study = read_study(good_study)
    write_study(study.tables, tmp_path / "copy", descriptor=study.descriptor)
    again = read_study(tmp_path / "copy")
    assert again.descriptor == study.descriptor
    for name, table in study.tables.items():
        assert_frame_equal(again.tables[name], table)
    assert {path.name for path in (tmp_path / "copy").iterdir()} == set(GOOD_STUDY)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(clean_text)
NAMES = st.one_of(st.sampled_from(HOSTILE), TEXTS.filter(lambda text: text and text[0] != "#"))
OPTIONAL = st.one_of(st.none(), NAMES)
POINTS = st.one_of(st.just((None, None)), st.tuples(st.floats(-90, 90), st.floats(-180, 180)))


@st.composite
def make_actors(draw: st.DrawFn) -> pd.DataFrame:
    ids = draw(
        st.lists(
            st.text(string.ascii_letters + "é-", min_size=1), min_size=1, max_size=5, unique=True
        )
    )
    n = len(ids)
    points = draw(st.lists(POINTS, min_size=n, max_size=n))
    years = st.one_of(st.none(), st.integers(800, 2100))
    days = st.one_of(st.none(), st.dates(dt.date(1000, 1, 1)))

    def column(strategy: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(strategy, min_size=n, max_size=n))

    blank = {name: pd.Series([None] * n, dtype="str") for name in schemas.list_columns("actors")}
    return pd.DataFrame(blank).assign(
        territory_id="kabara",
        actor_id=pd.Series([clean_text(i) or "i" for i in ids], dtype="str"),
        name=pd.Series(column(NAMES), dtype="str"),
        city=pd.Series(column(OPTIONAL), dtype="str"),
        tags=pd.Series(column(OPTIONAL), dtype="str"),
        latitude=pd.Series([lat for lat, _ in points], dtype="float64"),
        longitude=pd.Series([lon for _, lon in points], dtype="float64"),
        founded=pd.Series(column(years), dtype="float64"),
        observed_on=pd.to_datetime(pd.Series(column(days), dtype="object")).astype("datetime64[s]"),
        note=pd.Series(column(NAMES), dtype="str"),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(actors=make_actors())
def test_whatever_is_written_reads_back(
    actors: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    territories = pd.DataFrame(TERRITORIES_SHEET[1:], columns=TERRITORIES_SHEET[0])
    path = tmp_path_factory.mktemp("round") / "study"
    descriptor = Descriptor(title={"fr": "Aller", "en": "Return"}, fictional=True)
    write_study({"territories": territories, "actors": actors}, path, descriptor=descriptor)
    study = read_study(path)
    assert_frame_equal(study.tables["actors"], actors)
    assert study.descriptor.title == descriptor.title


def test_writing_is_whole_or_not_at_all(good_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = read_study(good_study)
    (good_study / "README.md").write_text("mine")
    before = {path.name: path.read_bytes() for path in good_study.iterdir()}
    changed = {
        **study.tables,
        "actors": study.tables["actors"].assign(name="X"),
        "raters": study.tables["raters"][:0],
    }
    replace = Path.replace
    calls: list[Path] = []

    def fail_late(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == 6:
            raise PermissionError("open in a spreadsheet")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_late)
    with pytest.raises(PermissionError):
        write_study(changed, good_study, descriptor=study.descriptor)
    assert {path.name: path.read_bytes() for path in good_study.iterdir()} == before
    monkeypatch.undo()
    write_study(changed, good_study, descriptor=study.descriptor)
    assert not (good_study / "raters.csv").exists()
    assert (good_study / "README.md").read_text() == "mine"
    assert "X" in (good_study / "actors.csv").read_text("utf-8")


def test_writing_beside_a_workbook_or_an_unknown_table_is_refused(tmp_path: Path) -> None:
    new_study(tmp_path / "new")
    with pytest.raises(UsageError, match=r"study\.xlsx"):
        write_study({}, tmp_path / "new", descriptor=Descriptor(title={}))
    with pytest.raises(UsageError, match="people"):
        write_study({"people": pd.DataFrame()}, tmp_path / "x", descriptor=Descriptor(title={}))
    assert not (tmp_path / "x").exists()


# a study to begin with ---------------------------------------------------------------------------


def test_new_study_waits_for_rows_and_reads_once_filled(tmp_path: Path) -> None:
    path = tmp_path / "ma ville"
    new_study(path)
    faults = check_study(path)
    assert faults["code"].tolist() == ["empty_table", "empty_table"]
    book = openpyxl.load_workbook(path / "study.xlsx")
    assert book.sheetnames[0] == "lisez-moi"
    explained = {row[:2]: row[5] for row in book["lisez-moi"].iter_rows(values_only=True)}
    assert {("actors", name) for name in schemas.list_columns("actors")} <= set(explained)
    assert explained["actors", "reach"] == "local; national; international"
    assert str(explained["actors", "kind"]).startswith("local_authority; ")
    assert [cell.value for cell in book["actors"][1]] == schemas.list_columns("actors")
    lists = {str(v.sqref): v.formula1 for v in book["actors"].data_validations.dataValidation}
    cells = book["lisez-moi"][lists["D2:D5000"].split("!")[1].replace("$", "")][0]
    assert schemas.list_columns("actors").index("kind") == 3  # column D
    assert [cell.value for cell in cells] == list(read_codebook().kinds.index)
    book["territories"].append(["ville", "Ville", "ML"])
    book["actors"].append(["ville", "a1", "Mairie", "local_authority"])
    book.save(path / "study.xlsx")
    study = read_study(path)
    assert study.warnings.empty
    assert study.tables["actors"].loc[0, "kind"] == "local_authority"
    assert study.descriptor.title["fr"] == "ma ville"


def test_new_study_overwrites_nothing(good_study: Path) -> None:
    with pytest.raises(UsageError, match="good"):
        new_study(good_study)
    assert not (good_study / "study.xlsx").exists()


# outlines ----------------------------------------------------------------------------------------


def test_outlines_hold_their_capitals_and_their_holes() -> None:
    """Paris, Bamako, Praia (on a coast), Dakar (on a cape), Maseru (in a hole of South Africa)."""
    cities = {"FR": (2.35, 48.86), "ML": (-8.0, 12.65), "CV": (-23.51, 14.93)}
    cities |= {"SN": (-17.45, 14.69), "LS": (27.6, -29.5)}
    points = pd.DataFrame(cities.values()).to_numpy()
    for i, country in enumerate(cities):
        inside = find_inside(points, country_code=country)
        assert inside.tolist() == [j == i for j in range(5)]
        assert find_country(points[i]) == country
    assert not find_inside(points[4:] - [0, 1.5], country_code="LS").any()
    assert find_inside(points[4:] - [0, 1.5], country_code="ZA").all()


def test_outlines_are_closed_rings_in_degrees() -> None:
    rings = read_outlines("ML")
    assert all((ring[0] == ring[-1]).all() for ring in rings)
    west, south = rings[0].min(axis=0)
    east, north = rings[0].max(axis=0)
    # CIA World Factbook: Mali lies between 10° and 25° N, 12° W and 4° E
    assert (round(west), round(south), round(east), round(north)) == (-12, 10, 4, 25)
    assert read_outlines("??") == []
