"""A pool of forked processes: a server imports once, and forks one process for each call.

The server is a program of its own without threads, sockets or notebooks; what a call changes ends
with its process, and all of them end with the caller.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from threading import Lock, Thread
from typing import Any, NoReturn

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PRELOADED = ("ecoanalysis.batch.engine", "ecoanalysis.pipeline", "ecoanalysis.comparison")
ATTEMPTS = 3


_POOLS: list[ForkPool] = []
_POOL_LOCK = Lock()


class ProcessEndedError(RuntimeError):
    """The process of a call ended, or raised what its caller does not know."""


class ForkPool(Executor):
    """Runs calls of importable functions, each at once and in a process forked from a server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: dict[int, tuple[Future[Any], tuple[Any, ...], int]] = {}
        self._count = 0
        self.closed = False
        self._start()

    def _start(self) -> None:
        program = "from ecoanalysis.batch.server import serve; serve()"
        command = [sys.executable, "-c", program]
        environment = os.environ | dict.fromkeys(THREADS, "1") | {"MPLBACKEND": "agg"}
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the caller alone
        )  # fmt: skip
        assert self.process.stdin
        self._requests = Connection(os.dup(self.process.stdin.fileno()), readable=False)
        self.process.stdin.close()
        Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Ask for a call; its future raises `ProcessEndedError` if the process ends."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        call = (fn, args, kwargs, dict(os.environ), os.getcwd())  # noqa: PTH109
        with self._lock:
            self._count += 1
            self._open[self._count] = (future, call, 1)
            self._send(self._count)
        return future

    def _send(self, number: int) -> None:
        with suppress(OSError):  # a server that has ended is met by the listener
            self._requests.send((number, self._open[number][1]))

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        replies = Connection(os.dup(process.stdout.fileno()), writable=False)
        process.stdout.close()
        with suppress(EOFError, OSError):
            while True:
                number, done, result = replies.recv()
                future = self._open.pop(number)[0]
                if done:
                    future.set_result(result)
                else:
                    future.set_exception(ProcessEndedError(result))
        replies.close()
        process.wait()
        with self._lock:
            if not self.closed:
                self._restart()

    def _restart(self) -> None:
        """Start a new server for the calls that were open; what fells it again is given up."""
        for number, (future, call, attempt) in list(self._open.items()):
            if attempt == ATTEMPTS:
                del self._open[number]
                future.set_exception(ProcessEndedError("the fork server ended"))
            else:
                self._open[number] = (future, call, attempt + 1)
        self._requests.close()
        self._start()
        for number in self._open:
            self._send(number)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the server, and with it what still runs."""
        with self._lock:
            self.closed = True
            self._requests.close()
        if cancel_futures:
            self.process.kill()
        if wait:
            self.process.wait()


def use_pool() -> ForkPool:
    """Return this process's pool, which is kept: its server has the imports behind it."""
    with _POOL_LOCK:
        if not _POOLS or _POOLS[-1].closed:
            _POOLS[:] = [ForkPool()]
        return _POOLS[0]


def serve() -> None:
    """Fork a process for each request on the standard input until it is closed."""
    requests = Connection(os.dup(0), writable=False)
    replies = Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    preload_modules()
    running: dict[Connection, tuple[int, int]] = {}
    while True:
        for ready in wait([requests, *running]):
            assert isinstance(ready, Connection)
            if ready is not requests:
                number, pid = running.pop(ready)
                replies.send((number, *_close_process(ready, pid)))
                continue
            try:
                number, call = requests.recv()
            except EOFError:
                return  # the processes that run end with this one
            answers, answer = os.pipe()
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                _answer(call, Connection(answer, readable=False), parent)
            os.close(answer)
            running[Connection(answers, writable=False)] = (number, pid)


def preload_modules() -> None:
    """Import once what every notebook imports, and put it out of reach of garbage collection."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # 0.8 s, unused by notebooks
    import nbformat

    from ecoanalysis.report import prepare_templates

    for name in PRELOADED:
        import_module(name)
    del sys.modules["rfc3987_syntax"]
    nbformat.validate(nbformat.v4.new_notebook())  # compiles the schema
    prepare_templates()
    gc.collect()
    gc.freeze()


def _close_process(answers: Connection, pid: int) -> tuple[bool, Any]:
    from ecoanalysis.batch.engine import describe_end

    try:
        done, result = answers.recv()
    except (EOFError, OSError):
        done, result = False, describe_end(pid, "the page")
    answers.close()
    os.waitpid(pid, 0)
    return done, result


def _answer(call: tuple[Any, ...], answer: Connection, parent: int) -> NoReturn:
    from ecoanalysis.batch.shell import leave_parent

    leave_parent(parent)
    fn, args, kwargs, environment, folder = call
    try:
        kept = {name: os.environ[name] for name in (*THREADS, "MPLBACKEND")}
        os.environ.clear()
        os.environ.update(environment | kept)
        os.chdir(folder)
        answer.send((True, fn(*args, **kwargs)))
    except BaseException as error:
        answer.send((False, f"{type(error).__name__}: {error}"))
    finally:
        os._exit(0)
