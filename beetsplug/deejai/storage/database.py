"""An SQLite file of the plugin's own: opened, locked, and known when it is damaged."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 30.0
"""How long to wait, in seconds, while another program writes to the file."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """SQLite file that one class keeps; safe to use from several threads.

    Parameters
    ----------
    path
        The file, made when it does not exist, or ``:memory:``.
    schema
        Statements that make the tables which are not there.
    version
        Of the schema.
    remedy
        Command that makes a new file, for the message when this one is no use.

    Raises
    ------
    FatalError
        The file is no database, a damaged one, held by another program, or of a newer
        version. :meth:`reading` and :meth:`transaction` raise it upon damage, too.
    """

    def __init__(self, path: str, *, schema: str, version: int, remedy: str) -> None:
        self._path = path
        self._remedy = remedy
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None, timeout=TIMEOUT_S
            )
            # Python 3.13 warns of connections that nobody closed.
            weakref.finalize(self, self._db.close)
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            # A kill can then cost the last transaction, never the file.
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            if found <= version:
                self._db.executescript(f"{schema} PRAGMA user_version = {version};")
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise FatalError(
                    f"another program holds the side store {path}; run the command "
                    "again when that one is done"
                ) from error
            if not _is_damage(error):
                raise FatalError(
                    f"the side store {path} cannot be opened ({error})"
                ) from error
            raise self._unusable("cannot be read", error) from error
        if found > version:
            raise FatalError(
                f"the side store {path} was made by a newer version of beets-deejai; "
                "upgrade the plugin"
            )

    def close(self) -> None:
        """Close the file; it cannot be used afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Keep other threads out, and say so plainly when the file is damaged."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                raise self._unusable("is damaged", error) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                # After some errors SQLite has rolled back by itself.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _unusable(self, what: str, error: sqlite3.Error) -> FatalError:
        return FatalError(
            f"the side store {self._path} {what} ({error}); move it away and run "
            f"`{self._remedy}`, which makes a new one"
        )


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault; it may be locked, or the disk full or read-only."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
