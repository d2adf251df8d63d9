"""The library as the deck holds it in memory, kept up with what changes on disk."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.candidates import load_candidates
from beetsplug.deejai.storage.library import file_state, in_bulk

if TYPE_CHECKING:
    from logging import Logger

    import numpy.typing as npt

    from beetsplug.deejai.candidates import Candidates, Limits
    from beetsplug.deejai.session import Session

RELOAD_S = 5.0
"""A library that changes all the time, as in a scan, is read again this often."""


@dataclass(frozen=True)
class Contents:
    """What was in the library when it was read.

    Attributes
    ----------
    order
        int64, shape (n_items,): ids of all items in the order of lists: by artist,
        album and track.
    candidates
        None when no track has a vector.
    reason
        Why there are no candidates, and what to do.
    """

    order: npt.NDArray[np.int64]
    candidates: Candidates | None
    reason: str


class Shelf:
    """The contents of the library, read at once and then in the background.

    A request is never kept waiting by another program that writes: until the new state
    is read, the one before is served.

    Parameters
    ----------
    session, log
        The library, and where to say what is left out.
    limits
        Which tracks may be proposed.
    reload_s
        Seconds between two looks at a library that changes all the time.
    """

    def __init__(
        self,
        session: Session,
        log: Logger,
        limits: Limits,
        *,
        reload_s: float = RELOAD_S,
    ) -> None:
        self._session = session
        self._log = log
        self._limits = limits
        self._reload_s = reload_s
        self._lock = threading.Lock()
        self._contents: Contents | None = None
        self._state = ""
        self._looked_at = 0.0
        self._is_reading = False

    def contents(self) -> Contents:
        """Return what is in the library, at most some seconds old."""
        with self._lock:
            if self._contents is None:
                self._read()
            elif self._is_stale():
                self._is_reading = True
                threading.Thread(target=self._read_again, daemon=True).start()
            assert self._contents is not None
            return self._contents

    def _is_stale(self) -> bool:
        now = time.monotonic()
        # Asked for every track of a list, and a look at the disk is not free.
        if self._is_reading or now - self._looked_at < self._reload_s:
            return False
        self._looked_at = now
        return self._state_on_disk() != self._state

    def _state_on_disk(self) -> str:
        path = os.fspath(self._session.lib.path)
        return f"{file_state(path)} {file_state(path + '-wal')}"

    def _read_again(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - the old state goes on serving
            self._log.warning("the library cannot be read again: {}", error)
            self._looked_at = time.monotonic()
        finally:
            self._is_reading = False

    def _read(self) -> None:
        state = self._state_on_disk()
        candidates, reason = None, ""
        with self._session.lib.music_dir_context():
            order = _listing_order(self._session)
            try:
                # What is left out is said once, and not all through a scan.
                log = self._log if self._contents is None else None
                candidates = load_candidates(self._session, log, limits=self._limits)
            except UserError as error:
                reason = str(error)
        self._contents = Contents(order, candidates, reason)
        self._state, self._looked_at = state, time.monotonic()


@in_bulk()
def _listing_order(session: Session) -> npt.NDArray[np.int64]:
    with session.lib.transaction() as tx:
        rows = tx.query(
            "SELECT id, CASE WHEN albumartist != '' THEN albumartist ELSE artist END"
            " AS by FROM items ORDER BY by = '', by COLLATE NOCASE,"
            " year, album COLLATE NOCASE, disc, track, id"
        )
    return np.array([row[0] for row in rows], dtype=np.int64)
