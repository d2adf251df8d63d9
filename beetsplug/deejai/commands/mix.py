"""``beet deejai mix``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError

from beetsplug.deejai.commands.deliver import (
    Line,
    deliver,
    read_delivery,
)
from beetsplug.deejai.commands.mixing import add_mix_options
from beetsplug.deejai.commands.seeds import file_lines, is_file, no_match
from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.storage.library import query_items

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session

USAGE = "QUERY|FILE.m3u -o OUT"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE",
        help=f"the mix: {', '.join(FORMATS)}; may be given several times",
    )
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Render the tracks of a playlist or a query, in their order."""
    if not options.outputs:
        raise UserError("say where the mix goes: -o mix.mp3")
    delivery = read_delivery(session, options)
    lines = [line for arg in _arguments(args) for line in _lines(session, arg)]
    deliver(session, lines, delivery, log)


def _arguments(args: list[str]) -> list[list[str]]:
    """Split the arguments into files, one by one, and the terms of one query."""
    if not args:
        raise UserError("name what to mix: a query, audio files, or a playlist")
    parts = [[arg] for arg in args if is_file(arg)]
    terms = [arg for arg in args if not is_file(arg)]
    return [*parts, terms] if terms else parts


def _lines(session: Session, args: list[str]) -> list[Line]:
    if is_file(args[0]):
        return file_lines(session, args[0])
    lines = [Line(item) for item in query_items(session.lib, args)]
    if not lines:
        raise UserError(no_match(" ".join(args)))
    return lines
