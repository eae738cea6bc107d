"""Run the notebooks of whole studies with papermill, each page in a fresh kernel.

Pages are built in a folder beside their place and appear there whole: a page that fails leaves
what stood before, and the others, untouched.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis import comparison, export, report
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Study, read_study
from ecoanalysis.wording import LANGUAGES

VERSIONS = ("ecoanalysis", "pandas", "numpy", "networkx", "matplotlib", "papermill", "nbconvert")
STATUS_COLUMNS = ["study_id", "language", "page", "status", "seconds", "cause", "path"]


@dataclass(frozen=True)
class Page:
    """One page to make: a territory's report, or the comparison of a study or a region of it."""

    study: str
    study_id: str
    page: str
    language: str
    folder: str
    notebook: str
    region: str = ""
    minimum_coverage: float = 0.5


def run_reports(
    studies: Sequence[str | Path],
    *,
    out: str | Path = "reports",
    territories: Sequence[str] = (),
    region: str = "",
    languages: Sequence[str] = LANGUAGES,
    jobs: int | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> pd.DataFrame:
    """Make the reports, comparisons and index pages of one or several studies.

    Parameters
    ----------
    studies : sequence of path
        Folders of studies. All are checked before the first page is made.
    out : path
        Folder of the pages: `<out>/<study>/<language>/<territory>/report.html`.
    territories : sequence of str
        Only these territories; all comparisons are then left as they are.
    region : str
        Only the territories of this region, named as the table or as a folder names it, and the
        comparison of them, in `<out>/<study>/<language>/regions/<region>/comparison`; the study's
        is then left as it is.
    languages : sequence of str
        Of "fr" and "en".
    jobs : int, optional
        Pages made side by side; the number of processors when not given.
    on_progress : callable, optional
        Called with (pages done, pages in all, name of the page).

    Returns
    -------
    pandas.DataFrame
        One row a page: study_id, language, page (territory_id, or the folder of a comparison),
        status ("done" or "failed"), seconds, cause (one line, empty when done), path of its HTML.

    Raises
    ------
    StudyError
        If a study has faults.
    UsageError
        If a territory, region or language is unknown, or two studies share a name.
    """
    unknown = sorted(set(languages) - set(LANGUAGES))
    if unknown:
        raise UsageError(f"unknown language {unknown[0]!r}; choose from: {', '.join(LANGUAGES)}")
    read = [read_study(path) for path in studies]
    names = [study.study_id for study in read]
    if len(set(names)) < len(names):
        raise UsageError(f"two studies share a folder name: {', '.join(sorted(names))}")
    chosen = _choose_territories(read, territories, region)
    root = Path(out).resolve()
    first, then = [], []
    for study, language in product(read, languages):
        mine = chosen[study.study_id]
        first += [_plan_page(study, page, language, root) for page in mine["territory_id"]]
        if len(mine) and region:
            then.append(_plan_page(study, "", language, root, region=mine["region"].iloc[0]))
        elif len(mine) > 1 and not territories:
            then.append(_plan_page(study, "", language, root))
    status = _run_pages(first, then, jobs=jobs or os.cpu_count() or 1, on_progress=on_progress)
    for study, language in product(read, languages):
        _write_index(study, language, root, status)
    return status


def _choose_territories(
    studies: Sequence[Study], wanted: Sequence[str], region: str
) -> dict[str, pd.DataFrame]:
    """Choose the rows of the territories table of each study."""
    if wanted and region:
        raise UsageError("choose territories or a region, not both")
    tables = {study.study_id: study.tables["territories"] for study in studies}
    everywhere = pd.concat(tables.values())
    missing = [name for name in wanted if name not in set(everywhere["territory_id"])]
    if missing:
        there = ", ".join(sorted(everywhere["territory_id"].unique()))
        raise UsageError(f"no territory {missing[0]!r} in these studies; there are: {there}")
    chosen = {s: comparison.select_region(table, region=region) for s, table in tables.items()}
    if not any(map(len, chosen.values())):
        there = ", ".join(sorted(everywhere["region"].dropna().unique())) or "none"
        raise UsageError(f"no region {region!r} in these studies; there are: {there}")
    return {
        study: table[table["territory_id"].isin(wanted)] if wanted else table
        for study, table in chosen.items()
    }


def _plan_page(study: Study, page: str, language: str, root: Path, *, region: str = "") -> Page:
    """Plan a territory's page, or the comparison of a region or study where `page` is blank."""
    place = page or comparison.name_page(region=region)
    return Page(
        study=str(study.path.resolve()),
        study_id=study.study_id,
        page=place,
        language=language,
        folder=str(root / study.study_id / language / place),
        notebook=str(find_notebook("territory" if page else "comparison")),
        region=region,
    )


def find_notebook(name: str) -> Path:
    """Find a notebook by its name: beside the sources in a clone, in the package when installed.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    package = Path(__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / f"{name}.ipynb").is_file():
            return folder / f"{name}.ipynb"
    raise UsageError(f"no notebook {name!r} in this installation")


def _run_pages(
    first: Sequence[Page],
    then: Sequence[Page],
    *,
    jobs: int,
    on_progress: Callable[[int, int, str], None] | None,
) -> pd.DataFrame:
    """Make the territories' pages, and each comparison as soon as its territories are made."""
    total = len(first) + len(then)
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn")) as pool:
        for row in _drain(pool, first, then):
            rows.append(row)
            if on_progress:
                on_progress(len(rows), total, f"{row['study_id']} {row['language']} {row['page']}")
    status = pd.DataFrame(rows, columns=STATUS_COLUMNS)
    return status.sort_values(["study_id", "language", "page"], ignore_index=True)


def _drain(
    pool: ProcessPoolExecutor, first: Sequence[Page], then: Sequence[Page]
) -> Iterator[dict[str, Any]]:
    running: dict[Future[float], Page] = {pool.submit(make_page, page): page for page in first}
    waiting = list(then)
    while running or waiting:
        open_sets = {(page.study_id, page.language) for page in running.values()}
        ready = [page for page in waiting if (page.study_id, page.language) not in open_sets]
        waiting = [page for page in waiting if page not in ready]
        running |= {pool.submit(make_page, page): page for page in ready}
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield _describe_outcome(running.pop(future), future)


def _describe_outcome(page: Page, future: Future[float]) -> dict[str, Any]:
    error = future.exception()
    name = getattr(error, "ename", type(error).__name__)
    text = getattr(error, "evalue", str(error)).strip().splitlines()
    return {
        "study_id": page.study_id,
        "language": page.language,
        "page": page.page,
        "status": "failed" if error else "done",
        "seconds": None if error else round(future.result(), 1),
        "cause": f"{name}: {text[0] if text else ''}" if error else "",
        "path": str(Path(page.folder) / "report.html"),
    }


def make_page(page: Page) -> float:
    """Execute one page's notebook in a fresh kernel, put its folder in place, return seconds."""
    started = time.perf_counter()
    folder = Path(page.folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the paths that the notebook holds are the same in both.
    building = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        parameters = _choose_parameters(page)
        executed = building / "report.ipynb"
        _execute(Path(page.notebook), executed, parameters, cwd=building)
        html = report.render_page(executed, language=page.language)
        (building / "report.html").write_text(html, encoding="utf-8")
        seconds = time.perf_counter() - started
        run = _describe_run(page, parameters, seconds, tables=building / "tables")
        text = json.dumps(run, ensure_ascii=False, indent=1)
        (building / "run.json").write_text(text + "\n", encoding="utf-8")
        building.chmod(0o755)
        _replace_folder(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return seconds


def _choose_parameters(page: Page) -> dict[str, Any]:
    study = _relate(Path(page.study), Path(page.folder))
    common = {"study": study, "language": page.language, "out": "tables"}
    if page.page == comparison.name_page(region=page.region):
        top = "/".join([".."] * (page.page.count("/") + 1))
        return common | {"results": top, "region": page.region}
    return common | {"territory_id": page.page, "minimum_coverage": page.minimum_coverage}


def _relate(path: Path, folder: Path) -> str:
    """Give a path as seen from a folder; on Windows another drive stays absolute."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()


def _execute(notebook: Path, target: Path, parameters: dict[str, Any], *, cwd: Path) -> None:
    import nbformat
    import papermill
    from traitlets.config import Config

    declared = papermill.inspect_notebook(str(notebook))
    undeclared = sorted(set(parameters) - set(declared))
    if undeclared:
        raise UsageError(f"{notebook.name} declares no parameter {', '.join(undeclared)}")
    # Kernels side by side race for free ports; files do not.
    transport = "tcp" if platform.system() == "Windows" else "ipc"
    executed = papermill.execute_notebook(
        str(notebook),
        str(target),
        parameters=parameters,
        cwd=str(cwd),
        kernel_name="python3",
        progress_bar=False,
        config=Config({"KernelManager": {"transport": transport}}),
        shutdown_kernel="immediate",
    )
    executed.metadata["papermill"] |= {"input_path": notebook.name, "output_path": target.name}
    nbformat.write(executed, target)


def _describe_run(
    page: Page, parameters: dict[str, Any], seconds: float, *, tables: Path
) -> dict[str, Any]:
    stored = export.read_tables(tables) if tables.is_dir() else {}
    warnings = stored.get("warnings", pd.DataFrame())
    return {
        "page": asdict(page)
        | {"study": parameters["study"], "folder": ".", "notebook": Path(page.notebook).name},
        "parameters": parameters,
        "study_files": hash_files(Path(page.study)),
        "notebook_sha256": _hash_file(Path(page.notebook)),
        "versions": {name: metadata.version(name) for name in VERSIONS}
        | {"python": platform.python_version()},
        "made_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "warnings": warnings.fillna("").to_dict("records"),
    }


def hash_files(folder: Path) -> dict[str, str]:
    """Hash the tables and the descriptor of a study: SHA-256 by file name."""
    kinds = {".csv", ".xlsx", ".yaml"}
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in kinds)
    return {file.name: _hash_file(file) for file in files}


def _hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _replace_folder(new: Path, place: Path) -> None:
    """Put a finished folder in place of an older one; readers see the old or the new."""
    aside = Path(tempfile.mkdtemp(prefix=".old-", dir=place.parent))
    if place.exists():
        place.replace(aside / "old")
    new.replace(place)
    shutil.rmtree(aside, ignore_errors=True)


def _write_index(study: Study, language: str, root: Path, status: pd.DataFrame) -> None:
    """Write the study's index of all pages that stand, also those of earlier runs."""
    folder = root / study.study_id / language
    mine = status[(status["study_id"] == study.study_id) & (status["language"] == language)]
    folder.mkdir(parents=True, exist_ok=True)
    html = report.render_index(study, folder=folder, status=mine, language=language)
    whole = folder / ".index.html"
    whole.write_text(html, encoding="utf-8")
    whole.replace(folder / "index.html")
