"""What vectors of tracks are learnt from: the options, and the playlists they mean."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.util import displayable_path

from beetsplug.deejai.training.million import find_previews, read_million
from beetsplug.deejai.training.playlists import (
    album_playlists,
    artist_playlists,
    drop_short,
    genre_playlists,
    query_playlist,
    read_playlists,
)
from beetsplug.deejai.training.tags import load_tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beets.library import Library
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.training.playlists import Playlist
    from beetsplug.deejai.training.tags import TaggedTrack

GROUPS = {
    "albums": album_playlists,
    "artists": artist_playlists,
    "genres": genre_playlists,
}
DEFAULT_GROUPS = ("albums", "artists")
"""What is learnt from when nothing is said: every library has them."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the options that say what to learn from."""
    parser.add_option(
        "--playlists",
        action="append",
        metavar="DIR|FILE",
        help="learn from the M3U playlists in this folder and below, or from this one; "
        "may be given several times",
    )
    for group in GROUPS:
        parser.add_option(
            f"--{group}",
            action="store_true",
            help=f"learn from the library's {group}",
        )
    parser.add_option(
        "--query",
        dest="queries",
        action="append",
        metavar="QUERY",
        help="the tracks that match are one playlist; may be given several times",
    )
    parser.add_option(
        "--mpd",
        metavar="DIR",
        help="learn from the Million Playlist Dataset: the folder of its "
        "mpd.slice.*.json; needs --previews",
    )
    parser.add_option(
        "--previews",
        metavar="DIR",
        help="audio files named by track id, for --mpd",
    )


def any_given(options: Any) -> bool:
    """Tell whether the options name anything to learn from."""
    names = (*GROUPS, "playlists", "queries", "mpd", "previews")
    return any(getattr(options, name) for name in names)


def gather(lib: Library, options: Any) -> tuple[list[Playlist], list[str]]:
    """Collect the playlists that the options of :func:`add_options` mean.

    Parameters
    ----------
    lib
        The library.
    options
        Parsed. When they name nothing, the library's albums and artists are taken.

    Returns
    -------
    playlists : list of Playlist
        Each of at least two different tracks.
    report : list of str
        Lines that say what was taken, what was matched and what was not.

    Raises
    ------
    UserError
        Options contradict each other, or nothing at all is left to learn from.
    FatalError
        A folder or a file that an option names is not there.
    """
    if bool(options.mpd) != bool(options.previews):
        raise UserError("--mpd and --previews need each other")
    tracks = load_tagged(lib)
    playlists: list[Playlist] = []
    report: list[str] = []
    for found, lines in _sources(lib, options, tracks):
        playlists += found
        report += lines
    if not playlists:
        # Lines on single files are indented.
        summary = "; ".join(line for line in report if not line.startswith(" "))
        raise UserError(
            f"nothing to learn from, as no playlist has two known tracks ({summary}): "
            "give --playlists a folder of M3U files with tracks of this library, or "
            "--albums, --artists, --genres or --query"
        )
    distinct = {track for playlist in playlists for track in playlist.tracks}
    report.append(f"playlists in all: {len(playlists)}, of {len(distinct)} tracks")
    return playlists, report


def _sources(
    lib: Library, options: Any, tracks: list[TaggedTrack]
) -> Iterator[tuple[list[Playlist], list[str]]]:
    groups = [group for group in GROUPS if getattr(options, group)]
    if not any_given(options):
        groups = list(DEFAULT_GROUPS)
        yield [], [f"no playlists were given: taking {' and '.join(groups)}"]
    if options.playlists:
        found, matched = read_playlists(
            options.playlists, tracks=tracks, music_dir=lib.directory
        )
        yield found, matched.lines()
    for group in groups:
        found, n_short = drop_short(GROUPS[group](tracks))
        dropped = f" ({n_short} of one track dropped)" if n_short else ""
        yield found, [f"{group}: {len(found)}{dropped}"]
    for query in options.queries or ():
        playlist = query_playlist(lib, query, tracks=tracks)
        found, n_short = drop_short([playlist])
        dropped = " (dropped)" if n_short else ""
        yield found, [f"query {query!r}: {len(playlist.tracks)} tracks{dropped}"]
    if options.mpd:
        found, million = read_million(
            _folder(options.mpd), previews=find_previews(_folder(options.previews))
        )
        yield found, million.lines()


def _folder(name: str) -> str:
    path = os.path.abspath(os.path.expanduser(name))
    if not os.path.isdir(path):
        raise UserError(f"there is no folder {displayable_path(name)}")
    return path
