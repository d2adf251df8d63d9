"""Where the tracks of each artist, or of each album, may come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.intp]


class Kind:
    """The artists, or the albums, that are spaced out.

    Parameters
    ----------
    codes
        Those that occur, shape (n_codes,).
    gap
        Places between two of one code.
    given
        Codes of the waypoints.
    waypoints
        Their places, ascending from 0; the last one ends the journey.

    Attributes
    ----------
    gap
        Places between two of one code.
    left
        How many pieces of each code are unused, shape (n_codes,).
    free_from
        The first place where each code may come again, shape (n_codes,).
    """

    def __init__(
        self,
        codes: npt.NDArray[np.integer],
        gap: int,
        given: Sequence[int],
        waypoints: Sequence[int],
    ) -> None:
        self.gap = gap
        self.left = np.zeros(codes.size, dtype=np.intp)
        self.free_from = np.zeros(codes.size, dtype=np.intp)
        n_places = waypoints[-1] + 1
        self._open = np.ones((codes.size, n_places), dtype=np.bool_)
        self._open[:, list(waypoints)] = False
        for code, place in zip(given, waypoints, strict=True):
            self._open[codes == code, max(0, place - gap) : place + gap + 1] = False
        self._most = self._count_places(range(n_places))

    def is_open(self, place: int) -> npt.NDArray[np.bool_]:
        """Return which codes may come in a place, shape (n_codes,)."""
        return np.asarray(self._open[:, place] & (self.free_from <= place))

    def most(self, places: range) -> Ints:
        """Return how many pieces of each code at most find a place among some."""
        return np.asarray(np.minimum(self.left, self._count_places(places)[:, 0]))

    def most_from(self, place: int) -> Ints:
        """Return how many pieces of each code at most find a place from one on."""
        last = self._most.shape[1] - 1
        start = np.minimum(np.maximum(self.free_from, place), last)
        most = self._most[np.arange(start.size), start]
        return np.asarray(np.minimum(self.left, most))

    def _count_places(self, places: range) -> Ints:
        """Count the places that one code can have, from each of some to their end.

        Returns
        -------
        ndarray of int, shape (n_codes, n_places + 1)
        """
        n_places = len(places)
        most = np.zeros((self.left.size, n_places + 1), dtype=np.intp)
        for position in range(n_places - 1, -1, -1):
            next_one = min(position + self.gap + 1, n_places)
            taken = self._open[:, places[position]] + most[:, next_one]
            most[:, position] = np.maximum(taken, most[:, position + 1])
        return most
