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
from pathlib import Path
from typing import Any

from ecoanalysis.batch.limits import Limits
from ecoanalysis.batch.lock import LOCK
from ecoanalysis.batch.pages import (
    BUILDING,
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

ALLOWED_FAILURES = 10  # workers that may end with a page in hand before the page is given up
CONNECT_SECONDS = 20
RETRIES = 2  # of a page whose process ended


@contextmanager
def open_cluster(cluster: Any) -> Iterator[tuple[Callable[..., Future[Any]], int]]:
    """Connect to a cluster.

    Parameters
    ----------
    cluster : str or Dask cluster or Dask client
        A str is the address of the scheduler.

    Yields
    ------
    submit : callable
        As an executor's: called with `make_page`, a page and `limits`, it returns a future.
    window : int
        How many pages keep the workers busy.

    Raises
    ------
    UsageError
        If the scheduler cannot be reached or has no worker.
    """
    from distributed import Client

    own = not isinstance(cluster, Client)
    try:
        client = Client(cluster, timeout=CONNECT_SECONDS) if own else cluster
    except OSError as error:
        raise UsageError(f"no Dask scheduler answers at {cluster}: {error}") from error
    try:
        n_threads = sum(client.nthreads().values())
        if not n_threads:
            raise UsageError(f"the Dask scheduler {cluster} has no worker")
        client.run_on_scheduler(_allow_failures)
        yield _Sender(client), 2 * n_threads
    finally:
        if own:
            client.close()


class _Sender:
    """Sends pages: workers that see the folder of the pages write there, others send them back."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.executor = client.get_executor(pure=False, retries=RETRIES)
        self.shared: dict[Path, bool] = {}
        self.studies: dict[str, Any] = {}

    def __call__(self, fn: Callable[..., Any], page: Page, *, limits: Limits | None) -> Future[Any]:
        home = Path(page.folder).parents[page.page.count("/") + 1]
        lock = home / LOCK
        if home not in self.shared:
            seen = self.client.run(_sees_text, str(lock), lock.read_text(encoding="utf-8"))
            self.shared[home] = all(seen.values())
        if self.shared[home]:
            future: Future[Any] = self.executor.submit(_make_there, page, limits, hash_package())
            return future
        if compares(page):  # it needs the pages of the territories, which are here
            return use_pool().submit(fn, page, limits=limits)
        if page.study not in self.studies:
            packed = _pack_folder(Path(page.study))
            self.studies[page.study] = self.client.scatter(packed, broadcast=True)
        study = self.studies[page.study]
        sent = self.executor.submit(_send_back, page, limits, hash_package(), study)
        received: Future[Any] = Future()
        sent.add_done_callback(lambda done: _receive(page, done, received))
        return received


def _allow_failures(dask_scheduler: Any = None) -> None:
    allowed = max(ALLOWED_FAILURES, dask_scheduler.allowed_failures)
    dask_scheduler.allowed_failures = allowed


def _sees_text(file: str, text: str) -> bool:
    return Path(file).is_file() and Path(file).read_text(encoding="utf-8") == text


def _make_there(page: Page, limits: Limits | None, package: str) -> dict[str, Any]:
    """Make a page where this process runs, by its fork server."""
    if package != hash_package():
        raise UsageError("the worker has another version of ecoanalysis")
    outcome: dict[str, Any] = use_pool().submit(make_page, page, limits=limits).result()
    return outcome


def _send_back(
    page: Page, limits: Limits | None, package: str, study: bytes
) -> tuple[dict[str, Any], bytes]:
    """Make a page in a folder of this machine and give its files."""
    with tempfile.TemporaryDirectory(prefix="ecoanalysis-") as name:
        home = Path(name)
        moved = replace(
            page,
            study=_move_path(page.study, home),
            folder=_move_path(page.folder, home),
            notebook=str(find_notebook(Path(page.notebook).stem)),
        )
        _unpack_folder(study, Path(moved.study))
        outcome = _make_there(moved, limits, package)
        made = Path(moved.folder) if outcome["status"] == "done" else name_failed(moved)
        return outcome, _pack_folder(made)


def _receive(page: Page, sent: Future[Any], received: Future[Any]) -> None:
    try:
        outcome, packed = sent.result()
        folder = Path(page.folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder.parent))
        try:
            _unpack_folder(packed, building)
            if outcome["status"] == "done":
                html = (building / "report.html").read_text(encoding="utf-8")
                place_page(page, building, html)
            else:
                place_folder(building, name_failed(page))
        finally:
            shutil.rmtree(building, ignore_errors=True)
        received.set_result(outcome)
    except BaseException as error:
        received.set_exception(error)


def _move_path(path: str, home: Path) -> str:
    return str(home / Path(path).relative_to(Path(path).anchor))


def _pack_folder(folder: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder).as_posix())
    return stream.getvalue()


def _unpack_folder(packed: bytes, folder: Path) -> None:
    zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)
