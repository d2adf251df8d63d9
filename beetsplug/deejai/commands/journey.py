"""``beet deejai journey``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError

from beetsplug.deejai.commands.deliver import (
    Line,
    deliver,
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
from beetsplug.deejai.commands.names import journey_title
from beetsplug.deejai.commands.seeds import find_waypoint
from beetsplug.deejai.recommend.journey import journey, stops
from beetsplug.deejai.storage.library import items_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.recommend.index import Index
    from beetsplug.deejai.recommend.journey import Stop
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] WAYPOINT WAYPOINT..."
DEFAULT_N = 9


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    add_list_options(
        parser, default_n=DEFAULT_N, each="put N tracks between each two waypoints"
    )
    add_chance_options(parser)
    add_mix_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Join the dots between the waypoints."""
    delivery = read_delivery(session, options)
    amount = read_amount(options, default_n=DEFAULT_N)
    drunk = read_drunk(session, options)
    rng = make_rng(options, used=drunk > 0)
    if len(args) < 2:
        raise UserError("a journey takes two or more waypoints; quote each query")
    candidates = load_candidates(session, options, log).on_sphere()
    waypoints = [find_waypoint(session, arg, candidates, log) for arg in args]
    result = journey(
        candidates.index,
        [named.seed for named in waypoints],
        catalogue=candidates.catalogue,
        rules=read_rules(session, options),
        n=amount.number,
        length_s=amount.length_s,
        overlap_s=read_overlap(delivery),
        drunk=drunk,
        rng=rng,
    )
    for notice in result.notices:
        log.warning("{}", notice)
    tell_seed(options, used=drunk > 0, log=log)
    way = stops(candidates.index, [named.seed for named in waypoints], result.legs)
    deliver(
        session,
        _lines(session, candidates.index, waypoints, way),
        delivery,
        log,
        title=journey_title(
            [named.item for named in waypoints], len(way) - len(waypoints)
        ),
    )


def _lines(
    session: Session, index: Index, waypoints: Sequence[Named], way: Sequence[Stop]
) -> list[Line]:
    ids = [int(index.ids[stop.row]) for stop in way if stop.row is not None]
    items = iter(items_by_id(session.lib, ids))
    return [
        Line(
            next(items) if stop.waypoint is None else waypoints[stop.waypoint].item,
            stop.similarity,
        )
        for stop in way
    ]
