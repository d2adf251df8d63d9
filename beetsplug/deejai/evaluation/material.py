"""What an evaluation works on: vectors, slices and tags of the library's tracks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.evaluation.figures import Facts
from beetsplug.deejai.evaluation.labels import Labels
from beetsplug.deejai.storage.library import artist_key, load_vectors, stored_by_id
from beetsplug.deejai.training.tags import load_tagged

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.storage.slices import SliceStore, StoredSlices
    from beetsplug.deejai.training.playlists import Playlist

    Array = npt.NDArray[np.floating[Any]]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """Tracks that have a vector, row by row.

    Attributes
    ----------
    paths
        As :func:`os.fsdecode` gives them.
    lengths_s
        Durations in seconds; 0 when unknown.
    vectors
        The stored track vectors, float32, shape (n_tracks, d).
    slices
        Stored slice vectors of each track, shape (n_slices, d); of no rows where there
        are none.
    artists, albums, genres
        From the tags.
    playlists
        Rows, in order; tracks without a vector are missing.
    """

    paths: list[str]
    lengths_s: npt.NDArray[np.float64]
    vectors: Array
    slices: list[Array]
    artists: Labels
    albums: Labels
    genres: Labels
    playlists: list[Ints]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def halved(self) -> Ints:
        """Rows of the tracks that have two slices or more."""
        counts = np.array([len(one) for one in self.slices], dtype=np.int64)
        return np.flatnonzero(counts > 1)

    def facts(self) -> Facts:
        """Return what is known of the tracks besides their sound."""
        return Facts(
            self.artists, self.albums, self.genres, self.halved, self.playlists
        )

    def of(self, rows: Ints) -> Material:
        """Return the part of some tracks; playlists lose all others."""
        new_row = {int(row): number for number, row in enumerate(rows)}
        return Material(
            paths=[self.paths[row] for row in rows],
            lengths_s=self.lengths_s[rows],
            vectors=self.vectors[rows],
            slices=[self.slices[row] for row in rows],
            artists=self.artists.of(rows),
            albums=self.albums.of(rows),
            genres=self.genres.of(rows),
            playlists=[
                np.array([new_row[r] for r in playlist if r in new_row], dtype=np.int64)
                for playlist in (one.tolist() for one in self.playlists)
            ],
        )


def load_material(
    lib: Library,
    *,
    model: str,
    store: SliceStore | None,
    only: set[int] | None = None,
    playlists: Iterable[Playlist] = (),
) -> Material:
    """Read the vectors of a model, and what is known of their tracks.

    Parameters
    ----------
    lib
        The library.
    model
        Id of the encoder.
    store
        The side store, or None when there is none.
    only
        Ids of the items that count; None for all.
    playlists
        To be continued.
    """
    stored = load_vectors(lib, model)
    kept = [row for row, i in enumerate(stored.item_ids) if only is None or i in only]
    item_ids = stored.item_ids[kept].tolist()
    tagged = {track.item_id: track for track in load_tagged(lib)}
    albums, lengths_s = _albums_and_lengths(lib)
    tracks = [tagged[item_id] for item_id in item_ids]
    row_of = {track.path: row for row, track in enumerate(tracks)}
    return Material(
        paths=[track.path for track in tracks],
        lengths_s=np.array([lengths_s[i] for i in item_ids], dtype=np.float64),
        vectors=stored.vectors[kept],
        slices=_slices(lib, store, model, item_ids, stored.vectors.shape[1]),
        artists=Labels(artist_key(track.artist) for track in tracks),
        albums=Labels(albums[item_id] for item_id in item_ids),
        genres=Labels(
            [genre.strip().casefold() for genre in track.genres] for track in tracks
        ),
        playlists=[
            np.array([row_of[t] for t in one.tracks if t in row_of], dtype=np.int64)
            for one in playlists
        ],
    )


def _albums_and_lengths(lib: Library) -> tuple[dict[int, str], dict[int, float]]:
    """Read the album and the duration (s) of every track, by item id.

    An album is told by its title and artist, so that one that was imported twice or on
    several discs is one, and without an artist by its folder.
    """
    with lib.transaction() as tx:
        rows = tx.query("SELECT id, album, albumartist, path, length FROM items")
    albums, lengths_s = {}, {}
    for item_id, album, albumartist, path, length in rows:
        title, artist = artist_key(album), artist_key(albumartist)
        folder = os.fsdecode(os.path.dirname(bytes(path)))
        albums[item_id] = f"{artist or folder}\0{title}" if title else ""
        lengths_s[item_id] = length if length and 0 < length < np.inf else 0.0
    return albums, lengths_s


def _slices(
    lib: Library, store: SliceStore | None, model: str, item_ids: list[int], size: int
) -> list[Array]:
    none = np.zeros((0, size), dtype=np.float16)
    if store is None:
        return [none] * len(item_ids)
    wanted = set(item_ids)
    found: StoredSlices = store.load(
        model,
        {i: one.signature for i, one in stored_by_id(lib).items() if i in wanted},
    )
    parts = np.split(found.vectors, np.cumsum(found.counts)[:-1])
    by_id = dict(zip(found.item_ids.tolist(), parts, strict=False))
    return [by_id.get(item_id, none) for item_id in item_ids]
