"""Which tracks are versions of one recording, by their tags and by their sound."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.recommend.recordings.namesakes import Namesakes
from beetsplug.deejai.recommend.recordings.titles import are_told_apart
from beetsplug.deejai.recommend.recordings.twins import MAX_TWINS, Twins

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from beetsplug.deejai.recommend.recordings.tags import Track, Tracks
    from beetsplug.deejai.recommend.recordings.twins import Twin

    Codes = npt.NDArray[np.integer]
    Mask = npt.NDArray[np.bool_]


class Recordings:
    """The recording of each track of a library, as a code.

    Parameters
    ----------
    codes
        Shape (n_tracks,): equal where two tracks are versions of one recording;
        :data:`~beetsplug.deejai.recommend.index.UNKNOWN` for one that is a version of
        none.
    """

    def __init__(self, codes: Codes) -> None:
        self._codes = codes

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, rows: Any) -> Any:
        """Return the codes of some rows, chosen as of an array."""
        return self._codes[rows]

    def among(self, codes: Iterable[int]) -> Mask:
        """Return which tracks have one of some codes, which were told before.

        Returns
        -------
        ndarray of bool, shape (n_tracks,)
        """
        return np.isin(self._codes, list(set(codes) - {UNKNOWN}))

    def code_of(self, _track: Track) -> int:
        """Return the code of a track outside the library, unknown if it is new."""
        return UNKNOWN


class Versions(Recordings):
    """Finds the recordings of the tracks that are asked for, and of no others.

    Tracks are versions of one recording when

    - their recording ids are the same; or
    - their artists are the same, and their titles name the same without what marks a
      version (:func:`~.titles.read_title`). If nothing marks either, their lengths or
      vectors have to agree too. A marked one is a version of the one that it sounds
      most like. Generic names are never enough; or
    - their vectors and lengths are near-identical, unless they are on one album, or
      their titles tell them apart by a number or by a word like *remix*.

    The first two hold over several steps, too. The last joins the nearest first, and
    none if that would bring two tracks together that it must not join itself; in a
    crowd, where everything sounds the same, it joins none.

    Safe to use from several threads, which wait for each other.

    Parameters
    ----------
    tracks
        The library.
    """

    def __init__(self, tracks: Tracks) -> None:
        super().__init__(np.full(len(tracks), UNKNOWN))
        self._lock = RLock()
        self._rows = np.arange(len(tracks))
        self._tracks = tracks
        self._namesakes = Namesakes(tracks)
        self._sound = Twins(tracks.vectors, tracks.lengths_s)
        self._twins: dict[int, list[Twin]] = {}
        self._is_compared = np.zeros(len(tracks), dtype=np.bool_)

    def __getitem__(self, rows: Any) -> Any:
        """Return the codes of some rows, chosen as of an array.

        A code is the lowest row of the recording.
        """
        asked = np.atleast_1d(self._rows[rows])
        with self._lock:
            new = np.unique(asked[self._codes[asked] == UNKNOWN])
            self._find_twins(new)
            for row in new.tolist():
                if self._codes[row] == UNKNOWN:
                    self._settle(row)
            return self._codes[rows].copy()

    def among(self, codes: Iterable[int]) -> Mask:
        """Return which tracks have one of some codes, which were told before."""
        with self._lock:
            return super().among(codes)

    def code_of(self, track: Track) -> int:
        """Return the code of a track outside the library, unknown if it is new."""
        with self._lock:
            return self._code_of(track)

    def _code_of(self, track: Track) -> int:
        rows = self._tracks.by_recording_id.rows(track.recording_id)
        rows = rows or self._namesakes.of(track)
        if not rows:
            name = self._namesakes.read(track.title, track.artist).name
            twins = self._sound.of(track.vector[None], np.array([track.length_s]))
            rows = [
                row
                for _, row in twins.get(0, [])
                if not self._is_apart(row, track.album, name)
            ]
        return int(self[rows[0]]) if rows else UNKNOWN

    def _settle(self, row: int) -> None:
        """Find the recording of a track, and of all that links lead to from it."""
        groups: dict[int, list[int]] = {}
        links: list[tuple[float, int, int]] = []
        todo = [row]
        n_groups = 0
        is_crowd = False
        while todo and not is_crowd:
            one = todo.pop()
            if one in groups:
                continue
            # What is settled would have been settled with this, but for a crowd.
            is_crowd = n_groups > MAX_TWINS or self._codes[one] != UNKNOWN
            group = self._by_tags(one)
            groups |= dict.fromkeys(group, group)
            n_groups += 1
            for member in group:
                for distance, twin in self._links(member):
                    links.append((distance, member, twin))
                    todo.append(twin)
        for _, one, other in [] if is_crowd else sorted(links):
            self._join(groups, one, other)
        for group in groups.values():
            self._codes[group] = min(group)

    def _join(self, groups: dict[int, list[int]], one: int, other: int) -> None:
        """Put the groups of two tracks together, unless tags tell two of them apart."""
        mine, others = groups[one], groups[other]
        if mine is not others and not any(
            self._are_apart(a, b) for a in mine for b in others
        ):
            groups |= dict.fromkeys(mine + others, mine + others)

    def _by_tags(self, row: int) -> list[int]:
        """Return all tracks of which tags say that they are versions of one."""
        found, todo = {row}, [row]
        while todo:
            one = todo.pop()
            recording_id = int(self._tracks.recording_ids[one])
            same = self._tracks.by_recording_id.rows(recording_id)
            new = {*same, *self._namesakes.of_row(one)} - found
            found |= new
            todo += new
        return sorted(found)

    def _links(self, row: int) -> list[Twin]:
        """Return what sounds the same as a track, unless it or they are in a crowd."""
        self._find_twins(np.array([row]))
        twins = self._twins.get(row, [])
        if twins:
            self._find_twins(np.array([twin for _, twin in twins]))
        return [twin for twin in twins if twin[1] in self._twins]

    def _find_twins(self, rows: Codes) -> None:
        """Enter those that sound the same as some tracks and may be the same."""
        rows = rows[~self._is_compared[rows]]
        if not rows.size:
            return
        self._is_compared[rows] = True
        for row, twins in self._sound.of_rows(rows).items():
            if len(twins) <= MAX_TWINS:
                self._twins[row] = [
                    twin for twin in twins if not self._are_apart(row, twin[1])
                ]

    def _are_apart(self, one: int, other: int) -> bool:
        name = self._namesakes.title(other).name
        return self._is_apart(one, int(self._tracks.albums[other]), name)

    def _is_apart(self, row: int, album: int, name: str) -> bool:
        """Whether tags say that a track is another than one of that album and name."""
        if album != UNKNOWN and album == self._tracks.albums[row]:
            return True
        return are_told_apart(self._namesakes.title(row).name, name)
