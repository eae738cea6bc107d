"""Pages made on a Dask cluster, each by the fork server of the worker that it is sent to.

Keys and places are those of a run on one machine, so that either goes on from the other.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from ecoanalysis.batch.lock import LOCK
from ecoanalysis.batch.pages import (
    BUILDING,
    Limits,
    Page,
    compares,
    make_page,
    name_failed,
    place_folder,
    place_page,
    sees_text,
)
from ecoanalysis.batch.plan import find_notebook, hash_package
from ecoanalysis.batch.server import use_pool
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Study, read_study

ALLOWED_FAILURES = 10  # workers that may end with a page in hand before the page is given up
RETRIES = 2  # of a page whose process ended
CONNECT_SECONDS = 20
COUNT_SECONDS = 5
_LOCK = Lock()


@contextmanager
def open_cluster(cluster: Any) -> Iterator[tuple[Callable[..., Future[Any]], Callable[[], int]]]:
    """Connect to a scheduler's address, a Dask cluster or a Dask client.

    Yields what takes pages, as `Executor.submit` does, and what tells how many keep the workers
    busy that are there; UsageError if the scheduler cannot be reached or has no worker.
    """
    from distributed import Client

    own = not isinstance(cluster, Client)
    try:
        client = Client(cluster, timeout=CONNECT_SECONDS) if own else cluster
    except OSError as error:
        raise UsageError(f"no Dask scheduler answers at {cluster}: {error}") from error
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise UsageError(f"the Dask scheduler {cluster} has no worker") from error
        client.run_on_scheduler(_allow_failures)
        yield _make_sender(client), _make_counter(client)
    finally:
        if own:
            client.close()


def _make_counter(client: Any) -> Callable[[], int]:
    """Tell how many pages keep the workers busy; they are counted anew every few seconds."""
    counted, since = 0, 0.0

    def count() -> int:
        nonlocal counted, since
        if time.monotonic() - since > COUNT_SECONDS and client.status == "running":
            with suppress(OSError):  # the scheduler is lost, which the pages in hand tell
                counted, since = sum(client.nthreads().values()), time.monotonic()
        return max(2, 2 * counted)

    return count


def _make_sender(client: Any) -> Callable[..., Future[Any]]:
    """Send pages: workers that see the folder of the pages write there, others send them back."""
    executor = client.get_executor(pure=False, retries=RETRIES)

    @cache
    def read_lock(home: Path) -> tuple[str, str, bool]:
        lock, text = str(home / LOCK), (home / LOCK).read_text(encoding="utf-8")
        return lock, text, all(client.run(sees_text, lock, text).values())

    @cache
    def pack_study(study: str, files: tuple[tuple[str, str], ...]) -> Any:
        packed = _pack_files(Path(study), (name for name, _ in files))
        return client.scatter(packed, broadcast=True)

    def submit(fn: Callable[..., Any], page: Page, *, limits: Limits | None) -> Future[Any]:
        lock, text, shared = read_lock(Path(page.folder).parents[page.page.count("/") + 1])
        received: Future[Any]
        if shared:
            received = executor.submit(_make_there, page, limits, hash_package(), lock, text)
            return received
        if compares(page):  # it needs the pages of the territories, which are here
            return use_pool().submit(fn, page, limits=limits)
        if "scenario" in page.parameters:
            raise UsageError("a scenario needs workers that see the folder of the pages")
        packed = pack_study(page.study, tuple(page.study_files.items()))
        received = Future()
        sent = executor.submit(_send_back, page, limits, hash_package(), packed)
        sent.add_done_callback(lambda done: _receive(page, done, received))
        return received

    return submit


def _allow_failures(dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = max(ALLOWED_FAILURES, dask_scheduler.allowed_failures)


def _make_there(page: Page, limits: Limits | None, package: str, lock: str, text: str) -> Any:
    """Make a page in its place where this process runs, by its fork server."""
    if not sees_text(lock, text):
        raise UsageError(f"the worker does not see {Path(lock).parent}, as others do")
    return _make_here(page, limits, package, (lock, text))


def _make_here(
    page: Page, limits: Limits | None, package: str, held: tuple[str, str] | None = None
) -> Any:
    if package != hash_package():
        raise UsageError("the worker has another version of ecoanalysis")
    with _LOCK:  # the threads of a worker read a study once
        use_pool().keep_study(_read_once(page.study, tuple(page.study_files.items())))
    return use_pool().submit(make_page, page, limits=limits, held=held).result()


@lru_cache(maxsize=4)
def _read_once(study: str, files: tuple[tuple[str, str], ...]) -> Study:
    return read_study(study)


@lru_cache(maxsize=4)
def _unpack(study: bytes, path: str) -> tempfile.TemporaryDirectory[str]:
    """Unpack a study below a folder that stays for further pages, at most as long as the worker."""
    home = tempfile.TemporaryDirectory(prefix="ecoanalysis-")
    zipfile.ZipFile(io.BytesIO(study)).extractall(Path(home.name) / _name_below(path))
    return home


def _name_below(path: str) -> Path:
    return Path(path).relative_to(Path(path).anchor)


def _send_back(page: Page, limits: Limits | None, package: str, study: bytes) -> tuple[Any, bytes]:
    """Make a page in a folder of this machine and give its files."""
    with _LOCK:
        home = Path(_unpack(study, page.study).name)
    there = replace(
        page,
        study=str(home / _name_below(page.study)),
        folder=str(home / _name_below(page.folder)),
        notebook=str(find_notebook(Path(page.notebook).stem)),
    )
    outcome = _make_here(there, limits, package)
    made = Path(there.folder) if outcome["status"] == "done" else name_failed(there)
    files = (file.relative_to(made) for file in sorted(made.rglob("*")))
    packed = _pack_files(made, map(Path.as_posix, files))
    shutil.rmtree(made)
    return outcome, packed


def _receive(page: Page, sent: Future[Any], received: Future[Any]) -> None:
    """Put a page that was sent back in its place."""
    if sent.cancelled():
        received.cancel()
        received.set_running_or_notify_cancel()
        return
    try:
        outcome, packed = sent.result()
        folder = Path(page.folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
        zipfile.ZipFile(io.BytesIO(packed)).extractall(building)
        if outcome["status"] == "done":
            place_page(page, building, (building / "report.html").read_text(encoding="utf-8"))
            shutil.rmtree(name_failed(page), ignore_errors=True)
        else:
            place_folder(building, name_failed(page))
        shutil.rmtree(building, ignore_errors=True)
        received.set_result(outcome)
    except BaseException as error:
        received.set_exception(error)


def _pack_files(folder: Path, names: Iterable[str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.write(folder / name, name)
    return stream.getvalue()
