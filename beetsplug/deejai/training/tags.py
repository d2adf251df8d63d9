"""What the library knows about each track, read in bulk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from beets.library import Item

if TYPE_CHECKING:
    from beets.library import Library


@dataclass(frozen=True, slots=True)
class TaggedTrack:
    """One track of the library.

    Attributes
    ----------
    item_id
        Of its item.
    path
        Absolute, as :func:`os.fsdecode` gives it.
    title, artist
        Empty when unknown.
    artists, genres
        All of them.
    album_id
        None for a track that is on no album.
    """

    item_id: int
    path: str
    title: str
    artist: str
    artists: tuple[str, ...]
    genres: tuple[str, ...]
    album_id: int | None


def load_tagged(lib: Library) -> list[TaggedTrack]:
    """Read every track, album by album in the order of their tracks.

    One query and no items: making those takes ten times as long.
    """
    path_type, list_type = Item._type("path"), Item._type("genres")

    @cache
    def names(value: str | None) -> tuple[str, ...]:
        """Read a field of several values; many tracks have the same."""
        return tuple(list_type.from_sql(value))

    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT id, path, title, artist, artists, genres, album_id FROM items"
            " ORDER BY lower(albumartist), lower(album), album_id, disc, track, id"
        )
    with lib.music_dir_context():
        return [
            TaggedTrack(
                item_id=row[0],
                path=os.fsdecode(path_type.from_sql(row[1])),
                title=_text(row[2]),
                artist=_text(row[3]),
                artists=names(row[4]) or _some(row[3]),
                genres=names(row[5]),
                album_id=row[6],
            )
            for row in rows
        ]


def _text(value: object) -> str:
    return str(value or "").strip()


def _some(value: object) -> tuple[str, ...]:
    text = _text(value)
    return (text,) if text else ()


def load_play_counts(lib: Library) -> dict[int, int]:
    """Return how often each item was played, where that is known and not 0.

    The field ``play_count`` is kept by the plugins mpdstats and lastimport.
    """
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT entity_id, value FROM item_attributes WHERE key = 'play_count'"
        )
    counts = {}
    for item_id, value in rows:
        try:
            count = int(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if count > 0:
            counts[item_id] = count
    return counts
