"""The library's albums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from beets.dbcore import sort_from_strings
from beets.dbcore.query import InQuery, MatchQuery
from beets.dbcore.sort import NullSort
from beets.library import Item

from beetsplug.deejai.recommend.index import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from beets.library import Album, Library


def load_album_ids(
    lib: Library, item_ids: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Read the album of each track, aligned with `item_ids`.

    Returns
    -------
    ndarray of int64, shape (n_tracks,)
        Ids of albums; :data:`~beetsplug.deejai.recommend.index.UNKNOWN` for singletons.
    """
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT items.id, albums.id FROM items"
            " JOIN albums ON albums.id = items.album_id"
        )
    album_of = dict(map(tuple, rows))
    albums = (album_of.get(int(item_id), UNKNOWN) for item_id in item_ids)
    return np.fromiter(albums, dtype=np.int64, count=len(item_ids))


def albums_by_id(lib: Library, album_ids: Sequence[int]) -> list[Album]:
    """Fetch albums in the order of their ids as given."""
    found = {
        album.id: album
        for album in lib.albums(InQuery("id", list(album_ids)), NullSort())
    }
    return [found[wanted] for wanted in album_ids if wanted in found]


def album_tracks(lib: Library, album: Album) -> list[Item]:
    """Return an album's tracks in its own order, whoever plays them."""
    order = sort_from_strings(Item, ["disc+", "track+"])
    return list(lib.items(MatchQuery("album_id", album.id), order))
