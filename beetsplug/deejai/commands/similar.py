"""``beet deejai similar``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beetsplug.deejai.commands.albums import check_album_options, list_albums
from beetsplug.deejai.commands.deliver import (
    deliver,
    lines_of,
    read_delivery,
)
from beetsplug.deejai.commands.explain import explain_similar
from beetsplug.deejai.commands.limits import read_given_rules
from beetsplug.deejai.commands.listing import (
    add_list_options,
    load_candidates,
    read_amount,
    read_overlap,
)
from beetsplug.deejai.commands.mixing import add_mix_options
from beetsplug.deejai.commands.names import n_tracks
from beetsplug.deejai.commands.weights import (
    add_weight_options,
    check_not_all,
    find_groups,
    find_sought,
    seeds_of,
    shares,
)
from beetsplug.deejai.recommend.rules import UNRULED
from beetsplug.deejai.recommend.similar import similar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy as np
    import numpy.typing as npt
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.listing import Amount
    from beetsplug.deejai.recommend.index import Pick, Seed
    from beetsplug.deejai.recommend.rules import Rules
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] SEED..."
DEFAULT_N = 10


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    add_list_options(parser, default_n=DEFAULT_N, each="list N tracks")
    add_weight_options(parser)
    parser.add_album_option()
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """List the tracks nearest to the seeds, nearest first."""
    delivery = read_delivery(session, options)
    amount = read_amount(options, default_n=DEFAULT_N)
    rules = read_given_rules(options)
    check_album_options(options)
    candidates = load_candidates(session, options, log)
    groups = find_sought(session, args, options, candidates, log)
    negatives = find_groups(session, options.negatives, candidates, log)
    check_not_all(seeds_of(groups), negatives)
    query = candidates.index.query(
        [named.seed.departure for named in seeds_of(groups)],
        weights=shares(groups),
        minus=[named.seed.departure for named in seeds_of(negatives)] or None,
        minus_weights=shares(negatives),
    )
    given = seeds_of([*groups, *negatives])
    if options.album:
        list_albums(
            session,
            candidates,
            query,
            given=given,
            amount=amount,
            delivery=delivery,
            log=log,
        )
        return
    picks = find_similar(
        candidates,
        query,
        excluded=[named.seed for named in given],
        amount=amount,
        rules=rules,
        overlap_s=read_overlap(delivery),
    )
    if amount.number is not None and len(picks) < amount.number:
        count = f"only {n_tracks(len(picks))}" if picks else "no tracks"
        log.warning("{} can be proposed", count)
    elif not picks and amount.length_s:
        log.warning("no track can be proposed that is as short as --length")
    lines = lines_of(session, candidates.index, picks)
    remarks: list[str] = []
    if delivery.explain:
        lines, remarks = explain_similar(
            session, candidates, query, groups=groups, lines=lines, log=log
        )
    deliver(session, lines, delivery, log, remarks=remarks)


def find_similar(
    candidates: Candidates,
    query: npt.NDArray[np.float32],
    *,
    excluded: Sequence[Seed],
    amount: Amount,
    rules: Rules = UNRULED,
    overlap_s: float = 0.0,
) -> list[Pick]:
    """Find the tracks nearest to a query, as this verb lists them."""
    return similar(
        candidates.index,
        query,
        catalogue=candidates.catalogue,
        rules=rules,
        excluded=excluded,
        n=amount.number,
        length_s=amount.length_s,
        overlap_s=overlap_s,
    )
