"""The tracks nearest to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import Pick
from beetsplug.deejai.recommend.rules import check_amount

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index
    from beetsplug.deejai.recommend.rules import Catalogue


def similar(
    index: Index,
    query: npt.NDArray[np.float32],
    *,
    catalogue: Catalogue,
    exclude_rows: Iterable[int | None] = (),
    n: int | None = None,
    length_s: float | None = None,
) -> list[Pick]:
    """Find the tracks nearest to a query, nearest first.

    Parameters
    ----------
    index
        The library.
    query
        Unit vector, shape (d,), as
        :func:`~beetsplug.deejai.recommend.index.query_vector` makes it.
    catalogue
        Lengths, and which tracks are allowed.
    exclude_rows
        Rows that must not be found, such as the seeds'; None is passed over.
    n
        How many tracks; fewer only when no more are allowed.
    length_s
        Instead of `n`: seconds to fill. The nearest track that fits the time left is
        taken until none does, so that the time is never exceeded.

    Returns
    -------
    list of Pick
        With similarities to the query. Equal ones come in the order of their rows.

    Raises
    ------
    ValueError
        Not just one of `n` and `length_s` is given, or it is negative.
    """
    check_amount(n, length_s)
    similarities = index.similarities(query)
    candidates = catalogue.candidates(exclude_rows, timed=length_s is not None)
    rows = np.flatnonzero(candidates)
    rows = rows[np.argsort(-similarities[rows], kind="stable")]
    if length_s is not None:
        rows = _fitting(rows, catalogue.lengths_s, length_s)
    return [Pick(int(row), float(similarities[row])) for row in rows[:n]]


def _fitting(
    rows: npt.NDArray[np.int64], lengths_s: npt.NDArray[np.floating], length_s: float
) -> npt.NDArray[np.int64]:
    """Keep, in order, each row that still fits into the time left."""
    left_s, kept = length_s, []
    for row, track_s in zip(rows, lengths_s[rows].tolist(), strict=True):
        if track_s <= left_s:
            kept.append(row)
            left_s -= track_s
    return np.array(kept, dtype=np.int64)
