"""Tracks of one artist whose titles name the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.recommend.recordings.titles import is_generic, read_title
from beetsplug.deejai.recommend.recordings.twins import DISTANCE, is_near_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.recordings.tags import Track, Tracks
    from beetsplug.deejai.recommend.recordings.titles import Title

EQUAL_LENGTH_S = 10.0
EQUAL_LENGTH_SHARE = 0.05
"""Lengths that agree differ by at most this many seconds, and this part of them.

The seconds are what beets itself allows a match.
"""

ALIKE_DISTANCE = 0.05
"""Cosine distance up to which vectors agree.

Three quarters of a piece of music are at 0.008 from the whole (0.027 for 1 in 20), and
its halves at 0.09 from each other.
"""


class Namesakes:
    """Finds the versions of a track by the names of artist and title.

    The titles of an artist are read when the first of them is asked for.
    """

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._titles: dict[int, Title] = {}
        self._named: dict[tuple[int, str], list[int]] = {}
        self._parts: dict[int, list[int]] = {}
        self._artists_read: set[int] = set()

    def title(self, row: int) -> Title:
        """Return what the title of a track says."""
        if row not in self._titles:
            self._titles[row] = self.read(
                self._tracks.titles[row], int(self._tracks.artists[row])
            )
        return self._titles[row]

    def read(self, title: str, artist: int) -> Title:
        """Return what a title of an artist says."""
        return read_title(title, artist=self._tracks.artist_name(artist))

    def of_row(self, row: int) -> list[int]:
        """Return the versions of a track of the library, itself among them."""
        if row not in self._parts:
            rows = self._same_name(int(self._tracks.artists[row]), self.title(row))
            parts = [rows]
            if len(rows) > 1:
                tracks = [self._tracks[same] for same in rows]
                labels = _divide(tracks, [self.title(same) for same in rows])
                parts = [
                    [same for same, its in zip(rows, labels, strict=True) if its == one]
                    for one in set(labels)
                ]
            self._parts |= {same: part for part in parts for same in part}
            self._parts.setdefault(row, [row])
        return self._parts[row]

    def of(self, track: Track) -> list[int]:
        """Return the versions of a track that is not in the library."""
        title = self.read(track.title, track.artist)
        rows = self._same_name(track.artist, title)
        tracks = [*(self._tracks[row] for row in rows), track]
        labels = _divide(tracks, [*(self.title(row) for row in rows), title])
        return [
            row for row, its in zip(rows, labels, strict=False) if its == labels[-1]
        ]

    def _same_name(self, artist: int, title: Title) -> list[int]:
        if artist == UNKNOWN or is_generic(title.name):
            return []
        if artist not in self._artists_read:
            self._artists_read.add(artist)
            for row in self._tracks.by_artist.rows(artist):
                key = artist, self.title(row).name
                self._named.setdefault(key, []).append(row)
        return self._named.get((artist, title.name), [])


def _divide(tracks: Sequence[Track], titles: Sequence[Title]) -> list[int]:
    """Divide tracks of one name into recordings, and number these.

    A track whose title is marked is a version of the one that it sounds most like; of
    the others, those whose lengths or vectors agree are.
    """
    vectors = np.array([track.vector for track in tracks])
    distances = 1.0 - vectors @ vectors.T
    agree = _agree(tracks, distances)
    is_marked = np.array([title.is_marked for title in titles])
    if is_marked.all():
        return [0] * len(tracks)
    labels = np.arange(len(tracks))
    for one in np.flatnonzero(~is_marked):
        for other in np.flatnonzero(~is_marked & agree[one]):
            labels[labels == labels[other]] = labels[one]
    plain = np.flatnonzero(~is_marked)
    labels[is_marked] = labels[plain[distances[:, plain].argmin(axis=1)]][is_marked]
    return labels.tolist()


def _agree(
    tracks: Sequence[Track], distances: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]:
    """Return which of some tracks, of one name and unmarked, are the same."""
    lengths_s = np.array([track.length_s for track in tracks])
    shorter_s = np.minimum(lengths_s[:, None], lengths_s)
    tolerance_s = np.minimum(EQUAL_LENGTH_S, EQUAL_LENGTH_SHARE * shorter_s)
    near = np.abs(lengths_s[:, None] - lengths_s) <= tolerance_s
    near &= shorter_s > 0.0
    # An album that has one title twice means two things by it.
    albums = np.array([track.album for track in tracks])
    on_one_album = (albums[:, None] == albums) & (albums != UNKNOWN)
    identical = is_near_length(lengths_s[:, None], lengths_s) & (distances <= DISTANCE)
    return np.where(on_one_album, identical, near | (distances <= ALIKE_DISTANCE))
