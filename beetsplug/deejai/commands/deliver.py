"""Hand a list of tracks over: printed, as a playlist, as a mix."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_
from beets.util import displayable_path, normpath

from beetsplug.deejai.commands.command_line import command_line
from beetsplug.deejai.commands.mixing import Mixing, beside_mix, read_mixing, render
from beetsplug.deejai.commands.names import n_tracks, title_of
from beetsplug.deejai.output.atomic import replaceable
from beetsplug.deejai.output.m3u import Entry, write_m3u
from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.storage.library import item_id, items_by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from logging import Logger

    from beets.library import Item

    from beetsplug.deejai.output.m3u import Named
    from beetsplug.deejai.recommend.index import Index, Pick
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.settings import Settings

PLAYLIST_SUFFIXES = (".m3u", ".m3u8")


def is_playlist(name: str) -> bool:
    """Whether a file's name is that of a playlist."""
    return os.path.splitext(name)[1].lower() in PLAYLIST_SUFFIXES


@dataclass(frozen=True)
class Line:
    """One track of a list.

    Attributes
    ----------
    item
        Of the library, or made for a file outside it (without an id).
    similarity
        None where there is nothing to compare.
    source
        The entry of a playlist that it was read from.
    reasons
        Why it is there, for those who ask; printed below it.
    """

    item: Item
    similarity: float | None = None
    source: Named | None = None
    reasons: tuple[str, ...] = ()


def lines_of(session: Session, index: Index, picks: Sequence[Pick]) -> list[Line]:
    """Fetch the items of picked tracks; what was removed meanwhile is left out."""
    similarities = {int(index.ids[pick.row]): pick.similarity for pick in picks}
    items = items_by_id(session.lib, list(similarities))
    return [Line(item, similarities[item_id(item)]) for item in items]


@dataclass(frozen=True)
class Delivery:
    """How the user wants a list.

    Attributes
    ----------
    outputs
        Files to write; none to print.
    explain
        Print each line's similarity before it, and its reasons below.
    mixing
        How mixes are rendered.
    options
        All options, for the command that a playlist tells.
    """

    outputs: tuple[str, ...]
    explain: bool
    mixing: Mixing
    options: Any


def read_delivery(session: Session, options: Any) -> Delivery:
    """Read ``-o``, ``--explain`` and how mixes are rendered.

    What cannot be written is refused here, before any work is done.
    """
    outputs = tuple(options.outputs or ())
    known = (*PLAYLIST_SUFFIXES, *FORMATS)
    for output in outputs:
        if os.path.splitext(output)[1].lower() not in known:
            raise UserError(
                f"-o {output}: a name ends in one of {', '.join(known)} "
                "(playlists, then mixes)"
            )
    mixes = [output for output in outputs if not is_playlist(output)]
    mixing = read_mixing(session.settings, options, mixes)
    _check_writable(session, outputs, mixing, options)
    # The verb mix has nothing to explain.
    explain = bool(getattr(options, "explain", False))
    return Delivery(outputs, explain, mixing, options)


def _check_writable(
    session: Session, outputs: Sequence[str], mixing: Mixing, options: Any
) -> None:
    """Raise where a file cannot be written, or would take the place of another."""
    read = {normpath(arg) for arg in options.deejai_args if is_playlist(arg)}
    paths: list[bytes] = []
    for output in outputs:
        path = _destination(session, output, options)
        beside = [] if is_playlist(output) else mixing.beside(path)
        paths += (path, *beside)
        # It lacks what could not be played.
        if not read.isdisjoint(beside):
            raise UserError(
                f"--m3u8 would replace the playlist that {output} is made of: "
                "give the mix another name"
            )
    check_outputs(paths)


def check_outputs(paths: Iterable[bytes]) -> None:
    """Raise where a file cannot be written, or would be written twice.

    Raises
    ------
    UserError
        Two of the files are one.
    FatalError
        One cannot be written.
    """
    checked: set[bytes] = set()
    for path in paths:
        replaceable(path)
        if path in checked:
            raise UserError(
                f"{displayable_path(path)} would be written twice: "
                "give the outputs different names"
            )
        checked.add(path)


def deliver(
    session: Session,
    lines: Sequence[Line],
    delivery: Delivery,
    log: Logger,
    *,
    title: str = "",
    remarks: Sequence[str] = (),
) -> None:
    """Print the list, or write it to each of the outputs.

    Parameters
    ----------
    session, log
        The verb's own.
    lines
        The list.
    delivery
        How the user wants it.
    title
        The title of mixes; otherwise they are named after their first and last track.
    remarks
        What explains the list as a whole; printed after it, with what explains lines.
    """
    if delivery.explain:
        for line in lines:
            print_(explained_line(line))
            for reason in line.reasons:
                print_(f"{'':10}{reason}")
        for remark in remarks:
            print_(remark)
    elif not delivery.outputs:
        for line in lines:
            print_(format(line.item))
    for output in delivery.outputs:
        path = _destination(session, output, delivery.options)
        if is_playlist(output):
            write_playlist(session, lines, path, command_line(delivery.options))
        else:
            items = [line.item for line in lines]
            mixed = render(items, path, delivery.mixing, title=title, log=log)
            if delivery.mixing.m3u8:
                kept = [lines[number] for number in mixed]
                beside = beside_mix(path, b".m3u8")
                write_playlist(session, kept, beside, command_line(delivery.options))


def explained_line(line: Line) -> str:
    """Write a line with its similarity before it."""
    value = "" if line.similarity is None else f"{line.similarity:.3f}"
    return f"{value:>6}  {format(line.item)}"


def _destination(session: Session, output: str, options: Any) -> bytes:
    if is_playlist(output) and output in options.deejai_args:
        # The same name twice in one command means the same file.
        return normpath(output)
    return output_path(session.settings, output)


def output_path(settings: Settings, output: str) -> bytes:
    """Return where an output goes: relative names lie under ``playlist_dir``."""
    expanded = os.path.expanduser(output)
    base = os.path.expanduser(settings.playlist_dir)
    return normpath(os.path.join(base, expanded))


def playlist_base(session: Session, path: bytes) -> bytes | None:
    """Return what paths in a playlist are relative to; None for absolute paths."""
    relative_to = session.settings.relative_to
    return {
        "absolute": None,
        "library": session.lib.directory,
        "playlist": os.path.dirname(path),
    }.get(relative_to, normpath(relative_to))


def write_playlist(
    session: Session, lines: Sequence[Line], path: bytes, comment: str
) -> None:
    """Write an M3U with paths as the configuration wants them.

    Entries that were read from a playlist and are not in the library stay as they were.
    """
    entries = [_entry(line) for line in lines]
    write_m3u(
        path,
        entries,
        base=playlist_base(session, path),
        forward_slash=session.settings.forward_slash,
        comment=comment,
        origins=dict.fromkeys(line.source.origin for line in lines if line.source),
    )
    print_(f"{n_tracks(len(entries))} in {displayable_path(path)}")


def _entry(line: Line) -> Entry | Named:
    if line.source and line.item.id is None:
        return line.source
    return Entry(
        path=normpath(line.item.path),
        title=title_of(line.item),
        length_s=line.item.length or 0.0,
        notes=line.source.other_notes if line.source else (),
    )
