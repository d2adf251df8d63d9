"""What lists have to keep: the options of the rules, and what they leave to propose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.dbcore.query import ParsingError
from beets.exceptions import UserError

from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import parse_duration
from beetsplug.deejai.recommend.rules import UNRULED, Rules
from beetsplug.deejai.storage.library import matching_ids

if TYPE_CHECKING:
    import numpy.typing as npt
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.recommend.rules import Mask
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.facts import TrackFacts


def add_limit_options(parser: CommonOptionsParser) -> None:
    """Add the options that limit what is proposed, and how close together."""
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


def allowed_tracks(
    session: Session,
    options: Any,
    facts: TrackFacts,
    item_ids: npt.NDArray[np.int64],
) -> Mask:
    """Return which tracks may be proposed.

    Raises
    ------
    UserError
        ``--from`` leaves none, or the time of ``--max-length`` is none.
    """
    settings = session.settings
    allowed = facts.lengths_s <= _max_length_s(session, options)
    excluding = [("deejai.exclude in the configuration", settings.exclude)]
    excluding += [("--exclude", query) for query in options.excluded or []]
    for what, query in excluding:
        if query.strip():
            allowed &= ~_matching(session, what, query, item_ids)
    if options.from_query is not None:
        matching = _matching(session, "--from", options.from_query, item_ids)
        if not matching.any():
            raise UserError(f"--from {options.from_query!r} leaves no track to choose")
        allowed &= matching
    return allowed


def _max_length_s(session: Session, options: Any) -> float:
    if options.max_length is None:
        return session.settings.max_length_s
    return read_value("--max-length", options.max_length, parse_duration)


def _matching(
    session: Session, what: str, query: str, item_ids: npt.NDArray[np.int64]
) -> Mask:
    try:
        ids = matching_ids(session.lib, query)
    except ParsingError as error:
        raise ParsingError(f"{what}: {error}") from error
    return np.isin(item_ids, list(ids))
