"""A study of tiny territories and notebooks that need no heavy import, for runs of a second."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from ecoanalysis.batch import plan

ROOT = Path(__file__).parents[2]
HEAD = """\
study: str = ""  # folder
{more}language: str = "fr"  # fr or en
out: str = ""  # folder of the tables
"""
TERRITORY = """\
import time
from pathlib import Path

rows = Path(study, "actors.csv").read_text("utf-8").splitlines()
mine = [row for row in rows if row.startswith(territory_id + ",")]
Path(out).mkdir()
Path(out, "summary.csv").write_text(f"measure,value\\nn_actors,{len(mine)}\\n")
text = f"<h1>{territory_id} {language}</h1>" + "".join(f"<p>{row}</p>" for row in mine)
twin = {"fr": "en", "en": "fr"}[language]
text += f'<a class="twin" href="../../{twin}/{territory_id}/report.html">{twin}</a>'
"""
SHOW = """\
from IPython.display import HTML
HTML(text)
"""
COMPARISON = """\
from pathlib import Path

stored = sorted(Path(results).glob("[!._]*/tables/summary.csv"))
text = "".join(f"<p>{file.parents[1].name}: {file.read_text()}</p>" for file in stored)
"""


def write_notebook(file: Path, *sources: str) -> Path:
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "3", "language": "python"}}
    )
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, file)
    return file


def write_notebooks(folder: Path, extra: str = "") -> None:
    """Write the two notebooks; the territories' runs `extra` before it shows anything."""
    folder.mkdir(exist_ok=True)
    head = HEAD.format(more='territory_id: str = ""  # one territory\n')
    write_notebook(folder / "territory.ipynb", head, TERRITORY, extra, SHOW)
    more = 'results: str = ""  # folder\nregion: str = ""  # region\n'
    write_notebook(folder / "comparison.ipynb", HEAD.format(more=more), COMPARISON, SHOW)


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let runs of this process use the tiny notebooks of a folder."""
    folder = tmp_path / "notebooks"
    write_notebooks(folder)
    monkeypatch.setattr(plan, "find_notebook", lambda name: folder / f"{name}.ipynb")
    return folder


def write_study(folder: Path, n: int, actors: int = 1) -> Path:
    folder.mkdir()
    towns = [f"town-{i:03d}" for i in range(n)]
    territories = "".join(f"{town},{town.title()},FR\n" for town in towns)
    (folder / "territories.csv").write_text("territory_id,name,country_code\n" + territories)
    rows = (f"{town},a{j},Actor {j} of {town},ngo\n" for town in towns for j in range(actors))
    (folder / "actors.csv").write_text("territory_id,actor_id,name,kind\n" + "".join(rows))
    return folder


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    return write_study(tmp_path / "towns", 4)


PROGRAM = """\
import signal, sys
from pathlib import Path
from ecoanalysis.batch import interrupt_once, plan, run_reports
signal.signal(signal.SIGINT, interrupt_once)
folder, study, out, *options = sys.argv[1:]
plan.find_notebook = lambda name: Path(folder) / f"{name}.ipynb"
given = dict(option.split("=") for option in options)
def show(done, total, row):
    print(done, row["status"], row["page"], row["cause"], flush=True)
if __name__ == "__main__":
    try:
        if "apart" in given:
            from ecoanalysis.batch import cluster
            cluster.sees_text = lambda *_: False
        languages = given.get("languages", "fr,en").split(",")
        run_reports(
            [study], out=out, jobs=2, cluster=given.get("cluster"), languages=languages,
            on_progress=show,
        )
        print("whole", flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
        sys.exit(1)
"""


@pytest.fixture
def start_batch(notebooks: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start batches of the tiny notebooks as processes of their own; kill what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start(study: Path, out: Path, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, str(notebooks), str(study), str(out), *options]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def hash_pages(out: Path) -> dict[str, str]:
    """Hash what a run leaves, but for times: everything of the pages, and that nothing is else."""
    found = {}
    for file in sorted(out.rglob("*")):
        name = file.relative_to(out).as_posix()
        if file.is_file() and not name.endswith(("run.json", "status.csv", "index.html")):
            text = file.read_bytes()
            if name.endswith(".ipynb"):
                cells = nbformat.read(file, as_version=4).cells
                text = repr([(c.source, c.get("outputs")) for c in cells]).encode()
            found[name] = hashlib.sha256(text).hexdigest()
    return found


def wait_for(found: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


def list_children(pid: int) -> list[int]:
    """List the processes that descend from one, its own children first."""
    found = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for child in list(found):
        with suppress(FileNotFoundError):
            found += list_children(child)
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False
