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
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NamedTuple

from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NBClientEngine, papermill_engines

from ecoanalysis.batch.pages import Limits
from ecoanalysis.batch.shell import make_message, run_shell

ENGINE = "ecoanalysis"


class ForkEngine(Engine):  # type: ignore[misc]
    """The engine `ecoanalysis` of papermill."""

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


class _Shell(NamedTuple):
    """The parent's side of a child: cells go in, messages come out, `ended` tells of its end."""

    pid: int
    ended: int
    cells: Connection
    messages: Connection


def _fork_shell(limits: Limits) -> _Shell:
    cells, send_cells = Pipe(duplex=False)
    messages, send_messages = Pipe(duplex=False)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        send_cells.close()
        run_shell(cells, send_messages, parent=parent, memory_mb=limits.memory_mb)
    cells.close()
    send_messages.close()
    return _Shell(pid, os.pidfd_open(pid), send_cells, messages)


def _end_shell(shell: _Shell) -> None:
    """Kill the child with all that it started, and forget it."""
    with suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    os.waitpid(shell.pid, 0)
    shell.cells.close()
    shell.messages.close()
    os.close(shell.ended)


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
        ready = wait([shell.messages, shell.ended], timeout=seconds)
        message = None
        with suppress(EOFError, OSError):
            message = shell.messages.recv() if shell.messages in ready else None
        if message and message["msg_type"] == "done":
            done = message
        elif message:
            text = message["content"].get("text", "")
            left = int(limits.printed_mb * 1e6) - printed
            if len(text) > left:
                message["content"]["text"] = text[:left]
                cause = f"the cell printed more than {limits.printed_mb:g} MB"
            printed += len(text)
            _add_output(client, cell, index, message)
        elif ready:
            cause = describe_end(shell.pid, "the notebook")
        elif whole:
            cause = f"the notebook ran for more than {limits.notebook_seconds:g} s"
        else:
            cause = f"the cell ran for more than {limits.cell_seconds:g} s"
    if cause:
        content = {"ename": "LimitError", "evalue": cause, "traceback": [f"LimitError: {cause}"]}
        client.process_message(make_message("error", content), cell, index)
    else:
        cell.execution_count = done["execution_count"]
    allowed = "raises-exception" in cell.metadata.get("tags", [])
    if cause or not (done["ok"] or allowed):
        raise CellExecutionError("", "", cause)


def _add_output(client: Any, cell: Any, index: int, message: dict[str, Any]) -> None:
    """Add an output as nbclient does; what is printed in pieces becomes one text."""
    content, outputs = message["content"], cell.outputs
    more = message["msg_type"] == "stream" and outputs and not client.clear_before_next_output
    if more and outputs[-1].get("name") == content["name"]:
        outputs[-1]["text"] += content["text"]
    else:
        client.process_message(message, cell, index)


def describe_end(pid: int, what: str) -> str:
    """Say how a child ended, without forgetting it; one that only closed its pipe is ended."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert end
    if end.si_code == os.CLD_EXITED:
        return f"the process of {what} ended itself with exit code {end.si_status}"
    return f"the process of {what} was ended by {signal.Signals(end.si_status).name}"
