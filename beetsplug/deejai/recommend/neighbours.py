"""The nearest of many vectors, for many at once: exactly, in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Rows = npt.NDArray[np.int64]

BLOCK_CELLS = 4_000_000
"""Similarities that are held at once: 16 MB, and twice that for their order."""


def nearest(
    queries: Array,
    vectors: Array,
    *,
    n: int,
    own_rows: Rows | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Rows, Array]:
    """Find the nearest vectors of each query.

    Parameters
    ----------
    queries
        Unit rows, shape (n_queries, d).
    vectors
        Unit rows, shape (n_vectors, d).
    n
        How many for each; at most as many as there are are given.
    own_rows
        The row in `vectors` that each query itself has and does not find, shape
        (n_queries,); None: queries are no rows.
    on_progress
        Called with the number of queries that are done.

    Returns
    -------
    rows : ndarray of int64, shape (n_queries, n)
        Nearest first.
    similarities : ndarray of float32, shape (n_queries, n)
        Cosine similarities, -1 to 1.
    """
    n = min(n, len(vectors) - (own_rows is not None))
    rows = np.empty((len(queries), n), dtype=np.int64)
    similarities = np.empty((len(queries), n), dtype=np.float32)
    size = max(1, BLOCK_CELLS // max(1, len(vectors)))
    for start in range(0, len(queries) if n else 0, size):
        block = slice(start, start + size)
        products = queries[block] @ vectors.T
        if own_rows is not None:
            products[np.arange(len(products)), own_rows[block]] = -np.inf
        best = np.argpartition(products, -n, axis=1)[:, -n:]
        found = np.take_along_axis(products, best, axis=1)
        order = np.lexsort((best, -found), axis=1)
        rows[block] = np.take_along_axis(best, order, axis=1)
        similarities[block] = np.take_along_axis(found, order, axis=1)
        if on_progress is not None:
            on_progress(min(start + size, len(queries)))
    return rows, np.clip(similarities, -1.0, 1.0)
