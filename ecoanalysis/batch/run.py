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
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.batch.lock import lock_folder
from ecoanalysis.batch.pages import (
    Limits,
    Page,
    compares,
    make_page,
    sweep_folders,
    write_index,
    write_whole,
)
from ecoanalysis.batch.plan import is_current, plan_pages
from ecoanalysis.batch.server import (
    MOST_SPAWNED,
    ForkPool,
    ProcessEndedError,
    SpawnPool,
    use_pool,
)
from ecoanalysis.errors import BatchError, UsageError
from ecoanalysis.study import Study, read_study
from ecoanalysis.wording import LANGUAGES

STATUS_COLUMNS = ["study_id", "language", "page", "status", "seconds", "cause", "path"]
# No page can be written any more: no space, a folder that only can be read, no quota left.
FATAL = ("[Errno 28]", "[Errno 30]", "[Errno 122]")

Submit = Callable[..., Future[Any]]


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
    on_progress: Callable[[int, int, Mapping[str, Any]], None] | None = None,
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
        Only the territories of this region, named as the table or as a folder names it, and their
        comparison, in `<out>/<study>/<language>/regions/<region>/comparison`.
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
        If a territory, region or language is unknown, two studies share a name, the pages would
        lie in a study's own folder, or another batch writes to the same folder.
    BatchError
        If the folder cannot be written to, no space is left, or the cluster is lost.
    """
    unknown = sorted(set(languages) - set(LANGUAGES))
    if unknown:
        raise UsageError(f"unknown language {unknown[0]!r}; choose from: {', '.join(LANGUAGES)}")
    read = {study.study_id: study for study in map(read_study, studies)}
    if len(read) < len(studies):
        raise UsageError(f"two studies share a folder name: {', '.join(sorted(read))}")
    chosen = _choose_territories(list(read.values()), territories, region)
    root = Path(out).resolve()
    for name, study in read.items():
        if (root / name).is_relative_to(study.path.resolve()):
            raise UsageError(
                f"the pages would lie among the tables in {study.path}; choose another out"
            )
    with ExitStack() as stack:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler and (
            threading.current_thread() is threading.main_thread()
        ):
            stack.callback(signal.signal, signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGINT, interrupt_once)
        for name in sorted(read):
            stack.enter_context(lock_folder(root / name))
            stack.callback(sweep_folders, root / name)
            sweep_folders(root / name)
        pages: list[Page] = []
        for name, (towns, compared) in chosen.items():
            pages += plan_pages(
                read[name], root=root, languages=languages, territories=list(towns["territory_id"]),
                compared=compared, parameters=parameters,
                region=towns["region"].iloc[0] if region and compared else "",
            )  # fmt: skip
        stale = [force or not is_current(page) for page in pages]
        sets = {_name_set(page) for page, is_stale in zip(pages, stale, strict=True) if is_stale}
        made = [s or (compares(p) and _name_set(p) in sets)
                for p, s in zip(pages, stale, strict=True)]  # fmt: skip
        todo = [page for page, is_made in zip(pages, made, strict=True) if is_made]
        stands = {"status": "current", "seconds": None, "cause": ""}
        rows = [_describe(p, stands) for p, is_made in zip(pages, made, strict=True) if not is_made]
        if todo:
            with _open_pool(jobs, cluster, [read[p.study_id] for p in todo]) as (submit, window):
                for n, row in enumerate(_drain(submit, todo, window, limits), start=1):
                    rows.append(row)
                    if on_progress:
                        on_progress(n, len(todo), row)
        status = pd.DataFrame(rows, columns=STATUS_COLUMNS)
        status = status.sort_values(["study_id", "language", "page"], ignore_index=True)
        try:
            _write_lists(list(read.values()), languages, root, status)
        except (OSError, ProcessEndedError) as error:
            raise BatchError(f"the pages are made, their lists are not: {error}") from error
    return status


def interrupt_once(signum: int, frame: object) -> None:
    """Interrupt; a second Ctrl-C waits for what the first one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _choose_territories(
    studies: Sequence[Study], wanted: Sequence[str], region: str
) -> dict[str, tuple[pd.DataFrame, str]]:
    """Choose of each study the rows of its territories, and the folder of their comparison."""
    if wanted and region:
        raise UsageError("choose territories or a region, not both")
    tables = {study.study_id: study.tables["territories"] for study in studies}
    everywhere = pd.concat(tables.values())
    missing = [name for name in wanted if name not in set(everywhere["territory_id"])]
    if missing:
        there = ", ".join(sorted(everywhere["territory_id"].unique()))
        raise UsageError(f"no territory {missing[0]!r} in these studies; there are: {there}")
    if wanted:
        return {s: (t[t["territory_id"].isin(wanted)], "") for s, t in tables.items()}
    if not region:
        return {s: (t, "comparison" if len(t) > 1 else "") for s, t in tables.items()}
    from ecoanalysis.comparison import name_page, select_region

    chosen = {s: select_region(table, region=region) for s, table in tables.items()}
    if not any(map(len, chosen.values())):
        there = ", ".join(sorted(everywhere["region"].dropna().unique())) or "none"
        raise UsageError(f"no region {region!r} in these studies; there are: {there}")
    return {s: (t, name_page(region=t["region"].iloc[0]) if len(t) else "")
            for s, t in chosen.items()}  # fmt: skip


@contextmanager
def _open_pool(
    jobs: int | None, cluster: Any, studies: Sequence[Study]
) -> Iterator[tuple[Submit, Callable[[], int]]]:
    """Give what takes pages, and how many at once; an interruption ends it, and all it does."""
    if cluster is not None:
        from ecoanalysis.batch.cluster import open_cluster

        with open_cluster(cluster) as opened:
            yield opened
        return
    jobs = jobs or os.cpu_count() or 1
    pool: Executor = use_pool() if sys.platform == "linux" else SpawnPool(min(jobs, MOST_SPAWNED))
    try:
        if isinstance(pool, ForkPool):
            for study in {study.study_id: study for study in studies}.values():
                pool.keep_study(study)
        yield pool.submit, lambda: jobs
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


def _drain(
    submit: Submit, pages: Sequence[Page], window: Callable[[], int], limits: Limits | None
) -> Iterator[dict[str, Any]]:
    """Hand out pages, never more than the window at once; each gives a row when it ends.

    A comparison follows the last of its territories; if one of these fails, it is never current.
    """
    waiting = deque(page for page in pages if not compares(page))
    last = {_name_set(page): page for page in pages if compares(page)}
    left = Counter(map(_name_set, waiting))
    waiting.extend(last.pop(name) for name in list(last) if not left[name])
    running: dict[Future[Any], Page] = {}
    n_done = 0
    while running or waiting:
        most = window()
        while waiting and len(running) < most:
            page = waiting.popleft()
            running[submit(make_page, page, limits=limits)] = page
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            if future.cancelled():
                raise BatchError("the cluster was lost; the same command goes on from here")
            page, error = running.pop(future), future.exception()
            lost = {"status": "failed", "seconds": None, "cause": " ".join(str(error).split())}
            row = _describe(page, lost if error else future.result())
            n_done += row["status"] == "done"
            if any(code in row["cause"] for code in FATAL):
                made = f"nothing can be written any more, {n_done} pages were made"
                raise BatchError(f"{made}: {row['cause']}")
            name = _name_set(page)
            left[name] -= 1
            if row["status"] == "failed" and name in last:
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
        thin = {"territories": tables["territories"], "actors": tables["actors"][["actor_id"]]}
        for language in languages:
            here = mine[mine["language"] == language]
            old = (place / language / "index.html").is_file()
            if not old or here["status"].ne("current").any():
                given = (replace(study, tables=thin), language, place, here)
                if sys.platform == "linux":  # the server has the libraries imported
                    use_pool().submit(write_index, *given).result()
                else:
                    write_index(*given)
