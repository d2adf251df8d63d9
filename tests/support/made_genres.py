"""Made genres: tracks whose slices tell plainly what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from libraries import current_model

from beetsplug.deejai.storage.genre_model import (
    GenreModel,
    genre_folder,
    write_genre_model,
)
from beetsplug.deejai.storage.slices import SliceRow, SliceStore, store_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Item, Library

GENRES = ("Ambient", "Metal", "Dub")


def learn_genres(lib: Library, *, sharpness: float = 20.0) -> GenreModel:
    """Write a model for which slice vectors along axis k are all of genre k."""
    weights = np.zeros((100, len(GENRES)), dtype=np.float32)
    np.fill_diagonal(weights, sharpness)
    model = GenreModel(
        genres=GENRES,
        kind="head",
        encoder=current_model(),
        weights=weights,
        bias=np.zeros(len(GENRES), dtype=np.float32),
    )
    folder = genre_folder(lib.path)
    assert folder is not None
    write_genre_model(folder, model)
    return model


def slices_of(*counts: int) -> np.ndarray:
    """Make slice vectors: so many of each genre, one genre after the other."""
    return np.repeat(np.eye(len(counts), 100, dtype=np.float32), counts, axis=0)


def store_slices(
    lib: Library, items: Sequence[Item], slices: Sequence[np.ndarray]
) -> None:
    """Store slices of tracks that :func:`libraries.add_made_tracks` added."""
    rows = [SliceRow(item.id or 0, current_model(), "s", "", True) for item in items]
    store = SliceStore(store_path(lib.path))
    store.put(zip(rows, slices, strict=True))
    store.close()
