"""What rules ask about the tracks of a library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.recommend.recordings.tags import Tracks
from beetsplug.deejai.recommend.recordings.titles import is_nobody, read_artist
from beetsplug.deejai.recommend.recordings.versions import Versions
from beetsplug.deejai.storage.library import artist_key, in_bulk, load_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from beets.library import Item, Library


@dataclass(frozen=True)
class Names:
    """Numbers for names, counted up from 0.

    Attributes
    ----------
    reduce
        Reduces what is tagged to a name; an empty one is unknown.
    codes
        Number of each name, in the order of the numbers.
    """

    reduce: Callable[..., str]
    codes: dict[str, int] = field(default_factory=dict)

    def add(self, *columns: Sequence[str | None]) -> npt.NDArray[np.int64]:
        """Return the numbers of what is tagged, new ones for what is new.

        Parameters
        ----------
        *columns
            What `reduce` takes, each for all tracks.

        Returns
        -------
        ndarray of int64, shape (n_tracks,)
        """
        code_of = {
            tags: self._add(self.reduce(*tags))
            for tags in dict.fromkeys(zip(*columns, strict=True))
        }
        codes = (code_of[tags] for tags in zip(*columns, strict=True))
        return np.fromiter(codes, dtype=np.int64, count=len(columns[0]))

    def code(self, *tags: str | None) -> int:
        """Return the number of what is tagged, unknown if it is new."""
        return self.codes.get(self.reduce(*tags), UNKNOWN)

    def _add(self, name: str) -> int:
        return self.codes.setdefault(name, len(self.codes)) if name else UNKNOWN


@dataclass(frozen=True)
class TrackFacts:
    """What rules ask about tracks, row by row.

    Attributes
    ----------
    titles
        As tagged.
    artists, albums, recording_ids
        int64: equal where the artist, the album, the recording of MusicBrainz is the
        same; :data:`~beetsplug.deejai.recommend.index.UNKNOWN` where not known.
    lengths_s
        float64: duration in seconds; 0 if unknown.
    artist_names, album_names, recording_id_names
        What the codes mean.
    """

    titles: list[str]
    artists: npt.NDArray[np.int64]
    albums: npt.NDArray[np.int64]
    recording_ids: npt.NDArray[np.int64]
    lengths_s: npt.NDArray[np.float64]
    artist_names: Names
    album_names: Names
    recording_id_names: Names

    def tracks(self, vectors: npt.NDArray[np.float32]) -> Tracks:
        """Put them beside the tracks' vectors, shape (n_tracks, d)."""
        return Tracks(
            titles=self.titles,
            artists=self.artists,
            albums=self.albums,
            recording_ids=self.recording_ids,
            lengths_s=self.lengths_s,
            vectors=vectors,
            artist_names=list(self.artist_names.codes),
        )

    def codes_of(self, item: Item) -> tuple[int, int, int]:
        """Return artist, album and recording id of an item, unknown if new."""
        return (
            self.artist_names.code(item.artist),
            self.album_names.code(item.album, item.albumartist, item.artist),
            self.recording_id_names.code(item.mb_trackid),
        )


@in_bulk()
def load_facts(lib: Library, item_ids: npt.NDArray[np.int64]) -> TrackFacts:
    """Read what rules ask about tracks, aligned with `item_ids`, which ascend."""
    with lib.transaction() as tx:
        found = tx.query(
            "SELECT id, title, artist, album, albumartist, mb_trackid, length"
            " FROM items ORDER BY id"
        )
    # By columns and by distinct values: a row at a time takes three times as long.
    wanted = set(item_ids.tolist())
    columns = list(zip(*(row for row in found if row[0] in wanted), strict=True))
    ids, titles, artists, albums, albumartists, recording_ids, lengths = (
        columns or [()] * 7
    )
    rows = np.searchsorted(item_ids, np.array(ids, dtype=np.int64))
    all_titles = np.full(len(item_ids), "", dtype=object)
    all_titles[rows] = [title or "" for title in titles]
    lengths_s = np.zeros(len(item_ids))
    lengths_s[rows] = [length or 0.0 for length in lengths]
    lengths_s[~(np.isfinite(lengths_s) & (lengths_s > 0.0))] = 0.0

    def aligned(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        of_all = np.full(len(item_ids), UNKNOWN)
        of_all[rows] = codes
        return of_all

    artist_names, album_names = Names(artist_name), Names(album_name)
    recording_id_names = Names(recording_id_name)
    return TrackFacts(
        titles=all_titles.tolist(),
        artists=aligned(artist_names.add(artists)),
        albums=aligned(album_names.add(albums, albumartists, artists)),
        recording_ids=aligned(recording_id_names.add(recording_ids)),
        lengths_s=lengths_s,
        artist_names=artist_names,
        album_names=album_names,
        recording_id_names=recording_id_names,
    )


def load_versions(
    lib: Library, item_ids: npt.NDArray[np.int64], *, model: str
) -> Versions:
    """Load what tells which of some tracks are one recording.

    Parameters
    ----------
    lib
        The library.
    item_ids
        The tracks, ascending.
    model
        Id of the encoder whose vectors tell versions. Tracks without one are told by
        their tags alone.
    """
    stored = load_vectors(lib, model)
    vectors = np.zeros((len(item_ids), stored.vectors.shape[1]), np.float32)
    _, ours, theirs = np.intersect1d(
        item_ids, stored.item_ids, assume_unique=True, return_indices=True
    )
    vectors[ours] = stored.vectors[theirs]
    return Versions(load_facts(lib, item_ids).tracks(vectors))


def artist_name(artist: str | None) -> str:
    """Reduce an artist's name to what tells artists apart; empty when it is no one's.

    "A feat. B" is A.
    """
    name = read_artist(artist or "")
    return "" if is_nobody(name) else name


def album_name(album: str | None, albumartist: str | None, artist: str | None) -> str:
    """Reduce an album's name to what tells albums apart; empty when unknown.

    Without an album artist the track's artist stands in: albums of several artists are
    called "Greatest Hits".
    """
    name = artist_key(album)
    by = artist_key(albumartist) or read_artist(artist or "")
    return name and f"{by}\n{name}"


def recording_id_name(recording_id: str | None) -> str:
    """Reduce a recording id of MusicBrainz; empty when unknown."""
    return (recording_id or "").strip().lower()
