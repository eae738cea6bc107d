"""Lists become tables: read, cleaned, placed, joined, and reported without a rest."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis.errors import StudyError, UsageError
from ecoanalysis.sources import (
    ListMapping,
    describe_import,
    import_list,
    place_records,
    read_list,
    read_mapping,
)
from ecoanalysis.sources.reading import write_value
from ecoanalysis.sources.records import map_records
from ecoanalysis.sources.values import find_channels, list_steps, take_steps
from ecoanalysis.study import check_study, new_study, read_study
from ecoanalysis.wording import LANGUAGES, use_language

DATA = Path(__file__).parent / "data" / "sources"
LIST, MAPPING = DATA / "town.geojson", DATA / "town.yaml"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    import_list("geojson", [LIST], study_path=tmp_path / "town", mapping=MAPPING)
    return tmp_path / "town"


def refusals(path: Path) -> pd.DataFrame:
    faults = check_study(path)
    return faults[faults["severity"] == "refusal"]


def snapshot(path: Path) -> dict[str, bytes]:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def write_mapping(path: Path, **keys: Any) -> Path:
    content = {"source": {"name": "a-list"}, "columns": {"name": "name"}, **keys}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def write_features(path: Path, records: list[dict[str, Any]]) -> Path:
    features = []
    for record in records:
        point = record.pop("point", None)
        geometry = point and {"type": "Point", "coordinates": point}
        features.append({"type": "Feature", "geometry": geometry, "properties": record})
    content = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# --- the whole way, by hand on the eleven records of tests/data/sources/town.geojson ----------


def test_every_record_of_the_town_ends_where_it_should(study: Path) -> None:
    report = pd.read_csv(study / "import" / "report.csv")
    counts = report.groupby("outcome")["n"].sum()
    assert counts[["kept", "merged", "set_aside"]].tolist() == [6, 2, 3]
    rows = pd.read_csv(study / "import" / "report-rows.csv", dtype="str")
    aside = rows[rows["outcome"] == "set_aside"].set_index("record_id")["reason"].to_dict()
    assert aside == {
        "nulle-part": "no_place",
        "marseille": "far_from_others",
        "contact": "no_name",
    }
    assert refusals(study).empty


def test_facts_are_cleaned_and_contacts_are_left_out(study: Path) -> None:
    actors = read_study(study).tables["actors"].set_index("provenance")
    first = actors.loc["town-list:fabrique"]
    assert first["website"] == "http://fabrique-ouverte.example"
    assert first["tags"] == "Fablab;impression 3D"
    assert first["channels"] == "twitter"
    assert first["source_category"] == "town:Tiers-lieu"
    assert first["founded"] == 2009
    assert first["observed_on"] == pd.Timestamp("2015-04-23")  # 1,429,801,727 s after 1970
    assert (first["city"], first["placed"], first["territory_id"]) == ("Paris", "postcode", "paris")
    page = actors.loc["town-list:sans-code"]
    assert (page["channels"], page["placed"]) == ("facebook", "inferred")
    assert pd.isna(page["website"])
    text = "".join(content.decode() for content in snapshot(study).values())
    assert "@" not in text
    assert "sans.code" not in text


def test_one_organisation_is_merged_and_two_stay_two(study: Path) -> None:
    """The studio: three spellings, one town; the workshop: two domains; the library: two towns."""
    actors = read_study(study).tables["actors"].set_index("actor_id")
    studio = actors.loc["latelier-numerique"]
    # the latest record first: 2015-04, 2014-12, 2014-05
    assert studio["provenance"] == "town-list:atelier-1;town-list:atelier-3;town-list:atelier-2"
    assert studio["founded"] == 2004  # the first says #NUM!
    assert studio["tags"] == "web;formation"
    assert set(studio["channels"].split(";")) == {"twitter", "facebook"}
    names = actors["name"].value_counts()
    assert names["La Fabrique Ouverte"] == names["LA FABRIQUE OUVERTE SARL"] == 1
    libraries = actors[actors["name"].str.startswith("M")]
    assert sorted(libraries.index) == [
        "mediatheque-saint-exupery-cergy",
        "mediatheque-saint-exupery-paris",
    ]
    assert sorted(libraries["territory_id"]) == ["paris", "val-d-oise"]


def test_the_study_names_its_source_and_its_places(study: Path) -> None:
    descriptor = read_study(study).descriptor
    assert descriptor.sources == [
        {"name": "town-list", "title": "List of a town", "licence": "ODbL-1.0",
         "credit": "The town", "accessed_on": "2024-01-31"}
    ]  # fmt: skip
    territories = read_study(study).tables["territories"].set_index("territory_id")
    assert territories.loc["val-d-oise", ["latitude", "longitude"]].tolist() == [49.04, 2.06]
    # longitudes 2.3501 … 2.3507 of seven points: the median is the fourth, the studio counts once
    assert territories.loc["paris", "longitude"] == pytest.approx(2.3503, abs=2e-4)
    assert (study / "import" / "town-list.yaml").read_bytes() == MAPPING.read_bytes()


def test_the_same_list_again_changes_nothing(study: Path) -> None:
    before = snapshot(study)
    report = import_list("geojson", [LIST], study_path=study, mapping=MAPPING)
    assert snapshot(study) == before
    assert report.n_new == 0
    assert report.n_read == 11


def test_an_import_is_told_in_words_of_both_languages(study: Path) -> None:
    """No code of a reason is left in the lines; eleven records as counted above."""
    report = import_list("geojson", [LIST], study_path=study, mapping=MAPPING)
    said = {
        code: "\n".join(describe_import(report, language=use_language(code))) for code in LANGUAGES
    }
    assert said["fr"].startswith(
        "11 enregistrements lus\u00a0: 6 retenus, 2 réunis à un autre, 3 mis"
    )
    assert said["en"].startswith("11 records read: 6 kept, 2 merged, 3 set aside.")
    assert "  1  sans nom\n" in said["fr"]
    codes = {reason for reason in report.table["reason"] if "_" in reason}
    assert not any(codes & set(text.split()) for text in said.values())


def test_what_a_person_corrected_stays(study: Path) -> None:
    actors = pd.read_csv(study / "actors.csv", dtype="str").set_index("actor_id", drop=False)
    actors["kind"] = "intermediary"
    actors.loc["latelier-numerique", ["name", "tags", "city"]] = ["L'Atelier", "web", "Montreuil"]
    actors.to_csv(study / "actors.csv", index=False)
    before = read_study(study).tables["actors"]
    report = import_list("geojson", [LIST], study_path=study, mapping=MAPPING)
    pd.testing.assert_frame_equal(read_study(study).tables["actors"], before)
    differs = report.rows[report.rows["reason"] == "differs"]
    assert {"name", "city"} <= set(differs["field"])


def test_another_list_joins_by_the_same_rule(study: Path, tmp_path: Path) -> None:
    before = read_study(study).tables["actors"]
    other = write_features(
        tmp_path / "other.geojson",
        [
            {"id": 7, "name": "L'atelier numerique", "postcode": 75011, "city": "Paris",
             "tags": "data", "point": [2.3503, 48.8503]},
            {"id": 8, "name": "La Fabrique ouverte", "postcode": 75004, "city": "Paris"},
            {"id": 9, "name": "Sans Code", "postcode": 95000, "city": "Cergy"},
        ],
    )  # fmt: skip
    placement = {"postcode": "postcode", "prefixes": {"75": "paris", "95": "val-d-oise"}}
    columns = {"name": "name", "city": "city", "tags": "tags"}
    how = write_mapping(tmp_path / "o.yaml", id="id", columns=columns, placement=placement)
    report = import_list("geojson", [other], study_path=study, mapping=how)
    actors = read_study(study).tables["actors"]
    assert len(actors) == len(before) + 2
    assert actors["actor_id"].tolist()[: len(before)] == before["actor_id"].tolist()
    studio = actors.set_index("actor_id").loc["latelier-numerique"]
    assert studio["provenance"].endswith(";a-list:7")
    assert studio["tags"] == "web;formation;data"
    # either of the two workshops could be meant, so the record stays apart and is named
    undecided = report.rows[report.rows["reason"] == "undecided"]
    assert undecided["record_id"].tolist() == ["8"]
    assert refusals(study).empty
    saved = pd.read_csv(study / "import" / "report.csv")
    assert set(saved["source"]) == {"town-list", "a-list"}
    again = snapshot(study)
    import_list("geojson", [other], study_path=study, mapping=how)
    assert snapshot(study) == again


NAMES = st.sampled_from(["Alpha", "ALPHA SARL", "alpha", "Béta", "Beta", "a@b.fr", "", None, "+"])
LISTS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "city": st.sampled_from(["Paris", "PARIS 2e", "Cergy", "Nowhere", None]),
            "postcode": st.sampled_from([75001, "75001", "95000 Cergy", "13001", "x", None]),
            "point": st.sampled_from(
                [[2.35, 48.85], [2.3501, 48.8501], [2.06, 49.04], [5.0, 43.0]]
            ),
            "url": st.sampled_from(["a.fr", "https://b.fr", "not a site", "x@y.fr", None]),
            "updated": st.sampled_from([1429801727000, 1400000000000, None]),
        },
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=8, deadline=None)
@given(LISTS)
def test_read_is_kept_merged_and_set_aside_whatever_the_list(records: list[dict[str, Any]]) -> None:
    first = {"name": "Toujours là", "postcode": "75001"}
    records = [{"id": i, **record} for i, record in enumerate([first, *records])]
    with tempfile.TemporaryDirectory() as folder:
        file = write_features(Path(folder) / "list.geojson", [{**r} for r in records])
        how = write_mapping(
            Path(folder) / "list.yaml",
            id="id",
            columns={"name": "name"},
            placement={"postcode": ["id"], "prefixes": {"75": "paris"}},
            territories=[{"territory_id": "paris", "name": "Paris", "country_code": "FR"},
                         {"territory_id": "cergy", "name": "Cergy", "country_code": "FR"}],
        )  # fmt: skip
        fields = {key for record in records for key in record} - {"point", "id", "name"}
        content = yaml.safe_load(how.read_text())
        known = {"city": "city", "url": "website", "updated": "observed_on"}
        content["columns"] |= {field: known[field] for field in fields & set(known)}
        content["placement"]["postcode"] = ["postcode"]
        how.write_text(yaml.safe_dump(content))
        path = Path(folder) / "study"
        report = import_list("geojson", [file], study_path=path, mapping=how)
        parts = [report.count(outcome) for outcome in ("kept", "merged", "set_aside")]
        assert sum(parts) == report.n_read == len(records)
        for code in LANGUAGES:
            assert describe_import(report, language=use_language(code))
        assert len(read_study(path).tables["actors"]) == parts[0] == report.n_new
        provenance = read_study(path).tables["actors"]["provenance"].str.split(";").explode()
        assert provenance.is_unique
        assert len(provenance) == parts[0] + parts[1]
        before = snapshot(path)
        import_list("geojson", [file], study_path=path, mapping=how)
        assert snapshot(path) == before


# --- values ------------------------------------------------------------------------------------


def texts(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype="str")


def clean(
    column: str, *cells: str | None, order: str | None = None, cities: tuple[str, ...] = ()
) -> tuple[pd.Series, pd.DataFrame]:
    steps = list_steps(date_order=order, cities=texts(*cities))[column]
    return take_steps(texts(*cells).rename(column), steps)


def test_cells_lose_what_a_spreadsheet_added() -> None:
    cells = [75001.0, 123456789.0, 0.5, True, datetime(2020, 1, 5), 12345678901234, "\u200b ", None]
    assert [write_value(cell) for cell in cells] == [
        "75001", "123456789", "0.5", "yes", "2020-01-05", "12345678901234", None, None,
    ]  # fmt: skip
    assert write_value(["a;b", 2, None]) == "a,b;2"
    assert write_value("Cafe\u0301\xa0\n du  port") == "Café du port"


def test_days_of_every_form() -> None:
    """43,831 days after 30 December 1899 is 1 January 2020, as spreadsheets count."""
    found = ("2020-01-01", "2020/1/1", "43831", "1577836800000", "01/01/2020", "2020", "#REF!")
    days, notes = clean("observed_on", *found, order="dmy")
    assert days[:5].eq("2020-01-01").all()
    assert days[5:].isna().all()
    assert notes["found"].tolist() == ["#REF!", "2020"]
    assert notes["reason"].tolist() == ["spreadsheet_error", "not_a_date"]
    assert clean("observed_on", "03/04/2020")[0].isna().all()
    settled, _ = clean("observed_on", "03/04/2020", "13/04/2020", "31/02/2020")
    assert settled.fillna("-").tolist() == ["2020-04-03", "2020-04-13", "-"]
    american, _ = clean("observed_on", "03/04/2020", "03/14/2020")
    assert american.tolist() == ["2020-03-04", "2020-03-14"]


def test_years_of_every_form() -> None:
    found = ("1881", "2013.0", "2013-05-01", "01/05/2013", "#NUM!", "20133", "0", "500")
    years, notes = clean("founded", *found)
    assert years.dropna().tolist() == ["1881", "2013", "2013", "2013"]
    assert notes["found"].tolist() == ["#NUM!", "20133", "0", "500"]


@pytest.mark.parametrize(
    ("found", "kept", "channel"),
    [
        ("www.a.fr", "http://www.a.fr", None),
        ("HTTPS://A.fr/x?y=1", "HTTPS://A.fr/x?y=1", None),
        ("http:/a.fr", "http://a.fr", None),
        ("http://a.fr - www.b.fr", "http://a.fr", None),
        ("https://fr-fr.facebook.com/someone", None, "facebook"),
        ("http://www.facebook.com", "http://www.facebook.com", None),  # the firm itself
        ("m.youtube.com/c/x", None, "youtube"),
        ("someone@a.fr", None, None),
        ("http://medium.com/@someone", None, None),
        ("javascript:alert(1)", None, None),
        ("none yet", None, None),
        ("ftp://a.fr", None, None),
    ],
)
def test_websites_are_addresses_or_nothing(
    found: str, kept: str | None, channel: str | None
) -> None:
    websites, notes = clean("website", found)
    assert websites.fillna("-").tolist() == [kept or "-"]
    steps = list_steps(date_order=None, cities=texts())["website"]
    channels = find_channels(take_steps(texts(found), steps[:-1])[0])
    assert channels.fillna("-").tolist() == [channel or "-"]
    assert "someone" not in notes.to_csv()


def test_names_with_an_at_sign() -> None:
    found = ("@atelier Nord", "Web@cadémie", "a.b@c.fr", "L'@telier", "@")
    names, notes = clean("name", *found)
    assert names.fillna("-").tolist() == ["atelier Nord", "Webacadémie", "-", "L'atelier", "-"]
    assert notes["found"].isna().all()
    assert sorted(notes["reason"]) == ["at_sign"] * 4 + ["holds_contact"]


def test_points_are_whole_or_missing() -> None:
    points = pd.DataFrame(
        {"latitude": ["48,85", "48.85", "0", "95", "x", None, "0"],
         "longitude": ["2,35", None, "0", "2", "2", None, "9.5"]},
        dtype="str",
    )  # fmt: skip
    mapping = ListMapping(source={"name": "x"}, columns={c: c for c in points})
    index = pd.MultiIndex.from_product([["x.csv"], range(2, 9)], names=["file", "row"])
    found, notes = map_records(points.set_axis(index), mapping=mapping, cities=texts())
    found = found[["latitude", "longitude"]]
    assert found.dropna().to_numpy().tolist() == [[48.85, 2.35], [0.0, 9.5]]
    assert found.isna().to_numpy().sum() == 10
    assert set(notes["reason"]) == {"not_a_point"}
    assert sorted(notes["position"].unique()) == [1, 2, 3, 4]


def test_a_city_is_written_in_one_way() -> None:
    found = (
        "SEVRES", "Sevres", "Sevres", "Sèvres", "paris", "PARIS", "75012 Paris 12e", "MELUN",
        "St-Cloud", "Saint-Cloud", "Saint-Cloud", "75011", "CEDEX",
    )  # fmt: skip
    cities, notes = clean("city", *found)
    assert cities.fillna("-").tolist() == [
        *["Sèvres"] * 4, *["Paris"] * 3, "Melun", *["Saint-Cloud"] * 3, "-", "-",
    ]  # fmt: skip
    assert len(notes) == 3 + 3 + 1 + 1 + 2
    cities, _ = clean("city", "sevres", cities=("SÈVRES",))
    assert cities.tolist() == ["SÈVRES"]  # the study's own spelling wins


# --- placement ---------------------------------------------------------------------------------

TWO = pd.DataFrame({"territory_id": ["west", "east"], "name": ["West", "East"]})


def place(records: list[tuple[Any, ...]], **placement: Any) -> pd.DataFrame:
    columns = ["territory_id", "postcode", "city", "latitude", "longitude"]
    table = pd.DataFrame(records, columns=columns).astype(
        {"territory_id": "str", "postcode": "str", "city": "str",
         "latitude": "float64", "longitude": "float64"}
    )  # fmt: skip
    placement = {"prefixes": {"1": "west", "2": "east"}, **placement}
    return place_records(
        table, territories=TWO, placement=placement, postcodes=table[["postcode", "city"]]
    )


def test_the_five_nearest_postcoded_points_decide() -> None:
    """On the equator, 0.001° is 111 m. Nearest to 0: W .001, E .002, W .003, E .004, E .005 → E.

    The sixth (W .006) and the unpostcoded point in between have no vote.
    """
    known = [("1", 0.001), ("2", 0.002), ("1", 0.003), ("2", 0.004), ("2", 0.005), ("1", 0.006)]
    records = [(None, f"{code}0000", None, 0.0, x) for code, x in known]
    found = place([*records, (None, None, None, 0.0, 0.0), (None, None, None, 0.0, 0.0001)])
    assert found["territory_id"].tolist()[-2:] == ["east", "east"]
    assert found["placed"].tolist() == ["postcode"] * 6 + ["inferred"] * 2
    assert found["reason"].isna().all()


def test_neighbours_must_be_near_enough_and_agree() -> None:
    near = [(None, "10000", None, 0.0, 0.001 * n) for n in range(5)]
    # the fifth at 0.3° is 33 km away from 0
    far = [*near[:4], (None, "10000", None, 0.0, 0.3)]
    asking = (None, None, None, 0.0, 0.0)
    assert place([*near, asking])["placed"].iloc[-1] == "inferred"
    assert place([*far, asking])["reason"].iloc[-1] == "far_from_others"
    assert place([*far, asking], within_km=34)["placed"].iloc[-1] == "inferred"
    assert place([*near[:4], asking])["reason"].iloc[-1] == "unknown_place"
    three = pd.DataFrame({"territory_id": ["a", "b", "c"], "name": ["A", "B", "C"]})
    split = [(f"{code}0000", 0.001 * n) for n, code in enumerate("11223")]
    table = pd.DataFrame(
        [(None, None, 0.0, x) for _, x in split] + [(None, None, 0.0, 0.0)],
        columns=["territory_id", "city", "latitude", "longitude"],
    ).astype({"territory_id": "str", "city": "str"})
    codes = pd.DataFrame({"postcode": [code for code, _ in split] + [None]}, dtype="str")
    prefixes = {"1": "a", "2": "b", "3": "c"}
    found = place_records(
        table, territories=three, placement={"prefixes": prefixes}, postcodes=codes
    )
    assert found["reason"].iloc[-1] == "neighbours_disagree"  # 2, 2 and 1 of five


def test_postcode_goes_before_city_and_may_stand_in_its_field() -> None:
    found = place(
        [
            (None, "10000", "East", None, None),
            (None, "rue des Lilas", "20000 Somewhere", None, None),
            (None, "1234", "EAST cedex 3", None, None),  # four digits are no postcode
            (None, None, "Somewhere", None, None),  # all of Somewhere's postcodes are in the east
            (None, None, "Elsewhere", None, None),
            ("west", "20000", None, None, None),
            (None, None, None, None, None),
        ]
    )
    assert found["territory_id"].fillna("-").tolist() == [
        "west", "east", "east", "east", "-", "west", "-",
    ]  # fmt: skip
    assert found["placed"].fillna("-").tolist() == [
        "postcode", "postcode", "city", "city", "-", "stated", "-",
    ]  # fmt: skip
    assert found["reason"].dropna().tolist() == ["unknown_place", "no_place"]


def test_a_city_of_two_territories_places_nobody_unless_the_mapping_says() -> None:
    records = [
        (None, "10000", "Border", None, None),
        (None, "20000", "Border", None, None),
        (None, None, "Border", None, None),
    ]
    assert place(records)["reason"].iloc[-1] == "unknown_place"
    assert place(records, cities={"BORDER": "west"})["territory_id"].iloc[-1] == "west"


# --- tables ------------------------------------------------------------------------------------

ROWS = [
    {"Nom": "Maïf Atelier", "Ville": "Ségou", "Site web": "maif.example", "SIREN": "012345678",
     "CP": "01000", "Date": "31/12/2019", "Année": "2013", "Thèmes": "eau, énergie / eau"},
    {"Nom": "Sahel Tech", "Ville": "SEGOU", "Site web": "néant", "SIREN": "123456789",
     "CP": "75001", "Date": "05/01/2020", "Année": "vers 1990", "Thèmes": ""},
]  # fmt: skip


def write_table(folder: Path, form: str) -> Path:
    table = pd.DataFrame(ROWS)
    file = folder / f"liste.{form.split('-')[0]}"
    if form == "csv-cp1252":
        file.write_bytes(table.to_csv(index=False, sep=";").encode("cp1252"))
    elif form == "csv-bom":
        file.write_bytes(table.to_csv(index=False).encode("utf-8-sig"))
    elif form == "csv-utf16":
        file.write_bytes(table.to_csv(index=False, sep="\t").encode("utf-16"))
    elif form == "json":
        file.write_text(json.dumps(ROWS), encoding="utf-8")
    else:
        typed = [
            {**row, "SIREN": int(row["SIREN"]), "CP": float(row["CP"]),
             "Date": datetime(2019, 12, 31) if n == 0 else date(2020, 1, 5)}
            for n, row in enumerate(ROWS)
        ]  # fmt: skip
        pd.DataFrame(typed).to_excel(file, index=False)
    return file


@pytest.mark.parametrize("form", ["csv-cp1252", "csv-bom", "csv-utf16", "json", "xlsx"])
def test_tables_of_every_form_say_the_same(form: str, tmp_path: Path) -> None:
    raw, _ = read_list("table", [write_table(tmp_path, form)])
    assert raw["Nom"].tolist() == ["Maïf Atelier", "Sahel Tech"]
    first = 1 if form == "json" else 2  # a spreadsheet's first row holds the names
    assert raw.index.get_level_values("row").tolist() == [first, first + 1]
    # a workbook has lost the zeros that begin a number, never gained a ".0"
    assert raw["SIREN"].tolist()[1] == "123456789"
    assert raw["CP"].tolist() == ["1000" if form == "xlsx" else "01000", "75001"]
    how = write_mapping(
        tmp_path / "m.yaml",
        id="SIREN",
        columns={"Nom": "name", "Ville": "city", "Site web": "website", "Date": "observed_on",
                 "Année": "founded", "Thèmes": "tags"},
        split={"tags": [",", "/"]},
        translations={"city": {"Segou": "Ségou"}, "tags": {"eau": "water"}},
        constants={"reach": "local"},
        territories=[{"territory_id": "segou", "name": "Ségou", "country_code": "ML"}],
    )  # fmt: skip
    report = import_list("table", [raw_path(tmp_path)], study_path=tmp_path / "s", mapping=how)
    actors = read_study(tmp_path / "s").tables["actors"].set_index("actor_id")
    assert actors.loc["maif-atelier", "tags"] == "water;énergie"
    assert actors["observed_on"].dt.strftime("%Y-%m-%d").tolist() == ["2019-12-31", "2020-01-05"]
    assert actors["founded"].tolist()[0] == 2013
    assert np.isnan(actors.loc["sahel-tech", "founded"])
    assert actors["city"].tolist() == ["Ségou", "Ségou"]
    assert actors["reach"].tolist() == ["local", "local"]
    assert set(actors["placed"]) == {"stated"}  # the study has one territory
    noted = report.rows[report.rows["outcome"] == "noted"]
    assert {"not_a_year", "not_a_website"} <= set(noted["reason"])
    assert report.unused == ("CP",)


def raw_path(folder: Path) -> Path:
    (file,) = folder.glob("liste.*")
    return file


def test_obvious_columns_are_recognised_and_the_guess_is_told(tmp_path: Path) -> None:
    file = tmp_path / "Liste des acteurs.csv"
    file.write_text(
        "Identifiant;NOM;Commune;Site Internet;Latitude;longitude;Catégorie;Téléphone\n"
        "007;Le Bocal;Nantes;bocal.example;47,21;-1,55;lieu;06 00 00 00 00\n",
        encoding="utf-8",
    )
    new_study(tmp_path / "town")
    fill_territory(tmp_path / "town", "nantes", "Nantes", "FR")
    report = import_list("table", [file], study_path=tmp_path / "town", territory_id="nantes")
    assert report.guesses == {
        "NOM": "name",
        "Commune": "city",
        "Site Internet": "website",
        "Latitude": "latitude",
        "longitude": "longitude",
    }
    assert report.unused == ("Téléphone",)
    actor = read_study(tmp_path / "town").tables["actors"].iloc[0]
    assert actor["provenance"] == "liste-des-acteurs:007"
    assert actor["source_category"] == "liste-des-acteurs:lieu"
    assert (actor["latitude"], actor["longitude"]) == (47.21, -1.55)
    kept = read_mapping(tmp_path / "town" / "import" / "liste-des-acteurs.yaml")
    assert kept.columns == report.guesses
    for code in LANGUAGES:
        text = "\n".join(describe_import(report, language=use_language(code)))
        assert "NOM → name" in text
        assert "Téléphone" in text


def fill_territory(path: Path, territory_id: str, name: str, country: str) -> None:
    book = openpyxl.load_workbook(path / "study.xlsx")
    for column, value in enumerate([territory_id, name, country], start=1):
        book["territories"].cell(2, column, value)
    book.save(path / "study.xlsx")


def test_a_workbook_stays_a_workbook(tmp_path: Path) -> None:
    """From `ecoanalysis new` to actors: headers, other sheets and a person's rows stay."""
    path = tmp_path / "town"
    new_study(path)
    comment = "# Décrit l'étude"
    assert comment in (path / "datapackage.yaml").read_text("utf-8")
    fill_territory(path, "segou", "Ségou", "ML")
    file = tmp_path / "actors list.csv"
    file.write_text("name,kind\n=cmd()|x,ngo\nAssociation,ngo\n", encoding="utf-8")
    import_list("table", [file], study_path=path)
    book = openpyxl.load_workbook(path / "study.xlsx")
    assert book.sheetnames[0] == "lisez-moi"
    cell = book["actors"]["C2"]
    assert (cell.value, cell.data_type) == ("Association", "s")
    formula = book["actors"]["C3"]
    assert (formula.value, formula.data_type) == ("=cmd()|x", "s")
    study = read_study(path)
    assert study.tables["actors"]["kind"].tolist() == ["ngo", "ngo"]
    assert study.descriptor.sources[0]["name"] == "actors-list"
    assert comment in (path / "datapackage.yaml").read_text("utf-8")
    again = read_study(path).tables["actors"]
    assert import_list("table", [file], study_path=path).n_new == 0
    pd.testing.assert_frame_equal(read_study(path).tables["actors"], again)


def test_the_report_of_an_import_runs_nothing_and_loses_nothing(tmp_path: Path) -> None:
    new_study(tmp_path / "town")
    fill_territory(tmp_path / "town", "segou", "Ségou", "ML")
    found = ["+1", "a;=1+1", "＝2", "NA"]
    for name, years in (("first.csv", found), ("second.csv", ["later"])):
        rows = "".join(f"Association {year[-1]},{year}\n" for year in years)
        (tmp_path / name).write_text("name,founded\n" + rows, encoding="utf-8")
        import_list("table", [tmp_path / name], study_path=tmp_path / "town")
    file = tmp_path / "town" / "import" / "report-rows.csv"
    report = pd.read_csv(file, dtype="str", keep_default_na=False)
    said = report.loc[report["reason"] == "not_a_year", "found"]
    assert said.tolist() == ["'+1", "a;'=1+1", "'＝2", "NA", "later"]


# --- graphs ------------------------------------------------------------------------------------

GEXF = """<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">
 <graph defaultedgetype="directed">
  <attributes class="node">
   <attribute id="0" title="country" type="string"/><attribute id="1" title="type" type="string"/>
  </attributes>
  <nodes>%s</nodes>
  <edges>
   <edge id="0" source="1" target="2" weight="2"/>
   <edge id="1" source="2" target="1" weight="3"/>
   <edge id="2" source="1" target="3"/>
   <edge id="3" source="4" target="1"/>
   <edge id="4" source="3" target="3"/>
   <edge id="5" source="2" target="3" weight="-1"/>
  </edges>
 </graph>
</gexf>"""
NODES = [
    ("1", "Alpha", "Mali", "NGO"),
    ("2", "Beta", "mali", "Jane Roe"),
    ("3", "Alpha", "Mali", "Web"),
    ("4", "Gamma", "Nowhere", "NGO"),
    ("5", "Delta", "Niger;Mali", "Web"),
]
BOTH = [
    {"territory_id": "mali", "name": "Mali", "country_code": "ML"},
    {"territory_id": "niger", "name": "Niger", "country_code": "NE"},
]


def write_gexf(path: Path) -> Path:
    value = '<attvalue for="%d" value="%s"/>'
    nodes = [
        f'<node id="{node}" label="{label}"><attvalues>{value % (0, country)}{value % (1, kind)}'
        "</attvalues></node>"
        for node, label, country, kind in NODES
    ]
    path.write_text(GEXF % "".join(nodes), encoding="utf-8")
    return path


def map_graph(path: Path, **keys: Any) -> Path:
    said = {
        "id": "id",
        "columns": {"label": "name", "country": "territory_id"},
        "category": "a-list:type",
        "split": {"territory_id": ";"},
        "set_aside": {"country": {"Nowhere": "of no country"}},
        "withhold": {"type": ["jane roe"]},
        "relations": [{"kind": "partners_with"}],
        "territories": BOTH,
    }
    return write_mapping(path, **{**said, **keys})


def list_relations(study: Path) -> list[tuple[Any, ...]]:
    columns = ["territory_id", "source_id", "target_id", "kind", "weight"]
    found = read_study(study).tables["relations"][columns].fillna(0)
    return sorted(found.itertuples(index=False, name=None))


def test_a_graph_becomes_actors_and_ties_that_add_up(tmp_path: Path) -> None:
    """Undirected kind: 1→2 and 2→1 are one tie of weight 2 + 3. Of two nodes Alpha neither goes."""
    path, how = tmp_path / "s", map_graph(tmp_path / "g.yaml")
    file = write_gexf(tmp_path / "g.gexf")
    report = import_list("gexf", [file], study_path=path, mapping=how)
    outcomes = ("kept", "merged", "set_aside")
    assert [report.count(outcome) for outcome in outcomes] == [4, 0, 1]
    assert [report.count(outcome, table="relations") for outcome in outcomes] == [2, 1, 3]
    aside = report.rows[report.rows["outcome"].eq("set_aside")]
    assert sorted(aside["reason"]) == [
        "end_set_aside", "negative_weight", "of no country", "self_relation",
    ]  # fmt: skip
    assert list_relations(path) == [
        ("mali", "alpha-1", "alpha-3", "partners_with", 0),
        ("mali", "alpha-1", "jane-roe-2", "partners_with", 5),
    ]
    actors = read_study(path).tables["actors"].set_index("provenance")
    # the mapping's spelling and the number stand for a name that may be a person's
    assert actors.loc["a-list:2", "name"] == "jane roe 2"
    # one node in two territories is one organisation
    assert actors.loc["a-list:5", "territory_id"].tolist() == ["mali", "niger"]
    assert actors.loc["a-list:5", "actor_id"].tolist() == ["delta", "delta"]
    before = snapshot(path)
    assert import_list("gexf", [file], study_path=path, mapping=how).n_new == 0
    assert snapshot(path) == before
    for code in LANGUAGES:
        text = "\n".join(describe_import(report, language=use_language(code)))
        assert "of no country" in text


def test_the_kind_of_relation_says_whether_direction_counts(tmp_path: Path) -> None:
    how = map_graph(tmp_path / "g.yaml", relations=[{"kind": "links_to", "weight": "weight"}])
    import_list("gexf", [write_gexf(tmp_path / "g.gexf")], study_path=tmp_path / "s", mapping=how)
    assert [row[1:] for row in list_relations(tmp_path / "s")] == [
        ("alpha-1", "alpha-3", "links_to", 0),
        ("alpha-1", "jane-roe-2", "links_to", 2),
        ("jane-roe-2", "alpha-1", "links_to", 3),
    ]


def test_an_untyped_graphml_and_ties_beyond_the_territory(tmp_path: Path) -> None:
    """Networkx writes no types for a bare graph; the identifiers are the names."""
    file = tmp_path / "g.graphml"
    graph: nx.Graph[str] = nx.Graph([("Alpha", "Beta"), ("Beta", "Gamma")])
    graph.add_weighted_edges_from([("Alpha", "Gamma", 0.5)])
    nx.write_graphml(graph, file)
    nodes, edges = read_list("graphml", [file])
    assert nodes["label"].tolist() == ["Alpha", "Beta", "Gamma"]
    assert edges["weight"].fillna("-").tolist() == ["-", "0.5", "-"]
    places = {"Alpha": "mali", "Beta": "mali", "Gamma": "niger"}
    how = map_graph(
        tmp_path / "g.yaml", columns={"label": "name", "id": "territory_id"}, category=[],
        set_aside={}, withhold={}, translations={"territory_id": places},
    )  # fmt: skip
    import_list("graphml", [file], study_path=tmp_path / "s", mapping=how)
    assert list_relations(tmp_path / "s") == [
        ("mali", "alpha", "beta", "partners_with", 0),
        ("mali", "alpha", "gamma", "partners_with", 0.5),
        ("mali", "beta", "gamma", "partners_with", 0),
    ]
    assert refusals(tmp_path / "s").empty


def test_edges_that_the_mapping_does_not_speak_of_are_set_aside(tmp_path: Path) -> None:
    how = map_graph(tmp_path / "g.yaml", relations=[])
    file = write_gexf(tmp_path / "g.gexf")
    report = import_list("gexf", [file], study_path=tmp_path / "s", mapping=how)
    assert report.count("set_aside", table="relations") == 6
    assert read_study(tmp_path / "s").tables["relations"].empty
    wrong = map_graph(tmp_path / "g.yaml", relations=[{"kind": "link_to"}])
    with pytest.raises(UsageError, match="links_to"):
        import_list("gexf", [file], study_path=tmp_path / "s", mapping=wrong)


@pytest.mark.parametrize("form", ["gexf", "graphml"])
def test_graphs_that_hide_an_attack_or_are_broken_are_refused(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"g.{form}"
    bomb = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for content, said in (
        (f'<!DOCTYPE x [<!ENTITY l0 "ha">{bomb}]><{form}>&l9;</{form}>', "Entities"),
        (f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><{form}>&f;</{form}>', "Entities"),
        ("<gexf><graph>", "line 1"),
        ("<other/>", "cannot be read as"),
    ):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match=said):
            read_list(form, [file])


# --- relations and territories from the cells of a table -----------------------------------------


def test_organisations_that_cells_name_become_actors_and_ties(tmp_path: Path) -> None:
    """Three supporters: one is in the list itself, two are made; Kode serves two islands."""
    file = tmp_path / "list.csv"
    file.write_text(
        "name,island,supporters\n"
        'Hub,East,\nAlpha,"East, West","kode / HUB"\nBeta,West,Kode/none\nGamma,Sea,Kode\n'
        "Delta,East,x@y.fr\n",
        encoding="utf-8",
    )
    territories = [
        {"territory_id": t.lower(), "name": t, "country_code": "CV"} for t in ("East", "West")
    ]
    entry = {
        "field": "supporters", "kind": "supports", "end": "source", "split": "/",
        "translations": {"none": ""}, "target": {"kind": "intermediary", "reach": "national"},
    }  # fmt: skip
    how = write_mapping(
        tmp_path / "m.yaml", columns={"name": "name", "island": "territory_id"},
        split={"territory_id": ","}, relations=[entry], territories=territories,
    )  # fmt: skip
    path = tmp_path / "s"
    report = import_list("table", [file], study_path=path, mapping=how)
    assert [report.count(o) for o in ("kept", "merged", "set_aside")] == [4, 0, 1]
    named = [report.count(o, table="organisations") for o in ("kept", "merged")]
    assert named == [1, 1]  # Kode is new, Hub is known
    ties = [report.count(o, table="relations") for o in ("kept", "merged", "set_aside")]
    assert ties == [3, 0, 2]  # Gamma is nowhere, an e-mail address is no organisation
    assert [row[:3] for row in list_relations(path)] == [
        ("east", "hub", "alpha"),
        ("east", "kode", "alpha"),
        ("west", "hub", "alpha"),
        ("west", "kode", "alpha"),
        ("west", "kode", "beta"),
    ]
    actors = read_study(path).tables["actors"]
    keys = sorted(actors["territory_id"] + " " + actors["actor_id"])
    assert keys == [
        "east alpha", "east delta", "east hub", "east kode",
        "west alpha", "west beta", "west hub", "west kode",
    ]  # fmt: skip
    assert refusals(path).empty
    before = snapshot(path)
    import_list("table", [file], study_path=path, mapping=how)
    assert snapshot(path) == before


def test_a_relation_that_a_person_corrected_stays(tmp_path: Path) -> None:
    path, how = tmp_path / "s", map_graph(tmp_path / "g.yaml")
    file = write_gexf(tmp_path / "g.gexf")
    import_list("gexf", [file], study_path=path, mapping=how)
    relations = pd.read_csv(path / "relations.csv", dtype="str")
    known = set(relations["provenance"])
    assert "a-list:1--2;a-list:2--1" in known
    for said in (None, relations["provenance"].str.replace(";", " ; ")):
        relations.assign(weight="9", provenance=said).to_csv(path / "relations.csv", index=False)
        report = import_list("gexf", [file], study_path=path, mapping=how)
        assert set(read_study(path).tables["relations"]["provenance"]) == known
    assert {row[4] for row in list_relations(path)} == {9}
    assert report.count("set_aside", table="relations") == 3


def test_a_city_named_in_a_text_places_a_record(tmp_path: Path) -> None:
    table = pd.DataFrame(columns=["territory_id", "city"], index=range(3), dtype="str")
    table = table.assign(latitude=np.nan, longitude=np.nan)
    texts = pd.DataFrame({"name": ["University of EAST", "Far Eastern Bank", "East West Ltd"]})
    found = place_records(
        table, territories=TWO, placement={}, postcodes=table[[]], texts=texts.astype("str")
    )
    assert found["territory_id"].fillna("-").tolist() == ["east", "-", "-"]


# --- refusals ----------------------------------------------------------------------------------

BROKEN = {
    "broken.geojson": ('{"type": "FeatureCollection", "features": [', "line 1 column 44"),
    "list.geojson": ("[]", "FeatureCollection"),
    "point.geojson": (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": 1},'
        ' "geometry": {"type": "Point", "coordinates": [1, "b"]}}]}',
        "features, 1, geometry, coordinates",
    ),
    "lambert.geojson": (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": 1},'
        ' "geometry": {"type": "Point", "coordinates": [475198.1, 6692424.5]}}]}',
        "features, 1, geometry, coordinates",
    ),
    "crs.geojson": (
        '{"type": "FeatureCollection", "features": [],'
        ' "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}}',
        "WGS 84",
    ),
    "ragged.csv": ("name,city\nA,B\nC\n", "row 3"),
    "long.csv": ("name,city\nA,B,C\n", "row 2"),
    "quote.csv": ('name,city\nA,B\n"C,D\nE,F\n', "row 3"),
    "doubled.csv": ("name,city,name\nA,B,C\n", "column 3"),
    "nameless.csv": ("name,,city\nA,B,C\n", "column 2"),
    "empty.csv": ("name,city\n", "at least one row"),
    "binary.csv": ("PK\3\4name,city\nA,B\n", "not a table of text"),
    "objects.json": ('[{"name": "A"}, 5]', "objects.json, 2"),
    "unknown.pdf": ("x", ".xlsx"),
    "broken.xlsx": ("x", "not a table of text"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_malformed_files_are_refused_with_their_place(name: str, tmp_path: Path) -> None:
    content, place_in_file = BROKEN[name]
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        read_list("geojson" if name.endswith("geojson") else "table", [file])
    assert name in str(refused.value)
    assert place_in_file in str(refused.value)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    for form, name in (("geojson", "a.geojson"), ("table", "a.csv"), ("table", "a.xlsx")):
        with pytest.raises(UsageError, match=r"a\."):
            read_list(form, [tmp_path / name])


WRONG_KEYS = {
    "colums": ({"colums": {}}, "columns"),
    "column": ({"columns": {"name": "nam"}}, "name"),
    "contact": ({"columns": {"name": "name", "mail": "email"}}, "email"),
    "source": ({"source": {"name": "x", "license": "y"}}, "licence"),
    "placement": ({"placement": {"postcodes": "x"}}, "postcode"),
    "translations": ({"translations": {"citty": {}}}, "city"),
    "split": ({"split": {"tag": [","]}}, "tags"),
    "territories": ({"territories": [{"territory_id": "x", "nam": "y"}]}, "name"),
    "shape": ({"columns": ["name"]}, "pairs of key and value"),
    "category": ({"category": "field"}, "system:field"),
    "name": ({"source": {"name": "A list"}}, "a-z"),
}


@pytest.mark.parametrize("case", WRONG_KEYS)
def test_unknown_keys_of_a_mapping_are_refused_with_what_was_meant(
    case: str, tmp_path: Path
) -> None:
    keys, meant = WRONG_KEYS[case]
    with pytest.raises(UsageError) as refused:
        read_mapping(write_mapping(tmp_path / "m.yaml", **keys))
    assert "m.yaml" in str(refused.value)
    assert meant in str(refused.value)


def test_a_mapping_keeps_text_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(
        "source: {name: x, accessed_on: 2015-06-01}\ncolumns: {name: name}\n"
        "constants: {publish: no}\nplacement: {postcode: cp, prefixes: {01: ain}}\n"
    )
    mapping = read_mapping(file)
    assert mapping.source["accessed_on"] == "2015-06-01"
    assert mapping.constants == {"publish": "no"}
    assert mapping.placement["prefixes"] == {"01": "ain"}
    assert mapping.fields == ["name", "cp"]


def test_names_that_lead_nowhere_are_refused(study: Path, tmp_path: Path) -> None:
    before = snapshot(study)
    cases: list[tuple[dict[str, Any], str | None, str]] = [
        ({"columns": {"nom": "name"}}, "paris", "name"),
        ({"placement": {"postcode": "postcode", "prefixes": {"75": "pari"}}}, None, "paris"),
        ({}, "pariss", "paris"),
        ({"columns": {"name": "name", "category": "kind"}}, "paris", "row 1, column kind"),
        ({"id": "category"}, "paris", "row 1, 2, field category: 'Tiers-lieu' is there twice"),
        ({"id": "email"}, "paris", "row 2, 3"),
        ({}, None, "--territory"),
    ]
    for keys, territory, said in cases:
        how = write_mapping(tmp_path / "m.yaml", **keys)
        with pytest.raises(UsageError) as refused:
            import_list("geojson", [LIST], study_path=study, territory_id=territory, mapping=how)
        assert said in str(refused.value)
    with pytest.raises(UsageError, match="no territory yet"):
        how = write_mapping(tmp_path / "m.yaml")
        import_list("geojson", [LIST], study_path=tmp_path / "new", mapping=how)
    assert snapshot(study) == before
    assert not (tmp_path / "new").exists()


def test_a_study_with_faults_is_not_touched(study: Path) -> None:
    actors = (study / "actors.csv").read_text("utf-8")
    (study / "actors.csv").write_text(actors.replace("http://www.", "www.", 1), encoding="utf-8")
    before = snapshot(study)
    with pytest.raises(StudyError):
        import_list("geojson", [LIST], study_path=study, mapping=MAPPING)
    assert snapshot(study) == before
