"""Write a file so that it appears whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterator


def replaceable(destination: str | bytes) -> str:
    """Return the real path that is written, or raise when it must not be.

    For long work this is worth asking before it begins.

    Raises
    ------
    FatalError
        It cannot be written; the message says why.
    """
    # A link stays a link: its target is what is replaced.
    path = os.path.realpath(os.fsdecode(destination))
    folder = os.path.dirname(path)
    problem = None
    if not os.path.isdir(folder):
        problem = f"the folder {displayable_path(folder)} does not exist"
    elif os.path.isdir(path):
        problem = "it is a folder"
    elif os.path.exists(path) and not os.path.isfile(path):
        problem = "it exists and is not a regular file"
    elif os.path.exists(path) and not os.access(path, os.W_OK):
        problem = "it is write-protected"
    elif not os.access(folder, os.W_OK):
        problem = f"no permission to write to {displayable_path(folder)}"
    if problem:
        raise FatalError(f"cannot write {displayable_path(destination)}: {problem}")
    return path


@contextmanager
def explained(destination: str | bytes) -> Iterator[None]:
    """Turn a failure to write into one line for the user.

    Raises
    ------
    FatalError
        The body raised OSError: a full disk, a missing permission.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise FatalError(
            f"cannot write {displayable_path(destination)}: {reason}"
        ) from error


@contextmanager
def atomic_writer(destination: str | bytes) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the destination's place at the end.

    It lies in the same folder, so that the last step is one rename. When the body
    raises, whatever it is, the temporary file is removed and the destination is as it
    was. The permissions of a file that is replaced are kept.

    Parameters
    ----------
    destination
        Path of the file. Its folder must exist.

    Yields
    ------
    binary file
        Seekable, to be written to.

    Raises
    ------
    FatalError
        The destination cannot be written; the message says why.
    """
    path = replaceable(destination)
    # Not built from the destination's name, which may be as long as names can be.
    temporary = os.path.join(
        os.path.dirname(path), f".deejai-{secrets.token_hex(6)}.tmp"
    )
    with explained(destination):
        file = open(temporary, "xb")  # noqa: SIM115 (closed before it is renamed)
    try:
        yield file
        with explained(destination):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if os.path.exists(path):
                os.chmod(temporary, os.stat(path).st_mode & 0o7777)
            os.replace(temporary, path)
    finally:
        # Closing flushes: on a full disk it fails once more.
        with suppress(OSError):
            file.close()
        with suppress(FileNotFoundError):
            os.unlink(temporary)
