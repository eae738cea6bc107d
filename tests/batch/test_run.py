"""What is made and what is left; links to the other language; what a change makes stale."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis.batch import plan, run_reports
from ecoanalysis.batch.lock import wait_for_lock
from ecoanalysis.batch.pages import make_page, place_folder, sweep_folders
from ecoanalysis.batch.server import ProcessEndedError, use_pool
from ecoanalysis.errors import UsageError
from ecoanalysis.study import read_study
from tests.batch.conftest import ROOT, hash_pages, list_children, write_notebooks


def count(status: pd.DataFrame) -> dict[str, int]:
    return {str(k): int(v) for k, v in status["status"].value_counts().items()}


def made(status: pd.DataFrame) -> set[tuple[str, str]]:
    rows = status[status["status"] == "done"]
    return set(zip(rows["language"], rows["page"], strict=True))


def test_a_second_run_makes_nothing_and_starts_nothing(
    towns: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert count(run_reports([towns], out=out)) == {"done": 10}  # (4 + 1) x 2
    before = {f: f.stat().st_mtime_ns for f in out.rglob("report.*")}
    monkeypatch.setattr("ecoanalysis.batch.run.use_pool", lambda: pytest.fail("a server"))
    assert count(run_reports([towns], out=out)) == {"current": 10}
    assert {f: f.stat().st_mtime_ns for f in out.rglob("report.*")} == before
    stored = pd.read_csv(out / "towns/status.csv")
    assert list(stored["status"]) == ["current"] * 10
    monkeypatch.undo()
    (out / "towns/fr/index.html").unlink()
    run_reports([towns], out=out)
    assert "Town-002" in (out / "towns/fr/index.html").read_text("utf-8")


def test_one_changed_row_makes_its_report_and_the_comparison(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_reports([towns], out=out)
    actors = (towns / "actors.csv").read_text("utf-8")
    (towns / "actors.csv").write_text(actors.replace("Actor 0 of town-002", "Renamed"))
    status = run_reports([towns], out=out)
    pages = ("town-002", "comparison")
    assert made(status) == {(language, page) for language in ("fr", "en") for page in pages}
    assert "Renamed" in (out / "towns/en/town-002/report.html").read_text("utf-8")
    shutil.rmtree(out / "towns/en/comparison")
    assert made(run_reports([towns], out=out)) == {("en", "comparison")}
    assert count(run_reports([towns], out=out, force=True)) == {"done": 10}


def test_pages_are_not_written_among_the_tables(towns: Path, notebooks: Path) -> None:
    for out in (towns.parent, towns, towns / "pages"):  # out/<study> is the study, or in it
        with pytest.raises(UsageError, match=r"among the tables in .*towns; choose another out"):
            run_reports([towns], out=out)
    assert sorted(file.name for file in towns.iterdir()) == ["actors.csv", "territories.csv"]


ELSEWHERE = """\
import sys, sysconfig
sysconfig.get_config_vars()
sys.platform = "elsewhere"
"""
KERNEL = """\
import sys
shell = type(get_ipython()).__name__
assert (shell == "ZMQInteractiveShell") == (sys.platform == "elsewhere"), shell
"""


def test_where_a_fork_is_unsafe_processes_and_kernels_of_their_own_make_the_same_pages(
    towns: Path, notebooks: Path, tmp_path: Path, start_batch: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write_notebooks(notebooks, KERNEL + "assert territory_id != 'town-001', 'no'")
    run_reports([towns], out=tmp_path / "here", languages=["fr"])
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    batch = start_batch(towns, tmp_path / "there", "languages=fr")
    assert batch.stdout
    said = batch.stdout.read()
    assert said.splitlines()[-1] == "whole"
    assert "failed town-001 AssertionError: no" in said
    assert hash_pages(tmp_path / "there") == hash_pages(tmp_path / "here")


DEATH = """\
import os, sys
if Path({flag!r}).exists() and territory_id == "town-003":
    os._exit(3)
time.sleep(0.5)
"""


def test_a_kernel_or_a_process_that_dies_where_a_fork_is_unsafe_leaves_the_other_pages(
    towns: Path, notebooks: Path, tmp_path: Path, start_batch: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write_notebooks(notebooks, DEATH.format(flag=str(tmp_path / "flag")))
    (tmp_path / "flag").touch()
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    out = tmp_path / "out"
    batch = start_batch(towns, out, "languages=fr")
    assert batch.stdout
    first = [batch.stdout.readline()]
    worker = next(pid for pid in list_children(batch.pid)
                  if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())  # fmt: skip
    os.kill(worker, signal.SIGKILL)
    said = [*first, *batch.stdout.read().splitlines()]
    assert said[-1] == "whole"
    assert any("failed town-003 DeadKernelError" in line for line in said)
    assert (out / "towns/fr/_failed/town-003/traceback.txt").is_file()
    assert any("terminated abruptly" in line for line in said)
    (tmp_path / "flag").unlink()
    assert set(run_reports([towns], out=out, languages=["fr"])["status"]) <= {"current", "done"}
    run_reports([towns], out=tmp_path / "whole", languages=["fr"])
    assert hash_pages(out) == hash_pages(tmp_path / "whole")


def test_one_territory_leaves_the_comparison(towns: Path, notebooks: Path, tmp_path: Path) -> None:
    chosen = {"territories": ["town-001"], "languages": ["fr"]}
    status = run_reports([towns], out=tmp_path / "out", **chosen)
    assert list(status["page"]) == ["town-001"]
    assert not (tmp_path / "out/towns/fr/comparison").exists()


def test_what_decides_on_every_page_makes_all_stale(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_reports([towns], out=out, languages=["fr"])
    write_notebooks(notebooks, "x = 1")
    assert count(run_reports([towns], out=out, languages=["fr"])) == {"done": 5}
    (towns / "datapackage.yaml").write_text("name: towns\ntitle: Towns\n", encoding="utf-8")
    assert count(run_reports([towns], out=out, languages=["fr"])) == {"done": 5}


def test_an_actor_of_the_whole_country_counts_everywhere(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rows = (towns / "actors.csv").read_text("utf-8").splitlines()
    text = "\n".join([rows[0] + ",reach", *(row + ",local" for row in rows[1:])])
    wide = text.replace("a0,Actor 0 of town-001,ngo,local", "a9,Bank,ngo,national")
    (towns / "actors.csv").write_text(wide, encoding="utf-8")
    run_reports([towns], out=out, languages=["fr"])
    (towns / "actors.csv").write_text(wide.replace("Bank", "New bank"), encoding="utf-8")
    assert count(run_reports([towns], out=out, languages=["fr"])) == {"done": 5}


@pytest.mark.parametrize(
    ("table", "row", "changed", "stale"),
    [
        # A tie that comes in from elsewhere shows in both; a rater shared by two in both.
        ("relations", "town-000,a0,b3,supports,1", "town-000,a0,b3,supports,2", {"000", "003"}),
        ("ratings", "town-001,a0,r1,power,2\ntown-002,a0,r1,power,3",
         "town-001,a0,r1,power,2\ntown-002,a0,r2,power,3", {"001", "002"}),
        # A rule counts where its challenge does: two towns share the first.
        ("constraints", "c1,a0,must,yes\nc2,a0,must,yes", "c1,a0,must,no\nc2,a0,must,yes",
         {"000", "001"}),
    ],
)  # fmt: skip
def test_what_crosses_a_border_counts_on_both_sides(
    table: str, row: str, changed: str, stale: set[str],
    towns: Path, notebooks: Path, tmp_path: Path,
) -> None:  # fmt: skip
    heads = {
        "relations": "territory_id,source_id,target_id,kind,weight",
        "ratings": "territory_id,actor_id,rater_id,criterion,value",
        "constraints": "challenge_id,actor_id,rule,reason",
    }
    asked = ["town-000,c1,One", "town-001,c1,One", "town-002,c2,Two"]
    (towns / "challenges.csv").write_text("\n".join(["territory_id,challenge_id,title", *asked]))
    actors = (towns / "actors.csv").read_text("utf-8")
    (towns / "actors.csv").write_text(actors.replace("town-003,a0", "town-003,b3"))
    raters = [f"town-{t},{r},expert" for t in ("001", "002") for r in ("r1", "r2")]
    (towns / "raters.csv").write_text("\n".join(["territory_id,rater_id,role", *raters]))
    (towns / f"{table}.csv").write_text(f"{heads[table]}\n{row}\n", encoding="utf-8")
    out = tmp_path / "out"
    run_reports([towns], out=out, languages=["fr"])
    (towns / f"{table}.csv").write_text(f"{heads[table]}\n{changed}\n", encoding="utf-8")
    status = run_reports([towns], out=out, languages=["fr"])
    assert made(status) == {("fr", f"town-{t}") for t in stale} | {("fr", "comparison")}


def plan_keys(study: Path, root: Path) -> dict[str, str]:
    read = read_study(study)
    towns = list(read.tables["territories"]["territory_id"])
    pages = plan.plan_pages(read, root=root, languages=["fr"], territories=towns, compared="")
    return {page.page: page.key for page in pages}


def test_a_chain_of_raters_that_breaks_counts_for_all_that_it_joined(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    raters = [f"town-00{t},{r},expert" for t in range(4) for r in ("r1", "r2", "r3")]
    (towns / "raters.csv").write_text("\n".join(["territory_id,rater_id,role", *raters]) + "\n")
    rows = ["0,a0,r1", "1,a0,r1", "1,a0,r2", "2,a0,r2"]  # r1 joins 0 and 1, r2 joins 1 and 2
    keys = []
    for last in (rows[3], "2,a0,r3", rows[3]):
        given = [f"town-00{row},power,2" for row in (*rows[:3], last)]
        head = "territory_id,actor_id,rater_id,criterion,value"
        (towns / "ratings.csv").write_text("\n".join([head, *given]) + "\n")
        keys.append(plan_keys(towns, tmp_path))
    assert keys[0] == keys[2]
    changed = {page for page in keys[0] if keys[0][page] != keys[1][page]}
    assert changed == {"town-000", "town-001", "town-002"}


def test_the_order_of_codes_counts_and_the_rows_of_remarks_do_not(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    actors = (towns / "actors.csv").read_text("utf-8").splitlines()
    given = [actors[0] + ",latitude,longitude", *(row + ",," for row in actors[1:])]
    given[-1] = actors[-1] + ",0,0"  # a remark
    (towns / "actors.csv").write_text("\n".join(given) + "\n")
    before = plan_keys(towns, tmp_path)
    (towns / "actors.csv").write_text("\n".join([given[0], "town-000,b,B,ngo,,", *given[1:]]))
    after = plan_keys(towns, tmp_path)
    assert {page for page in before if before[page] != after[page]} == {"town-000"}
    head, *kinds = "code,label_fr,label_en,helix", "b,B,B,public", "c,C,C,private"
    for rows in (kinds, kinds[::-1]):
        (towns / "kinds.csv").write_text("\n".join([head, *rows]) + "\n")
        before, after = after, plan_keys(towns, tmp_path)
        assert all(before[page] != after[page] for page in before)


def test_a_page_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place = tmp_path / "new", tmp_path / "fr/town"
    for folder, text in ((new, "new"), (place, "old")):
        folder.mkdir(parents=True)
        (folder / "report.html").write_text(text)
    rename = Path.rename
    with monkeypatch.context() as patch, pytest.raises(PermissionError):

        def rename_others(path: Path, to: Path) -> Path:
            if path == new:
                raise PermissionError("held by another program")
            return rename(path, to)

        patch.setattr(Path, "rename", rename_others)
        place_folder(new, place)
    assert (place / "report.html").read_text() == "old"
    # A process that is killed between the two renames: the next run puts the old page back.
    (place.parent / ".making-x").mkdir()
    place.rename(place.parent / ".making-x/old-town")
    sweep_folders(tmp_path)
    assert [file.read_text() for file in place.iterdir()] == ["old"]
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("extra", ["", "1 / 0"])
def test_a_page_of_a_batch_that_has_ended_appears_nowhere(
    extra: str, towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    write_notebooks(notebooks, extra)
    (page,) = plan.plan_pages(
        read_study(towns), root=tmp_path / "out", languages=["fr"], territories=["town-000"],
        compared="",
    )  # fmt: skip
    (tmp_path / "lock").write_text("of the next batch")
    lock = str(tmp_path / "lock")
    with pytest.raises(ProcessEndedError, match="batch that asked for this page has ended"):
        use_pool().submit(make_page, page, held=(lock, "of this batch")).result()
    assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    done = use_pool().submit(make_page, page, held=(lock, "of the next batch")).result()
    assert done["status"] == ("failed" if extra else "done")


def test_a_page_waits_while_another_sets_its_links(tmp_path: Path) -> None:
    order: list[str] = []

    def hold() -> None:
        with wait_for_lock(tmp_path / "links"):
            order.append("second")

    with wait_for_lock(tmp_path / "links"):
        thread = threading.Thread(target=hold)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_language_alone_links_to_no_twin_until_there_is_one(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_reports([towns], out=out, languages=["fr"])
    pages = [out / "towns/fr/town-001/report.html", out / "towns/fr/index.html"]
    for page in pages:
        assert 'class="twin" data-href="../' in page.read_text("utf-8")
        assert 'class="twin" href' not in page.read_text("utf-8")
    run_reports([towns], out=out, languages=["en"])
    for page in [*pages, *(Path(str(page).replace("/fr/", "/en/")) for page in pages)]:
        assert 'class="twin" href="../' in page.read_text("utf-8")
    alone = hash_pages(out)
    assert count(run_reports([towns], out=tmp_path / "both")) == {"done": 10}
    assert hash_pages(tmp_path / "both") == alone


def test_a_failure_is_kept_and_made_good(towns: Path, notebooks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_notebooks(notebooks, "assert territory_id != 'town-001', 'no'")
    place = out / "towns/fr/town-001"
    place.mkdir(parents=True)
    (place / "report.html").write_text("older", encoding="utf-8")
    status = run_reports([towns], out=out, languages=["fr"])
    assert count(status) == {"done": 4, "failed": 1}
    assert set(status["cause"]) == {"", "AssertionError: no"}
    assert (place / "report.html").read_text("utf-8") == "older"
    assert list(place.iterdir()) == [place / "report.html"]
    kept = out / "towns/fr/_failed/town-001"
    assert "AssertionError: no" in (kept / "traceback.txt").read_text("utf-8")
    index = (out / "towns/fr/index.html").read_text("utf-8")
    assert '<a href="_failed/town-001/traceback.txt">' in index
    # The failed page and the comparison that lacked it are made again, the others are not.
    assert count(run_reports([towns], out=out, languages=["fr"])) == {
        "current": 3, "done": 1, "failed": 1,
    }  # fmt: skip
    write_notebooks(notebooks)
    assert count(run_reports([towns], out=out, languages=["fr"])) == {"done": 5}
    assert not kept.exists()


@pytest.mark.parametrize("broken", ["", '{"key": ', "[]", '{"key": "of another version"}'])
def test_a_record_that_is_cut_or_foreign_makes_its_page_again(
    broken: str, towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_reports([towns], out=out, languages=["fr"])
    whole = hash_pages(out)
    record = out / "towns/fr/town-001/run.json"
    record.write_text(broken, encoding="utf-8")
    status = run_reports([towns], out=out, languages=["fr"])
    assert made(status) == {("fr", "town-001"), ("fr", "comparison")}
    assert hash_pages(out) == whole
    assert json.loads(record.read_text("utf-8"))["key"]
