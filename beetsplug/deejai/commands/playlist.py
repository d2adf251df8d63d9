"""``beet deejai playlist``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.commands.deliver import (
    deliver,
    lines_of,
    read_delivery,
)
from beetsplug.deejai.commands.limits import read_rules
from beetsplug.deejai.commands.listing import (
    add_chance_options,
    add_list_options,
    load_candidates,
    make_rng,
    read_amount,
    read_drunk,
    read_overlap,
    tell_seed,
)
from beetsplug.deejai.commands.mixing import add_mix_options
from beetsplug.deejai.commands.taste import (
    add_taste_options,
    check_taste_options,
    find_taste,
)
from beetsplug.deejai.commands.weights import (
    Group,
    add_weight_options,
    check_not_all,
    find_groups,
    find_sought,
    seeds_of,
    shares,
)
from beetsplug.deejai.recommend.playlist import playlist

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy.typing as npt
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] SEED..."
DEFAULT_N = 20


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    add_list_options(parser, default_n=DEFAULT_N, each="add N tracks")
    add_weight_options(parser)
    add_taste_options(parser)
    add_chance_options(parser)
    parser.add_option(
        "--keep-on",
        type="int",
        metavar="K",
        help="choose each track by the last K ones (default: as configured, 3; with "
        "--segue 1)",
    )
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Print the seeds if the user named them, then keep playing songs like them."""
    delivery = read_delivery(session, options)
    amount = read_amount(options, default_n=DEFAULT_N)
    drunk = read_drunk(session, options)
    keep_on = options.keep_on
    if keep_on is None:
        # Only the last track's ending is heard before the next one begins.
        keep_on = 1 if options.segue else session.settings.keep_on
    if keep_on < 1:
        raise UserError("--keep-on takes a whole number from 1 up")
    check_taste_options(options, args)
    is_chance_used = drunk > 0 or options.taste
    rng = make_rng(options, used=is_chance_used)
    candidates = load_candidates(session, options, log).on_sphere()
    shown: list[Named] = []
    if options.taste:
        seeds, weights = find_taste(
            session, options, args, candidates, rng=rng, log=log
        )
    else:
        groups = find_sought(session, args, options, candidates, log)
        shown = seeds_of(groups)
        seeds, weights = [named.seed for named in shown], _weights(groups, keep_on)
    negatives = find_groups(session, options.negatives, candidates, log)
    check_not_all(shown, negatives)
    result = playlist(
        candidates.index,
        seeds,
        weights=weights,
        avoided=[named.seed for named in seeds_of(negatives)],
        avoided_weights=shares(negatives),
        catalogue=candidates.catalogue,
        rules=read_rules(session, options),
        n=amount.number,
        length_s=amount.length_s,
        overlap_s=read_overlap(delivery),
        is_continued=bool(shown),
        keep_on=keep_on,
        drunk=drunk,
        rng=rng,
    )
    for notice in result.notices:
        log.warning("{}", notice)
    tell_seed(options, used=is_chance_used, log=log)
    lines = [line for named in _each_once(shown) for line in named.lines]
    lines += lines_of(session, candidates.index, result.picks)
    # What is first has nothing before it, for those who look at the list.
    lines[:1] = [replace(line, similarity=None) for line in lines[:1]]
    deliver(session, lines, delivery, log)


def _each_once(tracks: Sequence[Named]) -> list[Named]:
    """Leave out what several seeds name; only a playlist keeps what it has twice."""
    seen = {named.item.path for named in tracks if named.source}
    each = []
    for named in tracks:
        if named.source or named.item.path not in seen:
            seen.add(named.item.path)
            each.append(named)
    return each


def _weights(groups: Sequence[Group], keep_on: int) -> npt.NDArray[np.float64]:
    """Weigh the seeds; of a playlist that is continued only the last tracks count."""
    weights = np.array(shares(groups))
    tracks = groups[0].tracks
    n_past = max(len(tracks) - keep_on, 0)
    if any(named.source for named in tracks):
        weights[:n_past] = 0.0
        weights[n_past : len(tracks)] *= len(tracks) / (len(tracks) - n_past)
    return weights
