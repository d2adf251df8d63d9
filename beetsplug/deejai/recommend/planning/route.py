"""The legs of a journey one after the other, each of so many tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNLABELLED, add_noise
from beetsplug.deejai.recommend.planning.arc import arc
from beetsplug.deejai.recommend.planning.leg import Leg, plan_leg
from beetsplug.deejai.recommend.planning.spacing import arrange
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.recommend.index import Labels, Seed
    from beetsplug.deejai.recommend.planning.terrain import Terrain
    from beetsplug.deejai.recommend.rules import Mask

    Legs = Sequence[Sequence[int]]


PLENTY = 10
"""So many times as many candidates as places are thought to be enough recordings."""


@dataclass(frozen=True)
class Route:
    """Where a journey leads, and what it may use.

    Attributes
    ----------
    terrain
        The library.
    waypoints
        At least two.
    candidates
        bool, shape (n_tracks,): the tracks that may be chosen.
    drunk, rng
        As for :func:`~beetsplug.deejai.recommend.journey.journey`.
    """

    terrain: Terrain
    waypoints: Sequence[Seed]
    candidates: Mask
    drunk: float
    rng: np.random.Generator

    @property
    def n_legs(self) -> int:
        """How many legs there are."""
        return len(self.waypoints) - 1

    def unused(self, legs: Legs) -> Mask:
        """Return the candidates that are left when some legs are filled."""
        return self.terrain.catalogue.without(
            (row for leg in legs for row in leg), self.candidates
        )

    def share(self, n_all: int) -> list[int]:
        """Divide a number of tracks evenly among the legs, as far as there are any."""
        rows = np.flatnonzero(self.candidates)
        n_pieces = rows.size
        # To tell versions from each other takes its time. Where there is plenty of
        # music, one recording for each place is taken for granted.
        if n_pieces < PLENTY * n_all:
            n_pieces = np.unique(self.terrain.pieces(rows)).size
        left = min(n_all, n_pieces)
        sizes = []
        for n_legs in range(self.n_legs, 0, -1):
            sizes.append(-(-left // n_legs))
            left -= sizes[-1]
        return sizes

    def leg(self, legs: Legs, size: int, later_sizes: Sequence[int]) -> Leg:
        """Describe the leg after those that are filled.

        Parameters
        ----------
        legs
            The rows of the legs before.
        size
            How many slots it has.
        later_sizes
            How many tracks will be on each of the legs after it.
        """
        number = len(legs)
        start, end = self.waypoints[number], self.waypoints[number + 1]
        after = [end.labels]
        for later, waypoint in zip(
            later_sizes, self.waypoints[number + 2 :], strict=True
        ):
            after += [*[UNLABELLED] * later, waypoint.labels]
        clock = self.terrain.clock
        points = arc(*unit([start.vector, end.vector]), n=size)
        return Leg(
            departure=unit(start.departure),
            arrival=unit(end.arrival),
            points=add_noise(points, drunk=self.drunk, rng=self.rng),
            before=self.places(legs),
            after=after,
            drunk=self.drunk,
            overlap_before_s=clock.overlap_of(start.row),
            overlap_after_s=clock.overlap_of(end.row),
        )

    def places(self, legs: Legs) -> list[Labels]:
        """Return the labels of the journey as far as the waypoint after some legs."""
        places = [self.waypoints[0].labels]
        for rows, waypoint in zip(legs, self.waypoints[1:], strict=False):
            places += [*map(self.terrain.catalogue.labels, rows), waypoint.labels]
        return places


def fill_by_number(route: Route, n: int) -> list[list[int]]:
    """Choose `n` tracks for each leg, or as many as the rules leave.

    Returns
    -------
    list of list of int
        The rows on each leg, in order.
    """
    sizes = route.share(n * route.n_legs)
    legs = _plan(route, sizes)
    if legs is not None:
        return legs
    # There may be a way between the gaps although the beam found none.
    given = [waypoint.labels for waypoint in route.waypoints]
    arranged = arrange(route.terrain, route.candidates, given, sizes, n=n)
    reached = [len(rows) for rows in arranged]
    legs = _plan(route, reached) if reached != sizes else None
    return legs or _plan(route, reached, arranged) or arranged


def _plan(
    route: Route, sizes: Sequence[int], arranged: Legs | None = None
) -> list[list[int]] | None:
    """Plan leg after leg; None when one of them fails.

    Parameters
    ----------
    route
        The journey.
    sizes
        How many tracks each leg gets.
    arranged
        Rows whose order of artists and albums is kept; None leaves it open.
    """
    legs: list[list[int]] = []
    for number, size in enumerate(sizes):
        leg = route.leg(legs, size, sizes[number + 1 :])
        if arranged is not None:
            labels = map(route.terrain.catalogue.labels, arranged[number])
            leg = replace(leg, kinds=list(labels))
        rows = plan_leg(route.terrain, leg, route.unused(legs))
        if rows is None:
            return None
        legs.append(rows)
    return legs
