"""One measure of an encoder, beside what others reach (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.evaluation.bootstrap import Estimate, estimate_means

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.labels import Labels
    from beetsplug.deejai.evaluation.space import Space

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Rivals = Mapping[str, Sequence[Space]]

CHANCE = "chance"
UNTRAINED = "untrained"
MFCC = "MFCC statistics"
SAME_GENRE = "same genre"
"""Random tracks that share a genre with the query come first, then random others."""

MIN_QUERIES = 10
"""With fewer, an interval from resampling says little, and no verdict is given."""


@dataclass(frozen=True)
class Facts:
    """What is known of the tracks that no encoder knew.

    Attributes
    ----------
    artists, albums, genres
        Of all tracks.
    halved
        Rows of the tracks that have halves.
    playlists
        Rows of tracks, in order.
    """

    artists: Labels
    albums: Labels
    genres: Labels
    halved: Ints
    playlists: Sequence[Ints] = ()


@dataclass(frozen=True)
class Comparison:
    """What something else reaches, and how far the encoder is ahead of it.

    Attributes
    ----------
    score
        Of the other.
    ahead
        Encoder minus other, paired by query.
    verdict
        ``+``: the interval of `ahead` lies above 0; ``-``: below; ``=``: it holds 0;
        ``?``: fewer than :data:`MIN_QUERIES` queries; empty: higher is not better.
    """

    score: Estimate
    ahead: Estimate
    verdict: str


@dataclass(frozen=True)
class Figure:
    """One measure of the encoder.

    Attributes
    ----------
    key, title
        Name for programs and for people.
    n_queries, unit
        How many of what it is the mean of.
    score
        Of the encoder.
    comparisons
        By name; what a measure does not apply to is missing.
    """

    key: str
    title: str
    n_queries: int
    unit: str
    score: Estimate
    comparisons: dict[str, Comparison]


def make_figure(
    key: str,
    title: str,
    unit: str,
    own: Floats,
    others: Mapping[str, Floats],
    *,
    seed: int,
    judged: bool = True,
) -> Figure:
    """Average scores and compare them, query by query.

    Parameters
    ----------
    key, title, unit
        As in :class:`Figure`.
    own
        Score of the encoder for each query, shape (n_queries,).
    others
        The same of what it is compared with.
    seed
        Of the intervals.
    judged
        Whether higher is better, so that there is a verdict.
    """
    differences = [own - other for other in others.values()]
    first, *estimates = estimate_means(
        np.stack([own, *others.values(), *differences], axis=1), seed=seed
    )
    scores, ahead = estimates[: len(others)], estimates[len(others) :]
    return Figure(
        key=key,
        title=title,
        n_queries=len(own),
        unit=unit,
        score=first,
        comparisons={
            name: Comparison(
                scores[i], ahead[i], _verdict(ahead[i], len(own)) if judged else ""
            )
            for i, name in enumerate(others)
        },
    )


def _verdict(ahead: Estimate, n_queries: int) -> str:
    if n_queries < MIN_QUERIES:
        return "?"
    if ahead.low > 0:
        return "+"
    return "-" if ahead.high < 0 else "="
