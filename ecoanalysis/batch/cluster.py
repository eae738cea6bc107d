"""Pages made on a Dask cluster, each by the fork server of the worker that it is sent to.

Keys and places are those of a run on one machine, so that either goes on from the other.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
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
)
from ecoanalysis.batch.plan import find_notebook, hash_package
from ecoanalysis.batch.server import use_pool
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Study, read_study

ALLOWED_FAILURES = 10  # workers that may end with a page in hand before the page is given up
RETRIES = 2  # of a page whose process ended
CONNECT_SECONDS = 20


@contextmanager
def open_cluster(cluster: Any) -> Iterator[tuple[Callable[..., Future[Any]], int]]:
    """Connect to a scheduler's address, a Dask cluster or a Dask client.

    Yields what takes pages, as `Executor.submit` does, and how many keep the workers busy;
    UsageError if the scheduler cannot be reached or has no worker.
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
        n_threads = sum(client.nthreads().values())
        client.run_on_scheduler(_allow_failures)
        yield _make_sender(client), 2 * n_threads
    finally:
        if own:
            client.close()


def _make_sender(client: Any) -> Callable[..., Future[Any]]:
    """Send pages: workers that see the folder of the pages write there, others send them back."""
    executor = client.get_executor(pure=False, retries=RETRIES)

    @cache
    def is_shared(home: Path) -> bool:
        lock = home / LOCK
        return all(client.run(_sees_text, str(lock), lock.read_text(encoding="utf-8")).values())

    @cache
    def pack_study(study: str) -> Any:
        return client.scatter(_pack_folder(Path(study)), broadcast=True)

    def submit(fn: Callable[..., Any], page: Page, *, limits: Limits | None) -> Future[Any]:
        received: Future[Any]
        if is_shared(Path(page.folder).parents[page.page.count("/") + 1]):
            received = executor.submit(_make_there, page, limits, hash_package())
            return received
        if compares(page):  # it needs the pages of the territories, which are here
            return use_pool().submit(fn, page, limits=limits)
        given = (page, limits, hash_package(), pack_study(page.study))
        received = Future()
        sent = executor.submit(_send_back, *given)
        sent.add_done_callback(lambda done: _receive(page, done, received))
        return received

    return submit


def _allow_failures(dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = max(ALLOWED_FAILURES, dask_scheduler.allowed_failures)


def _sees_text(file: str, text: str) -> bool:
    return Path(file).is_file() and Path(file).read_text(encoding="utf-8") == text


@cache
def _read_once(study: str, files: tuple[tuple[str, str], ...]) -> Study:
    return read_study(study)


def _make_there(page: Page, limits: Limits | None, package: str) -> Any:
    """Make a page where this process runs, by its fork server."""
    if package != hash_package():
        raise UsageError("the worker has another version of ecoanalysis")
    use_pool().keep_study(_read_once(page.study, tuple(page.study_files.items())))
    return use_pool().submit(make_page, page, limits=limits).result()


def _send_back(page: Page, limits: Limits | None, package: str, study: bytes) -> tuple[Any, bytes]:
    """Make a page in a folder of this machine and give its files."""
    with tempfile.TemporaryDirectory(prefix="ecoanalysis-") as home:
        paths = {"study": Path(page.study), "folder": Path(page.folder)}
        moved: dict[str, Any] = {
            name: str(home / path.relative_to(path.anchor)) for name, path in paths.items()
        }
        there = replace(page, **moved, notebook=str(find_notebook(Path(page.notebook).stem)))
        zipfile.ZipFile(io.BytesIO(study)).extractall(there.study)
        outcome = _make_there(there, limits, package)
        made = Path(there.folder) if outcome["status"] == "done" else name_failed(there)
        return outcome, _pack_folder(made)


def _receive(page: Page, sent: Future[Any], received: Future[Any]) -> None:
    """Put a page that was sent back in its place."""
    try:
        outcome, packed = sent.result()
        folder = Path(page.folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
        zipfile.ZipFile(io.BytesIO(packed)).extractall(building)
        if outcome["status"] == "done":
            place_page(page, building, (building / "report.html").read_text(encoding="utf-8"))
        else:
            place_folder(building, name_failed(page))
        shutil.rmtree(building, ignore_errors=True)
        received.set_result(outcome)
    except BaseException as error:
        received.set_exception(error)


def _pack_folder(folder: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder).as_posix())
    return stream.getvalue()
