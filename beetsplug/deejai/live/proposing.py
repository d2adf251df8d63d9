"""What could be played next, from what is heard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from beetsplug.deejai.recommend.rules import UNRULED
from beetsplug.deejai.recommend.similar import similar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Pick, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Rules


def propose(
    index: Index,
    catalogue: Catalogue,
    direction: npt.NDArray[np.float32],
    *,
    n: int,
    rules: Rules = UNRULED,
    played: Sequence[Seed] = (),
) -> list[Pick]:
    """Find the tracks whose beginnings are most like what is heard, nearest first.

    Parameters
    ----------
    index
        The library, with the beginnings of its tracks.
    catalogue
        Which tracks are allowed, and what the rules ask about them.
    direction
        What is heard: unit vector, shape (d,).
    n
        How many tracks; each could come next, so they keep no gaps among themselves.
    rules
        The gaps to what was played.
    played
        Oldest first. Neither these are proposed nor versions of them.
    """
    clashing = catalogue.clashing(rules, [seed.labels for seed in played])
    return similar(
        index,
        direction,
        catalogue=replace(catalogue, allowed=catalogue.allowed & ~clashing),
        rules=UNRULED,
        excluded=played,
        n=n,
    )


class Choices:
    """What was proposed first, in order, as a playlist keeps it.

    Between two pieces of music a track may be first for a moment; one is chosen when it
    is first twice in a row.

    Parameters
    ----------
    catalogue, rules
        What the list keeps: each recording once, and the gaps.
    """

    def __init__(self, catalogue: Catalogue, rules: Rules) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._first: Pick | None = None
        self._chosen: list[Pick] = []

    def consider(self, first: Pick) -> None:
        """Take note of a first proposal, and choose it if it stays."""
        stays = self._first is not None and self._first.row == first.row
        self._first = first
        if stays and self._fits(first):
            self._chosen.append(first)

    def _fits(self, pick: Pick) -> bool:
        rows = [chosen.row for chosen in self._chosen]
        left = self._catalogue.without(rows, self._catalogue.allowed)
        left &= ~self._catalogue.clashing(
            self._rules, [self._catalogue.labels(row) for row in rows]
        )
        return bool(left[pick.row])

    @property
    def picks(self) -> list[Pick]:
        """What was chosen; where nothing stayed first, what was first at last."""
        return self._chosen or [pick for pick in (self._first,) if pick is not None]
