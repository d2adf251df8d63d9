"""Hills of the map: which tracks lie densely together (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

SIDE = 256
"""Cells along a side of the grid on which density is measured."""

MOST = 250
"""Hills on a large map."""

TRACKS = 12
"""Of a hill on a small one, on average at least; of fewer no tag is telling."""

WIDTHS = np.geomspace(1 / 128, 1, 64)
"""Widths of the kernel that are tried, as parts of the map's side."""

LEVEL = 0.1
"""A pass so high, as a part of the lower of its hills, is no gap in the land."""

_DIGITS = 9


@dataclass(frozen=True)
class Hills:
    """Tracks by the hill that they lie on.

    Attributes
    ----------
    of_track
        int64, shape (n_tracks,): the hill of each, 0 to n_hills - 1.
    beside
        bool, shape (n_hills, n_hills): which lie side by side, with a gap or without.
    joined
        The same for those without a gap between them.
    """

    of_track: Ints
    beside: Mask
    joined: Mask


def find_hills(positions: Array) -> Hills:
    """Part a map along the valleys of its density.

    Tracks are counted on a grid and blurred (a kernel density estimate); from each cell
    the steepest way leads up to a summit, and all that leads to one summit is one hill:
    the watershed of the density, as in Berman et al., *Mapping the stereotyped
    behaviour of freely moving fruit flies*, Journal of the Royal Society Interface,
    2014. The kernel is as narrow as the number of hills allows. The same map has the
    same hills.

    Parameters
    ----------
    positions
        Shape (n_tracks, 2), at least one.
    """
    most = max(1, min(MOST, len(positions) // TRACKS))
    narrow, wide = 0, len(WIDTHS) - 1
    while narrow < wide:
        middle = (narrow + wide) // 2
        cells, density = _density(positions, float(WIDTHS[middle]))
        if len(np.unique(_climb(density)[cells])) <= most:
            wide = middle
        else:
            narrow = middle + 1
    cells, density = _density(positions, float(WIDTHS[wide]))
    summit_of = _climb(density)
    summits, of_track = np.unique(summit_of[cells], return_inverse=True)
    hill_of = np.full(SIDE * SIDE, -1)
    hill_of[summits] = np.arange(len(summits))
    passes = _passes(density, hill_of[summit_of], len(summits))
    heights = density[summits]
    lower = np.minimum(heights[:, None], heights)
    return Hills(of_track.astype(np.int64), passes > 0.0, passes >= LEVEL * lower)


def _density(positions: Array, width: float) -> tuple[Ints, Doubles]:
    """Count tracks on the grid, and blur.

    Returns
    -------
    cells : ndarray of int64, shape (n_tracks,)
        Where on the flattened grid each track lies.
    density : ndarray of float64, shape (SIDE * SIDE,)
        1 where it is highest.
    """
    lowest, highest = positions.min(axis=0), positions.max(axis=0)
    extent = float((highest - lowest).max()) or 1.0
    # A hill at the edge of the map has a slope outside, too.
    side = extent * (1.0 + 6.0 * width)
    places = (positions - (lowest + highest) / 2) / side + 0.5
    columns, rows = np.clip((places * SIDE).astype(np.int64), 0, SIDE - 1).T
    cells = rows * SIDE + columns
    counts = np.bincount(cells, minlength=SIDE * SIDE).astype(np.float64)
    steps = np.arange(SIDE) * (side / extent / width / SIDE)
    kernel = np.exp(-0.5 * (steps[:, None] - steps) ** 2)
    density = (kernel @ counts.reshape(SIDE, SIDE) @ kernel).ravel()
    # The last digits are none of the map's: they would be summits on flat land.
    return cells, np.round(density / density.max(), _DIGITS)


def _climb(density: Doubles) -> Ints:
    """Return the summit that each cell leads up to, shape (SIDE * SIDE,)."""
    framed = np.full((SIDE + 2, SIDE + 2), -1.0)
    framed[1:-1, 1:-1] = density.reshape(SIDE, SIDE)
    best = np.full(SIDE * SIDE, -1.0)
    cells = np.arange(SIDE * SIDE)
    higher = cells.copy()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            window = framed[
                1 + down : SIDE + 1 + down, 1 + right : SIDE + 1 + right
            ].ravel()
            # Over flat land it goes to the last cell.
            is_higher = window >= best
            best[is_higher] = window[is_higher]
            higher[is_higher] = cells[is_higher] + down * SIDE + right
    while True:
        # Twice as far in every round.
        further = higher[higher]
        if np.array_equal(further, higher):
            return higher
        higher = further


def _passes(density: Doubles, hill_of: Ints, n_hills: int) -> Doubles:
    """Find the density of the highest pass between hills.

    Parameters
    ----------
    density
        Shape (SIDE * SIDE,).
    hill_of
        The hill of each cell, -1 for none.
    n_hills
        How many there are.

    Returns
    -------
    ndarray of float64, shape (n_hills, n_hills)
        0 for those that do not touch.
    """
    heights, hills = density.reshape(SIDE, SIDE), hill_of.reshape(SIDE, SIDE)
    passes = np.zeros((n_hills, n_hills))
    for a, b in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        is_pass = (hills[a] != hills[b]) & (hills[a] >= 0) & (hills[b] >= 0)
        ends = hills[a][is_pass], hills[b][is_pass]
        np.maximum.at(passes, ends, np.minimum(heights[a], heights[b])[is_pass])
    return np.maximum(passes, passes.T)
