"""Turn the slice vectors of a track into its track vector (pure; MP3ToVec).

TF-IDF over slices instead of words: a slice that a track repeats counts more, one that
occurs in many tracks of the library counts less. "The same" slice is one at a cosine
distance below epsilon; a small epsilon keeps what is particular to a track, a large one
what is typical of its genre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from beetsplug.deejai.embedding.document_frequency import document_frequencies
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]
    Method = Literal["tfidf", "classic", "mean"]

BLOCK_ROWS = 1024
"""Slices of one track compared with all others at once."""


def term_frequencies(slice_vectors: npt.ArrayLike, *, epsilon: float) -> Ints:
    """Count how often each slice occurs in its own track.

    Parameters
    ----------
    slice_vectors
        Shape (n_slices, d), of any length.
    epsilon
        Two slices are the same when their cosine distance is smaller.

    Returns
    -------
    ndarray of int64, shape (n_slices,)
        From 1, as each slice is the same as itself, to n_slices.
    """
    vectors = np.asarray(slice_vectors, dtype=np.float64)
    lengths = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    vectors = np.divide(
        vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0.0
    )
    counts = np.empty(len(vectors), dtype=np.int64)
    for start in range(0, len(vectors), BLOCK_ROWS):
        distances = 1.0 - np.minimum(vectors[start:][:BLOCK_ROWS] @ vectors.T, 1.0)
        counts[start:][:BLOCK_ROWS] = (distances < epsilon).sum(axis=1)
    return np.maximum(counts, 1)


def pool_mean(slice_vectors: npt.ArrayLike) -> Array:
    """Average the directions of the slices.

    Parameters
    ----------
    slice_vectors
        Shape (n_slices, d), of any length.

    Returns
    -------
    ndarray of float32, shape (d,)
        Unit length; zero only when all slices are.

    Raises
    ------
    ValueError
        There is no slice.
    """
    vectors = unit(slice_vectors)
    return _weighted_direction(vectors, np.ones(len(vectors)))


def pool_tfidf(
    slice_vectors: npt.ArrayLike,
    *,
    document_frequencies: npt.ArrayLike,
    n_tracks: int,
    epsilon: float,
) -> Array:
    """Sum the directions of the slices by TF-IDF, smoothed.

    The weight of a slice is ``tf * (log((1 + n_tracks) / (1 + df)) + 1)``, which is
    never zero: a track alone in its library has a valid vector.

    Parameters
    ----------
    slice_vectors
        Slices of one track, shape (n_slices, d), of any length.
    document_frequencies
        Tracks of the library in which each slice occurs, this one included, shape
        (n_slices,), 1 to `n_tracks`.
    n_tracks
        Tracks in the library.
    epsilon
        Two slices are the same when their cosine distance is smaller.

    Returns
    -------
    ndarray of float32, shape (d,)
        Unit length; zero only when all slices are.

    Raises
    ------
    ValueError
        There is no slice, or the document frequencies do not fit.
    """
    vectors = unit(slice_vectors)
    df = _checked(document_frequencies, n_slices=len(vectors), n_tracks=n_tracks)
    idf = np.log((1.0 + n_tracks) / (1.0 + df)) + 1.0
    tf = term_frequencies(slice_vectors, epsilon=epsilon)
    return _weighted_direction(vectors, tf * idf)


def pool_classic(
    slice_vectors: npt.ArrayLike,
    *,
    document_frequencies: npt.ArrayLike,
    n_tracks: int,
    epsilon: float,
) -> Array:
    """Sum the directions of the slices by TF-IDF as first published (Deej-A.I.).

    The weight of a slice is ``tf * -log(df / n_tracks)``. Where every slice occurs in
    every track, as in a library of one, all weights are zero and the mean is taken.

    Parameters
    ----------
    slice_vectors, document_frequencies, n_tracks, epsilon
        As for :func:`pool_tfidf`.

    Returns
    -------
    ndarray of float32, shape (d,)
        Unit length; zero only when all slices are.

    Raises
    ------
    ValueError
        There is no slice, or the document frequencies do not fit.
    """
    vectors = unit(slice_vectors)
    df = _checked(document_frequencies, n_slices=len(vectors), n_tracks=n_tracks)
    tf = term_frequencies(slice_vectors, epsilon=epsilon)
    idf = -np.log(df / n_tracks)
    return _weighted_direction(vectors, tf * idf)


def pool(
    slice_vectors: npt.ArrayLike,
    *,
    method: Method,
    document_frequencies: npt.ArrayLike,
    n_tracks: int,
    epsilon: float,
) -> Array:
    """Pool the slices of one track by the method of that name.

    Parameters
    ----------
    slice_vectors, document_frequencies, n_tracks, epsilon
        As for :func:`pool_tfidf`; the mean looks at the slices only.
    method
        ``tfidf``, ``classic`` or ``mean``.

    Returns
    -------
    ndarray of float32, shape (d,)
        Unit length; zero only when all slices are.

    Raises
    ------
    ValueError
        The method is unknown, there is no slice, or the frequencies do not fit.
    """
    if method == "mean":
        return pool_mean(slice_vectors)
    if method not in ("tfidf", "classic"):
        raise ValueError(f"pooling must be tfidf, classic or mean, not {method!r}")
    weighted = pool_tfidf if method == "tfidf" else pool_classic
    return weighted(
        slice_vectors,
        document_frequencies=document_frequencies,
        n_tracks=n_tracks,
        epsilon=epsilon,
    )


def pool_library(
    vectors: npt.NDArray[np.floating],
    *,
    counts: npt.ArrayLike,
    method: Method,
    epsilon: float,
    tracks: npt.ArrayLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Pool the tracks of a library, or some of them, against the whole library.

    Parameters
    ----------
    vectors
        Slice vectors, one track after another, shape (n_slices, d), float16 or float32.
    counts
        Slices of each track, shape (n_tracks,), each at least 1.
    method
        ``tfidf``, ``classic`` or ``mean``.
    epsilon
        Two slices are the same when their cosine distance is smaller, 0 to 2.
    tracks
        Numbers of the tracks to pool, in any order; all when None.
    progress
        Called now and then with the number of slices compared and their total.

    Returns
    -------
    ndarray of float32, shape (len(tracks), d)
        Unit rows; zero only where all slices of a track are.

    Raises
    ------
    ValueError
        `counts` does not fit `vectors`, or an argument is out of range.
    """
    n_slices = np.asarray(counts, dtype=np.int64)
    if n_slices.sum() != len(vectors) or (n_slices < 1).any():
        raise ValueError("counts must be positive and sum to the number of slices")
    wanted = np.arange(n_slices.size) if tracks is None else np.asarray(tracks, int)
    ends = np.cumsum(n_slices)
    ranges = [slice(ends[t] - n_slices[t], ends[t]) for t in wanted]
    rows = _concatenated(ranges)
    frequencies = np.ones(rows.size, dtype=np.int64)
    if method != "mean":
        frequencies = document_frequencies(
            vectors,
            tracks=np.repeat(np.arange(n_slices.size), n_slices),
            epsilon=epsilon,
            rows=rows,
            progress=progress,
        )
    pooled = np.empty((wanted.size, vectors.shape[1]), dtype=np.float32)
    starts = np.cumsum(n_slices[wanted]) - n_slices[wanted]
    for track, (start, part) in enumerate(zip(starts, ranges, strict=True)):
        pooled[track] = pool(
            vectors[part],
            method=method,
            document_frequencies=frequencies[start:][: part.stop - part.start],
            n_tracks=n_slices.size,
            epsilon=epsilon,
        )
    return pooled


def _concatenated(ranges: list[slice]) -> Ints:
    if not ranges:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([np.arange(part.start, part.stop) for part in ranges])


def _checked(
    document_frequencies: npt.ArrayLike, *, n_slices: int, n_tracks: int
) -> npt.NDArray[np.float64]:
    df = np.asarray(document_frequencies, dtype=np.float64)
    if df.shape != (n_slices,):
        raise ValueError("one document frequency per slice is needed")
    if ((df < 1) | (df > n_tracks)).any():
        raise ValueError(f"document frequencies must lie between 1 and {n_tracks}")
    return df


def _weighted_direction(vectors: Array, weights: npt.ArrayLike) -> Array:
    """Return the direction of a weighted sum, or the best substitute for one.

    A sum can vanish: all weights are zero, or slices point opposite ways. Then the mean
    stands in, and then the first slice that has a direction.
    """
    if len(vectors) == 0:
        raise ValueError("a track without slices cannot be pooled")
    for candidate in (np.asarray(weights, np.float64), np.ones(len(vectors))):
        total = candidate @ vectors.astype(np.float64)
        # What is left of a vanished sum is rounding, and points anywhere.
        if np.sqrt(total @ total) > 1e-6 * candidate.sum():
            return unit(total)
    return np.asarray(vectors[np.argmax(vectors.any(axis=1))])
