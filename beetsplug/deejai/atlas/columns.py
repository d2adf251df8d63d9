"""What the map says of its tracks, read in bulk."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from beets.library import Item
from beets.util import displayable_path

from beetsplug.deejai.storage.library import in_bulk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from beets.library import Library

    Codes = npt.NDArray[np.int64]

MAX_TEXT = 200
"""Longest text, in characters: a title may be a novel, and a page holds thousands."""


@dataclass(frozen=True)
class Groups:
    """Tracks that share a name: a genre, or an artist.

    Attributes
    ----------
    names
        The commonest first. Tracks without a name share the last one, which is empty.
    codes
        int64, shape (n_tracks,): row of each track's name in `names`.
    """

    names: list[str]
    codes: Codes


@dataclass(frozen=True)
class Columns:
    """Tracks as columns, row by row.

    Attributes
    ----------
    item_ids
        int64, shape (n_tracks,), ascending.
    titles, albums
        Titles are never empty: the name of the file stands in.
    paths
        Relative to the music directory, absolute outside it.
    artists, genres
        Of genres the first one of each track.
    years
        int64; 0 where unknown.
    """

    item_ids: npt.NDArray[np.int64]
    titles: list[str]
    albums: list[str]
    paths: list[str]
    artists: Groups
    genres: Groups
    years: npt.NDArray[np.int64]

    def distinct_years(self) -> tuple[Codes, Codes]:
        """Gather equal years.

        Returns
        -------
        years : ndarray of int64, shape (n_years,)
            Ascending, from 0 on if any is unknown.
        codes : ndarray of int64, shape (n_tracks,)
            Place of each track's year among them.
        """
        years, codes = np.unique(self.years, return_inverse=True)
        return years, codes.astype(np.int64)

    def name(self, row: int) -> str:
        """Return artist and title of a track."""
        artist = self.artists.names[self.artists.codes[row]]
        return " - ".join(filter(None, (artist, self.titles[row])))


def group(names: Sequence[str]) -> Groups:
    """Gather equal names, the commonest first; those that differ in case are one.

    Of several spellings the commonest is shown.
    """
    spellings = Counter(names)
    by_key: dict[str, list[str]] = {}
    for name in spellings:
        by_key.setdefault(name.casefold(), []).append(name)
    total = {key: sum(spellings[name] for name in by_key[key]) for key in by_key}
    # Equally common ones stand by name, so that the same library has the same colours.
    order = sorted(by_key, key=lambda key: (not key, -total[key], key))
    code_of = {name: row for row, key in enumerate(order) for name in by_key[key]}
    shown = [
        min(by_key[key], key=lambda name: (-spellings[name], name)) for key in order
    ]
    codes = np.fromiter((code_of[name] for name in names), np.int64, len(names))
    return Groups(shown, codes)


@in_bulk()
def load_columns(lib: Library, item_ids: Iterable[int]) -> Columns:
    """Read what the map says of tracks.

    Parameters
    ----------
    lib
        The library.
    item_ids
        Those of them that are not in the library are left out.
    """
    list_type = Item._type("genres")

    @cache
    def first_genre(value: str | None) -> str:
        names = [_text(name) for name in list_type.from_sql(value)]
        return next(filter(None, names), "")

    wanted = set(item_ids)
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT id, title, artist, album, genres, year, CAST(path AS BLOB)"
            " FROM items ORDER BY id"
        )
    rows = [row for row in rows if row[0] in wanted]
    paths = [displayable_path(bytes(row[6] or b"")) for row in rows]
    return Columns(
        item_ids=np.array([row[0] for row in rows], dtype=np.int64),
        titles=[
            _text(row[1]) or _text(os.path.splitext(os.path.basename(path))[0]) or "?"
            for row, path in zip(rows, paths, strict=True)
        ],
        albums=[_text(row[3]) for row in rows],
        paths=paths,
        artists=group([_text(row[2]) for row in rows]),
        genres=group([first_genre(row[4]) for row in rows]),
        years=np.array([_year(row[5]) for row in rows], dtype=np.int64),
    )


def _text(value: object) -> str:
    return " ".join(str(value or "")[:MAX_TEXT].split())


def _year(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 10_000 else 0
