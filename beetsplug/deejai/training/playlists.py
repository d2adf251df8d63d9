"""Playlists to learn from: M3U files, and the groups that the library itself knows."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.m3u import read_m3u
from beetsplug.deejai.storage.library import artist_key, matching_ids, shown_path
from beetsplug.deejai.training.matching import Entry, Matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from beets.library import Library

    from beetsplug.deejai.training.tags import TaggedTrack

SUFFIXES = (".m3u", ".m3u8")

NO_ARTISTS = frozenset({"various artists", "various", "unknown artist", "unknown"})
"""Names that put nothing together."""


@dataclass(frozen=True)
class Playlist:
    """Tracks that somebody, or an album, put together.

    Attributes
    ----------
    name
        For reports; need not be unique.
    tracks
        Absolute paths as :func:`os.fsdecode` gives them, in order.
    """

    name: str
    tracks: tuple[str, ...]


@dataclass(frozen=True)
class FileMatch:
    """What became of one playlist file.

    Attributes
    ----------
    name
        Its path, printable.
    n_by_path, n_by_name, n_by_tags
        How many entries were found by which means.
    unmatched
        The entries that were not, printable.
    """

    name: str
    n_by_path: int
    n_by_name: int
    n_by_tags: int
    unmatched: tuple[str, ...]

    @property
    def n_entries(self) -> int:
        """How many entries the file has."""
        return self.n_by_path + self.n_by_name + self.n_by_tags + len(self.unmatched)


@dataclass(frozen=True)
class MatchReport:
    """What was found of the playlists on disk.

    Attributes
    ----------
    files
        Those that were read.
    unreadable
        Those that were not, and why: path and reason, printable.
    n_too_short
        How many have no two tracks of the library and were dropped.
    """

    files: tuple[FileMatch, ...]
    unreadable: tuple[tuple[str, str], ...]
    n_too_short: int

    def lines(self, *, max_files: int = 5, max_entries: int = 3) -> list[str]:
        """Sum up in a few lines, with examples of what was not matched."""
        by_path, by_name, by_tags, unmatched = (
            sum(counts)
            for counts in zip(
                (0, 0, 0, 0),
                *(
                    (f.n_by_path, f.n_by_name, f.n_by_tags, len(f.unmatched))
                    for f in self.files
                ),
                strict=True,
            )
        )
        lines = [
            f"playlist files: {len(self.files)}; entries matched by path: {by_path}, "
            f"by name: {by_name}, by tags: {by_tags}, not matched: {unmatched}"
        ]
        incomplete = sorted(
            (file for file in self.files if file.unmatched),
            key=lambda file: -len(file.unmatched),
        )
        for file in incomplete[:max_files]:
            examples = ", ".join(file.unmatched[:max_entries])
            more = ", ..." if len(file.unmatched) > max_entries else ""
            lines.append(
                f"  {file.name}: {len(file.unmatched)} of {file.n_entries} "
                f"not matched: {examples}{more}"
            )
        if len(incomplete) > max_files:
            lines.append(f"  and {len(incomplete) - max_files} more such files")
        for name, why in self.unreadable:
            lines.append(f"  not read: {why if name in why else f'{name}: {why}'}")
        if self.n_too_short:
            lines.append(
                f"  dropped, with no two tracks of the library: {self.n_too_short}"
            )
        return lines


def distinct(tracks: Iterable[str]) -> tuple[str, ...]:
    """Keep the first of each track, in order."""
    return tuple(dict.fromkeys(tracks))


def drop_short(playlists: Iterable[Playlist]) -> tuple[list[Playlist], int]:
    """Drop what has no two different tracks: it says nothing about any.

    Returns
    -------
    kept : list of Playlist
    n_dropped : int
    """
    kept, n_dropped = [], 0
    for playlist in playlists:
        if len(set(playlist.tracks)) > 1:
            kept.append(playlist)
        else:
            n_dropped += 1
    return kept, n_dropped


def read_playlists(
    places: Sequence[str], *, tracks: Sequence[TaggedTrack], music_dir: bytes
) -> tuple[list[Playlist], MatchReport]:
    """Read M3U files and match their entries to the library.

    Parameters
    ----------
    places
        Files, and folders in which every ``.m3u`` and ``.m3u8`` is read.
    tracks
        The library's.
    music_dir
        Where relative entries may start, besides the playlist's own folder.

    Returns
    -------
    playlists : list of Playlist
        Those with at least two different tracks, in the order of their paths.
    report : MatchReport

    Raises
    ------
    FatalError
        A place does not exist.
    """
    matcher = Matcher(tracks)
    playlists, files = [], []
    paths, unreadable = find_m3u(places)
    for path in paths:
        try:
            named = read_m3u(os.fsencode(path), bases=[music_dir])
        except FatalError as error:
            unreadable.append((shown_path(path), str(error)))
            continue
        entries = [Entry(os.fsdecode(one.path), one.line, one.title) for one in named]
        found, file = _match(matcher, path, entries)
        playlists.append(found)
        files.append(file)
    kept, n_too_short = drop_short(playlists)
    return kept, MatchReport(tuple(files), tuple(unreadable), n_too_short)


def find_m3u(places: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """List the playlist files at some places, each once.

    Returns
    -------
    paths : list of str
        Absolute, as :func:`os.fsdecode` gives them.
    unreadable : list of (str, str)
        Folders that cannot be listed, and why.

    Raises
    ------
    FatalError
        A place does not exist.
    """
    paths: list[str] = []
    unreadable: list[tuple[str, str]] = []

    def note(error: OSError) -> None:
        name = displayable_path(error.filename or "")
        unreadable.append((name, error.strerror or str(error)))

    for place in places:
        start = os.path.abspath(os.path.expanduser(place))
        if os.path.isfile(start):
            paths.append(start)
            continue
        if not os.path.isdir(start):
            raise FatalError(
                f"there is no playlist and no folder {shown_path(place)}; "
                "give an M3U file, or a folder that holds some"
            )
        for folder, _, names in os.walk(start, onerror=note):
            paths += (
                os.path.join(folder, name)
                for name in names
                if name.lower().endswith(SUFFIXES)
            )
    return sorted(set(paths)), unreadable


def _match(
    matcher: Matcher, path: str, entries: Sequence[Entry]
) -> tuple[Playlist, FileMatch]:
    found, unmatched = [], []
    counts: Counter[str] = Counter()
    for entry in entries:
        match = matcher.match(entry)
        if match is None:
            unmatched.append(displayable_path(entry.line.strip()))
        else:
            found.append(match[0])
            counts[match[1]] += 1
    name = shown_path(path)
    file = FileMatch(
        name, counts["path"], counts["name"], counts["tags"], tuple(unmatched)
    )
    return Playlist(name, distinct(found)), file


def album_playlists(tracks: Iterable[TaggedTrack]) -> list[Playlist]:
    """Make a playlist of each album."""
    groups: dict[int, list[str]] = defaultdict(list)
    for track in tracks:
        if track.album_id is not None:
            groups[track.album_id].append(track.path)
    return [Playlist(f"album {key}", distinct(found)) for key, found in groups.items()]


def artist_playlists(tracks: Iterable[TaggedTrack]) -> list[Playlist]:
    """Make a playlist of each artist; a track of several is in several."""
    return _grouped(
        ((artist, t.path) for t in tracks for artist in t.artists), NO_ARTISTS
    )


def genre_playlists(tracks: Iterable[TaggedTrack]) -> list[Playlist]:
    """Make a playlist of each genre; a track of several is in several."""
    return _grouped((genre, t.path) for t in tracks for genre in t.genres)


def _grouped(
    pairs: Iterable[tuple[str, str]], skipped: frozenset[str] = frozenset()
) -> list[Playlist]:
    groups: dict[str, tuple[str, list[str]]] = {}
    for name, path in pairs:
        key = artist_key(name)
        if key and key not in skipped:
            groups.setdefault(key, (name, []))[1].append(path)
    return [Playlist(name, distinct(found)) for name, found in groups.values()]


def query_playlist(
    lib: Library, query: str, *, tracks: Iterable[TaggedTrack]
) -> Playlist:
    """Make a playlist of the tracks that a beets query in one line matches."""
    ids = matching_ids(lib, query)
    return Playlist(query, tuple(t.path for t in tracks if t.item_id in ids))
