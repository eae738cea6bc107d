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
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets import Instance
from traitlets.config import Config

PR_SET_PDEATHSIG = 1


def make_message(kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make a message in the form of Jupyter's, as far as nbclient looks at it."""
    head = {"header": {"msg_type": kind}, "parent_header": {}}
    return {"msg_type": kind, "content": content, **head, **more}


def run_shell(cells: Connection, messages: Connection, *, parent: int, memory_mb: int) -> NoReturn:
    """Run the cells that come in, pairs of source and id, until the parent ends; never return.

    `messages` receives Jupyter's messages and, after each cell, one of the kind `done`;
    `memory_mb` is what the cells may take beyond what the parent held.
    """
    try:
        leave_parent(parent)
        _limit_memory(memory_mb)
        pipe = _LockedPipe(messages)
        shell = _make_shell(pipe)
        while True:
            source, cell_id = cells.recv()
            count = shell.execution_count
            result = shell.run_cell(source, store_history=True, cell_id=cell_id)
            sys.stdout.flush()
            ok = bool(result.success and not shell._last_traceback_during_displayhook)
            pipe.send(make_message("done", {}, ok=ok, execution_count=count))
    except EOFError:
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def leave_parent(parent: int) -> None:
    """Begin a session of one's own that a terminal's Ctrl-C does not reach; die with the parent."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit_memory(megabytes: int) -> None:
    """Let the system refuse memory past the limit, which Python tells as a MemoryError."""
    import resource

    status = Path("/proc/self/status").read_text()
    held = int(status.split("VmData:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (held + megabytes * 2**20,) * 2)


def _make_shell(messages: _LockedPipe) -> Any:
    """Make a shell like a new kernel's: nothing drawn, seeded or recorded before."""
    import numpy as np

    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    np.random.seed()  # noqa: NPY002
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    config = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    shell: Any = _Shell.instance(config=config, compiler_class=XCachingCompiler)
    shell.displayhook.session = shell.display_pub.session = _PipeSession(pipe=messages)
    shell.displayhook.topic = b"execute_result"
    sys.stdout, sys.stderr = _Stream(messages, "stdout"), _Stream(messages, "stderr")
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")
    return shell


class _LockedPipe:
    """A connection that threads may send to."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.RLock()

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._pipe.send(message)


class _Shell(ZMQInteractiveShell):
    def enable_gui(self, gui: Any = None) -> None:
        """Have no event loop: figures are drawn inline."""


class _PipeSession(Session):
    """A session that sends what goes to the front end into a pipe."""

    pipe: Any = Instance(_LockedPipe)

    def send(self, _: Any, kind: Any, content: Any = None, *__: Any, **___: Any) -> None:  # type: ignore[override]
        """Send one message, given whole or as its kind and content."""
        if isinstance(kind, dict):
            kind, content = kind["msg_type"], kind["content"]
        self.pipe.send(make_message(kind, content))


class _Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the cells; what they print is kept back for a moment."""

    encoding = "UTF-8"
    kept: tuple[str, list[str], float] = ("", [], 0.0)  # one for both, so that their order stays

    def __init__(self, messages: _LockedPipe, name: str) -> None:
        self.messages, self.name = messages, name

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the file that programs which are given this stream print to."""
        return 1 if self.name == "stdout" else 2

    def write(self, text: str) -> int:
        """Keep a text, or send it with those before it."""
        name, parts, since = _Stream.kept
        if name != self.name or time.monotonic() - since > 0.2 or len(parts) > 1000:
            self.flush()
            parts = []
            _Stream.kept = (self.name, parts, time.monotonic())
        parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Send what is kept."""
        name, parts, _ = _Stream.kept
        _Stream.kept = ("", [], 0.0)
        if parts:
            content = {"name": name, "text": "".join(parts)}
            self.messages.send(make_message("stream", content))
