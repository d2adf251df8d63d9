"""Find the tracks that the user names: queries of the library, or files."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from beets.dbcore.query import PathQuery
from beets.exceptions import UserError
from beets.library import Item
from beets.ui import input_, print_
from beets.util import case_sensitive, displayable_path, normpath, syspath

from beetsplug.deejai.commands.deliver import (
    PLAYLIST_SUFFIXES,
    Line,
    is_playlist,
    playlist_base,
)
from beetsplug.deejai.output import m3u
from beetsplug.deejai.storage.library import (
    NO_FILE,
    ids_by_path,
    item_of_file,
    items_by_id,
    query_items,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from logging import Logger

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.embedding.outside import Outsider
    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.session import Session

MAX_UNHEARD = 20
"""Seeds without a vector of the encoder in use that are heard on the fly.

With more, a scan is due.
"""

MAX_CHOICES = 20
"""Matches of a waypoint that are offered to choose from."""


_STREAM = re.compile(rb"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
"""An address on a network, as of a radio station."""


@dataclass(frozen=True)
class Named:
    """A track that the user named.

    Attributes
    ----------
    item
        Of the library, or made for a file outside it.
    seed
        What recommending takes.
    source
        The entry of a playlist that named it.
    heard
        What was heard of it on the fly; None where its vector was stored.
    before, behind
        Entries of that playlist that cannot be heard: those it begins with, if this is
        the first that can be, and those that follow this one.
    """

    item: Item
    seed: Seed
    source: m3u.Named | None = None
    heard: Outsider | None = None
    before: tuple[Line, ...] = ()
    behind: tuple[Line, ...] = ()

    @property
    def lines(self) -> list[Line]:
        """All of it, in order."""
        return [*self.before, Line(self.item, source=self.source), *self.behind]


def is_file(argument: str) -> bool:
    """Whether an argument names a file rather than being a query."""
    return os.path.isfile(syspath(normpath(argument)))


def no_match(query: str) -> str:
    """Say that a query found nothing, and that it is no file if it looks like one."""
    message = f"nothing in the library matches {query!r}"
    if os.sep in query or query.lower().endswith(PLAYLIST_SUFFIXES):
        message += ", and there is no such file"
    return message


def find_seeds(
    session: Session, arguments: Sequence[str], candidates: Candidates, log: Logger
) -> list[Named]:
    """Resolve the arguments of ``similar`` and ``playlist``: each track is a seed.

    Raises
    ------
    UserError
        Nothing was named, nothing matches, or nothing of it can be heard.
    """
    lines = find_lines(session, arguments, what="a seed")
    return _with_vectors(session, lines, candidates, log)


def find_lines(session: Session, arguments: Sequence[str], *, what: str) -> list[Line]:
    """Find the tracks that arguments name.

    Arguments that are files are tracks, as is every entry of those that are playlists;
    all others together are one query, of which every match is a track.

    Parameters
    ----------
    session
        The library.
    arguments
        As typed.
    what
        What is to be named, for the message if nothing is.

    Raises
    ------
    UserError
        Nothing was named, or nothing matches.
    """
    if not any(argument.strip() for argument in arguments):
        raise UserError(f"name {what}: a query, an audio file, or a playlist")
    lines = [
        line for arg in arguments if is_file(arg) for line in file_lines(session, arg)
    ]
    terms = [arg for arg in arguments if not is_file(arg)]
    if terms:
        matches = query_items(session.lib, terms)
        if not matches:
            raise UserError(no_match(" ".join(terms)))
        lines += map(Line, matches)
    return lines


def find_waypoint(
    session: Session, argument: str, candidates: Candidates, log: Logger
) -> Named:
    """Resolve one argument of ``journey``: a file, or a query for one track.

    Of several matches the user chooses on a terminal; elsewhere the best title match
    is taken, and said.
    """
    if is_file(argument):
        if is_playlist(argument):
            raise UserError(f"a waypoint is one track, and {argument} is a playlist")
        items = [file_item(session, argument)]
    elif not argument.strip():
        raise UserError("an empty waypoint: name a query, or an audio file")
    else:
        matches = query_items(session.lib, argument)
        if not matches:
            raise UserError(no_match(argument))
        items = [_choose(argument, matches, log) if len(matches) > 1 else matches[0]]
    return _with_vectors(session, [Line(items[0])], candidates, log)[0]


def _choose(query: str, matches: list[Item], log: Logger) -> Item:
    ranked = sorted(matches, key=lambda item: title_rank(query, item))
    # Without a terminal standard input may be anything, even nothing.
    if not getattr(sys.stdin, "isatty", bool)():
        log.info("{} tracks match {!r}; taking: {}", len(matches), query, ranked[0])
        return ranked[0]
    print_(f"{len(matches)} tracks match {query!r}:")
    shown = ranked[:MAX_CHOICES]
    for number, item in enumerate(shown, 1):
        print_(f"{number:3}. {item}")
    while True:
        answer = input_(f"Which one? [1-{len(shown)}, Enter for 1]").strip() or "1"
        if answer.isdecimal() and 1 <= int(answer) <= len(shown):
            return shown[int(answer) - 1]
        print_(f"a number from 1 to {len(shown)}, please")


def title_rank(query: str, item: Item) -> tuple[int, int, int]:
    """Sort key: the same title first, then titles that begin so, then the shortest."""
    title, wanted = item.title.casefold(), query.strip().casefold()
    if title == wanted:
        kind = 0
    elif title.startswith(wanted):
        kind = 1
    else:
        kind = 2 if wanted in title else 3
    return kind, len(title), item.id or 0


def file_item(session: Session, argument: str) -> Item:
    """Return the item of a file: the library's, else one made from its tags."""
    path = normpath(argument)
    with session.lib.music_dir_context():
        known = session.lib.items(PathQuery("path", path)).get()
    return known or item_of_file(path)


def file_lines(session: Session, argument: str) -> list[Line]:
    """Return the entries of a playlist, or the one track of any other file.

    Raises
    ------
    UserError
        The playlist has no entries.
    FatalError
        It cannot be read.
    """
    if not is_playlist(argument):
        return [Line(file_item(session, argument))]
    path = normpath(argument)
    bases = [
        base for base in (playlist_base(session, path), session.lib.directory) if base
    ]
    entries = m3u.read_m3u(path, bases=bases)
    if not entries:
        raise UserError(f"{argument} has no entries")
    places = [_places(entry, bases) for entry in entries]
    ids = ids_by_path(session.lib, (place for some in places for place in some))
    known = {item.id: item for item in items_by_id(session.lib, [*set(ids.values())])}
    lines = []
    for entry, some in zip(entries, places, strict=True):
        item = next((known[ids[place]] for place in some if place in ids), None)
        lines.append(Line(item or _entry_item(session, entry), source=entry))
    return lines


def _places(entry: m3u.Named, bases: Sequence[bytes]) -> list[bytes]:
    """Return where an entry's file is, or may be if its disk is out of reach."""
    if os.path.exists(syspath(entry.path)):
        return [entry.path]
    others = (os.path.normpath(os.path.join(base, entry.line)) for base in bases)
    return [entry.path, *others]


def _entry_item(session: Session, entry: m3u.Named) -> Item:
    """Make an item for an entry that the library does not have by just this path."""
    if os.path.exists(syspath(entry.path)):
        if case_sensitive(entry.path):
            return item_of_file(entry.path, entry.title)
        return file_item(session, os.fsdecode(entry.path))
    line = entry.line.strip()
    path = line if _STREAM.match(line) else entry.path
    name = os.path.basename(displayable_path(path))
    return Item(path=path, title=entry.title or name)


def _with_vectors(
    session: Session, lines: Sequence[Line], candidates: Candidates, log: Logger
) -> list[Named]:
    """Find or make the vector of every track; what cannot be heard is told.

    Raises
    ------
    UserError
        Nothing can be heard, or too much would have to be.
    """
    index = candidates.index
    is_known = [
        line.item.id is not None and index.row_of(line.item.id) is not None
        for line in lines
    ]
    unheard = [
        line.item for line, known in zip(lines, is_known, strict=True) if not known
    ]
    heard, failures = _hear(session, unheard, candidates)
    tracks: list[tuple[Line, Seed, list[Line]]] = []
    before: list[Line] = []
    for line, known in zip(lines, is_known, strict=True):
        if known or line.item.path in heard:
            seed = candidates.seed(line.item, heard.get(line.item.path))
            tracks.append((line, seed, []))
        elif line.source:
            (tracks[-1][2] if tracks else before).append(line)
    if not tracks:
        raise nothing_heard(failures)
    tell_failures(failures, log)
    first, *rest = [
        Named(
            line.item,
            seed,
            line.source,
            heard.get(line.item.path),
            behind=tuple(behind),
        )
        for line, seed, behind in tracks
    ]
    return [replace(first, before=tuple(before)), *rest]


def _hear(
    session: Session, items: Sequence[Item], candidates: Candidates
) -> tuple[dict[bytes, Outsider], dict[bytes, str]]:
    """Hear files on the fly; return what was heard and why not, by path."""
    paths = list(dict.fromkeys(item.path for item in items))
    failures = {path: NO_FILE for path in paths if not os.path.exists(syspath(path))}
    names = [os.fsdecode(path) for path in paths if path not in failures]
    if not names:
        return {}, failures
    if len(names) > MAX_UNHEARD:
        remedy = f"run `{candidates.scan}` first"
        if any(item.id is None for item in items):
            remedy += ", and import those that are not in the library"
        raise UserError(
            f"{len(names)} of the tracks have {candidates.missing}; {remedy}"
        )
    heard, failed = candidates.hear(session, names)
    failures |= {os.fsencode(name): reason for name, reason in failed}
    return {os.fsencode(name): outsider for name, outsider in heard.items()}, failures


def nothing_heard(failures: Mapping[bytes, str]) -> UserError:
    """Return the error that says why nothing could be heard, by path."""
    (path, reason), *others = failures.items()
    more = f", nor {len(others)} more" if others else ""
    return UserError(f"cannot be heard: {displayable_path(path)}: {reason}{more}")


def tell_failures(failures: Mapping[bytes, str], log: Logger) -> None:
    """Say which files could not be heard, and why, by path."""
    missing = [path for path, reason in failures.items() if reason == NO_FILE]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        log.warning("no such file: {}{}", displayable_path(missing[0]), more)
    for path, reason in failures.items():
        if reason != NO_FILE:
            log.warning("cannot be heard: {}: {}", displayable_path(path), reason)
