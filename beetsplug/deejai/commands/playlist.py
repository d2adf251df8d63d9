"""``beet deejai playlist``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError

from beetsplug.deejai.commands.deliver import (
    Line,
    add_mix_options,
    deliver,
    lines_of,
    read_delivery,
)
from beetsplug.deejai.commands.listing import (
    add_chance_options,
    add_list_options,
    add_not_option,
    load_candidates,
    make_rng,
    read_amount,
    read_drunk,
    read_rules,
)
from beetsplug.deejai.commands.seeds import find_negatives, find_seeds
from beetsplug.deejai.recommend.playlist import playlist

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] SEED..."
DEFAULT_N = 20


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    add_list_options(parser, default_n=DEFAULT_N, each="add N tracks")
    add_not_option(parser)
    add_chance_options(parser)
    parser.add_option(
        "--keep-on",
        type="int",
        metavar="K",
        help="choose each track by the last K ones (default: as configured, 3)",
    )
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Print the seeds, then keep playing songs like them."""
    delivery = read_delivery(options)
    amount = read_amount(options, default_n=DEFAULT_N)
    drunk = read_drunk(session, options)
    keep_on = session.settings.keep_on if options.keep_on is None else options.keep_on
    if keep_on < 1:
        raise UserError("--keep-on takes a whole number from 1 up")
    rng = make_rng(options)
    candidates = load_candidates(session, options, log)
    seeds = find_seeds(session, args, candidates, log)
    negatives = find_negatives(session, options.negatives, candidates, log)
    result = playlist(
        candidates.index,
        [named.seed for named in seeds],
        avoided=[named.seed for named in negatives],
        catalogue=candidates.catalogue,
        rules=read_rules(session),
        n=amount.number,
        length_s=amount.length_s,
        keep_on=keep_on,
        drunk=drunk,
        rng=rng,
    )
    for notice in result.notices:
        log.warning("{}", notice)
    deliver(
        session,
        [
            *(Line(named.item) for named in seeds),
            *lines_of(session, candidates.index, result.picks),
        ],
        delivery,
        log,
    )
