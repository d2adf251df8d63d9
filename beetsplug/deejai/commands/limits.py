"""What lists have to keep: the options of rules and limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError

from beetsplug.deejai.candidates import Limits
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import parse_duration
from beetsplug.deejai.recommend.rules import UNRULED, Rules

if TYPE_CHECKING:
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session


def add_choice_options(parser: CommonOptionsParser) -> None:
    """Add the options that tell which tracks may be proposed."""
    parser.add_option(
        "--from",
        dest="from_query",
        metavar="QUERY",
        help="take only tracks that match this query",
    )
    parser.add_option(
        "--exclude",
        dest="excluded",
        action="append",
        metavar="QUERY",
        help="take no tracks that match this query, beside those that the "
        "configuration excludes; may be given several times",
    )
    parser.add_option(
        "--max-length",
        metavar="TIME",
        help="take no longer tracks (default: as configured, 10m)",
    )


def add_limit_options(parser: CommonOptionsParser) -> None:
    """Add the options that limit what is proposed, and how close together."""
    add_choice_options(parser)
    for kind in ("artist", "album"):
        parser.add_option(
            f"--{kind}-gap",
            type="int",
            metavar="N",
            help=f"put at least N tracks between two of one {kind}; 0 is off",
        )
    parser.add_option(
        "--allow-versions",
        action="store_true",
        default=False,
        help="take several versions of one recording: live, remastered, on a best-of",
    )


def set_no_limits(parser: CommonOptionsParser) -> None:
    """Set the options for a verb that proposes nothing."""
    parser.set_defaults(
        from_query=None, excluded=None, max_length=None, allow_versions=False
    )


def read_rules(session: Session, options: Any) -> Rules:
    """Read the gaps of playlists and journeys: as given, or else as configured."""
    settings = session.settings
    return _rules(options, Rules(settings.artist_gap, settings.album_gap))


def read_given_rules(options: Any) -> Rules:
    """Read the gaps of a list in the order of similarity: as given, or else none."""
    return _rules(options, UNRULED)


def _rules(options: Any, otherwise: Rules) -> Rules:
    given = {"artist_gap": options.artist_gap, "album_gap": options.album_gap}
    given = {name: gap for name, gap in given.items() if gap is not None}
    for name, gap in given.items():
        if gap < 0:
            option = name.replace("_", "-")
            raise UserError(f"--{option} takes a whole number from 0 up")
    return replace(otherwise, **given)


def read_limits(options: Any) -> Limits:
    """Read which tracks may be proposed.

    Raises
    ------
    UserError
        The time of ``--max-length`` is none.
    """
    max_length_s = None
    if options.max_length is not None:
        max_length_s = read_value("--max-length", options.max_length, parse_duration)
    return Limits(options.from_query, tuple(options.excluded or ()), max_length_s)
