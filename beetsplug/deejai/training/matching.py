"""Find the library's tracks that the entries of a playlist mean."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

from beetsplug.deejai.output.m3u import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from beetsplug.deejai.training.tags import TaggedTrack

How = Literal["path", "name", "tags"]

_FILE_URI = re.compile(rb"file:/*(?=/)", re.IGNORECASE)
_OTHER_URI = re.compile(rb"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"^\d+(?:[-.]\d+)?[\s._-]+")
_NAMELESS = re.compile(r"(?:audio)?\W*(?:track|titel|piste)?[\W\d_]*")


@dataclass(frozen=True)
class Entry:
    """One entry of a playlist.

    Attributes
    ----------
    path
        The file as it is found on this machine.
    line
        The line itself: on the machine that wrote it, the path may have been another.
    title
        From its ``#EXTINF``; empty without.
    """

    path: str
    line: bytes
    title: str = ""

    @property
    def text(self) -> str:
        """The line as text, whatever its encoding; a ``file:`` URI as its path."""
        line = self.line.strip()
        uri = _FILE_URI.match(line)
        return decode(unquote_to_bytes(line[uri.end() :]) if uri else line)

    @property
    def is_file(self) -> bool:
        """Whether it names a file, not a radio station or the like."""
        line = self.line.strip()
        return bool(_FILE_URI.match(line)) or not _OTHER_URI.match(line)


def fold(text: str) -> str:
    """Reduce a name to its letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(c for c in plain if c.isalnum())
    return folded or text.strip().casefold()


def _folders_and_name(path: str) -> tuple[str, ...]:
    """Split a path of any system; case and composed accents do not tell two apart."""
    folded = unicodedata.normalize("NFC", path).casefold()
    return tuple(part for part in re.split(r"[/\\]+", folded) if part not in ("", "."))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Split ``Artist - Title`` wherever it may be split."""
    for dash in re.finditer(r"\s+[-\u2013\u2014]\s+", text):
        yield fold(text[: dash.start()]), fold(text[dash.end() :])


class Matcher:
    """Matches entries to tracks, and rather none than the wrong one.

    Parameters
    ----------
    tracks
        The library's.
    """

    def __init__(self, tracks: Iterable[TaggedTrack]) -> None:
        self._by_path: dict[str, TaggedTrack] = {}
        self._by_name: dict[str, list[TaggedTrack]] = defaultdict(list)
        self._by_tags: dict[tuple[str, str], set[str]] = defaultdict(set)
        for track in tracks:
            self._by_path[track.path] = track
            if parts := _folders_and_name(track.path):
                self._by_name[parts[-1]].append(track)
            if track.title:
                title = fold(track.title)
                for artist in {track.artist, *track.artists} - {""}:
                    self._by_tags[fold(artist), title].add(track.path)

    def match(self, entry: Entry) -> tuple[str, How] | None:
        """Find the track that an entry means.

        By its path; else by the file's name, where that is unique or the folders or the
        tags tell which of several it is; else by artist and title. An entry that may
        mean several tracks is not matched.

        Returns
        -------
        tuple or None
            The track's path, and by what it was found.
        """
        if entry.path in self._by_path:
            return entry.path, "path"
        if not entry.is_file:
            return None
        parts = _folders_and_name(entry.text)
        if not parts:
            return None
        return self._match_name(parts, entry.title) or self._match_tags(
            parts[-1], entry.title
        )

    def _match_name(self, parts: tuple[str, ...], title: str) -> tuple[str, How] | None:
        tracks = self._by_name.get(parts[-1], [])
        depths = [_n_shared(parts, track.path) for track in tracks]
        deepest = max(depths, default=0)
        nearest = [
            track for track, n in zip(tracks, depths, strict=True) if n == deepest
        ]
        if deepest > 1 and len(nearest) == 1:
            return nearest[0].path, "name"
        # "01.mp3" or "Track 1.mp3" is a name that many a file has.
        stem = parts[-1].rpartition(".")[0] or parts[-1]
        if len(tracks) == 1 and not _NAMELESS.fullmatch(stem):
            return (tracks[0].path, "name") if _may_be(tracks[0], title) else None
        named = {track.path for track in nearest} & self._tagged(title)
        return (named.pop(), "tags") if len(named) == 1 else None

    def _match_tags(self, name: str, title: str) -> tuple[str, How] | None:
        stem = name.rpartition(".")[0] or name
        for text in (title, stem, _LEADING_NUMBER.sub("", stem)):
            paths = self._tagged(text)
            if paths:
                return (paths.pop(), "tags") if len(paths) == 1 else None
        return None

    def _tagged(self, text: str) -> set[str]:
        """Return the paths of the tracks that ``Artist - Title`` may mean."""
        none: set[str] = set()
        return none.union(*(self._by_tags.get(pair, none) for pair in _pairs(text)))


def _n_shared(parts: Sequence[str], path: str) -> int:
    """Count how many names two paths share, from their ends."""
    n = 0
    for one, other in zip(
        reversed(parts), reversed(_folders_and_name(path)), strict=False
    ):
        if one != other:
            break
        n += 1
    return n


def _may_be(track: TaggedTrack, title: str) -> bool:
    """Tell whether what a playlist calls a track agrees with the track's title."""
    if not title or not track.title:
        return True
    one, other = fold(title), fold(track.title)
    return other in one or any(pair[1] in other for pair in _pairs(title))
