"""The commands as a person types them."""

from __future__ import annotations

import json
import re
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


def write_pair(folder: Path) -> None:
    """Give the fab lab of Kabara a second entry, with a rating and a tie of its own."""
    for name, row in {
        "actors": "kabara,fablab-2,FabLab Sanankoua,,,,,,,,,,https://sanankoua.example,,2017,,,,register:10,",
        "relations": "kabara,mairie,fablab-2,supports,,,,",
        "ratings": "kabara,fablab-2,r2,appetite,dont_know,,,",
    }.items():  # fmt: skip
        file = folder / f"{name}.csv"
        file.write_text(file.read_text("utf-8") + row + "\n", encoding="utf-8")


def decide(folder: Path, decision: str) -> pd.DataFrame:
    matches = pd.read_csv(folder / "matches.csv", dtype="str", encoding="utf-8-sig")
    matches.assign(decision=decision).to_csv(folder / "matches.csv", index=False)
    return matches


def test_match_proposes_then_follows_what_a_person_decided(
    good_study: Path, tmp_path: Path
) -> None:
    write_pair(good_study)
    before = (good_study / "actors.csv").read_bytes()
    done = run("match", good_study, "--language", "en", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 pair waits in" in done.stdout
    assert (good_study / "actors.csv").read_bytes() == before  # nothing is united unsaid
    check = run("check", good_study, "--language", "en", cwd=tmp_path)
    assert "same organisation twice: fablab ~ fablab-2" in check.stdout
    assert "matches.csv" not in check.stdout
    # folded names of 15 letters, equal; the first gives no website and the second no point
    (pair,) = decide(good_study, "different").fillna("").to_dict("records")
    assert pair == {
        "territory_id": "kabara", "actor_id": "fablab", "other_id": "fablab-2",
        "name": "Fab-lab Sanankoua", "other_name": "FabLab Sanankoua", "similarity": "100",
        "same_domain": "", "acronym": "", "distance_m": "", "decision": "",
    }  # fmt: skip
    apart = run("match", good_study, "--language", "fr", cwd=tmp_path)
    assert apart.returncode == 0, apart.stderr
    assert (good_study / "actors.csv").read_bytes() == before
    assert "fablab-2" not in run("check", good_study, cwd=tmp_path).stdout
    decide(good_study, "same")
    united = run("match", good_study, "--language", "en", cwd=tmp_path)
    assert united.returncode == 0, united.stderr
    assert "FabLab Sanankoua (fablab-2) is now one with Fab-lab Sanankoua (fablab)" in united.stdout
    assert "fablab, founded: “2016” stays, “2017” of fablab-2 is left out." in united.stdout
    assert "ratings" not in united.stdout  # r2 had not answered on the first entry
    assert "No pair waits" in united.stdout
    tables = {t: (good_study / f"{t}.csv").read_text("utf-8") for t in ("actors", "relations")}
    assert "register:3;visit:12;register:10" in tables["actors"]
    assert "kabara,mairie,fablab,supports" in tables["relations"]
    assert (good_study / "datapackage.yaml").read_text("utf-8").startswith("name: good\ntitle: Two")
    again = run("match", good_study, "--language", "en", cwd=tmp_path)
    assert again.stdout.splitlines() == ["No pair waits for a decision."]
    assert "same" in (good_study / "matches.csv").read_text("utf-8-sig")  # it stays on record


def test_match_writes_back_into_a_workbook(good_study: Path, tmp_path: Path) -> None:
    write_pair(good_study)
    with pd.ExcelWriter(good_study / "study.xlsx") as book:
        for file in good_study.glob("*.csv"):
            pd.read_csv(file, dtype="str").to_excel(book, sheet_name=file.stem, index=False)
            file.unlink()
    for decision in ("", "same"):
        if decision:
            decide(good_study, decision)
        done = run("match", good_study, "--language", "en", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    sheets = pd.read_excel(good_study / "study.xlsx", sheet_name=None, dtype="str")
    assert "fablab-2" not in set(sheets["actors"]["actor_id"])
    ratings = sheets["ratings"].set_index(["actor_id", "rater_id", "criterion"])["value"]
    assert ratings["fablab", "r2", "appetite"] == ratings["fablab", "r1", "appetite"] == "dont_know"
    assert run("check", good_study, cwd=tmp_path).returncode == 0


def test_an_unknown_region_or_decision_ends_the_command(good_study: Path, tmp_path: Path) -> None:
    refused = run("report", good_study, "--region", "Sud", cwd=tmp_path)
    assert refused.returncode == 2
    assert "Centre" in refused.stderr
    (good_study / "matches.csv").write_text("actor_id,other_id,decision\nfablab,ecole,perhaps\n")
    bad = run("match", good_study, "--language", "en", cwd=tmp_path)
    assert bad.returncode == 1
    assert "matches.csv" in bad.stderr
    assert "perhaps" in bad.stderr


def test_a_scenario_is_reported_and_recorded(tmp_path: Path) -> None:
    """The territory that the file names, with its weights; faults name file and field."""
    file = tmp_path / "mine.yaml"
    file.write_text("territory: haute-brume\nweights: {familiarity: -1}\n", encoding="utf-8")
    study, out = ROOT / "data/training", tmp_path / "pages"
    words = ("report", str(study), "--language", "en", "--out", str(out), "--scenario", str(file))
    refused = run(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert f"{file}: weights.familiarity: found -1; allowed: a number" in refused.stderr
    file.write_text(
        "territory: haute-brume\nweights: {familiarity: 1, appetite: 0}\n", encoding="utf-8"
    )
    made = run(*words, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    said = "".join(made.stderr.split())  # the bar breaks its lines where the terminal ends
    assert re.search(r"1of1,\d+aminute,0failed:trainingenhaute-brume", said), made.stderr
    (folder,) = [path.parent for path in out.rglob("report.html")]
    assert folder.name == "haute-brume"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (folder / record["parameters"]["scenario"]).resolve() == file
    assert "Weights of a scenario, not those of the study:" in (folder / "report.html").read_text(
        encoding="utf-8"
    )
    parts = pd.read_csv(folder / "tables/contributions.csv").query("dimension == 'readiness'")
    assert set(parts["criterion"]) == {"familiarity"}  # weight 0 leaves appetite out
