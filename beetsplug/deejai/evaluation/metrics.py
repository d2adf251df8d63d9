"""Measures of listening quality on track vectors (pure).

The labels (the soundtrack, the artist) are known and did not make the vectors: a label
that near neighbours share says how far near in the space is near to the ear. Tracks at
the same distance count as if in random order, so that equal vectors score as chance
does, and the order of the tracks never matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.pooling import pool_mean
from beetsplug.deejai.evaluation.labels import (
    NO_ROWS,
    Alike,
    Labels,
    Question,
    continuations,
)
from beetsplug.deejai.evaluation.ranking import Measure, score
from beetsplug.deejai.recommend.index import query_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]


def validate(vectors: Array, *, labels: Sequence[object] | None = None) -> None:
    """Check what a metric is given.

    Raises
    ------
    ValueError
        Vectors that are not a matrix of at least two finite, non-zero rows, or labels
        of another number.
    """
    if vectors.ndim != 2 or len(vectors) < 2:
        raise ValueError(f"need two or more vectors, got shape {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors hold NaN or infinity")
    if not np.any(vectors, axis=1).all():
        raise ValueError("a zero vector has no direction")
    if labels is not None and len(labels) != len(vectors):
        raise ValueError(f"{len(labels)} labels for {len(vectors)} vectors")


def precision_at_k(
    vectors: Array,
    *,
    labels: Sequence[object],
    k: int,
    apart: Sequence[object] | None = None,
) -> float:
    """Measure how many of the nearest neighbours share their query's label.

    Parameters
    ----------
    vectors
        Shape (n_tracks, d). Every track whose label another one has is a query; it is
        not its own neighbour.
    labels
        One for each track: a value, or a list, tuple or set of several, of which two
        tracks need to share one. Tracks without a value (None, empty) are left out.
    k
        Neighbours looked at, nearest first; at most as many as there are.
    apart
        A second label, such as the album where `labels` are artists. Tracks that
        share it with the query are left out, and a query that nothing is left for is
        none.

    Returns
    -------
    float
        Mean over the queries of the share of the `k` neighbours with the same label,
        in [0, 1]. As a label with fewer than `k` other tracks cannot fill the list, its
        best share counts as 1.

    Raises
    ------
    ValueError
        Malformed input, ``k < 1``, or no label occurs twice.
    """
    return _neighbours("precision", vectors, labels, k, apart)


def hit_rate_at_k(
    vectors: Array,
    *,
    labels: Sequence[object],
    k: int,
    apart: Sequence[object] | None = None,
) -> float:
    """Measure how often any of the nearest neighbours shares its query's label.

    Parameters
    ----------
    vectors, labels, k, apart
        As for :func:`precision_at_k`.

    Returns
    -------
    float
        Share of the queries with such a neighbour among the `k` nearest, in [0, 1].

    Raises
    ------
    ValueError
        Malformed input, ``k < 1``, or no label occurs twice.
    """
    return _neighbours("hit", vectors, labels, k, apart)


def _neighbours(
    kind: Any,
    vectors: Array,
    labels: Sequence[object],
    k: int,
    apart: Sequence[object] | None,
) -> float:
    validate(vectors, labels=labels)
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    if apart is not None:
        validate(vectors, labels=apart)
    every = Labels(labels)
    rows = np.flatnonzero(every.known)
    questions = Alike(
        every.of(rows), apart=None if apart is None else Labels(apart).of(rows)
    )
    if not len(questions):
        raise ValueError("no two tracks share a label")
    known = vectors[rows]
    return float(
        score(
            known[questions.rows],
            targets=known,
            questions=questions,
            measures=[Measure(kind, k)],
        ).mean()
    )


def mean_reciprocal_rank(queries: Array, *, targets: Array) -> float:
    """Measure how early each query's own target is found among all targets.

    With the first halves of tracks as queries and the second halves as targets it says
    whether a track is recognised by another part of it.

    Parameters
    ----------
    queries, targets
        Shape (n_tracks, d); row i of one belongs to row i of the other.

    Returns
    -------
    float
        Mean of 1 / rank, in (0, 1]. Targets as near as the right one come before it.

    Raises
    ------
    ValueError
        Malformed input, or shapes that differ.
    """
    validate(queries)
    validate(targets)
    if queries.shape != targets.shape:
        raise ValueError(f"shapes {queries.shape} and {targets.shape} differ")
    questions = [Question(np.array([row]), NO_ROWS) for row in range(len(queries))]
    return float(
        score(
            queries, targets=targets, questions=questions, measures=[Measure("rank")]
        ).mean()
    )


def continuation(
    vectors: Array, *, playlists: Sequence[Sequence[int]], k: int = 10
) -> dict[str, float]:
    """Measure how well the second half of playlists is found from the first.

    The first half are the seeds; the mean of their unit vectors is compared with all
    other tracks. R-precision is that of the Million Playlist challenge (RecSys 2018)
    for tracks: of as many tracks as were withheld, the share that was withheld. What
    that challenge later added for a wrong track by a right artist is not counted.

    Parameters
    ----------
    vectors
        Shape (n_tracks, d).
    playlists
        Rows of tracks in order. Of a track that comes twice the first counts, and of
        an odd number the middle one is to be found. Those of one track are left out.
    k
        Length of the list that is searched for a hit.

    Returns
    -------
    dict
        ``hit_rate``: share of the playlists with a withheld track among the first `k`;
        ``r_precision``. Both in [0, 1].

    Raises
    ------
    ValueError
        Malformed input, a row that is none, ``k < 1``, or no playlist has two tracks.
    """
    validate(vectors)
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    rows = [np.array(playlist, dtype=np.int64) for playlist in playlists]
    if any(((r < 0) | (r >= len(vectors))).any() for r in rows):
        raise ValueError("a playlist has a track that has no vector")
    seeds, questions = continuations(rows)
    if not questions:
        raise ValueError("no playlist has two tracks")
    hit_rate, r_precision = score(
        np.stack([query_vector(vectors[part]) for part in seeds]),
        targets=vectors,
        questions=questions,
        measures=[Measure("hit", k), Measure("precision")],
    ).mean(axis=0)
    return {"hit_rate": float(hit_rate), "r_precision": float(r_precision)}


def evaluate(
    tracks: Sequence[Array], *, labels: Sequence[object] | None = None, k: int = 5
) -> dict[str, float]:
    """Compute every metric of an encoder from the slice vectors of tracks.

    Parameters
    ----------
    tracks
        One array (n_slices, d) for each track, at least two slices in each.
    labels
        One for each track. Without labels there is only ``halves``.
    k
        Length of the longer neighbour list.

    Returns
    -------
    dict
        ``nearest``: precision at 1; ``precision``: at `k`; ``halves``: reciprocal
        rank of the second half found from the first. A track is the mean of its unit
        slice vectors.
    """
    if any(len(track) < 2 for track in tracks):
        raise ValueError("a track of one slice has no halves")
    figures = {}
    if labels is not None:
        whole = np.stack([pool_mean(track) for track in tracks])
        figures["nearest"] = precision_at_k(whole, labels=labels, k=1)
        figures["precision"] = precision_at_k(whole, labels=labels, k=k)
    first = np.stack([pool_mean(track[: len(track) // 2]) for track in tracks])
    second = np.stack([pool_mean(track[len(track) // 2 :]) for track in tracks])
    return {**figures, "halves": mean_reciprocal_rank(first, targets=second)}
