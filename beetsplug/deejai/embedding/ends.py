"""How tracks begin and end: what a listener hears where one follows on another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.storage.library import signatures_of, stored_by_id
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.storage.slices import SliceStore

    Array = npt.NDArray[np.float32]

N_SLICES = 3
"""Slices that make a beginning or an ending: 15 s."""


def ends(slice_vectors: npt.ArrayLike) -> tuple[Array, Array]:
    """Return how one track begins and ends.

    Parameters
    ----------
    slice_vectors
        Shape (n_slices, d), n_slices at least 1.

    Returns
    -------
    beginning, ending : ndarray of float32, shape (d,)
        Unit length: the mean direction of the first and the last slices.
    """
    slices = np.asarray(slice_vectors)
    return _direction(slices[:N_SLICES]), _direction(slices[-N_SLICES:])


def _direction(slices: npt.NDArray[np.floating[Any]]) -> Array:
    """Return the mean direction of slices, shape (..., n, d); zeros have none."""
    return unit(unit(slices).sum(axis=-2))


def load_ends(
    lib: Library,
    store: SliceStore | None,
    *,
    model: str,
    item_ids: npt.NDArray[np.int64],
    vectors: Array,
) -> tuple[Array, Array]:
    """Return how the tracks of a library begin and end.

    Parameters
    ----------
    lib, store
        The library and its side store, if there is one.
    model
        Id of the encoder.
    item_ids, vectors
        Tracks and their vectors, shapes (n_tracks,), ascending, and (n_tracks, d): what
        stands in where no slices are stored.

    Returns
    -------
    beginnings, endings : ndarray of float32, shape (n_tracks, d)
        Unit length.
    """
    beginnings, endings = vectors.copy(), vectors.copy()
    if store is None:
        return beginnings, endings
    signatures = signatures_of(stored_by_id(lib), model)
    found = store.load_ends(model, signatures, n_slices=N_SLICES, size=vectors.shape[1])
    known = np.isin(found.item_ids, item_ids)
    rows = np.searchsorted(item_ids, found.item_ids[known])
    for mine, slices in ((beginnings, found.first), (endings, found.last)):
        directions = _direction(slices[known])
        heard = directions.any(axis=1)
        mine[rows[heard]] = directions[heard]
    return beginnings, endings
