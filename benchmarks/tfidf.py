"""Exact TF-IDF pooling of a whole library against plain brute force.

    python benchmarks/tfidf.py [--tracks N] [--slices N] [--epsilon X]

The vectors are made, to look like those of music: tracks gather around 40 styles, the
slices of a track around their track (median cosine distance 0.2), 3 in 10 slices nearly
repeat another one of their track, 1 track in 20 ends in the same silence, and 1 in 50
is another master of an earlier track. They vary in more directions than the shipped
encoder's do, which makes pairs harder to rule out, not easier.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
from common import machine

from beetsplug.deejai.embedding.document_frequency import document_frequencies
from beetsplug.deejai.embedding.pooling import pool_library
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt

SIZE = 100
BLOCK_ROWS = 256


def make_slices(n_tracks: int, n_slices: int) -> npt.NDArray[np.float16]:
    """Make the slice vectors of a library, shape (n_tracks * n_slices, 100)."""
    rng = np.random.default_rng(0)
    spread = np.exp(-np.arange(SIZE) / 25)
    styles = rng.standard_normal((40, SIZE)) * spread
    slices = np.empty((n_tracks, n_slices, SIZE), dtype=np.float16)
    for track in range(n_tracks):
        noise = rng.standard_normal((n_slices + 1, SIZE)) * spread
        made = styles[rng.integers(40)] + 0.7 * noise[0] + 0.6 * noise[1:]
        repeats = rng.random(n_slices) < 0.3
        sources = rng.integers(n_slices, size=repeats.sum())
        tiny = 0.02 * rng.standard_normal((sources.size, SIZE)) * spread
        made[repeats] = made[sources] + tiny
        if track and rng.random() < 0.02:
            other = slices[rng.integers(track)].astype(np.float64)
            made = other * 3.0 + 0.02 * rng.standard_normal(made.shape) * spread
        if rng.random() < 0.05:
            made[-1] = spread
        slices[track] = unit(made)
    return slices.reshape(-1, SIZE)


def brute_force(
    vectors: npt.NDArray[np.float16], n_slices: int, epsilon: float, rows: range
) -> npt.NDArray[np.int64]:
    """Count tracks for some rows: one blocked product with all slices, in float32."""
    directions = unit(vectors)
    counts = []
    for start in rows:
        similarities = directions[start : start + BLOCK_ROWS] @ directions.T
        same = similarities > 1.0 - epsilon
        starts = np.arange(0, len(vectors), n_slices)
        counts.append(np.logical_or.reduceat(same, starts, axis=1).sum(axis=1))
    return np.concatenate(counts)


def peak_mb() -> float:
    # Linux gives kilobytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=8000)
    parser.add_argument("--slices", type=int, default=35)
    parser.add_argument("--epsilon", type=float, default=0.001)
    options = parser.parse_args()
    vectors = make_slices(options.tracks, options.slices)
    counts = np.full(options.tracks, options.slices)
    print(f"{machine()}\n{options.tracks} tracks x {options.slices} slices, made")
    print(f"epsilon {options.epsilon}; peak before {peak_mb():.0f} MB")
    start = time.perf_counter()
    pool_library(vectors, counts=counts, method="tfidf", epsilon=options.epsilon)
    whole_s = time.perf_counter() - start
    print(f"pool, all tracks        {whole_s:8.2f} s   peak {peak_mb():.0f} MB")
    start = time.perf_counter()
    pool_library(
        vectors, counts=counts, method="tfidf", epsilon=options.epsilon, tracks=[0]
    )
    print(f"pool, one import        {time.perf_counter() - start:8.2f} s")
    tracks = np.repeat(np.arange(options.tracks), options.slices)
    start = time.perf_counter()
    found = document_frequencies(vectors, tracks=tracks, epsilon=options.epsilon)
    exact_s = time.perf_counter() - start
    print(
        f"document frequencies    {exact_s:8.2f} s   "
        f"a slice is in {found.mean():.2f} tracks, at most in {found.max()}"
    )
    n_blocks = min(16, -(-len(vectors) // BLOCK_ROWS))
    rows = range(0, n_blocks * BLOCK_ROWS, BLOCK_ROWS)
    start = time.perf_counter()
    plain = brute_force(vectors, options.slices, options.epsilon, rows)
    plain_s = (time.perf_counter() - start) * len(vectors) / plain.size
    print(f"brute force             {plain_s:8.2f} s   scaled from {plain.size} rows")
    differing = int((plain != found[: plain.size]).sum())
    print(f"brute force in float32 miscounts {differing} of {plain.size} rows")
    print(f"exact against brute force: {exact_s / plain_s:.3f}")


if __name__ == "__main__":
    main()
