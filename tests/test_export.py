"""Tables on disk: types that come back, formulas that stay text, folders that are whole."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ecoanalysis import export
from ecoanalysis.errors import UsageError
from ecoanalysis.study import read_study
from ecoanalysis.study.files import neutralise_formulas
from ecoanalysis.wording import use_language

ENGLISH = use_language("en")
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+33 1",
    "-x",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=x",
    "a;=b",
    "＝x",
    "plain",
]


def make_table() -> pd.DataFrame:
    n = len(HOSTILE)
    return pd.DataFrame(
        {
            "actor_id": pd.array([f"0{i}" for i in range(n)], dtype="str"),
            "name": pd.array(HOSTILE, dtype="str"),
            "note": pd.array(["=1", None] * (n // 2), dtype="str"),
            "score": [-1.5, None] * (n // 2),
            "n": range(-3, n - 3),
            "=1+1": [True, False] * (n // 2),
            "seen_on": pd.to_datetime(["2024-03-15", None] * (n // 2)).astype("datetime64[s]"),
        }
    )


def test_text_that_would_run_gets_an_apostrophe() -> None:
    written = neutralise_formulas(make_table())
    assert list(written["name"]) == [
        "'=cmd|' /C calc'!A0", "'+33 1", "'-x", "'@SUM(A1)", "'\tx", "'\rx", "''=x", "a;'=b",
        "'＝x", "plain",
    ]  # fmt: skip
    assert list(written["n"]) == list(make_table()["n"])
    assert "'=1+1" in written


def test_tables_come_back_as_they_were(tmp_path: Path) -> None:
    table = make_table()
    empty = table.iloc[:0]
    export.write_tables({"a": table, "none": empty}, tmp_path / "t", notice="Licence: x, y")
    found = export.read_tables(tmp_path / "t")
    pd.testing.assert_frame_equal(found["a"], table)
    pd.testing.assert_frame_equal(found["none"], empty)


def test_each_row_ends_with_the_notice(tmp_path: Path) -> None:
    export.write_tables({"a": make_table()}, tmp_path, notice="ODbL 1.0")
    raw = pd.read_csv(tmp_path / "a.csv", dtype=str)
    assert raw.columns[-1] == "notice"
    assert set(raw["notice"]) == {"ODbL 1.0"}
    export.write_tables({"a": make_table()}, tmp_path)
    assert "notice" not in pd.read_csv(tmp_path / "a.csv", dtype=str).columns


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    export.write_tables({"a": make_table(), "b": make_table()}, tmp_path / "t")
    export.write_tables({"a": make_table()}, tmp_path / "t")
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["a.csv", "datapackage.json"]
    with pytest.raises(OSError):
        export.write_tables({"c": make_table(), "no/folder": make_table()}, tmp_path / "t")
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["a.csv", "datapackage.json"]


def test_nothing_is_written_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export.write_tables({"a": make_table()}, "")
    assert not list(tmp_path.iterdir())


def test_results_are_read_in_the_order_of_the_territories(tmp_path: Path) -> None:
    for name in ("b", "a", ".making-x"):
        export.write_tables({"summary": make_table()}, tmp_path / name / "tables")
    territories = pd.DataFrame({"territory_id": ["c", "b", "a"]})
    assert list(export.read_results(tmp_path, territories=territories)) == ["b", "a"]
    with pytest.raises(UsageError, match="no territory of this study"):
        export.read_results(tmp_path, territories=territories[:1])
    with pytest.raises(UsageError, match="no tables in"):
        export.read_tables(tmp_path)


def test_a_workbook_holds_the_study_and_no_formula(good_study: Path, tmp_path: Path) -> None:
    actors = pd.read_csv(good_study / "actors.csv", dtype=str).replace("Banque du Fleuve", "=1+1")
    actors.assign(**{"=2+2": "x"}).to_csv(good_study / "actors.csv", index=False)
    descriptor = (good_study / "datapackage.yaml").read_text("utf-8")
    (good_study / "datapackage.yaml").write_text(descriptor + "  fictional: yes\n", "utf-8")
    study = read_study(good_study)
    export.export_study(study, tmp_path / "x" / "study.xlsx", to="xlsx", language=ENGLISH)
    book = openpyxl.load_workbook(tmp_path / "x" / "study.xlsx")
    assert {"territories", "actors", "relations", "notice"} <= set(book.sheetnames)
    sheet = book["actors"]
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 1 + len(study.tables["actors"])
    assert "'=1+1" in {row[rows[0].index("name")] for row in rows}
    assert all(cell.data_type != "f" for line in sheet.iter_rows() for cell in line)
    assert rows[0][-1] == "notice"
    assert all("ictional" in str(row[-1]) for row in rows[1:])
    assert sheet.freeze_panes == "A2"
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["study.xlsx"]


def test_a_study_in_parquet_reads_back_the_same(good_study: Path, tmp_path: Path) -> None:
    study = read_study(good_study)
    export.export_study(study, tmp_path / "copy", to="parquet", language=ENGLISH)
    again = read_study(tmp_path / "copy")
    assert again.warnings.empty
    assert again.descriptor == study.descriptor
    for name, table in study.tables.items():
        assert_frame_equal(again.tables[name], table)
    with pytest.raises(UsageError, match="copy is there already"):
        export.export_study(study, tmp_path / "copy", to="parquet", language=ENGLISH)


def test_the_notice_goes_with_each_parquet_file(good_study: Path, tmp_path: Path) -> None:
    with (good_study / "datapackage.yaml").open("a", encoding="utf-8") as file:
        file.write("  notice: {fr: Vu, en: Seen}\n")
    export.export_study(read_study(good_study), tmp_path / "copy", to="parquet", language=ENGLISH)
    actors = pd.read_parquet(tmp_path / "copy" / "actors.parquet")
    assert actors.attrs["notice"] == {"fr": "Vu", "en": "Seen"}
    assert actors["founded"].dtype == "float64"
