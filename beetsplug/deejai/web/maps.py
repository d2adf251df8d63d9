"""The map as the deck shows it, and making it in the background."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from beetsplug.deejai.atlas.fields import map_fields
from beetsplug.deejai.atlas.keep import count_unplaced, kept_places, update_places
from beetsplug.deejai.atlas.places import places_path
from beetsplug.deejai.atlas.shown import load_shown
from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.recommend.reorder import reorder, seed_distances
from beetsplug.deejai.storage.library import file_state
from beetsplug.deejai.web.tracks import heard_among, items_of, track_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.atlas.places import Places
    from beetsplug.deejai.atlas.shown import Shown
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.shelf import Contents, Shelf
    from beetsplug.deejai.web.tracks import TrackInfo

_GZIP_LEVEL = 5


@dataclass(frozen=True)
class MapState:
    """Whether there is a map.

    Attributes
    ----------
    state
        ``none``, ``making`` or ``ready``.
    progress
        The part that is made, 0 to 1.
    error
        Why the last one could not be made.
    """

    state: Literal["none", "making", "ready"]
    progress: float
    error: str | None


@dataclass(frozen=True)
class Prepared:
    """An answer that is made once for many requests.

    Attributes
    ----------
    body, packed
        JSON, and the same gzipped.
    etag
        Of its content.
    """

    body: bytes
    packed: bytes
    etag: str


class _StopError(Exception):
    """The deck closes."""


class Maps:
    """The library's map; one thread at a time makes it or adds to it.

    Parameters
    ----------
    session
        The library, which is only read; the map lies in a file beside it.
    shelf
        Tells when the library has changed.
    """

    def __init__(self, session: Session, shelf: Shelf) -> None:
        self._session = session
        self._shelf = shelf
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._progress = 0.0
        self._error: str | None = None
        # Of this state of the library and of the file.
        self._known: tuple[Contents, str] | None = None
        self._places: Places | None = None
        self._prepared: Prepared | None = None
        self._shown: Shown | None = None

    def state(self) -> MapState:
        """Tell whether there is a map."""
        with self._lock:
            return self._state()

    def start(self) -> MapState:
        """Make the map, or find places for new tracks, unless that is being done."""
        with self._lock:
            if not self._is_making and not self._stopping.is_set():
                self._progress, self._error = 0.0, None
                self._thread = threading.Thread(
                    target=self._make, name="deejai-map", daemon=True
                )
                self._thread.start()
            return self._state()

    def answer(self) -> Prepared | None:
        """Return the map as JSON; None while there is none to be shown."""
        with self._lock:
            if self._state().state != "ready":
                return None
            if self._prepared is None:
                assert self._places is not None
                self._prepared = self._prepare(self._places)
            return self._prepared

    def close(self) -> None:
        """Stop what is being made; the map stays as it was."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    @property
    def _is_making(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _state(self) -> MapState:
        if self._is_making:
            return MapState("making", self._progress, None)
        self._read()
        if self._places is None:
            return MapState("none", 0.0, self._error)
        return MapState("ready", 1.0, self._error)

    def _read(self) -> None:
        """Take up what has changed in the library or in the file."""
        path = places_path(self._session.lib.path)
        known = (self._shelf.contents(), file_state(str(path)) if path else "")
        if self._known is not None and (
            known[0] is self._known[0] and known[1] == self._known[1]
        ):
            return
        self._places, _ = kept_places(self._session.lib, self._session.model_id)
        self._prepared, self._known = None, known

    def _prepare(self, places: Places) -> Prepared:
        lib = self._session.lib
        shown = self._shown = load_shown(lib, places, earlier=self._shown)
        fields: dict[str, Any] = {
            "state": "ready",
            "progress": 1.0,
            "error": self._error,
            "n_unplaced": count_unplaced(lib, places),
            "refs": list(map(str, shown.columns.item_ids.tolist())),
            **map_fields(shown),
        }
        body = json.dumps(fields, separators=(",", ":")).encode()
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        # Without a time in it, so that the same map is the same bytes.
        return Prepared(body, gzip.compress(body, _GZIP_LEVEL, mtime=0), digest)

    def _make(self) -> None:
        try:
            with self._session.lib.music_dir_context():
                update_places(
                    self._session.lib,
                    self._session.model_id,
                    n_threads=self._session.settings.n_threads,
                    on_progress=self._advance,
                )
        except _StopError:
            pass
        except DeejaiError as error:
            self._error = self._without_folder(str(error))
        except Exception:
            self._error = "the map could not be made; the terminal tells why"
            raise
        finally:
            self._prepared = None

    def _advance(self, part: float) -> None:
        if self._stopping.is_set():
            raise _StopError
        self._progress = part

    def _without_folder(self, message: str) -> str:
        """Take out of a message where the library lies, which is not for visitors."""
        folder = os.path.dirname(str(self._session.lib.path))
        return message.replace(folder + os.sep, "").replace(folder, "the library")


def smoothly_ordered(deck: Deck, refs: Sequence[str]) -> list[TrackInfo]:
    """Describe tracks, so ordered that each sounds like the one before.

    The same tracks in the same order give the same answer.

    Parameters
    ----------
    deck
        The deck.
    refs
        The tracks; 500 take about a second. Those that cannot be compared come last, in
        the order given.

    Raises
    ------
    Refusal
        One of them is not there.
    """
    found = list(zip(refs, items_of(deck, refs), strict=True))
    items = dict(found)
    heard = heard_among(deck, deck.candidates(), found)
    names = [named.ref for named in heard]
    has_vector = set(names)
    rest = [ref for ref in refs if ref not in has_vector]
    if heard:
        distances = seed_distances([named.seed for named in heard], names=names)
        places = reorder(distances, rng=np.random.default_rng(0))
        names = [names[place] for place in places]
    return [track_info(deck, items[ref], ref) for ref in (*names, *rest)]
