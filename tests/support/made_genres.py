"""Made genres: tracks whose slices tell plainly what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def made_card(**more: Any) -> dict[str, Any]:
    """Make what a card tells, of two genres."""
    return {
        "made": "2026-11-21 12:00",
        "version": "0.1.0",
        "method": "By ear.",
        "n_tracks": 30,
        "n_artists": 6,
        "genres": [
            {"name": "Rock | Roll", "tracks": 20, "artists": 4},
            {"name": "演歌\nx", "tracks": 10, "artists": 2},
        ],
        "min_tracks": 10,
        "merged": {"Bebop": "jazz", "Waltz": None},
        "split": "In two.",
        "measured": {
            "accuracy": 0.9,
            "macro_f1": 0.8,
            "n_tracks": 30,
            "calibration_error": 0.05,
            "calibration_error_uncalibrated": 0.1,
            "temperature": 0.5,
            "confusion": [[19, 1], [2, 8]],
        },
        "baselines": {
            "majority": {"accuracy": 0.67, "macro_f1": 0.4, "genre": "Rock | Roll"},
            "mfcc": None,
        },
        "limits": ["It is not you."],
        "details": {"seed": 0},
        **more,
    }
