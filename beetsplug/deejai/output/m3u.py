"""Read and write M3U playlists, as bytes: a path need not be text."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer, explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_PLAYLIST_BYTES = 1 << 24
"""Longest playlist that is read: 16 MiB, about 100 000 entries."""

_FOREIGN = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]")
"""An address or a full path of some system: it is relative to no folder."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_FILE_URI = re.compile(rb"file:(?://(?:localhost)?)?(?=/)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One track of a playlist.

    Attributes
    ----------
    path
        Absolute path of the file.
    title
        What a player shows, usually ``Artist - Title``.
    length_s
        Duration in seconds; 0 when it is not known.
    notes
        Other lines with ``#`` that belong to it.
    """

    path: bytes
    title: str
    length_s: float
    notes: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Origin:
    """What a playlist has beside its entries.

    Attributes
    ----------
    folder
        Absolute: where the playlist lies.
    header, footer
        The lines with ``#`` that belong to no entry: before the first ``#EXTINF`` or
        entry, and after the last entry. Without what :func:`write_m3u` says anew.
    """

    folder: bytes
    header: tuple[bytes, ...]
    footer: tuple[bytes, ...]


@dataclass(frozen=True)
class Named:
    """A file that a playlist names.

    Attributes
    ----------
    path
        Absolute, also of a file that does not exist.
    line
        The line itself: on the machine that wrote it, the path may have been another.
    notes
        The lines with ``#`` before it, as they are.
    origin
        The playlist.
    """

    path: bytes
    line: bytes
    notes: tuple[bytes, ...]
    origin: Origin

    @property
    def title(self) -> str:
        """From the last ``#EXTINF`` line; empty without."""
        titles = (note for note in reversed(self.notes) if _is_title(note))
        return decode(next(titles, b"").partition(b",")[2]).strip()

    @property
    def other_notes(self) -> tuple[bytes, ...]:
        """The notes but ``#EXTINF``."""
        return tuple(note for note in self.notes if not _is_title(note))


def write_m3u(
    destination: bytes,
    entries: Sequence[Entry | Named],
    *,
    base: bytes | None,
    forward_slash: bool = False,
    comment: str = "",
    origins: Iterable[Origin] = (),
) -> None:
    """Write an extended M3U playlist in one atomic step.

    Parameters
    ----------
    destination
        Path of the playlist; its folder must exist.
    entries, base, forward_slash, comment, origins
        As for :func:`m3u_text`.

    Raises
    ------
    FatalError
        The file cannot be written.
    """
    text = m3u_text(
        entries,
        folder=os.path.dirname(os.path.abspath(destination)),
        base=base,
        forward_slash=forward_slash,
        comment=comment,
        origins=origins,
    )
    with atomic_writer(destination) as file, explained(destination):
        file.write(text)


def m3u_text(
    entries: Sequence[Entry | Named],
    *,
    folder: bytes | None = None,
    base: bytes | None = None,
    forward_slash: bool = False,
    comment: str = "",
    origins: Iterable[Origin] = (),
) -> bytes:
    """Make the text of an extended M3U playlist.

    Paths keep their bytes. A name that a player would misread when it stands on a line
    of its own (with a line break inside, or white space at its end) is written as an
    absolute ``file://`` URI. What was read from a playlist is written as it stood there
    unless the same line would mean another file.

    Parameters
    ----------
    entries
        The tracks, in order.
    folder
        Absolute: where the playlist will lie; None where that is not known.
    base
        Folder that the paths are relative to; None for absolute paths.
    forward_slash
        Separate folders with ``/`` whatever the system does.
    comment
        One line for people, which players skip.
    origins
        Playlists whose header and footer are kept.
    """
    origins = list(origins)
    lines = [b"#EXTM3U", *(line for origin in origins for line in origin.header)]
    if comment:
        lines.append(b"# " + os.fsencode(_CONTROL.sub(" ", comment)))
    for entry in entries:
        if isinstance(entry, Named):
            lines += entry.notes
            if folder is not None and _means_the_same(entry, folder, base):
                lines.append(entry.line)
                continue
        else:
            # First of all: what stands before it is no longer the header.
            lines += [_extinf(entry), *entry.notes]
        lines.append(_location(entry.path, base, forward_slash=forward_slash))
    lines += (line for origin in origins for line in origin.footer)
    return b"\n".join(lines) + b"\n"


def _extinf(entry: Entry) -> bytes:
    known = math.isfinite(entry.length_s) and entry.length_s > 0
    seconds = round(entry.length_s) if known else -1
    title = " ".join(_CONTROL.sub(" ", entry.title).split())
    return b"#EXTINF:%d,%s" % (seconds, title.encode("utf-8", errors="replace"))


def _is_title(note: bytes) -> bool:
    return note.upper().startswith(b"#EXTINF:")


def _means_the_same(named: Named, folder: bytes, base: bytes | None) -> bool:
    """Whether a line that was read names the same file in a playlist in `folder`."""
    if (
        named.origin.folder == folder
        or os.path.isabs(named.line)
        or _FILE_URI.match(named.line.strip())
    ):
        return True
    if os.path.exists(named.path):
        return False
    # Of what is not there nothing is certain but what the configuration says.
    is_base_fixed = base not in (None, folder)
    return is_base_fixed or bool(_FOREIGN.match(named.line.strip()))


def _location(path: bytes, base: bytes | None, *, forward_slash: bool) -> bytes:
    """Spell a path as one line that players open."""
    line = path if base is None else _relative(path, base)
    if re.search(rb"[\r\n]|\s$", line):
        return Path(os.fsdecode(path)).as_uri().encode("ascii")
    if forward_slash:
        line = line.replace(os.sep.encode(), b"/")
    # "#1.mp3" is a comment to a player, "AC:DC/1.mp3" has a URI's scheme, and white
    # space at the start of a line is skipped.
    if base is not None and re.match(rb"#|\s|[^/\\]*:", line):
        return b"./" + line
    return line


def _relative(path: bytes, base: bytes) -> bytes:
    try:
        relative = os.path.relpath(path, base)
        real_base = os.path.realpath(base)
        if relative.startswith(b"..") and real_base != base:
            # From a linked folder, ".." leads to the parent of the link's target.
            folder, name = os.path.split(path)
            real_path = os.path.join(os.path.realpath(folder), name)
            relative = os.path.relpath(real_path, real_base)
    except ValueError:
        # On Windows nothing is relative to another drive.
        return path
    return relative


def decode(text: bytes) -> str:
    """Decode UTF-8, or else Latin-1, as the M3U format came into the world."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def read_m3u(path: bytes, *, bases: Sequence[bytes] = ()) -> list[Named]:
    """List the files that a playlist names.

    Reads what players and their exports write: any line ends, a byte-order mark,
    comments, Latin-1 names, ``file://`` URIs, and paths with backslashes.

    Parameters
    ----------
    path
        The playlist. Relative entries are taken from its folder.
    bases
        Folders to look in, too: playlists may be relative to a music library.

    Returns
    -------
    list of Named
        In order.

    Raises
    ------
    FatalError
        The playlist is missing, unreadable, far too big or not text.
    """
    name = displayable_path(path)
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_PLAYLIST_BYTES + 1)
    except OSError as error:
        raise FatalError(f"cannot read the playlist {name}: {error.strerror}") from None
    if len(content) > MAX_PLAYLIST_BYTES:
        raise FatalError(f"{name} is too big for a playlist")
    if b"\0" in content:
        raise FatalError(f"{name} is not a playlist: it is not text (nor UTF-8)")
    folders = [os.path.dirname(os.path.abspath(path)), *bases]
    lines = re.split(rb"\r\n|\n|\r", content.removeprefix(b"\xef\xbb\xbf"))
    header, entries, footer = _group(lines)
    origin = Origin(folders[0], header, footer)
    return [
        Named(_resolve(line, folders), line, notes, origin) for notes, line in entries
    ]


def _group(
    lines: Iterable[bytes],
) -> tuple[tuple[bytes, ...], list[tuple[tuple[bytes, ...], bytes]], tuple[bytes, ...]]:
    """Split lines into header, entries with the notes before them, and footer."""
    header: list[bytes] = []
    notes: list[bytes] = []
    entries = []
    for line in lines:
        if not line.startswith(b"#"):
            if line.strip():
                entries.append((tuple(notes), line))
                notes = []
        elif line.upper().startswith((b"#EXTM3U", b"#EXTENC:")):
            # The format, and the encoding, which is UTF-8 from now on.
            continue
        elif entries or notes or _is_title(line):
            notes.append(line)
        else:
            header.append(line)
    return tuple(header), entries, tuple(notes)


def _resolve(line: bytes, folders: Sequence[bytes]) -> bytes:
    """Find the file that a line means; the literal reading wins."""
    readings = [
        os.path.join(folder, reading)
        for reading in _readings(line)
        for folder in folders
    ]
    found = next((r for r in readings if os.path.exists(r)), None)
    if found is None:
        return os.path.normpath(readings[0])
    tidy = os.path.normpath(found)
    if os.path.exists(tidy) and os.path.samefile(tidy, found):
        return tidy
    # ".." after a link does not lead back to where the link lies.
    return os.path.realpath(found)


def _readings(line: bytes) -> Iterator[bytes]:
    """Spell a line in the ways that its writer may have meant, likeliest first."""
    stripped = line.strip()
    uri = _FILE_URI.match(stripped)
    if uri:
        yield unquote_to_bytes(stripped[uri.end() :])
        return
    for reading in dict.fromkeys((line, stripped)):
        yield reading
        yield reading.replace(b"\\", b"/")
    try:
        stripped.decode("utf-8")
    except UnicodeDecodeError:
        utf8 = stripped.decode("latin-1").encode("utf-8")
        yield utf8
        yield utf8.replace(b"\\", b"/")
