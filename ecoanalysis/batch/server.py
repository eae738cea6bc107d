"""A pool of forked processes: a server imports once, and forks one process for each call.

The server is a program of its own without threads or sockets; what a call changes ends with its
process, and all of them end with the caller.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NoReturn

from ecoanalysis.study import Study
from ecoanalysis.study.read import keep_study

# What a process that is to be forked, or runs beside others, has in its environment.
ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ALONE |= {"MPLBACKEND": "agg", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
PRELOADED = ("ecoanalysis.batch.engine", "ecoanalysis.pipeline", "ecoanalysis.comparison",
             "ecoanalysis.export", "IPython.core.completerlib", "ipykernel.ipkernel")  # fmt: skip
ATTEMPTS = 3
MOST_SPAWNED = 61  # what Windows can wait for
_POOLS: list[ForkPool] = []
_LOCK = Lock()


class ProcessEndedError(RuntimeError):
    """The process of a call ended, or raised what its caller does not know."""


class ForkPool(Executor):
    """Runs calls of importable functions, each at once and in a process forked from a server.

    `preloaded` names further modules that the server imports.
    """

    def __init__(self, preloaded: Sequence[str] = ()) -> None:
        self._preloaded = tuple(preloaded)
        self.closed = False
        self._lock, self._count = Lock(), 0
        self._open: dict[int, tuple[Future[Any], Any, int]] = {}
        self._alive = False
        self._kept: dict[Path, Study] = {}
        self._start()

    def _start(self) -> None:
        self._alive = True
        program = f"from ecoanalysis.batch.server import serve; serve({self._preloaded})"
        environment = os.environ | ALONE
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True,  # a Ctrl-C is for the caller alone
        )  # fmt: skip
        assert self.process.stdin
        self._requests = Connection(os.dup(self.process.stdin.fileno()), readable=False)
        self.process.stdin.close()
        for kept in self._kept.values():
            self._send(0, kept)
        for number, (_, call, _) in self._open.items():
            self._send(number, call)
        Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _send(self, number: int, call: Any) -> None:
        with suppress(OSError):  # the listener meets the end of a server
            self._requests.send((number, call))

    def keep_study(self, study: Study) -> None:
        """Let the calls find a study read, as long as its files are as they were then."""
        path = study.path.resolve()
        with self._lock:
            if path not in self._kept or self._kept[path].stamp != study.stamp:
                self._kept[path] = study
                self._send(0, study)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Ask for a call; its future raises `ProcessEndedError` if the process ends."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        call = (fn, args, kwargs, dict(os.environ), str(Path.cwd()))
        with self._lock:
            if not self._alive:
                self._start()
            self._count += 1
            self._open[self._count] = (future, call, 1)
            self._send(self._count, call)
        return future

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Take answers until the server ends; if calls are open, start another."""
        assert process.stdout
        with suppress(EOFError, OSError), process.stdout as stream:
            replies = Connection(os.dup(stream.fileno()), writable=False)
            while True:
                number, done, result = replies.recv()
                future = self._open.pop(number)[0]
                if done:
                    future.set_result(result)
                else:
                    future.set_exception(ProcessEndedError(result))
        process.wait()
        with self._lock:
            self._alive = False
            if self.closed:
                return
            self._requests.close()
            for number, (future, call, attempt) in list(self._open.items()):
                self._open[number] = (future, call, attempt + 1)
                if attempt == ATTEMPTS:
                    del self._open[number]
                    future.set_exception(ProcessEndedError("the fork server ended"))
            if self._open:
                self._start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the server, and with it what still runs."""
        with self._lock:
            self.closed = True
            self._requests.close()
        if cancel_futures:
            self.process.kill()
        if wait:
            self.process.wait()


class SpawnPool(Executor):
    """Runs calls in processes of a pool where a fork is unsafe; one that breaks is made anew."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pool = ProcessPoolExecutor(max_workers=self._jobs, mp_context=context)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Ask for a call; the calls in hand when a process dies raise `BrokenProcessPool`."""
        before = dict(os.environ)
        os.environ.update(ALONE)  # for the processes that start with the call, and not for others
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self._start()
            return self._pool.submit(fn, *args, **kwargs)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def use_pool() -> ForkPool:
    """Return this process's pool, which is kept: its server has the imports behind it."""
    with _LOCK:
        if not _POOLS or _POOLS[0].closed:
            _POOLS[:] = [ForkPool()]
        return _POOLS[0]


def serve(preloaded: Sequence[str]) -> None:
    """Fork a process for each request on the standard input until it is closed."""
    requests = Connection(os.dup(0), writable=False)
    replies = Connection(os.dup(1), readable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    preload_modules(preloaded)
    running: dict[int, tuple[int, int, Connection]] = {}  # by what tells of a process's end
    while True:
        answers = {answer: ended for ended, (_, _, answer) in running.items()}
        found: list[Any] = wait([requests, *running, *answers])
        ready = {answers.get(one, one) for one in found}
        for ended in ready & set(running):
            number, pid, answer = running.pop(ended)
            replies.send((number, *_close_process(answer, pid)))
            os.close(ended)
        if requests in ready:
            try:
                number, call = requests.recv()
            except EOFError:
                return  # the processes that run end with this one
            if not number:
                keep_study(call)
                continue
            receive, send = Pipe(duplex=False)
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                for held in (requests, replies, receive, *answers):
                    held.close()
                _answer(call, send, parent)
            send.close()
            running[os.pidfd_open(pid)] = (number, pid, receive)


def preload_modules(names: Sequence[str] = ()) -> None:
    """Import once what every notebook imports, and put it out of reach of garbage collection."""
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # 0.8 s, unused by notebooks
    from ecoanalysis.batch.pages import read_versions
    from ecoanalysis.report import prepare_pages

    for name in (*PRELOADED, *names):
        import_module(name)
    with suppress(ImportError):  # pandas asks for it late
        import_module("pyarrow.dataset")
    del sys.modules["rfc3987_syntax"]
    prepare_pages()
    read_versions()
    gc.collect()
    gc.freeze()


def _close_process(answer: Connection, pid: int) -> tuple[bool, Any]:
    """Take what a process answered or how it ended; kill what it leaves behind."""
    from ecoanalysis.batch.engine import describe_end

    try:
        done, result = answer.recv() if answer.poll() else (False, describe_end(pid, "the page"))
    except (EOFError, OSError):
        done, result = False, describe_end(pid, "the page")
    answer.close()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return done, result


def _answer(call: tuple[Any, ...], answer: Connection, parent: int) -> NoReturn:
    from ecoanalysis.batch.shell import leave_parent

    leave_parent(parent)
    fn, args, kwargs, environment, folder = call
    try:
        os.environ.clear()
        os.environ.update(environment | ALONE)
        os.chdir(folder)
        answer.send((True, fn(*args, **kwargs)))
    except BaseException as error:
        answer.send((False, f"{type(error).__name__}: {error}"))
    finally:
        os._exit(0)
