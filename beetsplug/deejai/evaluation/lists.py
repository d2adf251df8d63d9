"""What playlists are like: how much their tracks have in common (pure).

Cardorelle ("How I taught a neural network to understand similarities in music audio",
2018) names a *semantic cohesion* test: "the frequency of meta-data co-occurrence (e.g.
songs by the same artist or of the same genre) or the entropy of the distribution of
genres within a given playlist", and holds against it that listeners often prefer
*diverse* playlists and that a song has several labels. He gives no formula for either,
so the definitions below are ours; they follow the two readings he offers, and the
intra-list similarity of Ziegler et al. ("Improving recommendation lists through topic
diversification", WWW 2005) for the diversity.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]


def cohesion(labels: Sequence[Set[str]]) -> float:
    """Measure how often two tracks of a playlist share a label.

    Parameters
    ----------
    labels
        The values of each track (its artist, its genres); empty when unknown.

    Returns
    -------
    float
        Pairs of tracks with a value in common as a share of all pairs whose values are
        known, in [0, 1]; NaN without such a pair.
    """
    pairs = list(combinations([values for values in labels if values], 2))
    if not pairs:
        return float("nan")
    return sum(not one.isdisjoint(other) for one, other in pairs) / len(pairs)


def label_entropy(labels: Sequence[Set[str]]) -> float:
    """Measure over how many labels a playlist spreads.

    Parameters
    ----------
    labels
        The values of each track; one with several counts for each in equal parts, and
        an unknown one not at all.

    Returns
    -------
    float
        Entropy of the distribution in bits: 0 when all are the same, 1 for two
        labels in halves; NaN when nothing is known.
    """
    weights: Counter[str] = Counter()
    for values in labels:
        for value in values:
            weights[value] += 1 / len(values)  # type: ignore[assignment]
    if not weights:
        return float("nan")
    shares = np.array(sorted(weights.values())) / sum(weights.values())
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def variety(labels: Sequence[Set[str]]) -> float:
    """Measure how many different labels (artists) there are for each track.

    Returns
    -------
    float
        Different values divided by the tracks whose values are known; 1 when every
        track has one of its own. NaN when nothing is known.
    """
    known = [values for values in labels if values]
    if not known:
        return float("nan")
    return len(frozenset().union(*known)) / len(known)


def diversity(vectors: Array) -> float:
    """Measure how far apart the tracks of a playlist lie on average.

    Parameters
    ----------
    vectors
        Track vectors, shape (n_tracks, d), two or more, of any length.

    Returns
    -------
    float
        1 minus the mean cosine similarity of all pairs: 0 when all are the same, 1
        when they are unrelated. It belongs to its space: figures of different encoders
        do not compare.

    Raises
    ------
    ValueError
        There is no pair.
    """
    n_tracks = len(vectors)
    if n_tracks < 2:
        raise ValueError("one track is no playlist")
    directions = unit(vectors).astype(np.float64)
    total = directions.sum(axis=0)
    # The squared sum holds each pair twice and each track with itself.
    themselves = float((directions * directions).sum())
    return 1.0 - (float(total @ total) - themselves) / (n_tracks * (n_tracks - 1))
