"""Find an order that keeps the gaps, where artists or albums are few.

The beam search of a leg looks ahead for music, not for gaps: where artists are few, all
its beginnings may end where none of them is allowed. Here only the gaps count, and
tracks of the same artist and album are alike.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.planning.spacing_search import Pool, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.recommend.index import Labels
    from beetsplug.deejai.recommend.planning.terrain import Terrain
    from beetsplug.deejai.recommend.rules import Mask

MAX_STEPS = 20_000
"""About how many tracks are tried in a place before a journey is made shorter."""


def arrange(
    terrain: Terrain,
    candidates: Mask,
    given: Sequence[Labels],
    sizes: Sequence[int],
    *,
    n: int,
) -> list[list[int]]:
    """Fill the legs of a journey with any tracks that keep the rules.

    Where that is impossible, or is not found in :data:`MAX_STEPS`, legs are shorter;
    what one of them has no place for may make another one longer.

    Parameters
    ----------
    terrain
        The library.
    candidates
        bool, shape (n_tracks,): the tracks that may be chosen.
    given
        Labels of the waypoints.
    sizes
        How many tracks are wanted on each leg: one size less than waypoints.
    n
        How many tracks a leg may have at most.

    Returns
    -------
    list of list of int
        Rows of each leg, in order.
    """
    pool = Pool(terrain, np.flatnonzero(candidates))
    waypoints = [terrain.spaced_codes(labels) for labels in given]
    reached, n_steps = list(sizes), 0

    def attempt(search: Search) -> list[int] | None:
        # With a part of the steps, so that some are left for shorter journeys.
        nonlocal n_steps
        n_places = len(search.places)
        rows = search.run(max((MAX_STEPS - n_steps) // 4, 2 * n_places))
        n_steps += search.n_steps
        return rows

    rows = None
    while rows is None:
        search = Search(pool, waypoints, reached)
        if (bounded := search.bounded()) != reached:
            reached = bounded
        elif (rows := attempt(search)) is None:
            reached[search.deepest_leg] -= 1
    for number in range(len(reached)):
        while reached[number] < n:
            longer = [*reached[:number], reached[number] + 1, *reached[number + 1 :]]
            search = Search(pool, waypoints, longer)
            if search.bounded() != longer or (found := attempt(search)) is None:
                break
            reached, rows = longer, found
    ends = accumulate(reached, initial=0)
    return [rows[start:end] for start, end in pairwise(ends)]
