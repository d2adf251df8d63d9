"""Shorten a path between two fixed ends: 2-opt, or-opt, and kicks out of ruts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Distances = npt.NDArray[np.float32]
    Order = npt.NDArray[np.intp]

MAX_SEGMENT = 3
"""Places that or-opt moves together."""

KICK_REACH = 50
"""Places within which a kick stays, so that the search after it is short."""

_LEAST_GAIN = 1e-6
"""Smaller gains may be rounding in float32; taking them, the search might not end."""


class LocalSearch:
    """A path and the moves that shorten it.

    2-opt turns a stretch of the path round; or-opt takes a few places out and puts them
    in elsewhere, either way round. Distances may differ by direction: sums along the
    path tell what turning a stretch costs within it. The first and the last place stay.

    Parameters
    ----------
    distances
        float32, shape (n, n): from the row's place to the column's.
    order
        The path: places, shape (m,), m at least 4. Only the last may be the first
        again.
    """

    def __init__(self, distances: Distances, order: npt.ArrayLike) -> None:
        self._out = distances
        self._is_symmetric = np.array_equal(distances, distances.T)
        # By rows, as what is read together should lie together.
        self._into = distances if self._is_symmetric else distances.T.copy()
        self.order = np.array(order, dtype=np.intp)
        n_hops = len(self.order) - 1
        self._position = np.zeros(len(distances), dtype=np.intp)
        self._hops = np.zeros(n_hops)
        # How much longer each hop is backwards, and all hops up to each position.
        self._detours = np.zeros(n_hops)
        self._turning = np.zeros(n_hops + 1)
        # By move (2-opt, or-opt by length and direction) and by hop.
        self._changes = np.zeros((2 * MAX_SEGMENT, n_hops))
        self.load(order)

    def load(self, order: npt.ArrayLike) -> None:
        """Go on from another path through the same places."""
        self._replace(0, np.asarray(order, dtype=np.intp))

    @property
    def length(self) -> float:
        """The sum of all hops."""
        return float(self._hops.sum())

    def improve(self, places: Iterable[int]) -> None:
        """Make the best move at each of some places until none there gains.

        The places that a move joins anew are looked at again.
        """
        queue = list(dict.fromkeys(places))
        waiting = set(queue)
        last = len(self.order) - 1
        while queue:
            place = queue.pop()
            waiting.remove(place)
            k = int(self._position[place])
            if 0 < k < last:
                touched = [one for one in self._move(k) if one not in waiting]
                queue += touched
                waiting.update(touched)

    def kick(self, rng: np.random.Generator) -> list[int]:
        """Exchange two neighbouring stretches by chance; return the places at the cuts.

        This is the double bridge, which neither 2-opt nor or-opt undoes at once.
        """
        n_inner = len(self.order) - 2
        reach = min(n_inner, KICK_REACH)
        start = 1 + int(rng.integers(n_inner - reach + 1))
        a, b, c = (start + np.sort(rng.choice(reach + 1, 3, replace=False))).tolist()
        places = np.concatenate([self.order[b:c], self.order[a:b]])
        return self._replace(a, places, [a, a + c - b, c])

    def _move(self, k: int) -> list[int]:
        """Make the best move at the place in position k; return what is joined anew."""
        order, hops, turning = self.order, self._hops, self._turning
        n_hops = len(hops)
        out, into = self._rows(k)
        # 2-opt: the hop after position k and another one exchange ends.
        out_next, into_next = self._rows(k + 1)
        change = self._changes[0]
        change[:k] = into[:k] + into_next[1 : k + 1] + turning[k] - turning[1 : k + 1]
        change[k] = np.inf
        change[k + 1 :] = out[k + 1 : -1] + out_next[k + 2 :]
        change[k + 1 :] += turning[k + 1 : -1] - turning[k + 1]
        change -= hops + hops[k]
        # or-opt: the segment from position k to `end` goes into another hop.
        segments = []
        for end in range(k, min(k + MAX_SEGMENT, n_hops)):
            out_end, into_end = (out, into) if end == k else self._rows(end)
            bridge = self._out[order[k - 1], order[end + 1]]
            saved = hops + (hops[k - 1] + hops[end] - bridge)
            placed = {1: into[:-1] + out_end[1:]}
            if end > k:
                turned = turning[end] - turning[k]
                placed[-1] = into_end[:-1] + out[1:] + turned
            for step, added in placed.items():
                segments.append(order[k : end + 1][::step])
                change = self._changes[len(segments)]
                np.subtract(added, saved, out=change)
                change[k - 1 : end + 1] = np.inf
        n_moves = 1 + len(segments)
        move, hop = divmod(int(np.argmin(self._changes[:n_moves])), n_hops)
        if self._changes[move, hop] > -_LEAST_GAIN:
            return []
        if move == 0:
            low, high = min(k, hop) + 1, max(k, hop) + 1
            return self._replace(low, order[low:high][::-1], [low, high])
        segment = segments[move - 1]
        size = len(segment)
        if hop < k:
            places = np.concatenate([segment, order[hop + 1 : k]])
            return self._replace(hop + 1, places, [hop + 1, hop + 1 + size, k + size])
        places = np.concatenate([order[k + size : hop + 1], segment])
        return self._replace(k, places, [k, hop + 1 - size, hop + 1])

    def _rows(self, position: int) -> tuple[Distances, Distances]:
        """Return the distances from the place in a position to all others, and back."""
        place = self.order[position]
        out = self._out[place].take(self.order)
        if self._is_symmetric:
            return out, out
        return out, self._into[place].take(self.order)

    def _replace(self, low: int, places: Order, cuts: Iterable[int] = ()) -> list[int]:
        """Put other places from a position on; return those on either side of cuts."""
        order = self.order
        high = low + len(places)
        order[low:high] = places
        self._position[order[low:high]] = np.arange(low, high)
        low, high = max(low - 1, 0), min(high, len(order) - 1)
        before, after = order[low:high], order[low + 1 : high + 1]
        self._hops[low:high] = self._out[before, after]
        if not self._is_symmetric:
            self._detours[low:high] = self._into[before, after] - self._hops[low:high]
            np.cumsum(self._detours, out=self._turning[1:])
        sides = (int(order[side]) for cut in cuts for side in (cut - 1, cut))
        return list(dict.fromkeys(sides))
