"""Keep playing songs like these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import (
    Pick,
    add_noise,
    hop_similarities,
    query_vector,
)
from beetsplug.deejai.recommend.rules import (
    check_amount,
    minutes,
    nearest,
    reason_for_end,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Mask, Rules

    Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Playlist:
    """A playlist without its seeds.

    Attributes
    ----------
    picks
        The tracks in order, with their similarity to the track before.
    notices
        Why there are fewer than asked for, in the user's terms; empty when there are
        not.
    """

    picks: list[Pick]
    notices: list[str]


def playlist(
    index: Index,
    seeds: Sequence[Seed],
    *,
    catalogue: Catalogue,
    rules: Rules,
    rng: np.random.Generator,
    n: int | None = None,
    length_s: float | None = None,
    keep_on: int = 3,
    drunk: float = 0.0,
    avoided: Sequence[Seed] = (),
) -> Playlist:
    """Continue from seeds, each next track chosen by the last few ones.

    Parameters
    ----------
    index
        The library.
    seeds
        At least one; they begin the list and are not chosen again.
    catalogue
        Artists, lengths, and which tracks are allowed.
    rules
        What the list keeps, the seeds included.
    rng
        Source of the noise. The same state gives the same list.
    n
        How many tracks are added.
    length_s
        Instead of `n`: seconds to fill. Tracks that fit the time left are added until
        none does, so that the time is never exceeded.
    keep_on
        How many of the last tracks make the query, at least 1. Until so many are
        chosen, the mean of all seeds stands in for the missing ones (but for no more
        than there are seeds).
    drunk
        Noise on each query, 0 (none) to 1 (as loud as the music).
    avoided
        Tracks to stay away from; they are not chosen either.

    Raises
    ------
    ValueError
        There is no seed, or an argument is out of range.
    """
    check_amount(n, length_s)
    if not seeds or keep_on < 1:
        raise ValueError("a playlist needs a seed, and keep_on at least 1")
    unused = catalogue.candidates([*seeds, *avoided], timed=length_s is not None)
    left_s = np.inf if length_s is None else length_s
    before = [seed.labels for seed in seeds]
    rows: list[int] = []
    while n is None or len(rows) < n:
        candidates = _fitting(unused, catalogue, left_s)
        candidates &= ~catalogue.clashing(rules, before)
        if not candidates.any():
            break
        query = _query(seeds, index.vectors[rows], keep_on, avoided)
        query = add_noise(query, drunk=drunk, rng=rng)
        row = nearest(index.similarities(query), candidates)
        rows.append(row)
        before.append(catalogue.labels(row))
        unused &= ~catalogue.versions(before[-1:])
        unused[row] = False
        left_s -= float(catalogue.lengths_s[row])
    hops = hop_similarities(
        [seeds[-1].departure, *index.departures[rows]],
        [seeds[-1].arrival, *index.arrivals[rows]],
    )
    picks = [Pick(row, float(hop)) for row, hop in zip(rows, hops, strict=True)]
    reason = reason_for_end(_fitting(unused, catalogue, left_s), rules)
    if n is not None and len(rows) < n:
        return Playlist(picks, [f"{len(rows)} of {n} tracks: {reason}"])
    # Unused tracks that do not fit the time left mean that the time is filled.
    if length_s is not None and (
        not unused.any() or _fitting(unused, catalogue, left_s).any()
    ):
        return Playlist(picks, [f"{minutes(length_s - left_s, length_s)}: {reason}"])
    return Playlist(picks, [])


def _fitting(unused: Mask, catalogue: Catalogue, left_s: float) -> Mask:
    return (
        unused.copy() if np.isinf(left_s) else unused & (catalogue.lengths_s <= left_s)
    )


def _query(
    seeds: Sequence[Seed], chosen: Array, keep_on: int, avoided: Sequence[Seed]
) -> Array:
    chosen = chosen[-keep_on:]
    missing = min(len(seeds), keep_on - len(chosen))
    weights = [missing / len(seeds)] * len(seeds) + [1.0] * len(chosen)
    return query_vector(
        [*(seed.vector for seed in seeds), *chosen],
        weights=weights,
        minus=[seed.vector for seed in avoided] or None,
    )
