"""Beam search for the tracks of a leg."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.planning.leg import Leg, Window
    from beetsplug.deejai.recommend.planning.terrain import Terrain

    Array = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.intp]
    Scores = npt.NDArray[np.floating]

WIDTH, TIMED_WIDTH = 64, 256
"""How many beginnings of a leg are pursued: more if it has a time to fill, too."""

MAX_PER_TRACK = 8
"""How many of them may end with the same track, so that they do not die together."""

QUARTILES = (0.25, 0.75)
"""Between these of its candidates' lengths that of a track that is to come is sought.

A beginning that relies on longer or shorter ones would leave little choice to the end.
"""


class _Beam(NamedTuple):
    """Beginnings of a leg, one in each row.

    Attributes
    ----------
    rows
        Their tracks, shape (n, n_slots_filled).
    last
        The last one's position among the candidates of its slot, shape (n,); 0 before
        the first slot.
    used
        Which pieces they have used, shape (n, n_pieces).
    worst
        The cosine distance of their widest hop, shape (n,).
    off
        The sum of their cosine distances from the points, shape (n,).
    played_s
        Seconds until their last track ends, shape (n,).
    """

    rows: Rows
    last: Rows
    used: npt.NDArray[np.bool_]
    worst: Scores
    off: Scores
    played_s: Scores


def find_path(
    terrain: Terrain, leg: Leg, slots: Sequence[Rows], window: Window | None
) -> list[int] | None:
    """Choose one of its candidates for each slot.

    What is made small is the worst hop plus the mean distance from the points (and the
    sum of these as far as the leg is drunk), in cosine distance. Each step keeps the
    beginnings that promise most: by their own worst hop, and by the least worst hop
    that can follow, which dynamic programming finds beforehand (without regard to the
    tracks used by then).

    Parameters
    ----------
    terrain, leg, window
        As for :func:`~beetsplug.deejai.recommend.planning.leg.plan_leg`.
    slots
        Rows of the candidates for each slot, of which there is at least one.

    Returns
    -------
    list of int or None
        Rows, in order. None: every beginning that was kept ended where no candidate
        keeps the rules.
    """
    hops = _hops(terrain, leg, slots)
    ahead = _worst_ahead(hops)
    bounds_s = _bounds_s(terrain, leg, slots, window)
    pieces, ids = np.unique(terrain.pieces(np.concatenate(slots)), return_inverse=True)
    piece_ids = np.split(ids, np.cumsum([len(rows) for rows in slots])[:-1])
    beam = _Beam(
        rows=np.empty((1, 0), dtype=np.intp),
        last=np.zeros(1, dtype=np.intp),
        used=np.zeros((1, pieces.size), dtype=np.bool_),
        worst=np.full(1, -np.inf, dtype=np.float32),
        off=np.zeros(1, dtype=np.float32),
        played_s=np.zeros(1),
    )
    for slot, candidates in enumerate(slots):
        longer = _extend(terrain, leg, beam, candidates, hops[slot])
        scores = np.maximum(longer.worst, ahead[slot])
        scores += longer.off * (1.0 / len(slots) + leg.drunk)
        scores[beam.used[:, piece_ids[slot]]] = np.inf
        scores[_clashing(terrain, beam, candidates)] = np.inf
        low_s, high_s = bounds_s[slot]
        scores[(longer.played_s < low_s) | (longer.played_s > high_s)] = np.inf
        kept, chosen = _best(scores, WIDTH if window is None else TIMED_WIDTH)
        if kept.size == 0:
            return None
        used = beam.used[kept]
        used[np.arange(kept.size), piece_ids[slot][chosen]] = True
        beam = _Beam(
            rows=np.column_stack([beam.rows[kept], candidates[chosen]]),
            last=chosen,
            used=used,
            worst=longer.worst[kept, chosen],
            off=longer.off[kept, chosen],
            played_s=longer.played_s[kept, chosen],
        )
    return [int(row) for row in beam.rows[0]]


class _Longer(NamedTuple):
    """What of a beam changes when it is extended, shape (n, n_candidates) each."""

    worst: Scores
    off: Scores
    played_s: Scores


def _extend(
    terrain: Terrain, leg: Leg, beam: _Beam, candidates: Rows, hops: Array
) -> _Longer:
    """Put each candidate after each beginning."""
    index, clock = terrain.index, terrain.clock
    slot = beam.rows.shape[1]
    overlaps_s = np.array([leg.overlap_before_s])
    if slot:
        overlaps_s = clock.overlaps_s[beam.rows[:, -1]]
    saved_s = np.minimum(overlaps_s[:, None], clock.overlaps_s[candidates])
    if slot == len(leg) - 1:
        saved_s += np.minimum(leg.overlap_after_s, clock.overlaps_s[candidates])
    distances = 1.0 - index.vectors[candidates] @ leg.points[slot]
    return _Longer(
        worst=np.maximum(beam.worst[:, None], hops[beam.last]),
        off=beam.off[:, None] + distances,
        played_s=beam.played_s[:, None] + clock.lengths_s[candidates] - saved_s,
    )


def _clashing(terrain: Terrain, beam: _Beam, candidates: Rows) -> npt.NDArray[np.bool_]:
    """Return which candidates are too near to a track of each beginning."""
    clash = np.zeros((len(beam.rows), candidates.size), dtype=np.bool_)
    for codes, gap in terrain.spaced:
        recent = codes[beam.rows[:, -gap:]]
        clash |= (recent[:, :, None] == codes[candidates]).any(axis=1)
    return clash


def _hops(terrain: Terrain, leg: Leg, slots: Sequence[Rows]) -> list[Array]:
    """Return the cosine distances of all hops of the leg.

    Returns
    -------
    list of ndarray of float32
        One for each hop: from the candidates of a slot (the rows) to those of the next
        (the columns). The first has one row, and the last one column, for the given
        tracks. A hop that no rule allows is infinitely long.
    """
    index = terrain.index
    hops = [1.0 - leg.departure[None] @ index.arrivals[slots[0]].T]
    for here, there in pairwise(slots):
        distances = 1.0 - index.departures[here] @ index.arrivals[there].T
        distances[terrain.pieces(here)[:, None] == terrain.pieces(there)] = np.inf
        for codes, _ in terrain.spaced:
            distances[codes[here][:, None] == codes[there]] = np.inf
        hops.append(distances)
    hops.append(1.0 - index.departures[slots[-1]] @ leg.arrival[:, None])
    return hops


def _worst_ahead(hops: Sequence[Array]) -> list[Array]:
    """Return for each candidate of each slot the least worst hop from it to the end."""
    ahead = [hops[-1][:, 0]]
    for distances in hops[-2:0:-1]:
        ahead.append(np.maximum(distances, ahead[-1]).min(axis=1, initial=np.inf))
    return ahead[::-1]


def _bounds_s(
    terrain: Terrain, leg: Leg, slots: Sequence[Rows], window: Window | None
) -> list[tuple[float, float]]:
    """Return the least and the longest time to have played after each slot."""
    if window is None:
        return [(-np.inf, np.inf)] * len(slots)
    clock = terrain.clock
    low_s, high_s = window.low_s, window.high_s
    bounds_s = [(low_s, high_s)]
    for rows in slots[:0:-1]:
        added_s = clock.lengths_s[rows] - clock.overlaps_s[rows]
        shortest_s, longest_s = np.quantile(added_s, QUARTILES) if rows.size else (0, 0)
        low_s, high_s = low_s - longest_s, high_s - shortest_s
        bounds_s.append((low_s, high_s))
    return bounds_s[::-1]


def _best(scores: Scores, width: int) -> tuple[Rows, Rows]:
    """Return the rows and columns of the least scores, the least first."""
    if len(scores) > MAX_PER_TRACK:
        least = np.argpartition(scores, MAX_PER_TRACK, axis=0)[MAX_PER_TRACK:]
        np.put_along_axis(scores, least, np.inf, axis=0)
    flat = scores.ravel()
    order = np.arange(flat.size)
    if flat.size > width:
        order = np.sort(np.argpartition(flat, width)[:width])
    order = order[np.isfinite(flat[order])]
    order = order[np.argsort(flat[order], kind="stable")]
    return np.divmod(order, scores.shape[1])
