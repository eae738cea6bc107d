"""The commands as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ecoanalysis", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_check_of_the_shipped_studies_finds_no_fault(tmp_path: Path) -> None:
    for study in ("ile-de-france", "training"):
        done = run("check", ROOT / "data" / study, "--json", "faults.json", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        faults = json.loads((tmp_path / "faults.json").read_text("utf-8"))["faults"]
        assert {fault["severity"] for fault in faults} <= {"warning"}


def test_check_names_place_and_mend_in_both_languages(good_study: Path, tmp_path: Path) -> None:
    actors = pd.read_csv(good_study / "actors.csv", dtype=str)
    actors.loc[2, "kind"] = "universty"
    actors.to_csv(good_study / "actors.csv", index=False)
    for language in ("fr", "en"):
        done = run("check", good_study, "--language", language, cwd=tmp_path)
        assert done.returncode == 1
        (line,) = [line for line in done.stdout.splitlines() if "universty" in line]
        assert "actors.csv" in line
        assert " 4" in line  # the third actor stands in the sheet's fourth row
        assert "kind" in line
        assert "university" in line
    assert "ligne" in run("check", good_study, "--language", "fr", cwd=tmp_path).stdout


def test_json_has_every_fault(good_study: Path, tmp_path: Path) -> None:
    actors = pd.read_csv(good_study / "actors.csv", dtype=str)
    many = pd.concat([actors.head(1)] * 120, ignore_index=True)
    many["actor_id"] = [f"a-{i}" for i in range(120)]
    many["kind"] = "nothing-known"
    pd.concat([actors, many]).to_csv(good_study / "actors.csv", index=False)
    done = run("check", good_study, "--json", "all.json", "--language", "en", cwd=tmp_path)
    faults = json.loads((tmp_path / "all.json").read_text("utf-8"))["faults"]
    assert sum(fault["found"] == "nothing-known" for fault in faults) == 120
    assert done.stdout.count("nothing-known") == 50
    assert "120" in done.stdout


def test_usage_errors_end_with_two(tmp_path: Path) -> None:
    missing = run("report", "nowhere", cwd=tmp_path)
    assert missing.returncode == 2
    assert "nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert run("frobnicate", cwd=tmp_path).returncode == 2


def test_new_import_check_report(tmp_path: Path) -> None:
    assert run("new", "town", cwd=tmp_path).returncode == 0
    assert (tmp_path / "town/study.xlsx").is_file()
    again = run("new", "town", cwd=tmp_path)
    assert again.returncode == 2
    assert "town" in again.stderr


def test_export_writes_a_workbook(good_study: Path, tmp_path: Path) -> None:
    done = run("export", good_study, "--to", "xlsx", "--out", "all.xlsx", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    book = pd.read_excel(tmp_path / "all.xlsx", sheet_name=None)
    actors = pd.read_csv(good_study / "actors.csv")
    assert list(book["actors"]["name"]) == list(actors["name"])
    assert run("export", good_study, "--to", "pdf", cwd=tmp_path).returncode == 2
