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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ecoanalysis.batch.limits import Limits
from ecoanalysis.errors import UsageError

FAILED = "_failed"
BUILDING = ".making-"
VERSIONS = ("ecoanalysis", "pandas", "numpy", "networkx", "matplotlib", "papermill", "nbconvert")


@dataclass(frozen=True)
class Page:
    """One page to make: a territory's report, or the comparison of a study or a region of it.

    `page` is its folder below that of the study and language, and `parameters` are the notebook's
    but for the study, the language and the tables' folder, which every notebook has.
    """

    study: str
    study_id: str
    page: str
    language: str
    folder: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    study_files: Mapping[str, str] = field(default_factory=dict)


def make_page(page: Page, *, limits: Limits | None = None) -> dict[str, Any]:
    """Execute a page's notebook in a process of its own and put its folder in place.

    A notebook that fails leaves what stood; it is kept below `_failed`, with its traceback as text.

    Parameters
    ----------
    page : Page
        The page.
    limits : Limits, optional
        What its notebook may use.

    Returns
    -------
    dict
        status ("done" or "failed"), seconds, cause (one line, empty when done).
    """
    from papermill import PapermillExecutionError

    from ecoanalysis import report

    started = time.perf_counter()
    folder = Path(page.folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the paths that the notebook holds are the same in both.
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
    failed = folder.parents[page.page.count("/")] / FAILED / page.page
    parameters = _join_parameters(page)
    try:
        _execute(page, building / "report.ipynb", parameters, limits or Limits())
        html = report.render_page(building / "report.ipynb", language=page.language)
        (building / "report.html").write_text(html, encoding="utf-8")
        seconds = time.perf_counter() - started
        run = _describe_run(page, parameters, seconds, tables=building / "tables")
        text = json.dumps(run, ensure_ascii=False, indent=1)
        (building / "run.json").write_text(text + "\n", encoding="utf-8")
        replace_folder(building, folder)
        shutil.rmtree(failed, ignore_errors=True)
    except PapermillExecutionError as error:
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        (building / "traceback.txt").write_text(text + "\n", encoding="utf-8")
        failed.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(building, failed)
        lines = [*str(error.evalue).strip().splitlines(), ""]
        return {"status": "failed", "seconds": None, "cause": f"{error.ename}: {lines[0]}"}
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return {"status": "done", "seconds": round(seconds, 1), "cause": ""}


def _join_parameters(page: Page) -> dict[str, Any]:
    study = relate_path(Path(page.study), Path(page.folder))
    return {"study": study, "language": page.language, "out": "tables", **page.parameters}


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
        page.notebook,
        str(target),
        parameters=parameters,
        cwd=str(target.parent),
        kernel_name="python3",
        engine_name=ENGINE,
        limits=limits,
        progress_bar=False,
        request_save_on_cell_execute=False,
        config=Config({"KernelManager": {"transport": transport}}),
        shutdown_kernel="immediate",
    )
    names = {"input_path": Path(page.notebook).name, "output_path": target.name}
    executed.metadata["papermill"] |= names
    nbformat.write(executed, target)


def _describe_run(
    page: Page, parameters: dict[str, Any], seconds: float, *, tables: Path
) -> dict[str, Any]:
    described = asdict(page)
    files = described.pop("study_files")
    here = {"study": parameters["study"], "folder": ".", "notebook": Path(page.notebook).name}
    return {
        "page": described | here,
        "parameters": parameters,
        "study_files": files,
        "versions": {name: metadata.version(name) for name in VERSIONS}
        | {"python": platform.python_version()},
        "made_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "summary": {row["measure"]: row["value"] for row in _read_rows(tables / "summary.csv")},
        "warnings": _read_rows(tables / "warnings.csv"),
    }


def _read_rows(file: Path) -> list[dict[str, str]]:
    with suppress(FileNotFoundError), file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
    return []


def replace_folder(new: Path, place: Path) -> None:
    """Put a finished folder in place of an older one; readers see the old or the new."""
    new.chmod(0o755)
    aside = Path(tempfile.mkdtemp(prefix=BUILDING, dir=place.parent))
    if place.exists():
        place.replace(aside / "old")
    new.replace(place)
    shutil.rmtree(aside, ignore_errors=True)
