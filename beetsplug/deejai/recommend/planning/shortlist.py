"""The candidates that are weighed for each slot of a leg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.planning.terrain import Terrain
    from beetsplug.deejai.recommend.rules import Mask

    Array = npt.NDArray[np.float32]
    Codes = npt.NDArray[np.integer]
    Rows = npt.NDArray[np.intp]

MIN_CANDIDATES, MAX_CANDIDATES = 64, 400
"""Between so many tracks, where there are as many, are weighed for each slot ..."""

CANDIDATE_SHARE = 1 / 4
"""... and in between this part of those that are free, so that slots differ."""

NEARBY = 16
"""The candidates are chosen among so many times as many nearest tracks."""


def shortlist(terrain: Terrain, points: Array, free: Sequence[Mask]) -> list[Rows]:
    """Choose the candidates for each slot: near its point, and by many artists.

    Of each recording one version is among them, so that tracks in other slots cannot
    use them all up.

    Parameters
    ----------
    terrain
        The library.
    points
        Unit vectors, shape (n, d).
    free
        For each point, which tracks may be chosen.

    Returns
    -------
    list of ndarray
        For each point, rows.
    """
    distances = 1.0 - terrain.index.similarities(points)
    ranked, sizes = [], []
    for mask, to_point in zip(free, distances, strict=True):
        rows = np.flatnonzero(mask)
        share = int(CANDIDATE_SHARE * rows.size)
        sizes.append(min(max(MIN_CANDIDATES, share), MAX_CANDIDATES))
        ranked.append(_rank(terrain, rows, to_point[rows], sizes[-1]))
    firsts = [rows[:size] for rows, size in zip(ranked, sizes, strict=True)]
    terrain.pieces(np.unique(np.concatenate(firsts)))
    return [
        _one_version_each(terrain, rows, size)
        for rows, size in zip(ranked, sizes, strict=True)
    ]


def _rank(terrain: Terrain, rows: Rows, distances: Array, size: int) -> Rows:
    """Order rows by distance, but those of an artist beyond a quota last."""
    if rows.size > NEARBY * size:
        nearest_first = np.argpartition(distances, NEARBY * size)
        nearby = np.sort(nearest_first[: NEARBY * size])
        rest = np.delete(rows, nearby)
        rows, distances = rows[nearby], distances[nearby]
    else:
        rest = rows[:0]
    rows = rows[np.argsort(distances, kind="stable")]
    is_spread = np.ones(rows.size, dtype=np.bool_)
    for codes, gap in terrain.spaced:
        quota = -(-size // (4 * (gap + 1)))
        is_spread &= _rank_among_equals(codes[rows]) < quota
    return np.concatenate([rows[is_spread], rows[~is_spread], rest])


def _one_version_each(terrain: Terrain, rows: Rows, size: int) -> Rows:
    """Return the first rows that are no versions of each other."""
    chosen = rows[:0]
    while rows.size and chosen.size < size:
        n_missing = size - chosen.size
        chosen = np.concatenate([chosen, rows[:n_missing]])
        rows = rows[n_missing:]
        chosen = chosen[_rank_among_equals(terrain.pieces(chosen)) == 0]
    return chosen


def _rank_among_equals(codes: Codes) -> Rows:
    """Count how many equal codes stand before each."""
    order = np.argsort(codes, kind="stable")
    positions = np.arange(codes.size)
    is_new = np.ones(codes.size, dtype=np.bool_)
    is_new[1:] = np.diff(codes[order]) != 0
    starts = np.maximum.accumulate(np.where(is_new, positions, 0))
    ranks = np.empty(codes.size, dtype=np.intp)
    ranks[order] = positions - starts
    return ranks
