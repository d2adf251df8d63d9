"""How much smoother reorder makes a playlist, and in what time.

    python benchmarks/reorder.py [HOME]

Shuffles 100 tracks of a library whose vectors are there (HOME is the folder of beets'
configuration), and lists of made tracks, and orders them again: by always going on to
the nearest track that is left, as most programs do, and by reorder.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import machine, open_library

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.recommend.reorder import hop_distances, hops_along, reorder
from beetsplug.deejai.storage.library import load_vectors
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

N_REAL = 100
N_MADE = (20, 100, 500, 2_000)
N_STYLES = 40
ROUNDS = 5


def made_vectors(n: int, rng: np.random.Generator) -> Vectors:
    """Make tracks around some styles, as near to each other as real ones."""
    styles = rng.standard_normal((N_STYLES, 100))[rng.integers(N_STYLES, size=n)]
    return unit(styles + 0.6 * rng.standard_normal((n, 100)))


def greedy(distances: npt.NDArray[np.float32]) -> list[int]:
    """Go on to the nearest track that is left."""
    order = [0]
    left = np.ones(len(distances), dtype=bool)
    while len(order) < len(distances):
        left[order[-1]] = False
        order.append(int(np.argmin(np.where(left, distances[order[-1]], np.inf))))
    return order


def measure(name: str, lists: list[Vectors]) -> None:
    """Order each list, and print the means of what came of it."""
    figures = []
    seconds = []
    for number, vectors in enumerate(lists):
        distances = hop_distances(vectors, vectors, recordings=np.arange(len(vectors)))
        start = time.perf_counter()
        order = reorder(distances, rng=np.random.default_rng(number))
        seconds.append(time.perf_counter() - start)
        orders = (range(len(vectors)), greedy(distances), order)
        hops = [hops_along(distances, one) for one in orders]
        figures.append([f for h in hops for f in (h.sum(), h.max())])
    means = np.mean(figures, axis=0)
    cells = "  ".join(
        f"{how} {means[2 * i]:8.2f} / {means[2 * i + 1]:.3f}"
        for i, how in enumerate(("shuffled", "greedy", "reorder"))
    )
    print(f"{name:12} {cells}  {np.median(seconds):6.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", nargs="?", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"{machine()}\ntotal distance / worst hop, means of {ROUNDS} lists")
    if options.home:
        lib = open_library(options.home)
        vectors = load_vectors(lib, model_id(model_path("default"))).vectors
        rows = [rng.permutation(len(vectors))[:N_REAL] for _ in range(ROUNDS)]
        measure(f"{N_REAL} real", [vectors[chosen] for chosen in rows])
    for n in N_MADE:
        measure(f"{n} made", [made_vectors(n, rng) for _ in range(ROUNDS)])


if __name__ == "__main__":
    main()
