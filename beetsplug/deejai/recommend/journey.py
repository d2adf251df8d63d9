"""Join the dots: lead from waypoint to waypoint along the sphere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import Pick, hop_similarities
from beetsplug.deejai.recommend.planning.route import Route, fill_by_number
from beetsplug.deejai.recommend.planning.terrain import Terrain
from beetsplug.deejai.recommend.planning.time_filling import (
    fill_by_time,
    fitting,
    played_s,
)
from beetsplug.deejai.recommend.rules import check_amount, minutes, reason_for_end
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beetsplug.deejai.recommend.index import Index, Seed
    from beetsplug.deejai.recommend.planning.route import Legs
    from beetsplug.deejai.recommend.rules import Catalogue, Rules


@dataclass(frozen=True)
class Journey:
    """A journey without its waypoints.

    Attributes
    ----------
    legs
        The tracks between each two waypoints, in order, with their similarity to the
        track (or waypoint) before.
    notices
        Why there are fewer than asked for, in the user's terms; empty when there are
        not.
    """

    legs: list[list[Pick]]
    notices: list[str]


@dataclass(frozen=True)
class Stop:
    """A track of a journey, a waypoint or one between two.

    Attributes
    ----------
    row
        Its row in the index; None for a waypoint.
    waypoint
        Its number among the waypoints; None for a track between them.
    similarity
        Cosine similarity to the stop before, -1 to 1; None for the first.
    """

    row: int | None
    waypoint: int | None
    similarity: float | None


def stops(
    index: Index, waypoints: Sequence[Seed], legs: Sequence[Sequence[Pick]]
) -> list[Stop]:
    """Put the waypoints of a journey in place.

    Parameters
    ----------
    index, waypoints
        What :func:`journey` was given.
    legs
        What it returned.
    """
    found = [Stop(None, 0, None)]
    before = waypoints[0].departure
    for number, (waypoint, leg) in enumerate(
        zip(waypoints[1:], legs, strict=True), start=1
    ):
        found += [Stop(pick.row, None, pick.similarity) for pick in leg]
        if leg:
            before = index.departures[leg[-1].row]
        hop = float(hop_similarities([before, before], [before, waypoint.arrival])[0])
        found.append(Stop(None, number, hop))
        before = waypoint.departure
    return found


def journey(
    index: Index,
    waypoints: Sequence[Seed],
    *,
    catalogue: Catalogue,
    rules: Rules,
    rng: np.random.Generator,
    n: int | None = None,
    length_s: float | None = None,
    overlap_s: float = 0.0,
    drunk: float = 0.0,
) -> Journey:
    """Choose the tracks that lead from each waypoint to the next.

    All tracks of a leg are planned together, so that no hop is much wider than it has
    to be and each track is near its point on the arc between the two waypoints, of
    which there are as many as tracks, evenly spaced. The whole journey keeps the rules,
    the waypoints included, though what they break among themselves is not mended.

    Parameters
    ----------
    index
        The library.
    waypoints
        At least two, in order; they are not chosen again.
    catalogue
        Artists, lengths, and which tracks are allowed.
    rules
        What the whole journey keeps, over all legs.
    rng
        Source of the noise. The same state gives the same journey.
    n
        How many tracks stand between each two waypoints. Where the rules leave too few
        candidates legs are shorter, and notices say so.
    length_s
        Instead of `n`: seconds to fill, never exceeded. What counts is the time between
        the waypoints, from the end of each to the start of the next, and each leg gets
        the same part of it.
    overlap_s
        Seconds by which neighbours overlap where the journey is rendered as a mix, so
        that each of the n + 1 hops of a leg shortens its time by so much (by a third of
        the shorter track, when that is less); 0 where tracks play one after another.
    drunk
        Noise on each point, 0 (none) to 1 (as loud as the music). The more there is,
        the more the points count against the smoothness of the way.

    Raises
    ------
    ValueError
        There are fewer than two waypoints, or an argument is out of range.
    """
    check_amount(n, length_s)
    if len(waypoints) < 2:
        raise ValueError("a journey needs two waypoints")
    if overlap_s < 0.0:
        raise ValueError("tracks cannot overlap by a negative time")
    terrain = Terrain(index, catalogue, rules, Clock(catalogue.lengths_s, overlap_s))
    candidates = catalogue.candidates(waypoints, timed=length_s is not None)
    route = Route(terrain, waypoints, candidates, drunk, rng)
    if n is not None:
        legs = fill_by_number(route, n)
        notices = _notices_by_number(route, legs, n)
    else:
        leg_s = (length_s or 0.0) / route.n_legs
        legs = fill_by_time(route, leg_s)
        notices = _notices_by_time(route, legs, leg_s)
    picks = [_picks(index, waypoints[i], rows) for i, rows in enumerate(legs)]
    return Journey(picks, list(notices))


def _picks(index: Index, waypoint: Seed, rows: list[int]) -> list[Pick]:
    hops = hop_similarities(
        [waypoint.departure, *index.departures[rows]],
        [waypoint.arrival, *index.arrivals[rows]],
    )
    return [Pick(row, float(hop)) for row, hop in zip(rows, hops, strict=True)]


def _notices_by_number(route: Route, legs: Legs, n: int) -> Iterator[str]:
    reason = reason_for_end(route.unused(legs), route.terrain.rules)
    for number, rows in enumerate(legs):
        if len(rows) < n:
            yield f"{len(rows)} of {n} tracks {_between(number)}: {reason}"


def _notices_by_time(route: Route, legs: Legs, leg_s: float) -> Iterator[str]:
    """Tell of the legs on which something is missing rather than too long."""
    is_all_used = not route.unused(legs).any()
    for number in range(len(legs)):
        fits = np.any(fitting(route, legs, number, leg_s), axis=0)
        if is_all_used or fits.any():
            filled = minutes(max(0.0, played_s(route, legs, number)), leg_s)
            reason = reason_for_end(fits, route.terrain.rules)
            yield f"{filled} {_between(number)}: {reason}"


def _between(number: int) -> str:
    return f"between waypoints {number + 1} and {number + 2}"
