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
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Rules


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
    overlap_s: float = 0.0,
    keep_on: int = 3,
    drunk: float = 0.0,
    weights: npt.ArrayLike | None = None,
    avoided: Sequence[Seed] = (),
    avoided_weights: npt.ArrayLike | None = None,
    is_continued: bool = True,
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
        none does, so that the time is never exceeded. What counts is by how much the
        tracks prolong the list.
    overlap_s
        Seconds by which neighbours overlap where the list is rendered as a mix, short
        ones by less; 0 where tracks play one after another.
    keep_on
        How many of the last tracks make the query, at least 1. Until so many are
        chosen, the mean of all seeds stands in for the missing ones (but for no more
        than there are seeds).
    drunk
        Noise on each query, 0 (none) to 1 (as loud as the music).
    weights
        How much each seed counts among the seeds, not negative and not all zero; all
        the same when None.
    avoided
        Tracks to stay away from; they are not chosen either.
    avoided_weights
        How much each of them counts, as `minus_weights` of
        :func:`~beetsplug.deejai.recommend.index.query_vector`.
    is_continued
        Whether the list goes on after the last seed, which the first track overlaps
        then.

    Raises
    ------
    ValueError
        There is no seed, or an argument is out of range.
    """
    check_amount(n, length_s)
    if not seeds or keep_on < 1:
        raise ValueError("a playlist needs a seed, and keep_on at least 1")
    shares = np.ones(len(seeds)) if weights is None else np.asarray(weights, float)
    shares = shares / shares.sum()
    unused = catalogue.candidates([*seeds, *avoided], timed=length_s is not None)
    clock = Clock(catalogue.lengths_s, overlap_s)
    overlap_before_s = clock.overlap_of(seeds[-1].row) if is_continued else 0.0
    left_s = np.inf if length_s is None else length_s
    before = [seed.labels for seed in seeds]
    rows: list[int] = []
    while n is None or len(rows) < n:
        added_s = clock.added_s(overlap_before_s, 0.0)
        candidates = unused & (added_s <= left_s) & ~catalogue.clashing(rules, before)
        if not candidates.any():
            break
        chosen = index.departures[rows[-keep_on:]]
        missing = min(len(seeds), keep_on - len(chosen))
        query = query_vector(
            [*(seed.departure for seed in seeds), *chosen],
            weights=[*(missing * shares), *np.ones(len(chosen))],
            minus=[seed.departure for seed in avoided] or None,
            minus_weights=avoided_weights,
        )
        query = add_noise(query, drunk=drunk, rng=rng)
        row = nearest(index.followers(query), candidates)
        rows.append(row)
        before.append(catalogue.labels(row))
        unused = catalogue.without([row], unused)
        left_s -= float(added_s[row])
        overlap_before_s = clock.overlap_of(row)
    hops = hop_similarities(
        [seeds[-1].departure, *index.departures[rows]],
        [seeds[-1].arrival, *index.arrivals[rows]],
    )
    picks = [Pick(row, float(hop)) for row, hop in zip(rows, hops, strict=True)]
    fitting = unused & (clock.added_s(overlap_before_s, 0.0) <= left_s)
    reason = reason_for_end(fitting, rules)
    if n is not None and len(rows) < n:
        return Playlist(picks, [f"{len(rows)} of {n} tracks: {reason}"])
    # Unused tracks that do not fit the time left mean that the time is filled.
    if length_s is not None and (not unused.any() or fitting.any()):
        return Playlist(picks, [f"{minutes(length_s - left_s, length_s)}: {reason}"])
    return Playlist(picks, [])
