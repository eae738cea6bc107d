"""One page: its notebook executed, its HTML and its record, whole in their place or not at all."""

from __future__ import annotations

import csv
import json
import os
import platform
import re
import shutil
import tempfile
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from ecoanalysis.batch.lock import wait_for_lock
from ecoanalysis.errors import BatchError, UsageError
from ecoanalysis.study import Study
from ecoanalysis.wording import LANGUAGES

FAILED = "_failed"
BUILDING, OLD = ".making-", "old-"
MOST_WARNINGS = 50  # all are in the tables
LIBRARIES = ("pandas", "numpy", "scipy", "networkx", "igraph", "matplotlib", "seaborn", "nbconvert",
             "papermill", "ipython", "jinja2", "babel")  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a notebook may use: seconds a cell and in all, megabytes it holds, and prints a cell."""

    cell_seconds: float = 600
    notebook_seconds: float = 1800
    memory_mb: int = 4096
    printed_mb: float = 20


@dataclass(frozen=True)
class Page:
    """One page to make: a territory's report, or the comparison of a study or a region of it.

    `page` is its folder below that of the study and language. `parameters` are the notebook's but
    for the study, the language and the tables' folder, which every notebook has. `key` is a hash
    of all that decides on the page.
    """

    study: str
    study_id: str
    page: str
    language: str
    folder: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    study_files: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


def make_page(
    page: Page, *, limits: Limits | None = None, held: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Execute a page's notebook in a process of its own and put its folder in place.

    Returns status ("done" or "failed"), seconds, cause (one line, empty when done). A notebook that
    fails leaves what stood; it is kept below `_failed`, with its traceback as text.
    """
    from ecoanalysis import report

    started = time.perf_counter()
    folder = Path(page.folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the paths that the notebook holds are the same in both.
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
    study, limits = relate_path(Path(page.study), folder), limits or Limits()
    parameters = {"study": study, "language": page.language, "out": "tables", **page.parameters}
    try:
        _execute(page, building / "report.ipynb", parameters, limits)
        html = report.render_page(building / "report.ipynb", language=page.language)
        seconds = time.perf_counter() - started
        run = _describe_run(page, parameters, seconds, tables=building / "tables")
        text = json.dumps(run, ensure_ascii=False, indent=1)
        (building / "run.json").write_text(text + "\n", encoding="utf-8")
        _ask_lock(held)
        place_page(page, building, html)
        shutil.rmtree(name_failed(page), ignore_errors=True)
    except (UsageError, BatchError):
        raise
    except Exception as error:  # of the notebook or its kernel, of the page, or of the disk
        lines = getattr(error, "traceback", None) or traceback.format_exception(error)
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
        (building / "traceback.txt").write_text(text + "\n", encoding="utf-8")
        _ask_lock(held)
        place_folder(building, name_failed(page))
        name, said = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
        cause = f"{name}: {[*str(said).strip().splitlines(), ''][0]}"
        if name == "MemoryError":
            cause = f"MemoryError: the notebook may take {limits.memory_mb} MB"
        return {"status": "failed", "seconds": None, "cause": cause}
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return {"status": "done", "seconds": round(seconds, 1), "cause": ""}


def _ask_lock(held: tuple[str, str] | None) -> None:
    """Refuse a page whose batch has ended: the folder may be another's by now."""
    if held and not sees_text(*held):
        raise BatchError("the batch that asked for this page has ended")


def sees_text(file: str, text: str) -> bool:
    """Say whether a file is there and holds a text."""
    return Path(file).is_file() and Path(file).read_text(encoding="utf-8") == text


def place_page(page: Page, building: Path, html: str) -> None:
    """Put a page in its place, and link it and its twin in the other language to each other.

    Neither may link to what is not there; pages of both languages may be made at the same moment.
    """
    other = next(code for code in LANGUAGES if code != page.language)
    up = page.page.count("/") + 1
    twin = Path(page.folder).parents[up] / other / page.page / "report.html"
    with wait_for_lock(Path(page.folder).parents[up] / f"{BUILDING}links"):
        text = set_link(html, there=link_twin(twin, there=True))
        (building / "report.html").write_text(text, encoding="utf-8")
        place_folder(building, Path(page.folder))


def link_twin(html: Path, *, there: bool) -> bool:
    """Let a page link to its twin or not; say whether the page stands."""
    try:
        old = html.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    new = set_link(old, there=there)
    if new != old:
        write_whole(html, new, folder=html.parents[1])
    return True


def set_link(html: str, *, there: bool) -> str:
    """Give the link to the twin page its address, or take it away."""
    old, new = ("data-href", "href") if there else ("href", "data-href")
    return html.replace(f'<a class="twin" {old}=', f'<a class="twin" {new}=')


def write_index(study: Study, language: str, folder: Path, status: pd.DataFrame) -> None:
    """Write a study's index of all pages that stand in a language, also those of earlier runs.

    Of the study only the territories and the length of the actors count; `status` has the pages
    of this run in this language.
    """
    from ecoanalysis import report

    home = folder / language
    home.mkdir(parents=True, exist_ok=True)
    html = report.render_index(study, folder=home, status=status, language=language)
    other = folder / next(code for code in LANGUAGES if code != language) / "index.html"
    whole = set_link(html, there=link_twin(other, there=True))
    write_whole(home / "index.html", whole, folder=folder)


def write_whole(file: Path, text: str, *, folder: Path) -> None:
    """Write a file whole or not at all; it is built in a folder that is swept."""
    building = folder / f"{BUILDING}{uuid4().hex}"
    try:
        building.write_text(text, encoding="utf-8")
        building.replace(file)
    finally:
        building.unlink(missing_ok=True)


def sweep_folders(folder: Path) -> None:
    """Take away what processes that were killed left half made in a study's folder of pages.

    A page that was put aside for one that did not come goes back to its place.
    """
    for place in (".", "*", "*/regions/*", f"*/{FAILED}", f"*/{FAILED}/regions/*"):
        for left in folder.glob(f"{place}/{BUILDING}*"):
            for old in left.glob(f"{OLD}*"):
                with suppress(OSError):  # the new one came
                    old.rename(left.parent / old.name.removeprefix(OLD))
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def name_failed(page: Page) -> Path:
    """Name the folder that keeps a page's notebook when it fails."""
    return Path(page.folder).parents[page.page.count("/")] / FAILED / page.page


def compares(page: Page) -> bool:
    """Say whether a page is a comparison, which reads the pages of territories."""
    return page.page.rsplit("/")[-1] == "comparison"


def relate_path(path: Path, folder: Path) -> str:
    """Give a path as seen from a folder; on Windows another drive stays absolute."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()


def _execute(page: Page, target: Path, parameters: dict[str, Any], limits: Limits) -> None:
    import nbformat
    import papermill
    from traitlets.config import Config

    from ecoanalysis.batch.engine import ENGINE

    declared = papermill.inspect_notebook(page.notebook)
    undeclared = sorted(set(parameters) - set(declared))
    if undeclared:
        name = Path(page.notebook).name
        raise UsageError(f"{name} declares no parameter {', '.join(undeclared)}")
    # For a real kernel: those side by side race for free ports; files do not.
    transport = "tcp" if platform.system() == "Windows" else "ipc"
    executed = papermill.execute_notebook(
        page.notebook, str(target), parameters=parameters, cwd=str(target.parent),
        kernel_name="python3", engine_name=ENGINE, limits=limits, progress_bar=False,
        request_save_on_cell_execute=False, shutdown_kernel="immediate",
        config=Config({"KernelManager": {"transport": transport}}),
    )  # fmt: skip
    names = {"input_path": Path(page.notebook).name, "output_path": target.name}
    executed.metadata["papermill"] |= names
    nbformat.write(executed, target)


@cache
def read_versions() -> dict[str, str]:
    """Read the versions that decide on pages: of Python, this package and its libraries."""
    versions = {name: metadata.version(name) for name in ("ecoanalysis", *LIBRARIES)}
    return versions | {"python": platform.python_version()}


def _describe_run(
    page: Page, parameters: dict[str, Any], seconds: float, *, tables: Path
) -> dict[str, Any]:
    from ecoanalysis.pipeline import SEED

    return {
        "key": page.key,
        "study_id": page.study_id,
        "notebook": Path(page.notebook).name,
        "parameters": parameters,
        "study_files": page.study_files,
        "versions": read_versions(),
        "made_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "seed": SEED,
        "summary": {row["measure"]: row["value"] for row in _read_rows(tables / "summary.csv")},
        "warnings": _read_rows(tables / "warnings.csv")[:MOST_WARNINGS],
    }


def _read_rows(file: Path) -> list[dict[str, str]]:
    with suppress(FileNotFoundError), file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
    return []


def place_folder(new: Path, place: Path) -> None:
    """Put a finished folder in place of an older one, which stays if that cannot be done."""
    new.chmod(0o755)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=BUILDING, dir=place.parent)) / f"{OLD}{place.name}"
    try:
        if place.exists():
            place.rename(aside)
        new.rename(place)
    except OSError:
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise
    finally:
        shutil.rmtree(aside.parent, ignore_errors=True)
