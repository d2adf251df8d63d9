"""beets' library, opened so that nothing can be written to it."""

from __future__ import annotations

import sqlite3
import sys
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import beets
from beets.library import Library

if TYPE_CHECKING:
    from os import PathLike


class ReadOnlyLibrary(Library):
    """A library that any number of threads read at once and none can change.

    SQLite opens the file read-only, so that even a faulty plugin cannot write to it
    here. Tables are neither made nor migrated: whoever opened the library before has
    done that. What another process commits is seen by the next query; no lock outlasts
    a query, so that a scan can write at any time.

    Parameters
    ----------
    path
        The file; it must exist.
    directory
        Of the music.

    Raises
    ------
    sqlite3.OperationalError
        At the first query: the file cannot be opened.
    """

    def __init__(self, path: str | PathLike[str], directory: str | bytes) -> None:
        self._local = threading.local()
        self._held: weakref.WeakSet[_Held] = weakref.WeakSet()
        super().__init__(path, directory, set_music_dir=False)  # type: ignore[arg-type]
        # beets lets one thread at a time into the database; readers need not wait.
        self._db_lock = _NoLock()  # type: ignore[assignment]

    @classmethod
    def like(cls, lib: Library) -> ReadOnlyLibrary:
        """Open the same library once more."""
        return cls(lib.path, lib.directory)

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection, which is closed when the thread has ended.

        beets keeps one for every thread there ever was.
        """
        held = getattr(self._local, "held", None)
        if held is None or held.is_closed:
            held = self._local.held = _Held(self._create_connection())
            self._held.add(held)
        return held.connection

    def _create_connection(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=ro",
            uri=True,
            timeout=beets.config["timeout"].as_number(),
            # The garbage collector may close it in any thread.
            check_same_thread=False,
        )
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
        connection.execute("PRAGMA query_only = ON")
        self.add_functions(connection)
        connection.row_factory = sqlite3.Row
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        for held in list(self._held):
            held.close()

    def _close(self) -> None:
        self.close()

    # What beets does to a library that it opens, and what is not done to this one.

    def _ensure_migration_state_table(self) -> None:
        pass

    def _make_table(self, table: str, fields: Any) -> None:
        pass

    def _make_attribute_table(self, flex_table: str) -> None:
        pass

    def _create_indices(self, table: str, indices: Any) -> None:
        pass

    def _migrate(self) -> None:
        pass


class _Held:
    """A connection that is closed with the last reference to it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True
        self.connection.close()

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.connection.close()


class _NoLock:
    """Stands in for a lock that need not be taken."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass
