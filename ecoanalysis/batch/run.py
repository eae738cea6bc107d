"""Run the notebooks of whole studies, each page in a process of its own.

Pages are built in a folder beside their place and appear there whole: a page that fails leaves
what stood before, and the others, untouched.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis import comparison, report
from ecoanalysis.batch.pages import Page, make_page
from ecoanalysis.batch.server import ForkPool
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Study, read_study
from ecoanalysis.wording import LANGUAGES

STATUS_COLUMNS = ["study_id", "language", "page", "status", "seconds", "cause", "path"]


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
    up = "/".join([".."] * (place.count("/") + 1))
    mine = {"territory_id": page} if page else {"results": up, "region": region}
    return Page(
        study=str(study.path.resolve()),
        study_id=study.study_id,
        page=place,
        language=language,
        folder=str(root / study.study_id / language / place),
        notebook=str(find_notebook("territory" if page else "comparison")),
        parameters=mine,
        study_files=hash_files(study.path),
    )


def find_notebook(name: str) -> Path:
    """Find a notebook by its name: beside the sources in a clone, in the package when installed.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    package = Path(__file__).parents[1]
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
    with open_pool(jobs) as pool:
        try:
            for row in _drain(pool, first, then, window=2 * jobs):
                rows.append(row)
                if on_progress:
                    name = f"{row['study_id']} {row['language']} {row['page']}"
                    on_progress(len(rows), total, name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    status = pd.DataFrame(rows, columns=STATUS_COLUMNS)
    return status.sort_values(["study_id", "language", "page"], ignore_index=True)


def open_pool(jobs: int) -> Executor:
    """Open a pool of processes: forked where that is safe, else started afresh."""
    if sys.platform == "linux":
        return ForkPool(jobs)
    return ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn"))


def _drain(
    pool: Executor, first: Sequence[Page], then: Sequence[Page], *, window: int
) -> Iterator[dict[str, Any]]:
    """Hand out pages, never more than the window at once; each gives a row when it ends."""
    running: dict[Future[dict[str, Any]], Page] = {}
    waiting, last = deque(first), list(then)
    while running or waiting or last:
        busy = {(page.study_id, page.language) for page in (*running.values(), *waiting)}
        ready = [page for page in last if (page.study_id, page.language) not in busy]
        last = [page for page in last if page not in ready]
        waiting.extendleft(ready)
        while waiting and len(running) < window:
            page = waiting.popleft()
            running[pool.submit(make_page, page)] = page
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield _describe_outcome(running.pop(future), future)


def _describe_outcome(page: Page, future: Future[dict[str, Any]]) -> dict[str, Any]:
    error = future.exception()
    lost = {"status": "failed", "seconds": None, "cause": " ".join(str(error).split())}
    return {
        "study_id": page.study_id,
        "language": page.language,
        "page": page.page,
        **(lost if error else future.result()),
        "path": str(Path(page.folder) / "report.html"),
    }


def hash_files(folder: Path) -> dict[str, str]:
    """Hash the tables and the descriptor of a study: SHA-256 by file name."""
    kinds = {".csv", ".parquet", ".xlsx", ".yaml"}
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in kinds)
    return {file.name: _hash_file(file) for file in files}


def _hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write_index(study: Study, language: str, root: Path, status: pd.DataFrame) -> None:
    """Write the study's index of all pages that stand, also those of earlier runs."""
    folder = root / study.study_id / language
    mine = status[(status["study_id"] == study.study_id) & (status["language"] == language)]
    folder.mkdir(parents=True, exist_ok=True)
    html = report.render_index(study, folder=folder, status=mine, language=language)
    whole = folder / ".index.html"
    whole.write_text(html, encoding="utf-8")
    whole.replace(folder / "index.html")
