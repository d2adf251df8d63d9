"""``beet deejai live``."""

from __future__ import annotations

import math
import os
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_
from beets.util import displayable_path, normpath

from beetsplug.deejai.commands.board import Board
from beetsplug.deejai.commands.command_line import command_line
from beetsplug.deejai.commands.deliver import (
    PLAYLIST_SUFFIXES,
    check_outputs,
    explained_line,
    is_playlist,
    lines_of,
    output_path,
    write_playlist,
)
from beetsplug.deejai.commands.limits import add_limit_options, read_rules
from beetsplug.deejai.commands.listing import load_candidates
from beetsplug.deejai.commands.seeds import is_file
from beetsplug.deejai.commands.tidy_end import ends_tidily
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import parse_duration
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from logging import Logger

    import numpy as np
    import numpy.typing as npt
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.live.proposing import Choices
    from beetsplug.deejai.session import Session

    Block = npt.NDArray[np.float32]
    Blocks = Generator[Block, None, None]

USAGE = "[OPTIONS]"
DEFAULT_N = 5
DEFAULT_EVERY = "3s"
DEFAULT_RATE = 44_100

SHORTEST_S = 1.0
"""Least time between two proposals, and to listen in all."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "-n",
        dest="number",
        type="int",
        default=DEFAULT_N,
        metavar="N",
        help=f"propose N tracks at a time (default: {DEFAULT_N})",
    )
    parser.add_option(
        "--input",
        metavar="FILE",
        help="listen to an audio file instead of a microphone, or, as -, to raw audio "
        "from standard input: signed 16-bit little-endian mono",
    )
    parser.add_option(
        "--rate",
        type="int",
        metavar="HZ",
        help=f"sampling rate of raw audio (default: {DEFAULT_RATE})",
    )
    parser.add_option(
        "--device",
        metavar="NAME|NUMBER",
        help="which microphone (default: the system's own choice)",
    )
    parser.add_option(
        "--list-devices", action="store_true", help="list the microphones"
    )
    parser.add_option(
        "--every",
        default=DEFAULT_EVERY,
        metavar="TIME",
        help="time between two proposals (default: 3s)",
    )
    parser.add_option(
        "--for", dest="limit", metavar="TIME", help="stop after that time: 10m"
    )
    add_limit_options(parser)
    parser.set_defaults(segue=True, space="sound")
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE",
        help="at the end, write what was proposed first, in order, to a playlist "
        "(.m3u, .m3u8); may be given several times",
    )
    parser.add_path_option()
    parser.add_format_option()


@dataclass(frozen=True)
class Hours:
    """When to listen, in seconds: how often, and how long."""

    every_s: float
    limit_s: float


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Listen, and print what could be played next whenever that changes."""
    if options.list_devices:
        _list_devices()
        return
    _check(options, args)
    hours = _read_hours(options)
    outputs = _read_outputs(session, options)
    rules = read_rules(session, options)
    candidates = load_candidates(session, options, log)
    from beetsplug.deejai.live.proposing import Choices

    choices = Choices(candidates.catalogue, rules)
    try:
        with ends_tidily(), closing(_open(options)) as blocks:
            sound = _begin(blocks, options, log)
            _listen(session, candidates, sound, choices, options, hours)
    except KeyboardInterrupt:
        # How one ends what would go on for ever.
        log.debug("stopped")
    finally:
        _write(session, candidates, choices, outputs, options, log)


def _list_devices() -> None:
    from beetsplug.deejai.live.microphone import NO_MICROPHONE, devices

    found = devices()
    for device in found:
        print_(f"{device.number:3}. {device.name}")
    if not found:
        raise UserError(NO_MICROPHONE)


def _check(options: Any, args: list[str]) -> None:
    if args:
        raise UserError(
            f"live takes options only; to listen to a file: --input {args[0]}"
        )
    if options.number < 1:
        raise UserError("-n takes a whole number from 1 up")
    if options.rate is not None and options.input != "-":
        raise UserError("--rate is that of raw audio: it goes with --input -")
    if options.device is not None and options.input is not None:
        raise UserError("--device and --input exclude each other")


def _read_hours(options: Any) -> Hours:
    every_s = read_value("--every", options.every, parse_duration)
    if every_s < SHORTEST_S:
        raise UserError(f"--every takes a time from {SHORTEST_S:g} s up")
    limit_s = math.inf
    if options.limit is not None:
        limit_s = read_value("--for", options.limit, parse_duration)
        if limit_s < SHORTEST_S:
            raise UserError(f"--for takes a time from {SHORTEST_S:g} s up")
    return Hours(every_s, limit_s)


def _read_outputs(session: Session, options: Any) -> list[bytes]:
    """Return the playlists to write; refuse here what cannot be written."""
    outputs = options.outputs or ()
    for output in outputs:
        if not is_playlist(output):
            raise UserError(
                f"-o {output}: a name ends in one of {', '.join(PLAYLIST_SUFFIXES)}; "
                "`beet deejai mix` renders a playlist"
            )
    paths = [output_path(session.settings, output) for output in outputs]
    check_outputs(paths)
    return paths


def _open(options: Any) -> Blocks:
    from beetsplug.deejai.live import sources

    if options.input is None:
        return sources.from_microphone(options.device)
    if options.input != "-":
        if not is_file(options.input):
            raise UserError(f"there is no file {displayable_path(options.input)}")
        return sources.from_file(os.fsdecode(normpath(options.input)))
    stdin = getattr(sys.stdin, "buffer", None)
    if stdin is None or stdin.isatty():
        raise UserError(
            "--input - takes raw audio from a pipe, as in: arecord -t raw -f S16_LE "
            f"-r {DEFAULT_RATE} | beet deejai live --input -"
        )
    rate = DEFAULT_RATE if options.rate is None else options.rate
    return sources.from_pipe(stdin, rate=rate)


def _begin(blocks: Blocks, options: Any, log: Logger) -> Iterator[Block]:
    """Wait for the first sound, so that what cannot be heard is told at once.

    To load the encoder takes seconds; what comes meanwhile is kept.
    """
    try:
        first = next(blocks)
    except StopIteration:
        raise UserError("there is no sound in the input: nothing came") from None
    except TrackError as error:
        name = displayable_path(options.input)
        raise UserError(f"cannot be heard: {name}: {error}") from error
    if options.input is None:
        log.info("listening; Ctrl-C ends")
    return chain([first], blocks)


def _listen(
    session: Session,
    candidates: Candidates,
    blocks: Iterator[Block],
    choices: Choices,
    options: Any,
    hours: Hours,
) -> None:
    from beetsplug.deejai.live.hearing import hear, windows
    from beetsplug.deejai.live.proposing import propose

    index, board = candidates.index, Board()
    encoder = session.encoder
    for time_s, window in windows(blocks, every_s=hours.every_s, limit_s=hours.limit_s):
        heard = hear(window, encoder)
        if heard.direction is None:
            board.show(time_s, heard.complaint, [], news="quiet")
            continue
        picks = propose(index, candidates.catalogue, heard.direction, n=options.number)
        if picks:
            choices.consider(picks[0])
        lines = [explained_line(line) for line in lines_of(session, index, picks)]
        state = f"{heard.level_db:.0f} dB" if lines else "no track can be proposed"
        board.show(time_s, state, lines, news=[pick.row for pick in picks])


def _write(
    session: Session,
    candidates: Candidates,
    choices: Choices,
    outputs: Sequence[bytes],
    options: Any,
    log: Logger,
) -> None:
    if outputs and not choices.picks:
        log.warning("nothing was proposed, so that no playlist is written")
        return
    lines = lines_of(session, candidates.index, choices.picks)
    for path in outputs:
        # What reads the proposals may have gone away; the playlists are still wanted.
        with suppress(BrokenPipeError):
            write_playlist(session, lines, path, command_line(options))
