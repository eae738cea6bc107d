"""A papermill engine that runs the cells in a forked IPython shell, as a fresh kernel would.

The process that calls it has the heavy libraries imported; its child has them for the price of a
fork, and all that a notebook changes ends with the child. Where a fork is unsafe (Windows, macOS,
a process with threads) a real kernel is started, and only the limit on a cell's time holds.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NBClientEngine, papermill_engines

from ecoanalysis.batch.pages import Limits
from ecoanalysis.batch.shell import make_message, run_shell

ENGINE = "ecoanalysis"


class ForkEngine(Engine):  # type: ignore[misc]
    """The entry point `ecoanalysis` of papermill's engines."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, limits: Limits | None = None, **kwargs: Any
    ) -> Any:
        """Run the cells of `nb_man.nb`; see papermill's `Engine`."""
        limits = limits or Limits(cell_seconds=kwargs.get("execution_timeout") or 600)
        if not can_fork():
            kwargs["execution_timeout"] = limits.cell_seconds
            return NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **kwargs)
        logs = {k: kwargs[k] for k in ("log_output", "stdout_file", "stderr_file") if k in kwargs}
        client = PapermillNotebookClient(nb_man, kernel_name=kernel_name, **logs)
        client.reset_execution_trackers()
        shell = _fork_shell(limits)
        try:
            _run_cells(client, nb_man, shell, limits)
        finally:
            _end_shell(shell)
        return nb_man.nb


papermill_engines.register(ENGINE, ForkEngine)


def can_fork() -> bool:
    """Say whether this process may fork: Linux, and no thread that a child would miss."""
    return sys.platform == "linux" and threading.active_count() == 1


@dataclass(frozen=True)
class _Shell:
    """The parent's side of a child: cells go in, messages and printed bytes come out."""

    pid: int
    ended: int
    cells: Connection
    messages: Connection
    printed: dict[int, Any]
    others: tuple[int, ...]


def _fork_shell(limits: Limits) -> _Shell:
    cells, send_cells = Pipe(duplex=False)
    messages, send_messages = Pipe(duplex=False)
    pipes = {name: os.pipe() for name in ("stdout", "stderr")}
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        send_cells.close()
        for i, (_, write) in enumerate(pipes.values(), start=1):
            os.dup2(write, i)
        run_shell(cells, send_messages, parent=parent, memory_mb=limits.memory_mb)
    cells.close()
    send_messages.close()
    utf8 = getincrementaldecoder("utf-8")
    printed = {read: (name, utf8("replace")) for name, (read, _) in pipes.items()}
    # The parent keeps the ends that the child writes to: they stay open when the child closes them.
    others = tuple(write for _, write in pipes.values())
    return _Shell(pid, os.pidfd_open(pid), send_cells, messages, printed, others)


def _end_shell(shell: _Shell) -> None:
    """Kill the child with all that it started, and forget it."""
    with suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    os.waitpid(shell.pid, 0)
    shell.cells.close()
    shell.messages.close()
    for file in (shell.ended, *shell.printed, *shell.others):
        os.close(file)


def _run_cells(client: Any, nb_man: Any, shell: _Shell, limits: Limits) -> None:
    from ipykernel.ipkernel import IPythonKernel

    last = time.monotonic() + limits.notebook_seconds
    for index, cell in enumerate(nb_man.nb.cells):
        nb_man.cell_start(cell, index)
        try:
            skipped = "skip-execution" in cell.metadata.get("tags", [])
            if cell.cell_type == "code" and cell.source.strip() and not skipped:
                until = min(time.monotonic() + limits.cell_seconds, last)
                _run_cell(client, cell, index, shell, limits, until, whole=until == last)
        except CellExecutionError as error:
            nb_man.cell_exception(cell, cell_index=index, exception=error)
            break
        finally:
            nb_man.cell_complete(cell, cell_index=index)
    nb_man.nb.metadata["language_info"] = dict(IPythonKernel.language_info)


def _run_cell(
    client: Any, cell: Any, index: int, shell: _Shell, limits: Limits, until: float, *, whole: bool
) -> None:
    """Run one cell and gather its outputs; what ends it early is an error in its outputs."""
    printed, cause = 0, ""
    done: dict[str, Any] = {}
    client.clear_before_next_output = False
    with suppress(OSError):
        shell.cells.send((cell.source, cell.get("id")))
    while not done and not cause:
        seconds = max(0, until - time.monotonic())
        ready = wait([*shell.printed, shell.messages, shell.ended], timeout=seconds)
        message = _receive(shell, ready)
        if message and message["msg_type"] == "done":
            done = message
        elif message:
            printed += len(message["content"].get("text", ""))
            _add_output(client, cell, index, message)
        elif ready:
            cause = describe_end(shell.pid, "the notebook")
        elif whole:
            cause = f"the notebook ran for more than {limits.notebook_seconds:g} s"
        else:
            cause = f"the cell ran for more than {limits.cell_seconds:g} s"
        if printed > limits.printed_mb * 1e6:
            cause = f"the cell printed more than {limits.printed_mb:g} MB"
    if cause:
        content = {"ename": "LimitError", "evalue": cause, "traceback": [f"LimitError: {cause}"]}
        client.process_message(make_message("error", content), cell, index)
    else:
        cell.execution_count = done["execution_count"]
    allowed = "raises-exception" in cell.metadata.get("tags", [])
    if cause or not (done["ok"] or allowed):
        raise CellExecutionError("", "", cause)


def _receive(shell: _Shell, ready: list[Any]) -> dict[str, Any] | None:
    """Take one message: what was printed past Python first, as Python keeps its own back."""
    for file, (name, decoder) in shell.printed.items():
        if file in ready:
            text = decoder.decode(os.read(file, 1 << 16))
            return make_message("stream", {"name": name, "text": text})
    if shell.messages in ready:
        with suppress(EOFError, OSError):
            return dict(shell.messages.recv())
    return None


def _add_output(client: Any, cell: Any, index: int, message: dict[str, Any]) -> None:
    """Add an output as nbclient does; what is printed in pieces becomes one text."""
    content, outputs = message["content"], cell.outputs
    more = message["msg_type"] == "stream" and outputs and not client.clear_before_next_output
    if more and outputs[-1].get("name") == content["name"]:
        outputs[-1]["text"] += content["text"]
    else:
        client.process_message(message, cell, index)


def describe_end(pid: int, what: str) -> str:
    """Say how a child ended, without forgetting it."""
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert end
    if end.si_code == os.CLD_EXITED:
        return f"the process of {what} ended itself with exit code {end.si_status}"
    return f"the process of {what} was ended by {signal.Signals(end.si_status).name}"
