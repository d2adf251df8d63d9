"""Let one process at a time work in a folder."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "lock"
"""Name of an empty file in the folder, which stays there."""


@contextmanager
def exclusive(folder: Path, *, doing: str) -> Iterator[None]:
    """Keep other processes from working in a folder at the same time.

    The system lets go of it when this process ends, however that happens.

    Parameters
    ----------
    folder
        Made when it does not exist.
    doing
        What other processes are told to be at work.

    Raises
    ------
    FatalError
        Another process works in it, or it cannot be written to.
    """
    path = folder / LOCK
    with explained(str(path)):
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        with explained(str(path)):
            is_own = _lock(file)
        if not is_own:
            raise FatalError(
                f"{doing} is at work in {displayable_path(str(folder))} already: wait "
                "until it is done"
            )
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
