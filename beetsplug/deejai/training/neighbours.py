"""See what vectors of tracks learnt: who is next to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend import neighbours
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]


def nearest(
    vectors: npt.ArrayLike, rows: Sequence[int] | npt.NDArray[np.int64], *, n: int = 1
) -> tuple[npt.NDArray[np.int64], Array]:
    """Find the nearest other vectors of some.

    Parameters
    ----------
    vectors
        Shape (n_tracks, d).
    rows
        Whose neighbours are wanted.
    n
        How many for each; at most n_tracks - 1 are given.

    Returns
    -------
    found : ndarray of int64, shape (len(rows), n)
        Their rows, nearest first.
    similarities : ndarray of float32, shape (len(rows), n)
        Cosine similarities, in [-1, 1].
    """
    units = unit(vectors)
    own = np.asarray(rows, dtype=np.int64)
    return neighbours.nearest(units[own], units, n=n, own_rows=own)


def share_of_same(
    vectors: npt.ArrayLike,
    labels: npt.NDArray[np.int64],
    *,
    max_tracks: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Measure how often the nearest vector has the same label.

    Parameters
    ----------
    vectors
        Shape (n_tracks, d).
    labels
        Of each track, such as its artist; below 0 where unknown. Only tracks are
        counted that share theirs with another.
    max_tracks
        Of more, so many are drawn with `seed`.

    Returns
    -------
    tuple of float, or None
        The share in [0, 1], and what it would be by chance. None when no two tracks
        share a label.
    """
    known = labels >= 0
    _, codes, counts = np.unique(labels[known], return_inverse=True, return_counts=True)
    others = np.zeros(len(labels), dtype=np.int64)
    others[known] = counts[codes] - 1
    rows = np.flatnonzero(others > 0)
    if not rows.size:
        return None
    if rows.size > max_tracks:
        rows = np.random.default_rng(seed).choice(rows, max_tracks, replace=False)
    found, _ = nearest(vectors, rows)
    share = float(np.mean(labels[found[:, 0]] == labels[rows]))
    return share, float(np.mean(others[rows] / (len(labels) - 1)))
