"""Keep the map up with the library: new tracks get a place, and no other one moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.atlas.layout import FEWEST, Layout, lay_out, place
from beetsplug.deejai.atlas.places import (
    BrokenPlacesError,
    Places,
    places_path,
    read_places,
    write_places,
)
from beetsplug.deejai.storage.library import (
    load_vectors,
    signatures_of,
    stored_by_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.storage.library import TrackVectors

    Progress = Callable[[float], None]
    Mask = npt.NDArray[np.bool_]

MANY_ADDED = 1 / 3
"""When more than this part of a map was added later, t-SNE would put much otherwise."""


@dataclass(frozen=True)
class Update:
    """The map as it is now, and what was done to it.

    Attributes
    ----------
    places
        Of all tracks that have a vector of the encoder.
    is_new
        Whether everything was laid out.
    n_placed
        Tracks that got a place.
    notices
        What the user should know, one line each.
    """

    places: Places
    is_new: bool
    n_placed: int
    notices: tuple[str, ...]


def kept_places(lib: Library, model: str) -> tuple[Places | None, list[str]]:
    """Read the map of a library.

    Parameters
    ----------
    lib
        The library.
    model
        Id of the encoder in use: vectors of another one lie elsewhere.

    Returns
    -------
    places : Places or None
        None where it has to be made anew.
    notices : list of str
        Why, if there is one that cannot be used.
    """
    path = places_path(lib.path)
    if path is None:
        return None, []
    try:
        places = read_places(path)
    except BrokenPlacesError as error:
        return None, [f"{error}; the map is made anew"]
    if places is not None and places.model != model:
        return None, [
            f"the map was made with {places.model}, and {model} is in use; it is "
            "made anew"
        ]
    return places, []


def count_unplaced(lib: Library, places: Places) -> int:
    """Count the tracks that have a vector, and no place yet as what they are now."""
    by_id = signatures_of(stored_by_id(lib), places.model)
    ids = np.array(sorted(by_id), dtype=np.int64)
    return int((~_has_place(places, ids, _as_bytes(by_id, ids))).sum())


def update_places(
    lib: Library,
    model: str,
    *,
    remake: bool = False,
    n_threads: int = 1,
    on_progress: Progress | None = None,
) -> Update:
    """Bring the map up to date, and keep it in its file.

    Parameters
    ----------
    lib
        The library.
    model
        Id of the encoder in use.
    remake
        Lay everything out, whatever there is.
    n_threads
        How many threads compute.
    on_progress
        Called with the part that is done, 0 to 1. What it raises ends the work, and the
        file stays as it was.

    Raises
    ------
    FatalError
        The file cannot be written, or openTSNE is needed and missing.
    """
    old, notices = (None, []) if remake else kept_places(lib, model)
    stored = load_vectors(lib, model)
    by_id = signatures_of(stored_by_id(lib), model)
    signatures = _as_bytes(by_id, stored.item_ids)
    has_place = np.zeros(len(stored.item_ids), dtype=bool)
    if old is not None:
        has_place = _has_place(old, stored.item_ids, signatures)
        if has_place.sum() < FEWEST and not has_place.all():
            # Nothing to go by.
            old = None
    if old is None:
        layout = lay_out(stored.vectors, n_threads=n_threads, on_progress=on_progress)
        places = Places(model, stored.item_ids, signatures, layout, n_added=0)
        update = Update(places, True, len(places), tuple(notices))
    else:
        places = _added(
            old,
            stored,
            signatures,
            has_place,
            n_threads=n_threads,
            on_progress=on_progress,
        )
        n_placed = int((~has_place).sum())
        is_gone = ~np.isin(old.item_ids, stored.item_ids)
        if not n_placed and not is_gone.any():
            return Update(old, False, 0, ())
        update = Update(places, False, n_placed, tuple(notices))
    path = places_path(lib.path)
    if path is not None and len(places):
        write_places(path, places)
    return _advised(update)


def _as_bytes(
    signatures: Mapping[int, str], item_ids: npt.NDArray[np.int64]
) -> npt.NDArray[np.bytes_]:
    texts = [signatures.get(i, "").encode() for i in item_ids.tolist()]
    return np.array(texts, dtype=np.bytes_) if texts else np.zeros(0, "S1")


def _has_place(
    old: Places,
    item_ids: npt.NDArray[np.int64],
    signatures: npt.NDArray[np.bytes_],
) -> Mask:
    """Tell which tracks have the place of the audio that they still are."""
    rows = np.searchsorted(old.item_ids, item_ids)
    has_place = np.zeros(len(item_ids), dtype=bool)
    inside = rows < len(old)
    has_place[inside] = (old.item_ids[rows[inside]] == item_ids[inside]) & (
        old.signatures[rows[inside]] == signatures[inside]
    )
    return has_place


def _added(
    old: Places,
    stored: TrackVectors,
    signatures: npt.NDArray[np.bytes_],
    has_place: Mask,
    *,
    n_threads: int,
    on_progress: Progress | None,
) -> Places:
    positions = np.empty((len(stored.item_ids), 2), dtype=np.float32)
    rows = np.searchsorted(old.item_ids, stored.item_ids[has_place])
    positions[has_place] = old.layout.positions[rows]
    n_placed = int((~has_place).sum())
    if n_placed:
        positions[~has_place] = place(
            stored.vectors[~has_place],
            stored.vectors[has_place],
            Layout(positions[has_place], old.layout.scale),
            n_threads=n_threads,
            on_progress=on_progress,
        )
    return Places(
        model=old.model,
        item_ids=stored.item_ids,
        signatures=signatures,
        layout=Layout(positions, old.layout.scale),
        n_added=min(old.n_added + n_placed, len(stored.item_ids)),
    )


def _advised(update: Update) -> Update:
    places = update.places
    if update.n_placed and places.n_added > MANY_ADDED * len(places):
        advice = (
            f"{places.n_added} of {len(places)} tracks were added to the map later; "
            "--remake makes it anew, with every track in a new place"
        )
        return replace(update, notices=(*update.notices, advice))
    return update
