"""What goes wrong while pages are made, with real processes.

After each fault the next run completes, and its pages are those of a run that was not disturbed.
The faults stand in the notebook and wait for a file, so that the notebook is the same without.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ecoanalysis.batch import Limits, plan, run_reports
from ecoanalysis.errors import BatchError, UsageError
from tests.batch.conftest import (
    PROGRAM,
    hash_pages,
    is_alive,
    list_children,
    wait_for,
    write_notebooks,
    write_study,
)

FAULTS = """\
import os, sys, threading
if Path({flag!r}).exists():
    if territory_id == "town-000":
        time.sleep(60)
    if territory_id == "town-001":
        held = bytearray(10**10)
    if territory_id == "town-002":
        os._exit(3)
    if territory_id == "town-003":
        print("x" * 10**8)
    if territory_id == "town-004":
        threading.Thread(target=time.sleep, args=(60,)).start()
    if territory_id == "town-005":
        raise ValueError("no")
if Path({slow!r}).exists():
    time.sleep(0.8)
"""
LIMITS = Limits(cell_seconds=2, memory_mb=500, printed_mb=1)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of six towns, notebooks, and the pages of an undisturbed run."""
    folder = tmp_path_factory.mktemp("faults")
    flags = {"flag": str(folder / "flag"), "slow": str(folder / "slow")}
    write_notebooks(folder / "notebooks", FAULTS.format(**flags))
    write_study(folder / "towns", 6)
    return folder


@pytest.fixture
def notebooks(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("flag", "slow"):
        (base / name).unlink(missing_ok=True)
    monkeypatch.setattr(plan, "find_notebook", lambda name: base / "notebooks" / f"{name}.ipynb")
    if not (base / "whole").exists():
        run_reports([base / "towns"], out=base / "whole", limits=LIMITS)
    return base / "notebooks"


@pytest.fixture
def out(base: Path, notebooks: Path, request: pytest.FixtureRequest) -> Path:
    return base / f"out-{abs(hash(request.node.name))}"


def complete(base: Path, out: Path) -> None:
    """Run again, undisturbed, and find what an undisturbed run leaves, and nothing else."""
    for name in ("flag", "slow"):
        (base / name).unlink(missing_ok=True)
    status = run_reports([base / "towns"], out=out, limits=LIMITS)
    assert set(status["status"]) <= {"done", "current"}, status["cause"].tolist()
    assert hash_pages(out) == hash_pages(base / "whole")
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    again = run_reports([base / "towns"], out=out, limits=LIMITS)
    assert set(again["status"]) == {"current"}


def test_notebooks_that_misbehave_fail_alone_with_their_cause(base: Path, out: Path) -> None:
    (base / "flag").touch()
    status = run_reports([base / "towns"], out=out, languages=["fr"], limits=LIMITS)
    causes = status.set_index("page")["cause"].to_dict()
    assert causes == {
        "comparison": "",
        "town-000": "LimitError: the cell ran for more than 2 s",
        "town-001": "MemoryError: the notebook may take 500 MB",
        "town-002": "LimitError: the process of the notebook ended itself with exit code 3",
        "town-003": "LimitError: the cell printed more than 1 MB",
        "town-004": "",  # a thread that is left behind ends with its process
        "town-005": "ValueError: no",
    }
    failed = out / "towns/fr/_failed"
    for town in ("000", "001", "002", "003", "005"):
        cause = causes[f"town-{town}"].removesuffix(": the notebook may take 500 MB")
        assert cause in (failed / f"town-{town}/traceback.txt").read_text("utf-8")
    assert (failed / "town-003/report.ipynb").stat().st_size < 1.2e6  # what it printed is cut
    complete(base, out)
    assert not [path for path in failed.rglob("*") if path.is_file()]


def test_a_notebook_that_takes_too_long_in_all_is_ended(base: Path, out: Path) -> None:
    (base / "slow").touch()
    few = Limits(notebook_seconds=0.2)
    chosen = {"languages": ["fr"], "territories": ["town-001"]}
    (row,) = run_reports([base / "towns"], out=out, limits=few, **chosen).to_dict("records")
    assert row["cause"] == "LimitError: the notebook ran for more than 0.2 s"


def find_processes(batch: int) -> dict[str, list[int]]:
    """Find the fork server of a batch, the processes of pages, and those of notebooks."""
    children = lambda pid: Path(f"/proc/{pid}/task/{pid}/children").read_text().split()  # noqa: E731
    found: dict[str, list[int]] = {"batch": [batch], "server": [], "page": [], "notebook": []}
    with suppress(FileNotFoundError):
        for parent, name in zip(list(found), list(found)[1:], strict=False):
            found[name] = [int(pid) for above in found[parent] for pid in children(above)]
    return found


@pytest.mark.parametrize("victim", ["batch", "server", "page", "notebook"])
def test_a_killed_process_takes_its_own_with_it_and_no_more(
    victim: str, base: Path, out: Path, start_batch: Start
) -> None:
    (base / "slow").touch()
    batch = start_batch(base / "towns", out)
    assert batch.stdout
    assert batch.stdout.readline().startswith("1 done")
    if victim == "batch":  # two batches at once: the second is refused
        with pytest.raises(UsageError, match=f"another batch .* process {batch.pid} on"):
            run_reports([base / "towns"], out=out)
    old = set(find_processes(batch.pid)["notebook"])  # which may have ended their work
    wait_for(lambda: set(find_processes(batch.pid)["notebook"]) - old)
    found = find_processes(batch.pid)
    everybody = list_children(batch.pid)
    found["notebook"] = [max(set(found["notebook"]) - old)]
    page = int(Path(f"/proc/{found['notebook'][0]}/stat").read_text().split()[3])  # its parent
    os.kill(page if victim == "page" else found[victim][0], signal.SIGKILL)
    said = batch.stdout.read()
    if victim == "batch":
        assert batch.wait() == -signal.SIGKILL
        wait_for(lambda: not any(map(is_alive, everybody)))
    else:
        assert batch.wait() == 0
        failed = [line for line in said.splitlines() if " failed " in line]
        assert len(failed) == (victim != "server")  # a new server takes what the old one had
        assert all("was ended by SIGKILL" in line for line in failed)
    complete(base, out)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_a_batch_cleanly(times: int, base: Path, out: Path, start_batch: Start) -> None:
    (base / "slow").touch()
    batch = start_batch(base / "towns", out)
    assert batch.stdout
    assert batch.stdout.readline().startswith("1 done")
    everybody = list_children(batch.pid)
    for _ in range(times):
        os.kill(batch.pid, signal.SIGINT)
        time.sleep(0.02)
    assert batch.wait(timeout=20) == 130
    wait_for(lambda: not any(map(is_alive, everybody)))
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    complete(base, out)


MOUNTS = """\
mount -t tmpfs -o ro,size=200k tmpfs "$1" && shift
"$@"; mount -o remount,rw "$OUT"
"$@"; mount -o remount,size=20m "$OUT"
"$@" && cp -a "$OUT/." "$COPY"
"""


def can_mount(folder: Path) -> bool:
    folder.mkdir()
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(command, check=False, capture_output=True).returncode
    )


def test_a_folder_that_cannot_be_written_and_a_full_disk_end_with_a_word(
    base: Path, out: Path, tmp_path: Path
) -> None:
    if not can_mount(tmp_path / "try"):
        with pytest.raises(BatchError, match="cannot write to"):
            run_reports([base / "towns"], out="/proc/version/pages")
        return
    place = base / "mounted"
    place.mkdir(exist_ok=True)
    batch = [
        sys.executable,
        "-c",
        PROGRAM,
        str(base / "notebooks"),
        str(base / "towns"),
        str(place),
    ]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", MOUNTS, "sh", str(place), *batch],
        env=os.environ | {"OUT": str(place), "COPY": str(out)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if " done " not in line]
    assert done.returncode == 0, done.stdout + done.stderr
    assert said[0].startswith("BatchError cannot write to")
    assert said[0].endswith("Read-only file system")
    assert any("BatchError nothing can be written any more" in line for line in said)
    assert "No space left on device" in done.stdout
    assert said[-1] == "whole"
    complete(base, out)


def test_a_clock_that_was_set_back_changes_nothing(base: Path, out: Path) -> None:
    run_reports([base / "towns"], out=out, limits=LIMITS)
    later = time.time() + 10 * 365 * 86400
    for path in out.rglob("*"):
        os.utime(path, (later, later))
    status = run_reports([base / "towns"], out=out, limits=LIMITS)
    assert set(status["status"]) == {"current"}
    complete(base, out)
