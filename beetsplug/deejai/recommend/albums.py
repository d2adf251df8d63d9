"""Albums as points in the space of their tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN, Index, Pick
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from beetsplug.deejai.recommend.rules import Mask


def album_index(
    index: Index, *, albums: npt.NDArray[np.integer], counted: Mask
) -> Index:
    """Make an index of albums: each is the mean direction of its tracks.

    Parameters
    ----------
    index
        The tracks.
    albums
        Id of each track's album, shape (n_tracks,);
        :data:`~beetsplug.deejai.recommend.index.UNKNOWN` for a track without one.
    counted
        bool, shape (n_tracks,): the tracks that count. An album of which none does is
        left out.

    Returns
    -------
    Index
        Ids are those of the albums, ascending. An album whose tracks cancel out has a
        zero vector, which is similar to nothing.
    """
    rows = np.flatnonzero(counted & (albums != UNKNOWN))
    rows = rows[np.argsort(albums[rows], kind="stable")]
    ids, starts = np.unique(albums[rows], return_index=True)
    vectors = unit(index.vectors[rows])
    # reduceat takes no empty list of starts.
    sums = np.add.reduceat(vectors, starts) if len(ids) else vectors
    return Index(ids.astype(np.int64), unit(sums))


def nearest_albums(
    albums: Index,
    query: npt.NDArray[np.float32],
    *,
    excluded: Collection[int],
    n: int,
) -> list[Pick]:
    """Find the albums nearest to a query, nearest first.

    Parameters
    ----------
    albums
        The albums, as :func:`album_index` makes them.
    query
        Unit vector, shape (d,).
    excluded
        Ids of albums that are not to be found, such as those of the seeds.
    n
        How many, not negative; fewer only when there are no more.

    Returns
    -------
    list of Pick
        Rows of `albums`, with similarities to the query. Equal ones come in the order
        of their ids.
    """
    similarities = albums.similarities(query)
    order = np.flatnonzero(~np.isin(albums.ids, list(excluded)))
    order = order[np.argsort(-similarities[order], kind="stable")]
    return [Pick(row, float(similarities[row])) for row in order[:n].tolist()]
