"""``beet deejai similar``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beetsplug.deejai.commands.deliver import (
    add_mix_options,
    deliver,
    lines_of,
    read_delivery,
)
from beetsplug.deejai.commands.listing import (
    add_list_options,
    add_not_option,
    load_candidates,
    read_amount,
)
from beetsplug.deejai.commands.seeds import find_negatives, find_seeds
from beetsplug.deejai.recommend.index import query_vector
from beetsplug.deejai.recommend.rules import Rules
from beetsplug.deejai.recommend.similar import similar

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] SEED..."
DEFAULT_N = 10


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    add_list_options(parser, default_n=DEFAULT_N, each="list N tracks")
    add_not_option(parser)
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """List the tracks nearest to the seeds, nearest first."""
    delivery = read_delivery(options)
    amount = read_amount(options, default_n=DEFAULT_N)
    candidates = load_candidates(session, options, log)
    seeds = find_seeds(session, args, candidates, log)
    negatives = find_negatives(session, options.negatives, candidates, log)
    picks = similar(
        candidates.index,
        query_vector(
            [named.seed.vector for named in seeds],
            minus=[named.seed.vector for named in negatives] or None,
        ),
        catalogue=candidates.catalogue,
        rules=Rules(artist_gap=0),
        excluded=[named.seed for named in [*seeds, *negatives]],
        n=amount.number,
        length_s=amount.length_s,
    )
    if amount.number is not None and len(picks) < amount.number:
        log.warning("only {} tracks can be proposed", len(picks))
    deliver(
        session,
        lines_of(session, candidates.index, picks),
        delivery,
        log,
    )
