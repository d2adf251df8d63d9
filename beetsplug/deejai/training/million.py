"""The Million Playlist Dataset: its JSON slices, and a folder of previews.

C.-W. Chen, P. Lamere, M. Schedl and H. Zamani, "RecSys Challenge 2018: automatic music
playlist continuation", RecSys 2018.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.library import shown_path
from beetsplug.deejai.training.playlists import Playlist, distinct
from beetsplug.deejai.training.sources import AUDIO_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

URI_PREFIX = "spotify:track:"


@dataclass(frozen=True)
class MillionReport:
    """What was found of the dataset.

    Attributes
    ----------
    n_files
        Slices that were read.
    n_matched, n_unmatched
        Entries that have a preview, and that have none.
    n_kept, n_too_short
        Playlists with at least two previews, and with fewer.
    n_malformed
        Playlists that are not built as the dataset's are.
    unreadable
        Slices that are no JSON, and why: path and reason, printable.
    """

    n_files: int
    n_matched: int
    n_unmatched: int
    n_kept: int
    n_too_short: int
    n_malformed: int
    unreadable: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """Sum up in a few lines."""
        lines = [
            f"slices: {self.n_files}; entries with a preview: {self.n_matched}, "
            f"without: {self.n_unmatched}; playlists kept: {self.n_kept}"
        ]
        if self.n_too_short:
            lines.append(f"  dropped, with no two previews: {self.n_too_short}")
        if self.n_malformed:
            lines.append(f"  skipped, as they are malformed: {self.n_malformed}")
        return lines + [f"  not read: {name}: {why}" for name, why in self.unreadable]


def find_previews(folder: str) -> dict[str, str]:
    """Find the audio files in a folder and below, by name without suffix.

    Raises
    ------
    FatalError
        There is none.
    """
    previews: dict[str, str] = {}
    for place, folders, names in os.walk(os.path.abspath(folder)):
        folders.sort()
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in AUDIO_SUFFIXES:
                previews.setdefault(stem, os.path.join(place, name))
    if not previews:
        raise FatalError(
            f"no audio in {shown_path(folder)}; previews are named by track id, such "
            "as 0UaMYEvWZi0ZqiDOoHU3YI.mp3"
        )
    return previews


def read_million(
    folder: str, *, previews: Mapping[str, str]
) -> tuple[list[Playlist], MillionReport]:
    """Read every ``mpd.slice.*.json`` of a folder, one after the other.

    Parameters
    ----------
    folder
        Where the slices lie, or whose folder ``data`` holds them.
    previews
        Paths of audio files by track id: :func:`find_previews`.

    Returns
    -------
    playlists : list of Playlist
        Those with at least two tracks that have a preview.
    report : MillionReport
        A slice or a playlist that cannot be read is counted there and skipped.

    Raises
    ------
    FatalError
        There is no slice.
    """
    paths = _slices(folder) or _slices(os.path.join(folder, "data"))
    if not paths:
        raise FatalError(f"no mpd.slice.*.json in {shown_path(folder)}")
    playlists: list[Playlist] = []
    unreadable = []
    counts: Counter[str] = Counter()
    for path in paths:
        try:
            raw = _read_slice(path)
        except (OSError, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            unreadable.append((shown_path(path), " ".join(reason.split())))
            continue
        counts["files"] += 1
        playlists += _playlists(raw, previews, counts)
    report = MillionReport(
        n_files=counts["files"],
        n_matched=counts["matched"],
        n_unmatched=counts["unmatched"],
        n_kept=len(playlists),
        n_too_short=counts["short"],
        n_malformed=counts["malformed"],
        unreadable=tuple(unreadable),
    )
    return playlists, report


def _slices(folder: str) -> list[str]:
    """List the slices in the order of their numbers."""
    if not os.path.isdir(folder):
        return []
    names = [
        name
        for name in os.listdir(folder)
        if name.startswith("mpd.slice.") and name.endswith(".json")
    ]
    names.sort(key=lambda name: (len(name), name))
    return [os.path.join(folder, name) for name in names]


def _read_slice(path: str) -> list[Any]:
    with open(path, "rb") as file:
        content = json.load(file)
    found = content.get("playlists") if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise ValueError("it has no list of playlists")
    return found


def _playlists(
    raw: list[Any], previews: Mapping[str, str], counts: Counter[str]
) -> Iterator[Playlist]:
    for one in raw:
        entries = one.get("tracks") if isinstance(one, dict) else None
        if not isinstance(entries, list):
            counts["malformed"] += 1
            continue
        paths = [path for entry in entries if (path := _preview(entry, previews))]
        counts["matched"] += len(paths)
        counts["unmatched"] += len(entries) - len(paths)
        tracks = distinct(paths)
        if len(tracks) > 1:
            yield Playlist(str(one.get("name", "")), tracks)
        else:
            counts["short"] += 1


def _preview(entry: Any, previews: Mapping[str, str]) -> str | None:
    uri = entry.get("track_uri") if isinstance(entry, dict) else None
    if not isinstance(uri, str):
        return None
    return previews.get(uri.removeprefix(URI_PREFIX))
