"""Measures of listening quality on track vectors (pure).

The labels (the soundtrack, the artist) are known and did not make the vectors: a label
that near neighbours share says how far near in the space is near to the ear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.pooling import pool_mean
from beetsplug.deejai.vectors import unit

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


def precision_at_k(vectors: Array, *, labels: Sequence[object], k: int) -> float:
    """Measure how many of the nearest neighbours share their query's label.

    Parameters
    ----------
    vectors
        Shape (n_tracks, d). Every track whose label another one has is a query; it is
        not its own neighbour.
    labels
        One for each track.
    k
        Neighbours looked at, nearest first; at most ``n_tracks - 1`` are.

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
    validate(vectors, labels=labels)
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    _, label_ids = np.unique(np.asarray(list(labels), dtype=str), return_inverse=True)
    similarity = unit(vectors) @ unit(vectors).T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : len(vectors) - 1]
    same = label_ids[nearest[:, :k]] == label_ids[:, None]
    n_others = np.bincount(label_ids)[label_ids] - 1
    queries = n_others > 0
    if not queries.any():
        raise ValueError("no two tracks share a label")
    best = np.minimum(n_others, same.shape[1])[queries]
    return float(np.mean(same[queries].sum(axis=1) / best))


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
    similarity = unit(queries) @ unit(targets).T
    ranks = (similarity >= np.diag(similarity)[:, None]).sum(axis=1)
    return float(np.mean(1.0 / ranks))


def evaluate(
    tracks: Sequence[Array], *, labels: Sequence[object], k: int = 5
) -> dict[str, float]:
    """Compute every metric of an encoder from the slice vectors of tracks.

    Parameters
    ----------
    tracks
        One array (n_slices, d) for each track, at least two slices in each.
    labels
        One for each track.
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
    whole = np.stack([pool_mean(track) for track in tracks])
    first = np.stack([pool_mean(track[: len(track) // 2]) for track in tracks])
    second = np.stack([pool_mean(track[len(track) // 2 :]) for track in tracks])
    return {
        "nearest": precision_at_k(whole, labels=labels, k=1),
        "precision": precision_at_k(whole, labels=labels, k=k),
        "halves": mean_reciprocal_rank(first, targets=second),
    }
