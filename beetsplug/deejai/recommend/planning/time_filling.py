"""The legs of a journey one after the other, each as long as a given time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import add_noise, hop_similarities, query_vector
from beetsplug.deejai.recommend.planning.leg import Window, plan_leg
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from beetsplug.deejai.recommend.planning.route import Legs, Route
    from beetsplug.deejai.recommend.rules import Mask


def fill_by_time(route: Route, leg_s: float) -> list[list[int]]:
    """Choose tracks for each leg until no other one fits into its time.

    As many as are likely to fit are planned together, so that they fill it. What is
    left, in the worst case all of it, is filled by putting one track after another
    where the hop is widest.

    Parameters
    ----------
    route
        The journey.
    leg_s
        Seconds that each leg may take.

    Returns
    -------
    list of list of int
        The rows on each leg, in order.
    """
    legs: list[list[int]] = []
    for _ in range(route.n_legs):
        legs.append(_plan(route, legs, leg_s))
    is_longer = True
    while is_longer:
        is_longer = False
        # By turns, so that no leg takes all that is left.
        for number in range(route.n_legs):
            is_longer |= _put_in(route, legs, number, leg_s)
    return legs


def played_s(route: Route, legs: Legs, number: int) -> float:
    """Return how long a leg takes, in seconds."""
    clock = route.terrain.clock
    ends = route.waypoints[number : number + 2]
    before_s, after_s = (clock.overlap_of(waypoint.row) for waypoint in ends)
    return clock.played_s(legs[number], before_s, after_s)


def fitting(route: Route, legs: Legs, number: int, leg_s: float) -> list[Mask]:
    """Return which unused tracks fit into the time that is left, rules aside.

    Returns
    -------
    list of ndarray of bool, shape (n_tracks,)
        For each hop of the leg.
    """
    clock = route.terrain.clock
    left_s = leg_s - played_s(route, legs, number)
    unused = route.unused(legs)
    start, end = route.waypoints[number : number + 2]
    overlaps_s = [
        clock.overlap_of(start.row),
        *clock.overlaps_s[list(legs[number])].tolist(),
        clock.overlap_of(end.row),
    ]
    return [
        unused & (clock.added_s(before_s, after_s) <= left_s)
        for before_s, after_s in pairwise(overlaps_s)
    ]


def _plan(route: Route, legs: Legs, leg_s: float) -> list[int]:
    """Plan the next leg to last as long as it may."""
    clock = route.terrain.clock
    unused = route.unused(legs)
    added_s = (clock.lengths_s - clock.overlaps_s)[unused]
    if not added_s.size:
        return []
    likely = round(leg_s / float(np.median(added_s)))
    likely = min(likely, route.share(likely * route.n_legs)[len(legs)])
    filled = Window(leg_s - float(added_s.min()), leg_s)
    within = Window(-np.inf, leg_s)
    attempts = [(size, filled) for size in (likely, likely + 1, likely - 1)]
    attempts += [(likely - 1, within), (likely // 2, within)]
    # How far the legs after this one will reach is not known: they might stay empty.
    later = [0] * (route.n_legs - len(legs) - 1)
    for size, window in attempts:
        if size > 0:
            leg = route.leg(legs, size, later)
            rows = plan_leg(route.terrain, leg, unused, window)
            if rows is not None:
                return rows
    return []


def _put_in(route: Route, legs: list[list[int]], number: int, leg_s: float) -> bool:
    """Put one more track on a leg, at its widest hop; return whether one fits."""
    candidates = fitting(route, legs, number, leg_s)
    if not any(mask.any() for mask in candidates):
        return False
    leg, terrain = legs[number], route.terrain
    index = terrain.index
    start, end = route.waypoints[number : number + 2]
    vectors = [start.vector, *index.vectors[leg], end.vector]
    departures = [start.departure, *index.departures[leg], end.departure]
    arrivals = [start.arrival, *index.arrivals[leg], end.arrival]
    hops = hop_similarities(departures, arrivals)
    places = route.places([*legs, *[[]] * (route.n_legs - len(legs))])
    first = len(route.places(legs[:number]))
    for hop in np.argsort(hops, kind="stable").tolist():
        before, after = places[: first + hop], places[first + hop :]
        mask = candidates[hop] & ~terrain.catalogue.clashing(
            terrain.rules, before, after
        )
        if mask.any():
            middle = query_vector(vectors[hop : hop + 2])
            middle = add_noise(middle, drunk=route.drunk, rng=route.rng)
            rows = np.flatnonzero(mask)
            worst = np.minimum(
                index.arrivals[rows] @ unit(departures[hop]),
                index.departures[rows] @ unit(arrivals[hop + 1]),
            )
            closeness = worst + index.vectors[rows] @ middle
            leg.insert(hop, int(rows[np.argmax(closeness)]))
            return True
    return False
