"""Depth-first search for an order of tracks that keeps the gaps."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from beetsplug.deejai.recommend.planning.spacing_kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.planning.terrain import Terrain

    Ints = npt.NDArray[np.intp]


class _Piece(NamedTuple):
    """A recording.

    Attributes
    ----------
    groups
        The groups in which it has a version.
    codes
        For each kind, the positions of their codes.
    """

    groups: list[int]
    codes: list[Ints]


class Pool:
    """Candidates, in groups of those that the rules cannot tell apart.

    Attributes
    ----------
    kinds
        For each kind of code that is spaced out: the codes that occur, and the gap.
    groups
        shape (n_kinds, n_groups): each group's position among the codes of a kind.
    pieces
        The pieces that there are, by code.
    rows
        For each group, its pieces' codes, each with a row.
    """

    def __init__(self, terrain: Terrain, rows: Ints) -> None:
        found = [
            (*np.unique(codes[rows], return_inverse=True), gap)
            for codes, gap in terrain.spaced
        ]
        self.kinds = [(codes, gap) for codes, _, gap in found]
        columns = [*(of_all for _, of_all, _ in found), terrain.pieces(rows), rows]
        members: dict[tuple[int, ...], dict[int, int]] = {}
        for *group, piece, row in np.column_stack(columns).tolist():
            members.setdefault(tuple(group), {}).setdefault(piece, row)
        groups = np.array(list(members), dtype=np.intp)
        self.groups = groups.reshape(len(members), len(found)).T
        groups_of: dict[int, list[int]] = {}
        for number, versions in enumerate(members.values()):
            for piece in versions:
                groups_of.setdefault(piece, []).append(number)
        self.pieces = {
            piece: _Piece(numbers, [np.unique(of[numbers]) for of in self.groups])
            for piece, numbers in groups_of.items()
        }
        # What other groups have too is taken last.
        self.rows = [
            sorted(versions.items(), key=lambda one: len(groups_of[one[0]]))
            for versions in members.values()
        ]


class Search:
    """Search for an order of tracks on the legs of a journey.

    Parameters
    ----------
    pool
        The tracks.
    given
        Codes of the waypoints, of the pool's kinds.
    sizes
        How many places each leg has.

    Attributes
    ----------
    places
        Where tracks are to be put, counted from the first waypoint.
    n_steps
        How many tracks have been tried.
    """

    def __init__(
        self, pool: Pool, given: Sequence[Sequence[int]], sizes: Sequence[int]
    ) -> None:
        waypoints = list(accumulate((size + 1 for size in sizes), initial=0))
        self._legs = [
            range(start + 1, start + 1 + size)
            for start, size in zip(waypoints, sizes, strict=False)
        ]
        self.places = [place for leg in self._legs for place in leg]
        self.n_steps = 0
        self._n_deepest = 0
        self._pool = pool
        self._left = np.array([len(versions) for versions in pool.rows], dtype=np.intp)
        self._kinds = [
            Kind(codes, gap, [codes_of[number] for codes_of in given], waypoints)
            for number, (codes, gap) in enumerate(pool.kinds)
        ]
        for piece in pool.pieces.values():
            for kind, codes in zip(self._kinds, piece.codes, strict=True):
                kind.left[codes] += 1
        self._rows: list[int] = []
        self._undo: list[tuple[int, int, list[int]]] = []
        self._used: set[int] = set()

    @property
    def deepest_leg(self) -> int:
        """The leg in which the search got stuck."""
        place = self.places[min(self._n_deepest, len(self.places) - 1)]
        return next(number for number, leg in enumerate(self._legs) if place in leg)

    def bounded(self) -> list[int]:
        """Return the sizes of the legs, less what certainly is too much.

        No code can come more often than the gap lets it, on each leg and on all.
        """
        sizes = [
            min([len(leg), *(int(kind.most(leg).sum()) for kind in self._kinds)])
            for leg in self._legs
        ]
        most = [int(kind.most_from(0).sum()) for kind in self._kinds]
        for _ in range(sum(sizes) - min([len(self._pool.pieces), *most])):
            longest = max(range(len(sizes)), key=lambda number: sizes[number])
            sizes[longest] -= 1
        return sizes

    def run(self, max_steps: int) -> list[int] | None:
        """Return rows for all places; None if no order is found in so many steps."""
        if not self.places:
            return []
        failed = set()
        stack = [(self._state(), self._choices())]
        while stack:
            for group in stack[-1][1]:
                self.n_steps += 1
                self._put(group)
                self._n_deepest = max(self._n_deepest, len(self._rows))
                if len(self._rows) == len(self.places):
                    return self._rows
                if self.n_steps == max_steps:
                    return None
                if self._may_suffice() and (state := self._state()) not in failed:
                    stack.append((state, self._choices()))
                    break
                self._take_back()
            else:
                failed.add(stack.pop()[0])
                if stack:
                    self._take_back()
        return None

    def _may_suffice(self) -> bool:
        """Tell whether what is left may fill the places that are left."""
        place = self.places[len(self._rows)]
        n_left = len(self.places) - len(self._rows)
        return all(kind.most_from(place).sum() >= n_left for kind in self._kinds)

    def _state(self) -> tuple[object, ...]:
        """Return what decides whether the places that are left can be filled."""
        place = self.places[len(self._rows)]
        waits = [np.maximum(kind.free_from - place, 0) for kind in self._kinds]
        return place, self._left.tobytes(), *(wait.tobytes() for wait in waits)

    def _choices(self) -> Iterator[int]:
        """Return the groups that may come next: first those with most to get rid of."""
        place = self.places[len(self._rows)]
        is_open = self._left > 0
        urgency = np.zeros(self._left.size, dtype=np.intp)
        for kind, of_groups in zip(self._kinds, self._pool.groups, strict=True):
            is_open &= kind.is_open(place)[of_groups]
            urgency += kind.most_from(place)[of_groups]
        order = np.argsort(-urgency, kind="stable")
        return iter(order[is_open[order]].tolist())

    def _put(self, group: int) -> None:
        place = self.places[len(self._rows)]
        piece, row = next(
            one for one in self._pool.rows[group] if one[0] not in self._used
        )
        self._rows.append(row)
        self._used.add(piece)
        self._count(piece, -1)
        free_from = []
        for kind, of_groups in zip(self._kinds, self._pool.groups, strict=True):
            free_from.append(int(kind.free_from[of_groups[group]]))
            kind.free_from[of_groups[group]] = place + kind.gap + 1
        self._undo.append((group, piece, free_from))

    def _take_back(self) -> None:
        group, piece, free_from = self._undo.pop()
        self._rows.pop()
        self._used.remove(piece)
        self._count(piece, 1)
        for kind, of_groups, before in zip(
            self._kinds, self._pool.groups, free_from, strict=True
        ):
            kind.free_from[of_groups[group]] = before

    def _count(self, code: int, change: int) -> None:
        piece = self._pool.pieces[code]
        self._left[piece.groups] += change
        for kind, codes in zip(self._kinds, piece.codes, strict=True):
            kind.left[codes] += change
