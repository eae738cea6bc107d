"""Batches: whole outputs, failures that stay alone, names that are refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from ecoanalysis import batch
from ecoanalysis.batch import run
from ecoanalysis.errors import StudyError, UsageError
from ecoanalysis.study import read_study

ROOT = Path(__file__).parents[1]


def test_run_json_says_what_a_page_was_made_from(reports: Path) -> None:
    folder = reports / "ile-de-france/fr/95-val-d-oise"
    record = json.loads((folder / "run.json").read_text("utf-8"))
    assert record["parameters"]["territory_id"] == "95-val-d-oise"
    assert record["parameters"]["language"] == "fr"
    assert record["study_files"] == batch.hash_files(ROOT / "data/ile-de-france")
    assert record["versions"]["python"].startswith("3.")
    assert record["seconds"] > 0
    assert not Path(record["parameters"]["study"]).is_absolute()
    assert f'"{ROOT}' not in json.dumps(record)


def test_folders_hold_no_trace_of_their_making(reports: Path) -> None:
    assert not [path for path in reports.rglob("*") if path.name.startswith(".")]
    for folder in (reports / "training/fr").iterdir():
        if folder.is_dir():
            assert {p.name for p in folder.iterdir()} == {
                "report.html", "report.ipynb", "run.json", "tables",
            }  # fmt: skip


def test_executed_notebook_names_no_path_of_this_machine(reports: Path) -> None:
    for notebook in reports.rglob("report.ipynb"):
        assert f'"{ROOT}' not in notebook.read_text("utf-8")


def test_unknown_territory_and_language_are_refused(good_study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no territory 'nowhere'"):
        batch.run_reports([good_study], out=tmp_path, territories=["nowhere"])
    with pytest.raises(UsageError, match="unknown language 'de'"):
        batch.run_reports([good_study], out=tmp_path, languages=["de"])
    assert not [p for p in tmp_path.iterdir() if p != good_study]


def test_a_study_with_faults_makes_no_page(good_study: Path, tmp_path: Path) -> None:
    (good_study / "actors.csv").write_text("territory_id,actor_id\n", encoding="utf-8")
    with pytest.raises(StudyError):
        batch.run_reports([good_study], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parameters_that_a_notebook_does_not_declare_are_refused(
    good_study: Path, tmp_path: Path
) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("study: str = ''  # x")])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    nbformat.write(notebook, tmp_path / "thin.ipynb")
    page = batch.Page(
        study=str(good_study), study_id="s", page="t", language="en",
        folder=str(tmp_path / "o" / "t"), notebook=str(tmp_path / "thin.ipynb"),
        parameters={"wrong": 1},
    )  # fmt: skip
    with pytest.raises(UsageError, match="declares no parameter"):
        batch.make_page(page)
    assert not list((tmp_path / "o").iterdir())


def test_a_region_is_compared_in_a_folder_of_its_own(good_study: Path, tmp_path: Path) -> None:
    """Two territories of the region Centre, a third beside it."""
    with (good_study / "territories.csv").open("a", encoding="utf-8") as file:
        file.write("gao,Gao,ML,Nord,,,,\n")
    with (good_study / "actors.csv").open("a", encoding="utf-8") as file:
        file.write("gao,port,Port de Gao,media" + "," * 16 + "\n")
    out = tmp_path / "pages"
    status = batch.run_reports([good_study], out=out, region="centre", languages=["en"])
    assert list(status["page"]) == ["kabara", "nioro", "regions/centre/comparison"]
    assert set(status["cause"]) == {""}
    home = out / "good" / "en"
    assert not (home / "comparison").exists()
    folder = home / "regions/centre/comparison"
    assert {p.name for p in folder.iterdir()} == {
        "report.html", "report.ipynb", "run.json", "tables",
    }  # fmt: skip
    record = json.loads((folder / "run.json").read_text("utf-8"))
    wanted = record["parameters"]["region"], record["parameters"]["results"]
    assert wanted == ("Centre", "../../..")
    listed = pd.read_csv(folder / "tables/territories.csv").set_index("territory_id")
    assert list(listed.index) == ["kabara", "nioro"]
    assert listed.loc["nioro", "within"] == "kabara"  # its parent
    assert listed["thin"].all()  # five and three organisations
    html = (folder / "report.html").read_text("utf-8")
    assert "<h1>Comparison of the territories – Centre</h1>" in html
    links = re.findall(r'href="(\.\./[^"#]*)"', html)
    twin = [link for link in links if "/fr/" in link]
    assert [(folder / link).resolve() for link in twin] == [
        out / "good/fr/regions/centre/comparison/report.html"
    ]
    for link in set(links) - set(twin):
        assert (folder / link).is_file(), link
    index = (home / "index.html").read_text("utf-8")
    assert '<a href="regions/centre/comparison/report.html">Centre</a>' in index
    assert "Nord" not in index


def test_an_unknown_region_is_refused_with_those_there_are(
    good_study: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no region 'Sud' in these studies; there are: Centre"):
        batch.run_reports([good_study], out=tmp_path, region="Sud")
    with pytest.raises(UsageError, match="not both"):
        batch.run_reports([good_study], out=tmp_path, region="Centre", territories=["kabara"])


def test_studies_without_the_region_make_no_page(good_study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(good_study, other)
    table = (other / "territories.csv").read_text("utf-8").replace("Centre", "Nord")
    (other / "territories.csv").write_text(table, encoding="utf-8")
    studies = [read_study(good_study), read_study(other)]
    chosen = run._choose_territories(studies, (), "Nord")
    assert {study: list(rows["territory_id"]) for study, (rows, _) in chosen.items()} == {
        "good": [],
        "other": ["kabara", "nioro"],
    }
