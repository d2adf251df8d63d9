"""Regions of the map, and what they are called (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.atlas.hills import find_hills
from beetsplug.deejai.evaluation.overrepresented import overrepresented

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.atlas.hills import Hills
    from beetsplug.deejai.evaluation.overrepresented import Excess, Tag

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]

KINDS = ("genre", "style", "mood", "decade", "artist")
"""Kinds of tags that name regions."""

MOST = 24
"""Names on a map; the smallest regions go without."""

FEWEST_INSIDE = 3
"""Tracks of a region that have the tag which names it."""

LEAST_PART = 0.25
"""Part of a region that has the tag which names it."""

LEAST_ODDS = 3.0
"""Odds of that tag in the region, as a multiple of those elsewhere.

Unlike a multiple of the part, this can be reached by a genre that half of the library
has.
"""

LONGEST = 32
"""Of a name, in characters."""


@dataclass(frozen=True)
class Region:
    """A part of the map that can be called something.

    Attributes
    ----------
    rows
        int64, shape (n,): its tracks, ascending.
    x, y
        Where to write its name: on one of its tracks that have the tag, in their midst.
    excess
        The tag that names it.
    """

    rows: Ints
    x: float
    y: float
    excess: Excess

    @property
    def name(self) -> str:
        """What it is called, in at most :data:`LONGEST` characters."""
        value = self.excess.tag.value
        return value if len(value) <= LONGEST else value[: LONGEST - 1].rstrip() + "…"

    @property
    def evidence(self) -> str:
        """Why it is called so, in numbers."""
        one = self.excess
        outside, n_outside = one.n_tagged - one.n_inside, one.n_all - one.n_group
        return (
            f"{one.tag.kind} of {one.n_inside:,} of {one.n_group:,} tracks here, of "
            + (f"{outside:,} of {n_outside:,}" if outside else "none")
            + " elsewhere"
        )


def find_regions(
    positions: Array, tags: Sequence[Sequence[Tag]], *, most: int = MOST
) -> list[Region]:
    """Find the regions that tags tell from the rest of the map.

    Hills of the map are called by the tag that is most over-represented on them, genre,
    style and mood before decade, and decade before artist. Those that are joined and
    called the same are one region, and so is one too small to be called anything if
    most of its tracks have the tag. As hills were joined by their tags, only a tag that
    was over-represented on one of its hills already can name a region; that it is so in
    the region as a whole is asked as well, but is no test any more.

    Parameters
    ----------
    positions
        Shape (n_tracks, 2).
    tags
        Of each track, of :data:`KINDS`.
    most
        How many; the largest are taken.

    Returns
    -------
    list of Region
        The largest first. No track is in two of them, and many may be in none.
    """
    if not any(tags):
        return []
    hills = find_hills(positions)
    groups = _groups(hills.of_track)
    on_hills = _telling(tags, groups)
    names = [each[0].tag if each else None for each in on_hills]
    _spread(names, hills, groups, tags)
    land_of = _joined(hills, names)
    groups = _groups(land_of[hills.of_track])
    tested: list[set[Tag]] = [set() for _ in groups]
    for land, each in zip(land_of.tolist(), on_hills, strict=True):
        tested[land].update(one.tag for one in each)
    telling = [
        [one for one in each if one.tag in known]
        for each, known in zip(_telling(tags, groups), tested, strict=True)
    ]
    beside = np.zeros((len(groups), len(groups)), dtype=bool)
    a, b = np.nonzero(hills.beside)
    beside[land_of[a], land_of[b]] = True
    regions = []
    for land, excess in _named(groups, telling, beside)[:most]:
        rows = groups[land]
        tagged = rows[[excess.tag in tags[row] for row in rows.tolist()]]
        regions.append(Region(rows, *_middle(positions[tagged]), excess))
    return regions


def _groups(group_of: Ints) -> list[Ints]:
    """Return the rows of each group."""
    order = np.argsort(group_of, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group_of))[:-1])


def _telling(
    tags: Sequence[Sequence[Tag]], groups: Sequence[Ints]
) -> list[list[Excess]]:
    """Return the tags that may name each group, the best first."""
    found = overrepresented(
        tags, [rows.tolist() for rows in groups], min_inside=FEWEST_INSIDE
    )
    return [list(filter(_is_telling, each)) for each in found]


def _is_telling(one: Excess) -> bool:
    others = one.n_group - one.n_inside
    outside = one.n_tagged - one.n_inside
    others_outside = one.n_all - one.n_group - outside
    odds_apart = one.n_inside * others_outside >= LEAST_ODDS * others * outside
    return one.n_inside >= LEAST_PART * one.n_group and odds_apart


def _spread(
    names: list[Tag | None],
    hills: Hills,
    groups: Sequence[Ints],
    tags: Sequence[Sequence[Tag]],
) -> None:
    """Name hills that have no name as one that they are joined with, if it fits.

    It fits if most tracks of the hill have the tag. What is named in this way may name
    others in turn.
    """
    waiting = {place for place, name in enumerate(names) if name is None}
    is_changed = True
    while is_changed:
        is_changed = False
        for hill in sorted(waiting):
            near = {names[other] for other in np.flatnonzero(hills.joined[hill])}
            counts = Counter(
                tag for row in groups[hill] for tag in set(tags[row]) if tag in near
            )
            best = max(counts, key=lambda tag: (counts[tag], tag), default=None)
            if best is not None and 2 * counts[best] > len(groups[hill]):
                names[hill], is_changed = best, True
                waiting.discard(hill)


def _joined(hills: Hills, names: Sequence[Tag | None]) -> Ints:
    """Return the land of each hill: joined hills of one name are one land."""
    land_of = np.arange(len(names))
    for a, b in np.argwhere(np.triu(hills.joined, 1)):
        if names[a] is not None and names[a] == names[b]:
            land_of[land_of == land_of[b]] = land_of[a]
    return np.unique(land_of, return_inverse=True)[1].astype(np.int64)


def _named(
    groups: Sequence[Ints],
    telling: Sequence[Sequence[Excess]],
    beside: npt.NDArray[np.bool_],
) -> list[tuple[int, Excess]]:
    """Choose a name for each group that has any, the largest groups first.

    One beside another of the same name takes the next that is as good a kind, if there
    is one.
    """
    names: dict[int, Excess] = {}
    for land in sorted(range(len(groups)), key=lambda i: (-len(groups[i]), i)):
        if not telling[land]:
            continue
        best = telling[land][0]
        taken = {one.tag.value for other, one in names.items() if beside[land, other]}
        names[land] = next(
            (
                one
                for one in telling[land]
                if one.tag.value not in taken and one.tag.family == best.tag.family
            ),
            best,
        )
    return list(names.items())


def _middle(positions: Array) -> tuple[float, float]:
    """Return the position that is nearest to the mean of all."""
    points = positions.astype(np.float64)
    away = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    x, y = points[away.argmin()].tolist()
    return x, y
