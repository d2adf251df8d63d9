"""How faithful a map is: whether what is near is alike, and the reverse (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]

N_NEIGHBOURS = 15
"""So many of the nearest are compared; half of the tracks in small libraries."""

FEWEST = 8
"""Of fewer tracks nearly all are neighbours, and a number would mean nothing."""

MOST_CELLS = 20_000_000
"""Pairs of tracks that are compared at most; of more tracks a sample is drawn."""

BLOCK_CELLS = 1_000_000
"""Pairs that are held at once."""


@dataclass(frozen=True)
class Faithfulness:
    """How well a map keeps neighbours.

    Attributes
    ----------
    n_neighbours
        k, how many neighbours of each track were looked at.
    trustworthiness
        1 where all k nearest on the map are among the k most alike; less, the more
        unlike they are in rank. About 0.5 by chance.
    continuity
        1 where all k most alike are among the k nearest on the map; less, the further
        away they lie in rank. About 0.5 by chance.
    n_shared
        How many of the k nearest on the map are among the k most alike, on average.
    n_measured
        Of how many tracks the neighbours were looked at.
    """

    n_neighbours: int
    trustworthiness: float
    continuity: float
    n_shared: float
    n_measured: int

    def sentence(self) -> str:
        """Say it in plain words."""
        return (
            f"Of the {self.n_neighbours} tracks nearest to one on the map, "
            f"{self.n_shared:.1f} are among the {self.n_neighbours} that sound most "
            f"like it, on average. Trustworthiness {self.trustworthiness:.2f}, "
            f"continuity {self.continuity:.2f}: 1 is perfect, 0.5 is chance."
        )


def measure_faithfulness(
    vectors: Array,
    positions: Array,
    *,
    k: int = N_NEIGHBOURS,
    most_cells: int = MOST_CELLS,
) -> Faithfulness | None:
    """Measure trustworthiness and continuity of a map.

    Of J. Venna, S. Kaski, *Neighborhood Preservation in Nonlinear Projection Methods:
    An Experimental Study*, 2001, and *Local Multidimensional Scaling*, 2006: whoever is
    wrongly among the k neighbours costs as many ranks as it lies behind the k-th. Exact
    for libraries of some thousand tracks; of larger ones the neighbours of a sample are
    looked at, always the same one, among all tracks.

    Parameters
    ----------
    vectors
        Unit rows, shape (n_tracks, d); distances between them are cosine distances.
    positions
        On the map, shape (n_tracks, 2).
    k
        Neighbours; fewer than half of the tracks are taken.
    most_cells
        How many pairs of tracks may be compared.

    Returns
    -------
    Faithfulness or None
        None for fewer than :data:`FEWEST` tracks.
    """
    n_tracks = len(vectors)
    if n_tracks < FEWEST:
        return None
    k = min(k, (n_tracks - 1) // 2)
    n_measured = min(n_tracks, max(1, most_cells // n_tracks))
    rows = np.arange(n_tracks)
    if n_measured < n_tracks:
        drawn = np.random.default_rng(0).choice(n_tracks, n_measured, replace=False)
        rows = np.sort(drawn)
    intruders = missed = shared = 0
    size = max(1, BLOCK_CELLS // n_tracks)
    for start in range(0, n_measured, size):
        block = rows[start : start + size]
        own = np.arange(len(block)), block
        unlike = -(vectors[block] @ vectors.T)
        apart = _squared_distances(positions[block], positions)
        unlike[own] = apart[own] = np.inf
        alike, near = _nearest(unlike, k), _nearest(apart, k)
        ranks = _ranks(unlike, near)
        intruders += int(np.maximum(ranks - k, 0).sum())
        shared += int((ranks <= k).sum())
        missed += int(np.maximum(_ranks(apart, alike) - k, 0).sum())
    worst = n_measured * k * (2 * n_tracks - 3 * k - 1) / 2
    return Faithfulness(
        n_neighbours=k,
        trustworthiness=1.0 - intruders / worst,
        continuity=1.0 - missed / worst,
        n_shared=shared / n_measured,
        n_measured=n_measured,
    )


def _squared_distances(points: Array, to: Array) -> Array:
    square: Array = (points[:, :1] - to[:, 0]) ** 2
    square += (points[:, 1:] - to[:, 1]) ** 2
    return square


def _nearest(distances: Array, k: int) -> Ints:
    """Return the columns of the k smallest of each row, in any order."""
    return np.argpartition(distances, k - 1, axis=1)[:, :k]


def _ranks(distances: Array, columns: Ints) -> Ints:
    """Return the rank of some columns in each row, from 1 on; equal ones share it."""
    wanted = np.take_along_axis(distances, columns, axis=1)
    ordered = np.sort(distances, axis=1)
    pairs = zip(ordered, wanted, strict=True)
    return np.stack([row.searchsorted(values) for row, values in pairs]) + 1
