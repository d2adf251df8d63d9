"""Temporary folders that nobody else can look into and that do not stay behind."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Thread

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be deleted.
    fcntl = None  # type: ignore[assignment]

CLOSING_S = 20.0
"""How long whoever works in a folder is waited for before it is deleted, in seconds."""

_LOCK = "in-use"

_BEGINNING_S = 60.0
"""A folder without a lock that is younger may be about to get one."""


class PrivateFolder:
    """A temporary folder of mode 700, deleted when it is closed.

    Those of the same kind whose process was killed are deleted first.

    Parameters
    ----------
    kind
        What its name begins with, such as ``deejai-uploads-``.

    Attributes
    ----------
    path
        Where it is.

    Raises
    ------
    OSError
        It cannot be made.
    """

    def __init__(self, kind: str) -> None:
        remove_left_behind(kind)
        self.path = tempfile.mkdtemp(prefix=kind)
        self._lock: IO[bytes] = open(os.path.join(self.path, _LOCK), "xb")  # noqa: SIM115 (held open as long as the folder is used)
        if fcntl:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self, *, after: Thread | None = None) -> None:
        """Delete it with all that is in it.

        Parameters
        ----------
        after
            Who still works in it, and is about to end; waited for, but not for ever.
        """
        try:
            if after is not None:
                after.join(timeout=CLOSING_S)
        finally:
            self._lock.close()
            shutil.rmtree(self.path, ignore_errors=True)


def remove_left_behind(kind: str) -> None:
    """Delete the folders of a kind whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{kind}*"):
        with suppress(OSError):
            if _is_own(folder) and _is_left_behind(folder):
                shutil.rmtree(folder)


def _is_own(folder: Path) -> bool:
    """Whether this is a folder of this user; others may have put anything there."""
    status = folder.lstat()
    is_this_user = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return is_this_user and stat.S_ISDIR(status.st_mode)


def _is_left_behind(folder: Path) -> bool:
    lock = folder / _LOCK
    if not lock.exists():
        return time.time() - folder.stat().st_mtime > _BEGINNING_S
    if not fcntl:
        lock.unlink()
        return True
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
