"""Join the dots: lead from waypoint to waypoint along the sphere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import Pick, hop_similarities
from beetsplug.deejai.recommend.route import Route
from beetsplug.deejai.recommend.rules import (
    check_amount,
    minutes,
    reason_for_end,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.recommend.index import Index, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Mask, Rules


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


def journey(
    index: Index,
    waypoints: Sequence[Seed],
    *,
    catalogue: Catalogue,
    rules: Rules,
    rng: np.random.Generator,
    n: int | None = None,
    length_s: float | None = None,
    drunk: float = 0.0,
) -> Journey:
    """Choose the tracks that lead from each waypoint to the next.

    Each point on the arc between two waypoints takes the nearest track that is still
    unused and keeps the rules with all tracks around it, the waypoints and the other
    legs included.

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
        candidates a leg is shorter, and a notice says so.
    length_s
        Instead of `n`: seconds to fill, the same for each leg; never exceeded.
    drunk
        Noise on each point, 0 (none) to 1 (as loud as the music).

    Raises
    ------
    ValueError
        There are fewer than two waypoints, or an argument is out of range.
    """
    check_amount(n, length_s)
    if len(waypoints) < 2:
        raise ValueError("a journey needs two waypoints")
    candidates = catalogue.candidates(waypoints, timed=length_s is not None)
    leg_s = np.inf if length_s is None else length_s / (len(waypoints) - 1)
    route = Route(index, waypoints, catalogue, rules, candidates, drunk, rng, leg_s)
    legs = route.fill_by_time() if n is None else route.fill_by_number(n)
    unused = candidates.copy()
    for leg in legs:
        unused &= ~catalogue.versions(map(catalogue.labels, leg))
        unused[leg] = False
    return Journey(
        [_picks(index, waypoints[i], leg) for i, leg in enumerate(legs)],
        _notices(legs, unused, catalogue, rules, n, leg_s),
    )


def _picks(index: Index, waypoint: Seed, rows: list[int]) -> list[Pick]:
    hops = hop_similarities(
        [waypoint.departure, *index.departures[rows]],
        [waypoint.arrival, *index.arrivals[rows]],
    )
    return [Pick(row, float(hop)) for row, hop in zip(rows, hops, strict=True)]


def _notices(
    legs: list[list[int]],
    unused: Mask,
    catalogue: Catalogue,
    rules: Rules,
    n: int | None,
    leg_s: float,
) -> list[str]:
    notices = []
    for number, rows in enumerate(legs, start=1):
        where = f"between waypoints {number} and {number + 1}"
        filled_s = float(catalogue.lengths_s[rows].sum())
        fitting = unused & (catalogue.lengths_s <= leg_s - filled_s)
        if n is not None and len(rows) < n:
            reason = reason_for_end(unused, rules)
            notices.append(f"{len(rows)} of {n} tracks {where}: {reason}")
        elif n is None and (not unused.any() or fitting.any()):
            reason = reason_for_end(fitting, rules)
            notices.append(f"{minutes(filled_s, leg_s)} {where}: {reason}")
    return notices
