"""What somebody likes, from what they play, skip and rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index

    Numbers = npt.NDArray[np.float64]

N_SEEDS = 10
"""Liked tracks that stand for one side of a taste."""

NEAR_SHARE = 0.1
"""Share of the library that counts as near a track."""

UNKNOWN_RECENCY = 0.5
"""Factor of a track that was played nobody knows when: as if one half-life ago."""

MAX_HALF_LIVES = 1000.0
"""Older plays count no less: a float64 would become 0, and the track not liked."""


@dataclass(frozen=True)
class Plays:
    """What is known of how each track was listened to; NaN where nothing is.

    Attributes
    ----------
    counts, skips
        float64, shape (n_tracks,): how often it was played, and skipped; not negative.
    ratings
        float64, shape (n_tracks,): 0 (bad) to 1 (good); 0.5 says nothing.
    last_played_s
        float64, shape (n_tracks,): time of the last play in seconds, from any origin.

    Raises
    ------
    ValueError
        The shapes differ, or a value is out of range.
    """

    counts: Numbers
    skips: Numbers
    ratings: Numbers
    last_played_s: Numbers

    def __post_init__(self) -> None:
        columns = (self.counts, self.skips, self.ratings, self.last_played_s)
        if self.counts.ndim != 1 or len({column.shape for column in columns}) != 1:
            raise ValueError("counts, skips, ratings, times must all be (n_tracks,)")
        if any(np.isinf(column).any() for column in columns):
            raise ValueError("what is known must be finite")
        if any((column < 0.0).any() for column in columns[:3]):
            raise ValueError("counts, skips and ratings must not be negative")
        if (self.ratings > 1.0).any():
            raise ValueError("ratings must be from 0 to 1")


def taste_weights(plays: Plays, *, half_life_days: float) -> Numbers:
    """Weigh how much each track is liked now.

    The weight is the product of four factors:

    ``log2(1 + plays)``
        The hundredth play says less than the first. A track rated above 0.5 counts as
        played once at least: it is liked, whatever counted the plays.
    ``2 ** (-age / half_life)``
        Taste moves on. The age is counted from the latest play of any track and not
        from today, so that the same library gives the same weights tomorrow.
    ``2 * rating``
        From 0 to 2; 0.5, with which ratings begin, changes nothing.
    ``(1 + plays) / (1 + plays + skips)``
        The share of listenings that were not cut short, by Laplace's rule of
        succession: one skip of a track never heard out is not yet a verdict.

    What is not known leaves its factor at 1, but for the age: when some tracks' last
    play is known, the others stand between just now and long ago.

    Parameters
    ----------
    plays
        What is known.
    half_life_days
        After so many days without a play a track counts half, above 0.

    Returns
    -------
    ndarray of float64, shape (n_tracks,)
        Not negative; 0 for what was never played nor rated well, or is rated 0.

    Raises
    ------
    ValueError
        The half-life is not above 0.
    """
    if not half_life_days > 0.0:
        raise ValueError("a half-life is above 0")
    ratings = np.nan_to_num(plays.ratings, nan=0.5)
    counts = np.maximum(np.nan_to_num(plays.counts), ratings > 0.5)
    kept = (1.0 + counts) / (1.0 + counts + np.nan_to_num(plays.skips))
    recency = np.full(counts.shape, UNKNOWN_RECENCY)
    known = ~np.isnan(plays.last_played_s)
    if known.any():
        age_s = plays.last_played_s[known].max() - plays.last_played_s[known]
        half_lives = age_s / (half_life_days * 86_400.0)
        recency[known] = 2.0 ** -np.minimum(half_lives, MAX_HALF_LIVES)
    return np.asarray(np.log2(1.0 + counts) * recency * 2.0 * ratings * kept)


def draw_seeds(
    index: Index, weights: npt.ArrayLike, *, rng: np.random.Generator
) -> list[int]:
    """Choose seeds that stand for one side of a taste.

    Who likes fado and techno likes nothing that is half way between. So one track is
    drawn, the more liked the likelier, and only liked tracks join it that are near.

    Parameters
    ----------
    index
        The library.
    weights
        How much each track is liked, shape (n_tracks,), as :func:`taste_weights` gives
        it.
    rng
        Source of the draw. The same state gives the same seeds.

    Returns
    -------
    list of int
        Rows, at most :data:`N_SEEDS`: the drawn one, then the most liked of those
        liked tracks that are among the :data:`NEAR_SHARE` of the library nearest to it.

    Raises
    ------
    ValueError
        No weight is above 0.
    """
    liking = np.asarray(weights, dtype=np.float64)
    # Weights as small as MAX_HALF_LIVES allows have no sum to divide by.
    peak = liking.max(initial=0.0)
    if not peak > 0.0:
        raise ValueError("nothing is liked")
    chances = liking / peak
    first = int(rng.choice(len(chances), p=chances / chances.sum()))
    similarities = index.similarities(index.vectors[first])
    n_near = max(N_SEEDS, int(np.ceil(NEAR_SHARE * len(index))))
    near = np.argsort(-similarities, kind="stable")[:n_near]
    others = near[(liking[near] > 0.0) & (near != first)]
    others = others[np.argsort(-liking[others], kind="stable")]
    return [first, *others[: N_SEEDS - 1].tolist()]
