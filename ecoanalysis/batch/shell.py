"""The child in which the cells of one notebook run: an IPython shell that writes to a pipe.

It is the kernel's own shell (ipykernel), so that every display, table and traceback is formatted
as in a kernel; only the messages go into a pipe instead of a socket.
"""

from __future__ import annotations

import ctypes
import io
import os
import random
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets import Instance
from traitlets.config import Config

INLINE = "module://matplotlib_inline.backend_inline"
PR_SET_PDEATHSIG = 1


def make_message(kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make a message in the form of Jupyter's, as far as nbclient looks at it."""
    head = {"header": {"msg_type": kind}, "parent_header": {}}
    return {"msg_type": kind, "content": content, **head, **more}


def run_shell(cells: Connection, messages: Connection, *, parent: int, memory_mb: int) -> NoReturn:
    """Run the cells that come in until the parent closes the pipe or ends; never return.

    Parameters
    ----------
    cells : Connection
        Pairs (source, id of the cell).
    messages : Connection
        Receives Jupyter's messages, and after each cell a message `done`.
    parent : int
        The process that forked this one; with it, this one ends.
    memory_mb : int
        Megabytes that the cells may take beyond what the parent held.
    """
    try:
        leave_parent(parent)
        _limit_memory(memory_mb)
        shell = _make_shell(messages)
        while True:
            source, cell_id = cells.recv()
            count = shell.execution_count
            result = shell.run_cell(source, store_history=True, cell_id=cell_id)
            sys.stdout.flush()
            ok = bool(result.success and not shell._last_traceback_during_displayhook)
            messages.send(make_message("done", {}, ok=ok, execution_count=count))
    except EOFError:
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def leave_parent(parent: int) -> None:
    """Begin a session of one's own that a terminal's Ctrl-C does not reach, and die with `parent`.

    Parameters
    ----------
    parent : int
        The process that forked this one.
    """
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit_memory(megabytes: int) -> None:
    """Let the kernel refuse memory past the limit, which Python tells as a MemoryError."""
    import resource

    status = Path("/proc/self/status").read_text()
    held = int(status.split("VmData:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (held + megabytes * 2**20,) * 2)


def _make_shell(messages: Connection) -> Any:
    """Make a shell like a new kernel's: nothing drawn, seeded or recorded before."""
    import numpy as np

    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    np.random.seed()  # noqa: NPY002
    os.environ["MPLBACKEND"] = INLINE
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    config = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    shell: Any = _Shell.instance(config=config, compiler_class=XCachingCompiler)
    session = _PipeSession(pipe=messages)
    for end in (shell.displayhook, shell.display_pub):
        end.session = session
    shell.displayhook.topic = b"execute_result"
    printer = _Printer(messages)
    sys.stdout, sys.stderr = _Stream(printer, "stdout"), _Stream(printer, "stderr")
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")
    return shell


class _Shell(ZMQInteractiveShell):
    def enable_gui(self, gui: Any = None) -> None:
        """Have no event loop: figures are drawn inline."""


class _PipeSession(Session):
    """A session that sends what goes to the front end into a pipe."""

    pipe: Any = Instance(Connection)

    def send(  # type: ignore[override]
        self, _: Any, msg_or_type: Any, content: Any = None, *__: Any, **___: Any
    ) -> None:
        """Send one message."""
        if isinstance(msg_or_type, dict):
            msg_or_type, content = msg_or_type["msg_type"], msg_or_type["content"]
        self.pipe.send(make_message(msg_or_type, content))


class _Printer:
    """What is printed, kept back for a moment and sent in its order."""

    def __init__(self, messages: Connection) -> None:
        self.messages, self.name, self.since = messages, "", 0.0
        self.parts: list[str] = []
        self.size = 0

    def add(self, name: str, text: str) -> None:
        if name != self.name:
            self.send()
            self.name = name
        if not self.parts:
            self.since = time.monotonic()
        self.parts.append(text)
        self.size += len(text)
        if self.size > 1 << 16 or time.monotonic() - self.since > 0.2:
            self.send()

    def send(self) -> None:
        parts, self.parts, self.size = self.parts, [], 0
        if parts:
            content = {"name": self.name, "text": "".join(parts)}
            self.messages.send(make_message("stream", content))


class _Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the cells."""

    def __init__(self, printer: _Printer, name: str) -> None:
        self._printer, self.name = printer, name

    encoding = "UTF-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._printer.add(self.name, text)
        return len(text)

    def flush(self) -> None:
        self._printer.send()
