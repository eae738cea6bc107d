"""One batch at a time in a folder: a lock that the system lets go when its owner ends."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from ecoanalysis.errors import BatchError, UsageError

LOCK, FAR = ".lock", 1 << 30


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, a file that names its owner; the folder is made if it is not there.

    UsageError if another batch holds it, BatchError if the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = _open_locked(folder / LOCK)
        stream.truncate(0)
        now = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        stream.write(f"process {os.getpid()} on {platform.node()}, since {now}")
        stream.flush()
    except OSError as error:
        raise BatchError(f"cannot write to {folder}: {error.strerror}") from error
    with stream:
        try:
            yield
        finally:
            with suppress(OSError):
                (folder / LOCK).unlink()


@contextmanager
def wait_for_lock(file: Path) -> Iterator[None]:
    """Hold a lock that others hold for a moment only; its file stays."""
    with file.open("a+", encoding="utf-8") as stream:
        while not _lock(stream):
            time.sleep(0.005)
        yield


def _open_locked(file: Path) -> IO[str]:
    while True:
        stream = file.open("a+", encoding="utf-8")
        if not _lock(stream):
            with stream:
                raise UsageError(f"another batch writes to {file.parent}: {stream.read()}")
        # The owner before may have taken the file away between the opening and the locking.
        with suppress(FileNotFoundError):
            if os.fstat(stream.fileno()).st_ino == file.stat().st_ino:
                return stream
        stream.close()


def _lock(stream: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(FAR)  # what is locked there cannot be read, and the owner's name shall be
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # on Linux, on Windows
        return False
    finally:
        stream.seek(0)
    return True
