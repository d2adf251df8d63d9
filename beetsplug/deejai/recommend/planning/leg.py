"""One leg of a journey: what it leads through, and the plan of its tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beetsplug.deejai.recommend.index import UNLABELLED
from beetsplug.deejai.recommend.planning.beam import find_path
from beetsplug.deejai.recommend.planning.shortlist import shortlist
from beetsplug.deejai.recommend.rules import last, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Labels
    from beetsplug.deejai.recommend.planning.terrain import Terrain
    from beetsplug.deejai.recommend.rules import Mask

    Array = npt.NDArray[np.float32]

MAX_SLOTS = 32
"""Longer legs are planned in parts."""


@dataclass(frozen=True)
class Window:
    """How long a leg may play: from `low_s` to `high_s` seconds."""

    low_s: float
    high_s: float


@dataclass(frozen=True)
class Leg:
    """What lies between two tracks that are given.

    Attributes
    ----------
    departure, arrival
        What the first and the last track of the leg are compared with, shape (d,).
    points
        Unit vectors on the way, shape (n, d): one slot each.
    before, after
        The labels of the journey's other tracks on either side, in order, as far as
        they are known. The given ones are among them.
    drunk
        From 0 to 1: how much the points count beyond their share. They have noise, and
        in a library where the smoothest way is far smoother than any other, the same
        tracks would be chosen whatever the noise.
    overlap_before_s, overlap_after_s
        The longest overlaps of the given tracks.
    kinds
        One slot after the other, whose artist and album its track has to have, as far
        as the rules ask for them; None leaves that open.
    """

    departure: Array
    arrival: Array
    points: Array
    before: Sequence[Labels]
    after: Sequence[Labels]
    drunk: float = 0.0
    overlap_before_s: float = 0.0
    overlap_after_s: float = 0.0
    kinds: Sequence[Labels] | None = None

    def __len__(self) -> int:
        return len(self.points)


def plan_leg(
    terrain: Terrain, leg: Leg, unused: Mask, window: Window | None = None
) -> list[int] | None:
    """Choose a track for each slot: a small worst hop, near the points.

    Parameters
    ----------
    terrain
        The library.
    leg
        Where to go.
    unused
        bool, shape (n_tracks,): the tracks that may be chosen.
    window
        How long the leg has to play; None for any time.

    Returns
    -------
    list of int or None
        Rows, in order. None: no way that keeps the rules was found.
    """
    if len(leg) == 0:
        return []
    if len(leg) > MAX_SLOTS:
        return _plan_in_parts(terrain, leg, unused, window)
    free = [_free(terrain, leg, slot, unused) for slot in range(len(leg))]
    slots = shortlist(terrain, leg.points, free)
    return find_path(terrain, leg, slots, window)


def _plan_in_parts(
    terrain: Terrain, leg: Leg, unused: Mask, window: Window | None
) -> list[int] | None:
    """Choose the track in the middle, then plan the way there and the way on."""
    n, middle = len(leg), len(leg) // 2
    candidates = _free(terrain, leg, middle, unused)
    if not candidates.any():
        return None
    index, clock = terrain.index, terrain.clock
    row = nearest(index.similarities(leg.points[middle]), candidates)
    labels = terrain.catalogue.labels(row)
    unused = terrain.catalogue.without([row], unused)
    there = replace(
        leg,
        arrival=index.arrivals[row],
        points=leg.points[:middle],
        after=[labels, *[UNLABELLED] * (n - 1 - middle), *leg.after],
        overlap_after_s=clock.overlap_of(row),
        kinds=leg.kinds and leg.kinds[:middle],
    )
    rows = plan_leg(terrain, there, unused, window and _beginning(window, middle, n))
    if rows is None:
        return None
    unused = terrain.catalogue.without(rows, unused)
    rows.append(row)
    on = replace(
        leg,
        departure=index.departures[row],
        points=leg.points[middle + 1 :],
        before=[*leg.before, *map(terrain.catalogue.labels, rows)],
        overlap_before_s=clock.overlap_of(row),
        kinds=leg.kinds and leg.kinds[middle + 1 :],
    )
    if window:
        played_s = clock.played_s(rows, leg.overlap_before_s, 0.0)
        window = Window(window.low_s - played_s, window.high_s - played_s)
    rest = plan_leg(terrain, on, unused, window)
    return None if rest is None else rows + rest


def _beginning(window: Window, n_slots: int, n_all: int) -> Window:
    """Return the time for the first slots, give or take half a slot's."""
    slot_s = window.high_s / n_all
    low_s = min(window.low_s, (n_slots - 0.5) * slot_s)
    return Window(low_s, (n_slots + 0.5) * slot_s)


def _free(terrain: Terrain, leg: Leg, slot: int, unused: Mask) -> Mask:
    """Return which tracks keep the rules in a slot while the others are empty."""
    catalogue, rules = terrain.catalogue, terrain.rules
    mask = unused & ~catalogue.clashing(
        rules,
        [*last(leg.before, terrain.longest_gap), *[UNLABELLED] * slot],
        [*[UNLABELLED] * (len(leg) - 1 - slot), *leg.after],
    )
    if leg.kinds is not None:
        if rules.artist_gap:
            mask &= catalogue.artists == leg.kinds[slot].artist
        if rules.album_gap:
            mask &= catalogue.albums == leg.kinds[slot].album
    return mask
