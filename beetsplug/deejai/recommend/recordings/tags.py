"""What is known of tracks that may be versions of one recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Codes = npt.NDArray[np.integer]


class Track(NamedTuple):
    """One track.

    Attributes
    ----------
    title
        As tagged.
    artist, album, recording_id
        Codes; :data:`~beetsplug.deejai.recommend.index.UNKNOWN` if unknown.
    length_s
        Seconds; 0 if unknown.
    vector
        Unit length, shape (d,).
    """

    title: str
    artist: int
    album: int
    recording_id: int
    length_s: float
    vector: Array


@dataclass(frozen=True)
class Tracks:
    """The tracks of a library, in the rows of the index.

    Attributes
    ----------
    titles, artists, albums, recording_ids, lengths_s, vectors
        As of :class:`Track`, shape (n_tracks,) or (n_tracks, d).
    artist_names
        By code of the artist.
    """

    titles: Sequence[str]
    artists: Codes
    albums: Codes
    recording_ids: Codes
    lengths_s: npt.NDArray[np.floating]
    vectors: Array
    artist_names: Sequence[str]

    def __len__(self) -> int:
        return len(self.titles)

    def __getitem__(self, row: int) -> Track:
        return Track(
            self.titles[row],
            int(self.artists[row]),
            int(self.albums[row]),
            int(self.recording_ids[row]),
            float(self.lengths_s[row]),
            self.vectors[row],
        )

    @cached_property
    def by_artist(self) -> Lookup:
        """The tracks of each artist."""
        return Lookup(self.artists)

    @cached_property
    def by_recording_id(self) -> Lookup:
        """The tracks with each recording id."""
        return Lookup(self.recording_ids)

    def artist_name(self, artist: int) -> str:
        """Return the name of an artist; empty when it is unknown."""
        return "" if artist == UNKNOWN else self.artist_names[artist]


class Lookup:
    """Finds the rows that have a code."""

    def __init__(self, codes: Codes) -> None:
        self._order = np.argsort(codes, kind="stable")
        self._sorted = codes[self._order]

    def rows(self, code: int) -> list[int]:
        """Return the rows of a code, ascending; none of one that is unknown."""
        if code == UNKNOWN:
            return []
        start = np.searchsorted(self._sorted, code, side="left")
        end = np.searchsorted(self._sorted, code, side="right")
        return [int(row) for row in self._order[start:end]]
