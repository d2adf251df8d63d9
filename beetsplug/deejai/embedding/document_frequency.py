"""In how many tracks of a library each slice occurs, exactly (pure).

The double loop over all pairs of slices is quadratic. Two unit vectors whose cosine
distance is below epsilon lie within ``sqrt(2 * epsilon)`` of each other, in space and
in every projection of it, so almost all pairs are ruled out in a few dimensions, many
at a time; only the remaining ones are multiplied, in blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]
    Progress = Callable[[int, int], None]

N_AXES = 8
"""Dimensions in which pairs are ruled out."""

LEAF_SLICES = 512
"""Slices whose neighbours are sought together."""

BLOCK_PAIRS = 1 << 22
"""Pairs compared in one matrix product: 16 MiB of float32."""

BLOCK_ROWS = 1 << 16
"""Slices read at once in passes over all of them."""

SAMPLE_ROWS = 20_000
"""Slices from which the axes are estimated."""


def document_frequencies(
    vectors: npt.NDArray[np.floating],
    *,
    tracks: npt.ArrayLike,
    epsilon: float,
    rows: npt.ArrayLike | None = None,
    progress: Progress | None = None,
) -> Ints:
    """Count the tracks in which each slice occurs.

    Exact: what float32 cannot decide is computed again in float64. The order of the
    tracks does not matter.

    Parameters
    ----------
    vectors
        Slice vectors of all tracks, shape (n_slices, d), float16 or float32, of any
        length; read in blocks and never copied as a whole. A zero vector has distance 1
        to everything.
    tracks
        Track number of each slice, shape (n_slices,). Slices of one track follow one
        another.
    epsilon
        Two slices are the same when their cosine distance is smaller, 0 to 2. The work
        grows with it, up to all pairs.
    rows
        The slices whose frequency is wanted, in any order; all when None.
    progress
        Called with the number of slices done and their total.

    Returns
    -------
    ndarray of int64, shape (len(rows),)
        From 1 (the slice's own track always counts) to the number of tracks.

    Raises
    ------
    ValueError
        Shapes differ, tracks are not grouped, or epsilon is out of range.
    """
    track_of = np.asarray(tracks, dtype=np.int64)
    _check(vectors, track_of, epsilon)
    wanted = (
        np.arange(len(vectors))
        if rows is None
        else np.asarray(rows, dtype=np.int64).ravel()
    )
    if wanted.size == 0:
        return np.zeros(0, dtype=np.int64)
    representative, columns = _collapse_copies(vectors, track_of)
    queries = np.unique(representative[wanted])
    found = np.zeros(len(vectors), dtype=np.int64)
    projected = _project(vectors)
    # The slack covers rounding in the projection.
    radius = np.sqrt(2.0 * epsilon) + 1e-4
    done = 0
    for leaf, candidates in _neighbourhoods(projected, queries, columns, radius):
        found[leaf] = _count_tracks(vectors, track_of, leaf, candidates, epsilon)
        done += leaf.size
        if progress is not None:
            progress(done, queries.size)
    return np.maximum(found[representative[wanted]], 1)


def _check(vectors: npt.NDArray[np.floating], tracks: Ints, epsilon: float) -> None:
    if vectors.ndim != 2 or tracks.shape != (len(vectors),):
        raise ValueError("vectors must be (n_slices, d) and tracks (n_slices,)")
    if not 0.0 <= epsilon <= 2.0:
        raise ValueError(f"epsilon must lie between 0 and 2, not {epsilon}")
    starts = tracks[np.flatnonzero(np.diff(tracks, prepend=tracks[:1] - 1))]
    if np.unique(starts).size != starts.size:
        raise ValueError("the slices of one track must follow one another")


def _blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, n_rows))


def _collapse_copies(
    vectors: npt.NDArray[np.floating], tracks: Ints
) -> tuple[Ints, Ints]:
    """Find slices that are bit for bit the same, as silence is.

    A million silent slices would else be a million million pairs.

    Returns
    -------
    representative : ndarray of int64, shape (n_slices,)
        For each slice the first one with the same bits.
    columns : ndarray of int64
        One slice of each different content in each track, ascending.
    """
    hashes = _hash_rows(vectors)
    order = np.argsort(hashes, kind="stable")
    is_first = np.diff(hashes[order], prepend=~hashes[order[:1]]) != 0
    group_starts = np.flatnonzero(is_first)
    representative = np.empty(len(vectors), dtype=np.int64)
    representative[order] = order[group_starts[np.cumsum(is_first) - 1]]
    for block in _blocks(len(vectors)):
        copies = block.start + np.flatnonzero(
            representative[block] != np.arange(block.start, block.stop)
        )
        # Equal hashes prove nothing.
        differs = (vectors[copies] != vectors[representative[copies]]).any(axis=1)
        representative[copies[differs]] = copies[differs]
    group, track = representative[order], tracks[order]
    repeated = (group[1:] == group[:-1]) & (track[1:] == track[:-1])
    return representative, np.sort(np.delete(order, np.flatnonzero(repeated) + 1))


def _hash_rows(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.uint64]:
    """Hash each row: a random linear form of its bits modulo 2**64."""
    words = np.ascontiguousarray(vectors[:1]).view(np.uint16).shape[1]
    factors = np.random.default_rng(0).integers(
        1 << 63, size=words, dtype=np.uint64
    ) | np.uint64(1)
    hashes = np.empty(len(vectors), dtype=np.uint64)
    for block in _blocks(len(vectors)):
        bits = np.ascontiguousarray(vectors[block]).view(np.uint16)
        hashes[block] = np.einsum("ij,j->i", bits, factors, dtype=np.uint64)
    return hashes


def _project(vectors: npt.NDArray[np.floating]) -> Floats:
    """Turn all slices onto the axes along which they differ most.

    Returns
    -------
    ndarray of float32, shape (n_slices, min(8, d))
        Distances are never longer than between the unit vectors themselves.
    """
    step = -(-len(vectors) // SAMPLE_ROWS)
    sample = unit(vectors[::step]).astype(np.float64)
    sample -= sample.mean(axis=0)
    _, axes = np.linalg.eigh(sample.T @ sample)
    axes = axes[:, -N_AXES:].astype(np.float32)
    projected = np.empty((len(vectors), axes.shape[1]), dtype=np.float32)
    for block in _blocks(len(vectors)):
        projected[block] = unit(vectors[block]) @ axes
    return projected


def _neighbourhoods(
    projected: Floats, queries: Ints, candidates: Ints, radius: float
) -> Iterator[tuple[Ints, Ints]]:
    """Divide the queries into leaves, and find what may lie near each.

    A box around the queries is split in half along its widest axis, again and again;
    each half inherits the candidates of its parent and drops those too far from its own
    box.

    Yields
    ------
    queries, candidates : ndarray of int64
        At most `LEAF_SLICES` queries, and all candidates, ascending, that lie within
        `radius` of any of them (and others).
    """
    points = projected.take(queries, axis=0)
    low, high = points.min(axis=0), points.max(axis=0)
    near = [
        part[_distances_to_box(projected.take(part, axis=0), low, high) <= radius]
        for part in (candidates[block] for block in _blocks(candidates.size))
    ]
    candidates = np.concatenate(near)
    if queries.size <= LEAF_SLICES:
        yield queries, candidates
        return
    middle = queries.size // 2
    order = np.argpartition(points[:, np.argmax(high - low)], middle)
    for half in (order[:middle], order[middle:]):
        yield from _neighbourhoods(projected, queries[half], candidates, radius)


def _distances_to_box(points: Floats, low: Floats, high: Floats) -> Floats:
    outside = np.maximum(low - points, points - high)
    np.maximum(outside, 0.0, out=outside)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", outside, outside)))


def _count_tracks(
    vectors: npt.NDArray[np.floating],
    tracks: Ints,
    queries: Ints,
    candidates: Ints,
    epsilon: float,
) -> Ints:
    """Count for each query the tracks of the candidates that are the same."""
    counts = np.zeros(queries.size, dtype=np.int64)
    # A track may span two blocks: the one counted last must not count again.
    last_track = np.full(queries.size, np.iinfo(np.int64).min)
    left = unit(vectors[queries])
    width = max(1, BLOCK_PAIRS // queries.size)
    for start in range(0, candidates.size, width):
        block = candidates[start : start + width]
        query, column = _same_pairs(vectors, left, queries, block, epsilon)
        track = tracks[block[column]]
        is_new = track != last_track[query]
        is_new[1:] &= (track[1:] != track[:-1]) | (query[1:] != query[:-1])
        counts += np.bincount(query[is_new], minlength=queries.size)
        last_track[query] = track
    return counts


def _same_pairs(
    vectors: npt.NDArray[np.floating],
    left: Floats,
    queries: Ints,
    block: Ints,
    epsilon: float,
) -> tuple[Ints, Ints]:
    """Find the pairs of a query and a slice of the block that are the same.

    Returns
    -------
    query, column : ndarray of int64
        Positions in `queries` and in `block`, ascending by query, then column.
    """
    similarities = (left @ unit(vectors[block]).T).ravel()
    # A bound on what the product and the two scalings lose in float32.
    doubt = (left.shape[1] + 4) * float(np.finfo(np.float32).eps)
    pairs = np.flatnonzero(similarities > np.float32(1.0 - epsilon - doubt))
    query, column = np.divmod(pairs, block.size)
    doubtful = np.flatnonzero(similarities[pairs] < 1.0 - epsilon + doubt)
    is_same = np.ones(pairs.size, dtype=np.bool_)
    for start in range(0, doubtful.size, BLOCK_ROWS):
        part = doubtful[start : start + BLOCK_ROWS]
        distances = exact_distances(
            vectors[queries[query[part]]], vectors[block[column[part]]]
        )
        is_same[part] = distances < epsilon
    return query[is_same], column[is_same]


def exact_distances(
    left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Compute cosine distances of pairs in float64.

    Parameters
    ----------
    left, right
        Vectors of any length, shape (n, d).

    Returns
    -------
    ndarray of float64, shape (n,)
        0 to 2; 1 where a vector is zero. Equal pairs give equal results, whatever
        stands around them.
    """
    a, b = left.astype(np.float64), right.astype(np.float64)
    squares = (a * a).sum(axis=1) * (b * b).sum(axis=1)
    with np.errstate(invalid="ignore"):
        cosines = np.where(squares > 0.0, (a * b).sum(axis=1) / np.sqrt(squares), 0.0)
    return np.asarray(1.0 - np.clip(cosines, -1.0, 1.0))
