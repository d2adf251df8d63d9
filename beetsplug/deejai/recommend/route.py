"""Fill the legs of a journey, by number of tracks or by time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import (
    UNLABELLED,
    add_noise,
    hop_similarities,
    query_vector,
)
from beetsplug.deejai.recommend.rules import nearest
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Labels, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Mask, Rules

    Array = npt.NDArray[np.float32]


def arc(start: npt.ArrayLike, end: npt.ArrayLike, *, n: int) -> Array:
    """Place points evenly on the shortest arc between two unit vectors.

    Parameters
    ----------
    start, end
        Unit vectors, shape (d,). Between opposite ones, which no shortest arc joins,
        one of the half circles is taken, always the same.
    n
        How many points.

    Returns
    -------
    ndarray of float32, shape (n, d)
        Unit vectors; point i of 1 to n lies i / (n + 1) of the way along.
    """
    # In float64 a unit vector of float32 is not quite one, and between nearly opposite
    # ends little more than that error is left of the way sideways.
    a, b = (v / (np.sqrt(v @ v) or 1.0) for v in np.asarray([start, end], np.float64))
    cosine = a @ b
    sideways = b - cosine * a
    angle = np.arctan2(np.sqrt(sideways @ sideways), cosine)
    if np.abs(sideways).max() < 1e-6:
        # The axis that start leans to least is never parallel to it.
        axis = np.argmin(np.abs(a))
        sideways = -a[axis] * a
        sideways[axis] += 1.0
    angles = angle * np.arange(1, n + 1)[:, None] / (n + 1)
    return unit(np.cos(angles) * a + np.sin(angles) * unit(sideways))


@dataclass(frozen=True)
class Route:
    """Where a journey leads, and what it may use.

    Attributes
    ----------
    index, waypoints, catalogue, rules, drunk, rng
        As for :func:`~beetsplug.deejai.recommend.journey.journey`.
    candidates
        bool, shape (n_tracks,): the tracks that may be chosen.
    leg_s
        Seconds that each leg may take.
    """

    index: Index
    waypoints: Sequence[Seed]
    catalogue: Catalogue
    rules: Rules
    candidates: Mask
    drunk: float
    rng: np.random.Generator
    leg_s: float = np.inf

    def fill_by_number(self, n: int) -> list[list[int]]:
        """Choose `n` tracks for each leg, or as many as the rules leave.

        Returns
        -------
        list of list of int
            The rows on each leg, in order.
        """
        sizes = [min(n, int(self.candidates.sum()))] * (len(self.waypoints) - 1)
        while True:
            legs = self._attempt(sizes)
            reached = [len(leg) for leg in legs]
            if reached == sizes:
                return legs
            # A shorter leg brings tracks closer, so that all of it is planned again.
            sizes = reached + sizes[len(reached) :]

    def fill_by_time(self) -> list[list[int]]:
        """Choose tracks for each leg until no other one fits into its time.

        As many as are likely to fit are planned together, then one after another is put
        where the hop is widest.

        Returns
        -------
        list of list of int
            The rows on each leg, in order.
        """
        lengths_s = self.catalogue.lengths_s[self.candidates]
        likely = int(self.leg_s / np.median(lengths_s)) if lengths_s.size else 0
        legs = self.fill_by_number(likely)
        unused = self.candidates.copy()
        for row in (row for leg in legs for row in leg):
            self._use(row, unused)
        for number in range(len(legs)):
            while self._insert(legs, number, unused):
                pass
        return legs

    def _attempt(self, sizes: list[int]) -> list[list[int]]:
        """Fill leg after leg, and stop after the first that stays too short."""
        unused = self.candidates.copy()
        starts = np.cumsum([0, *(size + 1 for size in sizes)])
        places = [UNLABELLED] * (int(starts[-1]) + 1)
        for start, waypoint in zip(starts.tolist(), self.waypoints, strict=True):
            places[start] = waypoint.labels
        legs: list[list[int]] = []
        ends = pairwise(unit([waypoint.vector for waypoint in self.waypoints]))
        for size, start, (a, b) in zip(sizes, starts, ends, strict=False):
            points = add_noise(arc(a, b, n=size), drunk=self.drunk, rng=self.rng)
            legs.append(self._fill_leg(points, places, int(start), unused))
            if len(legs[-1]) < size:
                break
        return legs

    def _fill_leg(
        self, points: Array, places: list[Labels], start: int, unused: Mask
    ) -> list[int]:
        """Give each point its nearest track; enter it in `places` and `unused`.

        From both ends to the middle: near the waypoints the rules leave least choice.
        """
        rows: dict[int, int] = {}
        left_s = self.leg_s
        lengths_s = self.catalogue.lengths_s
        shortest_s = float(lengths_s[unused].min(initial=np.inf))
        for slot in sorted(
            range(len(points)), key=lambda slot: min(slot, len(points) - 1 - slot)
        ):
            n_later = len(points) - len(rows) - 1
            reserved_s = n_later * shortest_s if n_later else 0.0
            position = start + 1 + slot
            candidates = self._open(
                unused, left_s - reserved_s, places[:position], places[position + 1 :]
            )
            if not candidates.any():
                break
            row = nearest(self.index.similarities(points[slot]), candidates)
            rows[slot] = row
            places[position] = self.catalogue.labels(row)
            self._use(row, unused)
            left_s -= float(lengths_s[row])
        return [rows[slot] for slot in sorted(rows)]

    def _use(self, row: int, unused: Mask) -> None:
        unused &= ~self.catalogue.versions([self.catalogue.labels(row)])
        unused[row] = False

    def _open(
        self,
        unused: Mask,
        left_s: float,
        before: Sequence[Labels],
        after: Sequence[Labels],
    ) -> Mask:
        """Return the tracks that fit into a time and between those around."""
        candidates = unused & ~self.catalogue.clashing(self.rules, before, after)
        if not np.isinf(left_s):
            candidates &= self.catalogue.lengths_s <= left_s
        return candidates

    def _insert(self, legs: list[list[int]], number: int, unused: Mask) -> bool:
        """Put one more track on a leg, at its widest hop; return whether one fits."""
        leg = legs[number]
        left_s = self.leg_s - float(self.catalogue.lengths_s[leg].sum())
        ends = self.waypoints[number], self.waypoints[number + 1]
        vectors = [ends[0].vector, *self.index.vectors[leg], ends[1].vector]
        places = self._places(legs)
        start = sum(len(before) + 1 for before in legs[:number])
        hops = hop_similarities(vectors, vectors)
        for hop in np.argsort(hops, kind="stable").tolist():
            position = start + 1 + hop
            candidates = self._open(
                unused, left_s, places[:position], places[position:]
            )
            if candidates.any():
                middle = query_vector(vectors[hop : hop + 2])
                middle = add_noise(middle, drunk=self.drunk, rng=self.rng)
                row = nearest(self.index.similarities(middle), candidates)
                leg.insert(hop, row)
                self._use(row, unused)
                return True
        return False

    def _places(self, legs: list[list[int]]) -> list[Labels]:
        """Return the labels of the whole journey, waypoints included."""
        places = [self.waypoints[0].labels]
        for leg, waypoint in zip(legs, self.waypoints[1:], strict=True):
            places += [*(self.catalogue.labels(row) for row in leg), waypoint.labels]
        return places
