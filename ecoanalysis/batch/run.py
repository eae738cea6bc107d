"""Run the notebooks of whole studies, each page in a process of its own.

Only what is new or stale is made. Pages are built in a folder beside their place and appear there
whole: a page that fails leaves what stood before, and the others, untouched; a batch that is
interrupted loses what it had in hand, and the next one goes on from there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.batch.limits import Limits
from ecoanalysis.batch.lock import lock_folder
from ecoanalysis.batch.pages import (
    Page,
    compares,
    make_page,
    sweep_folders,
    write_index,
    write_whole,
)
from ecoanalysis.batch.plan import is_current, plan_pages
from ecoanalysis.batch.server import use_pool
from ecoanalysis.errors import BatchError, UsageError
from ecoanalysis.study import Study, read_study
from ecoanalysis.wording import LANGUAGES

STATUS_COLUMNS = ["study_id", "language", "page", "status", "seconds", "cause", "path"]
# No page can be written any more: no space, a folder that only can be read, no quota left.
FATAL = ("[Errno 28]", "[Errno 30]", "[Errno 122]")

Progress = Callable[[int, int, Mapping[str, Any]], None]


def run_reports(
    studies: Sequence[str | Path],
    *,
    out: str | Path = "reports",
    territories: Sequence[str] = (),
    region: str = "",
    languages: Sequence[str] = LANGUAGES,
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
    jobs: int | None = None,
    cluster: Any = None,
    limits: Limits | None = None,
    on_progress: Progress | None = None,
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
    parameters : mapping, optional
        Further parameters of the territories' notebook; of a Path the content counts as well.
    force : bool
        Make pages too that stand as they would be made.
    jobs : int, optional
        Pages made side by side; the number of processors when not given.
    cluster : str or Dask cluster or Dask client, optional
        Where to make the pages instead of here; a str is the scheduler's address.
    limits : Limits, optional
        What each notebook may use.
    on_progress : callable, optional
        Called with (pages done, pages to make, row of the status) after each page.

    Returns
    -------
    pandas.DataFrame
        One row a page, also written to `<out>/<study>/status.csv`: study_id, language, page
        (territory_id, or the folder of a comparison), status ("current", "done" or "failed"),
        seconds, cause (one line, empty unless failed), path of its HTML.

    Raises
    ------
    StudyError
        If a study has faults.
    UsageError
        If a territory, region or language is unknown, two studies share a name, or another batch
        writes to the same folder.
    BatchError
        If the folder cannot be written to, no space is left, or the cluster is lost.
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
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.callback(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        for name in sorted(names):
            stack.enter_context(lock_folder(root / name))
            stack.enter_context(_swept(root / name))
        pages = []
        for study in read:
            mine = chosen[study.study_id]
            compared = _name_comparison(mine, region=region, some=bool(territories))
            pages += plan_pages(
                study, root=root, languages=languages, territories=list(mine["territory_id"]),
                compared=compared, region=mine["region"].iloc[0] if region and compared else "",
                parameters=parameters,
            )  # fmt: skip
        status = _run_pages(
            pages, open_pool=partial(_open_pool, jobs, cluster), force=force, limits=limits,
            on_progress=on_progress,
        )  # fmt: skip
        _write_lists(read, languages, root, status)
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
    if not region:
        wanted = list(wanted) or everywhere["territory_id"].to_list()
        return {s: table[table["territory_id"].isin(wanted)] for s, table in tables.items()}
    from ecoanalysis.comparison import select_region

    chosen = {s: select_region(table, region=region) for s, table in tables.items()}
    if not any(map(len, chosen.values())):
        there = ", ".join(sorted(everywhere["region"].dropna().unique())) or "none"
        raise UsageError(f"no region {region!r} in these studies; there are: {there}")
    return chosen


def _name_comparison(territories: pd.DataFrame, *, region: str, some: bool) -> str:
    if region and len(territories):
        from ecoanalysis.comparison import name_page

        return name_page(region=territories["region"].iloc[0])
    return "" if some or len(territories) < 2 else "comparison"


@contextmanager
def _swept(folder: Path) -> Iterator[None]:
    """Take away what an interrupted batch left half made, before and after."""
    sweep_folders(folder)
    try:
        yield
    finally:
        sweep_folders(folder)


@contextmanager
def _open_pool(jobs: int | None, cluster: Any) -> Iterator[tuple[Any, int]]:
    """Give what takes pages, and how many at once; an interruption ends it, and all it does."""
    if cluster is not None:
        from ecoanalysis.batch.cluster import open_cluster

        with open_cluster(cluster) as (submit, window):
            yield submit, window
        return
    jobs = jobs or os.cpu_count() or 1
    if sys.platform == "linux":
        pool: Executor = use_pool()
    else:
        pool = ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("spawn"))
    try:
        yield pool.submit, jobs
    except BaseException:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C waits for the first
        pool.shutdown(cancel_futures=True)
        raise


def _run_pages(
    pages: Sequence[Page],
    *,
    open_pool: Callable[[], Any],
    force: bool,
    limits: Limits | None,
    on_progress: Progress | None,
) -> pd.DataFrame:
    """Make what is new or stale; a comparison also where one of its territories is made."""
    stale = [force or not is_current(page) for page in pages]
    sets = {_name_set(page) for page, is_stale in zip(pages, stale, strict=True) if is_stale}
    todo, rows = [], []
    for page, is_stale in zip(pages, stale, strict=True):
        if is_stale or (compares(page) and _name_set(page) in sets):
            todo.append(page)
        else:
            rows.append(_describe(page, {"status": "current", "seconds": None, "cause": ""}))
    if todo:
        with open_pool() as (submit, window):
            for n, row in enumerate(_drain(submit, todo, window, limits), start=1):
                rows.append(row)
                if any(code in row["cause"] for code in FATAL):
                    done = sum(r["status"] == "done" for r in rows)
                    raise BatchError(f"nothing can be written any more, {done} pages were made: "
                                      f"{row['cause']}")  # fmt: skip
                if on_progress:
                    on_progress(n, len(todo), row)
    status = pd.DataFrame(rows, columns=STATUS_COLUMNS)
    return status.sort_values(["study_id", "language", "page"], ignore_index=True)


def _drain(
    submit: Callable[..., Future[Any]], pages: Sequence[Page], window: int, limits: Limits | None
) -> Iterator[dict[str, Any]]:
    """Hand out pages, never more than the window at once; each gives a row when it ends."""
    waiting = deque(page for page in pages if not compares(page))
    last = {_name_set(page): page for page in pages if compares(page)}
    left = Counter(map(_name_set, waiting))
    waiting.extend(last.pop(name) for name in list(last) if not left[name])
    running: dict[Future[Any], Page] = {}
    while running or waiting:
        while waiting and len(running) < window:
            page = waiting.popleft()
            running[submit(make_page, page, limits=limits)] = page
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            if future.cancelled():
                raise BatchError("the cluster was lost; the same command goes on from here")
            page, error = running.pop(future), future.exception()
            lost = {"status": "failed", "seconds": None, "cause": " ".join(str(error).split())}
            row = _describe(page, lost if error else future.result())
            name = _name_set(page)
            left[name] -= 1
            if row["status"] == "failed" and name in last:  # it is not whole: never current
                last[name] = replace(last[name], key="")
            if not left[name] and name in last:
                waiting.appendleft(last.pop(name))
            yield row


def _name_set(page: Page) -> tuple[str, str]:
    return page.study_id, page.language


def _describe(page: Page, outcome: Mapping[str, Any]) -> dict[str, Any]:
    named = {"study_id": page.study_id, "language": page.language, "page": page.page}
    return named | dict(outcome) | {"path": str(Path(page.folder) / "report.html")}


def _write_lists(
    studies: Sequence[Study], languages: Sequence[str], root: Path, status: pd.DataFrame
) -> None:
    """Write the table of the run, and the index of all pages that stand where it has changed."""
    for study in studies:
        mine = status[status["study_id"] == study.study_id]
        place = root / study.study_id
        table = mine.drop(columns="path").to_csv(index=False)
        write_whole(place / "status.csv", table, folder=place)
        tables = study.tables
        # What an index says needs no more, and it may be made in another process.
        thin = {"territories": tables["territories"], "actors": tables["actors"][["actor_id"]]}
        thin_study = replace(study, tables=thin)
        for language in languages:
            here = mine[mine["language"] == language]
            old = (place / language / "index.html").is_file()
            if not old or here["status"].ne("current").any():
                _call(write_index, thin_study, language, place, here)


def _call(fn: Callable[..., Any], *args: Any) -> None:
    """Call where the libraries are imported already, if that is so in another process."""
    if sys.platform == "linux":
        use_pool().submit(fn, *args).result()
    else:
        fn(*args)
