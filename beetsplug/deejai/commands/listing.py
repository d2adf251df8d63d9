"""What similar, playlist and journey share: their options, and the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.commands.spaces import explain_none, warn_of_others
from beetsplug.deejai.recommend.index import UNKNOWN, Index, Labels, Seed
from beetsplug.deejai.recommend.rules import Catalogue, Rules
from beetsplug.deejai.settings import parse_duration
from beetsplug.deejai.storage.library import (
    album_key,
    artist_key,
    load_facts,
    load_vectors,
    matching_ids,
)

if TYPE_CHECKING:
    from logging import Logger

    import numpy.typing as npt
    from beets.library import Item
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.library import TrackFacts


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
    parser.add_option(
        "--from",
        dest="from_query",
        metavar="QUERY",
        help="take only tracks that match this query",
    )
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


def add_not_option(parser: CommonOptionsParser) -> None:
    """Add ``--not``."""
    parser.add_option(
        "--not",
        dest="negatives",
        action="append",
        metavar="QUERY|FILE",
        help="less like this; may be given several times",
    )


def add_chance_options(parser: CommonOptionsParser) -> None:
    """Add the options of lists that chance may vary."""
    parser.add_option(
        "--drunk",
        type="float",
        metavar="X",
        help="randomness from 0 (none) to 1 (as loud as the music)",
    )
    parser.add_option(
        "--seed",
        type="int",
        metavar="INT",
        help="repeat a random list: same seed, same list (default: 0)",
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
        try:
            return Amount(None, parse_duration(options.length))
        except ValueError as error:
            raise UserError(f"--length: {error}") from error
    number = default_n if options.number is None else options.number
    if number < 0:
        raise UserError("-n takes a whole number from 0 up")
    return Amount(number, None)


def read_drunk(session: Session, options: Any) -> float:
    """Read ``--drunk``."""
    drunk = session.settings.drunk if options.drunk is None else options.drunk
    if not 0 <= drunk <= 1:
        raise UserError(f"--drunk {drunk:g} is not between 0 and 1")
    return float(drunk)


def read_rules(session: Session) -> Rules:
    """Read the gaps."""
    settings = session.settings
    return Rules(artist_gap=settings.artist_gap, album_gap=settings.album_gap)


def make_rng(options: Any) -> np.random.Generator:
    """Make the only source of chance from ``--seed``."""
    if options.seed is not None and options.seed < 0:
        raise UserError("--seed takes a whole number from 0 up")
    return np.random.default_rng(options.seed or 0)


@dataclass(frozen=True)
class Candidates:
    """The library's vectors and what rules ask about them, row by row."""

    index: Index
    catalogue: Catalogue
    facts: TrackFacts

    def seed(self, item: Item, vector: npt.NDArray[np.float32] | None) -> Seed:
        """Make a seed of an item; its vector is needed when the index has none."""
        row = None if item.id is None else self.index.row_of(item.id)
        if row is not None:
            return Seed(self.index.vectors[row], row, self.catalogue.labels(row))
        assert vector is not None
        artist = artist_key(item.artist)
        album = album_key(item.album, item.albumartist, item.artist)
        labels = Labels(
            artist=self.facts.artist_codes.get(artist, UNKNOWN),
            album=self.facts.album_codes.get(album, UNKNOWN),
        )
        return Seed(vector, labels=labels)


def load_candidates(session: Session, options: Any, log: Logger) -> Candidates:
    """Load every track that has a vector, and mark those that may be proposed.

    Vectors of another encoder than the one in use are left out, and that is said.

    Raises
    ------
    UserError
        No track has a vector of this encoder yet, or ``--from`` leaves none.
    """
    stored = load_vectors(session.lib, session.model_id)
    if not stored.item_ids.size:
        raise UserError(explain_none(session))
    warn_of_others(session, log)
    facts = load_facts(session.lib, stored.item_ids)
    settings = session.settings
    allowed = facts.lengths_s <= settings.max_length_s
    if settings.exclude:
        allowed &= ~_matching(session, settings.exclude, stored.item_ids)
    if options.from_query is not None:
        allowed &= _matching(session, options.from_query, stored.item_ids)
        if not allowed.any():
            raise UserError(f"--from {options.from_query!r} leaves no track to choose")
    return Candidates(
        Index(ids=stored.item_ids, vectors=stored.vectors),
        Catalogue(
            artists=facts.artists,
            albums=facts.albums,
            recordings=np.full_like(facts.artists, UNKNOWN),
            lengths_s=facts.lengths_s,
            allowed=allowed,
        ),
        facts,
    )


def _matching(session: Session, query: str, item_ids: Any) -> Any:
    ids = matching_ids(session.lib, query)
    return np.array([int(i) in ids for i in item_ids], dtype=bool)
