"""Vectors of the same tracks by one encoder, whole and in halves (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.pooling import pool_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.embedding.pooling import Method

    Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Space:
    """Vectors of the same tracks by one encoder.

    Attributes
    ----------
    tracks
        Shape (n_tracks, d).
    first, second
        Of the halves of those tracks that have any, shape (n_halved, d).
    """

    tracks: Array
    first: Array
    second: Array


def pool_space(tracks: Sequence[Array], *, method: Method, epsilon: float) -> Space:
    """Pool tracks and their halves.

    The document frequencies of TF-IDF are counted among these tracks, and for the
    halves among these halves.

    Parameters
    ----------
    tracks
        Slice vectors of each track, shape (n_slices, d), float16 or float32. Those of
        two slices and more have halves, of which the second is the longer one.
    method, epsilon
        As for :func:`~beetsplug.deejai.embedding.pooling.pool_library`.
    """
    counts = np.array([len(track) for track in tracks], dtype=np.int64)
    whole = pool_library(
        np.concatenate(list(tracks)), counts=counts, method=method, epsilon=epsilon
    )
    first, second = pool_halves(tracks, method=method, epsilon=epsilon)
    return Space(whole, first, second)


def pool_halves(
    tracks: Sequence[Array], *, method: Method, epsilon: float
) -> tuple[Array, Array]:
    """Pool the halves of the tracks of two slices and more; see :func:`pool_space`."""
    halved = [track for track in tracks if len(track) > 1]
    if not halved:
        none = np.zeros((0, tracks[0].shape[1] if tracks else 1), dtype=np.float32)
        return none, none
    counts = np.array([len(track) for track in halved], dtype=np.int64)
    halves = np.column_stack([counts // 2, counts - counts // 2])
    pooled = pool_library(
        np.concatenate(halved), counts=halves.ravel(), method=method, epsilon=epsilon
    )
    return pooled[0::2], pooled[1::2]
