"""Tracks that sound the same: near-identical vectors of near-identical length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Floats = npt.NDArray[np.floating]
    Rows = npt.NDArray[np.integer]

DISTANCE = 0.002
"""Cosine distance up to which vectors are near-identical.

Of 36 pieces of music an MP3 was at 0.0008 from its original (median; 9 of 10 within
0.0021). Among 270 different ones, no two whose length is the same within 2 s were
nearer than 0.17, and no two of any length nearer than 0.027.
"""

LENGTH_S = 1.0
LENGTH_SHARE = 0.02
"""Lengths are near-identical up to this difference in seconds, and this part of them.

Encoders pad, and editions leave another silence at the end.
"""

MAX_TWINS = 64
"""How many twins of one track are looked for.

More mean nothing: they are noise, silence, or one voice that reads.
"""

_BLOCK = 64  # Tracks that are compared at once.
_N_FIRST = 16  # Components that rule out nearly all pairs before others are read.

_ROUNDING = 1e-5

Twin = tuple[float, int]
"""Cosine distance and row of a track."""


def is_near_length(one_s: Floats, other_s: Floats) -> npt.NDArray[np.bool_]:
    """Whether lengths in seconds are near-identical; unknown ones (0) never are."""
    shorter_s = np.minimum(one_s, other_s)
    tolerance_s = np.minimum(LENGTH_S, LENGTH_SHARE * shorter_s)
    near = np.abs(one_s - other_s) <= tolerance_s
    return np.asarray(near & (shorter_s > 0.0))


@dataclass(frozen=True)
class Twins:
    """Finds the tracks of a library that sound the same as a track.

    Only those of about its length are compared, so that the time grows with how many
    these are.

    Attributes
    ----------
    vectors
        Unit rows, shape (n_tracks, d).
    lengths_s
        Seconds, shape (n_tracks,); 0 if unknown.
    """

    vectors: Array
    lengths_s: Floats

    def of_rows(self, rows: Rows) -> dict[int, list[Twin]]:
        """Return the other tracks that sound the same as some tracks.

        Returns
        -------
        dict
            By row, nearest first, the :data:`MAX_TWINS` + 1 nearest at most; no entry
            for a track that has none.
        """
        found = self.of(self.vectors[rows], self.lengths_s[rows])
        others = {
            int(rows[place]): [twin for twin in twins if twin[1] != rows[place]]
            for place, twins in found.items()
        }
        return {row: twins[: MAX_TWINS + 1] for row, twins in others.items() if twins}

    def of(self, vectors: Array, lengths_s: Floats) -> dict[int, list[Twin]]:
        """Return the tracks that sound the same as some others.

        Parameters
        ----------
        vectors
            Unit rows, shape (n, d).
        lengths_s
            Seconds, shape (n,).

        Returns
        -------
        dict
            By place, nearest first, the :data:`MAX_TWINS` + 2 nearest at most; no entry
            for a track that has none.
        """
        found: dict[int, list[Twin]] = {}
        for block in _blocks(lengths_s):
            places, rows = self._pairs(vectors[block], lengths_s[block])
            near = is_near_length(lengths_s[block[places]], self.lengths_s[rows])
            places, rows = block[places[near]], rows[near]
            products = np.einsum("ij,ij->i", vectors[places], self.vectors[rows])
            near = 1.0 - products <= DISTANCE
            order = np.lexsort((rows[near], -products[near], places[near]))
            for place, product, row in zip(
                places[near][order].tolist(),
                products[near][order].tolist(),
                rows[near][order].tolist(),
                strict=True,
            ):
                twins = found.setdefault(place, [])
                if len(twins) < MAX_TWINS + 2:
                    twins.append((1.0 - product, row))
        return found

    def _pairs(self, vectors: Array, lengths_s: Floats) -> tuple[Rows, Rows]:
        """Return places and rows of what may be twins, for tracks by their length."""
        by_length, sorted_s, first, squares = self._by_length
        within = lengths_s[[0, -1]] + (-LENGTH_S, LENGTH_S)
        window = slice(*np.searchsorted(sorted_s, within))
        mine = vectors[:, :_N_FIRST]
        # Vectors are at least as far apart as their first components.
        squared = squares[window] - 2.0 * (mine @ first[window].T)
        squared += np.einsum("ij,ij->i", mine, mine)[:, None]
        places, columns = np.nonzero(squared <= 2.0 * DISTANCE + _ROUNDING)
        return places, by_length[window][columns]

    @cached_property
    def _by_length(self) -> tuple[Rows, Floats, Array, Array]:
        """Rows by length, their lengths, first components and the squares of these."""
        order = np.argsort(self.lengths_s, kind="stable")
        first = self.vectors[order, :_N_FIRST]
        return order, self.lengths_s[order], first, np.einsum("ij,ij->i", first, first)


def _blocks(lengths_s: Floats) -> Iterator[Rows]:
    """Divide tracks of known length into few ones each, of about the same length."""
    order = np.argsort(lengths_s, kind="stable")
    sorted_s = lengths_s[order]
    start = int(np.searchsorted(sorted_s, 0.0, side="right"))
    while start < len(order):
        end = int(np.searchsorted(sorted_s, sorted_s[start] + LENGTH_S, side="right"))
        end = min(end, start + _BLOCK)
        yield order[start:end]
        start = end
