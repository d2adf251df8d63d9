"""What similar, playlist and journey share: their options, and the candidates."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.candidates import SPACES
from beetsplug.deejai.candidates import load_candidates as load_limited
from beetsplug.deejai.commands.deliver import is_playlist
from beetsplug.deejai.commands.limits import add_limit_options, read_limits
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import parse_duration

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.deliver import Delivery
    from beetsplug.deejai.session import Session


MAX_RANDOM_SEED = 999_999
"""Of those that are drawn: short enough to be typed."""


def add_list_options(parser: CommonOptionsParser, *, default_n: int, each: str) -> None:
    """Add the options that every verb has that makes a list.

    Parameters
    ----------
    parser
        The verb's parser.
    default_n
        How many tracks are added when nothing is said.
    each
        What ``-n`` counts, for the help.
    """
    parser.add_option(
        "-n",
        dest="number",
        type="int",
        metavar="N",
        help=f"{each} (default: {default_n})",
    )
    parser.add_option(
        "--length",
        metavar="TIME",
        help="fill that much time instead: 90m, 1h30m, 5400",
    )
    add_limit_options(parser)
    parser.add_option(
        "--space",
        type="choice",
        choices=SPACES,
        default="sound",
        metavar="sound|genre",
        help="compare how tracks sound, or what genres they are made of (default: "
        "sound)",
    )
    add_segue_option(parser)
    add_output_options(parser)


def add_output_options(parser: CommonOptionsParser) -> None:
    """Add the options that say where a list goes and how it is printed."""
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE",
        help="write a playlist (.m3u, .m3u8) or render a mix (.mp3, .flac, .ogg, "
        ".opus, .m4a, .wav); may be given several times",
    )
    parser.add_option(
        "--explain",
        action="store_true",
        help="print how similar each track is to what it follows",
    )
    parser.add_path_option()
    parser.add_format_option()


def add_segue_option(parser: CommonOptionsParser) -> None:
    """Add ``--segue``, which :func:`load_candidates` reads."""
    parser.add_option(
        "--segue",
        action="store_true",
        default=False,
        help="compare how a track begins with how the one before it ends",
    )


def add_chance_options(parser: CommonOptionsParser) -> None:
    """Add the options of lists that chance may vary."""
    parser.add_option(
        "--drunk",
        type="float",
        metavar="X",
        help="randomness from 0 (none) to 1 (as loud as the music)",
    )
    add_seed_option(parser)


def add_seed_option(parser: CommonOptionsParser) -> None:
    """Add ``--seed``, which :func:`make_rng` reads."""
    parser.add_option(
        "--seed",
        metavar="INT",
        help="same seed, same list; `random` takes another one each time, and says "
        "which (default: 0)",
    )


@dataclass(frozen=True)
class Amount:
    """How much to add: a number of tracks, or a time in seconds."""

    number: int | None
    length_s: float | None


def read_amount(options: Any, *, default_n: int) -> Amount:
    """Read ``-n`` and ``--length``."""
    if options.length is not None:
        if options.number is not None:
            raise UserError("-n and --length exclude each other")
        return Amount(None, read_value("--length", options.length, parse_duration))
    number = default_n if options.number is None else options.number
    if number < 0:
        raise UserError("-n takes a whole number from 0 up")
    return Amount(number, None)


def read_overlap(delivery: Delivery) -> float:
    """Return the seconds by which tracks overlap where the list is rendered as a mix.

    Of several outputs the mix counts: a playlist of the same tracks plays longer.
    """
    if all(map(is_playlist, delivery.outputs)):
        return 0.0
    return delivery.mixing.options.crossfade_s


def read_drunk(session: Session, options: Any) -> float:
    """Read ``--drunk``."""
    drunk = session.settings.drunk if options.drunk is None else options.drunk
    if not 0 <= drunk <= 1:
        raise UserError(f"--drunk {drunk:g} is not between 0 and 1")
    if drunk:
        # Written into a saved list, which another configuration then repeats too.
        options.drunk = float(drunk)
    return float(drunk)


def make_rng(options: Any, *, used: bool) -> np.random.Generator:
    """Make the only source of chance from ``--seed``.

    Parameters
    ----------
    options
        Get the seed as a number if chance is used, so that a saved list tells it.
    used
        Whether chance has a say in the list.
    """
    text = "0" if options.seed is None else options.seed.strip()
    if text == "random":
        text = str(secrets.randbelow(MAX_RANDOM_SEED + 1))
    if not re.fullmatch("[0-9]{1,20}", text):
        raise UserError(
            "--seed takes a whole number from 0 up, of at most 20 digits, or random"
        )
    seed = int(text)
    if used:
        options.seed = str(seed)
    return np.random.default_rng(seed)


def tell_seed(options: Any, *, used: bool, log: Logger) -> None:
    """Say which seed repeats a list that chance has had a say in.

    Not on the standard output, which is the list.
    """
    if used:
        log.info("--seed {} makes this list again", options.seed)


def load_candidates(session: Session, options: Any, log: Logger) -> Candidates:
    """Load the candidates that a verb's options ask for.

    Raises
    ------
    UserError
        As :func:`beetsplug.deejai.candidates.load_candidates`, or an option is wrong.
    """
    if options.segue and options.space == "genre":
        raise UserError(
            "--segue and --space genre exclude each other: genres are those of whole "
            "tracks"
        )
    return load_limited(
        session,
        log,
        limits=read_limits(options),
        space=options.space,
        segue=options.segue,
        allow_versions=options.allow_versions,
    )
