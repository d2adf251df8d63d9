"""Which tags are commoner in a group of tracks than chance would have it (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_Q = 0.05
"""Of the tags that are called over-represented, so large a part may be chance."""


FAMILIES = (
    ("genre", "style", "mood", "grouping", "language"),
    ("decade",),
    ("artist", "album"),
)
"""Kinds of tags by what they tell of a group, those that say most of the sound first:
what music it is, of what time, and whose."""

_FAMILY_OF = {kind: place for place, kinds in enumerate(FAMILIES) for kind in kinds}


@dataclass(frozen=True, order=True)
class Tag:
    """Something that is said of tracks: kind ``genre``, value ``Death Metal``."""

    kind: str
    value: str

    @property
    def family(self) -> int:
        """Its place in :data:`FAMILIES`."""
        return _FAMILY_OF[self.kind]


@dataclass(frozen=True)
class Excess:
    """A tag that a group has more often than the collection.

    Attributes
    ----------
    tag
        The tag.
    n_inside, n_group
        How many of the group's tracks have it, and how many tracks the group has.
    n_tagged, n_all
        The same for the whole collection, the group included.
    q
        Part of chance finds among all of its family that are as telling as this one or
        more (false discovery rate), 0 to 1.
    """

    tag: Tag
    n_inside: int
    n_group: int
    n_tagged: int
    n_all: int
    q: float

    @property
    def lift(self) -> float:
        """How many times as common it is in the group as outside; inf if only there."""
        n_outside = self.n_all - self.n_group
        elsewhere = self.n_tagged - self.n_inside
        if not elsewhere:
            return float("inf")
        return (self.n_inside / self.n_group) / (elsewhere / n_outside)


def overrepresented(
    tags: Sequence[Sequence[Tag]],
    groups: Sequence[Sequence[int]],
    *,
    max_q: float = MAX_Q,
    min_inside: int = 2,
) -> list[list[Excess]]:
    """Find the tags that groups have more often than if they were drawn by lot.

    For each group and each tag, the chance to draw as many tracks with the tag is that
    of the hypergeometric distribution (Fisher's exact test, one-sided). Among so many
    comparisons some look telling by chance alone, so that chances are corrected for all
    groups together (Benjamini and Hochberg, 1995), and for all tags of a family: else
    each of a thousand artists would make the same few genres harder to find (on such
    families of comparisons B. Efron, "Simultaneous inference: When should hypothesis
    testing problems be combined?", 2008). Tracks of one album are not independent of
    each other: a group that is one album is told by its tags, too.

    Parameters
    ----------
    tags
        Of each track of the collection; one that is given twice counts once.
    groups
        Rows of `tags` of each group, each row once.
    max_q
        Highest false discovery rate, 0 to 1.
    min_inside
        Tracks of the group that must have a tag.

    Returns
    -------
    list of list of Excess
        For each group its over-represented tags, family by family in the order of
        :data:`FAMILIES`, in each the most telling first.
    """
    from scipy.stats import false_discovery_control, hypergeom

    n_all = len(tags)
    of_track = [tuple(dict.fromkeys(one)) for one in tags]
    totals = Counter(tag for one in of_track for tag in one)
    # What is rare everywhere cannot be found in any group, whatever the groups are.
    names = sorted(tag for tag, n_tagged in totals.items() if n_tagged >= min_inside)
    column = {tag: number for number, tag in enumerate(names)}
    counts = np.zeros((len(groups), len(names)), dtype=np.int64)
    for number, rows in enumerate(groups):
        for row in rows:
            for tag in of_track[row]:
                if tag in column:
                    counts[number, column[tag]] += 1
    n_tagged = np.array([totals[tag] for tag in names], dtype=np.int64)
    sizes = np.array([len(rows) for rows in groups], dtype=np.int64)
    # By far most groups lack most tags, which surprises nobody.
    chances = np.ones(counts.shape)
    at = np.nonzero(counts)
    # Thousands of artists have as many tracks as each other: each sum is done once.
    sums, which = np.unique(
        np.stack([counts[at], n_tagged[at[1]], sizes[at[0]]]),
        axis=1,
        return_inverse=True,
    )
    chances[at] = hypergeom.sf(sums[0] - 1, n_all, sums[1], sums[2])[which]
    if not chances.size:
        return [[] for _ in groups]
    rates = np.ones(chances.shape)
    families = np.array([tag.family for tag in names])
    for family in np.unique(families):
        columns = families == family
        compared = chances[:, columns].clip(0.0, 1.0)
        corrected = false_discovery_control(compared, axis=None)
        rates[:, columns] = corrected.reshape(compared.shape)
    found: list[list[Excess]] = []
    for number in range(len(groups)):
        telling = (rates[number] <= max_q) & (counts[number] >= min_inside)
        excesses = [
            (
                chances[number, k],
                Excess(
                    names[k],
                    int(counts[number, k]),
                    int(sizes[number]),
                    int(n_tagged[k]),
                    n_all,
                    float(rates[number, k]),
                ),
            )
            for k in np.flatnonzero(telling)
        ]
        excesses.sort(
            key=lambda pair: (pair[1].tag.family, pair[0], -pair[1].lift, pair[1].tag)
        )
        found.append([excess for _, excess in excesses])
    return found
