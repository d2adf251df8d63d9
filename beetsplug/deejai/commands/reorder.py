"""``beet deejai reorder``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_

from beetsplug.deejai.commands.deliver import (
    PLAYLIST_SUFFIXES,
    Line,
    deliver,
    is_playlist,
    read_delivery,
)
from beetsplug.deejai.commands.limits import set_no_limits
from beetsplug.deejai.commands.listing import (
    add_output_options,
    add_seed_option,
    add_segue_option,
    load_candidates,
    make_rng,
    tell_seed,
)
from beetsplug.deejai.commands.mixing import add_mix_options
from beetsplug.deejai.commands.seeds import find_seeds, is_file
from beetsplug.deejai.recommend.index import hop_similarities
from beetsplug.deejai.recommend.reorder import hops_along, reorder, seed_distances

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.recommend.local_search import Distances, Order
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] FILE.m3u -o OUT"

MAX_TRACKS = 4_000
"""The distances from each to each are held in memory: for so many, 400 MB."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--keep-ends",
        action="store_true",
        default=False,
        help="leave the first and the last track where they are",
    )
    add_seed_option(parser)
    add_segue_option(parser)
    add_output_options(parser)
    add_mix_options(parser)
    set_no_limits(parser)
    parser.set_defaults(space="sound")


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Put the tracks of a playlist in a smoother order."""
    delivery = read_delivery(session, options)
    if len(args) != 1 or not is_playlist(args[0]):
        raise UserError(f"name one playlist ({', '.join(PLAYLIST_SUFFIXES)})")
    if not is_file(args[0]):
        raise UserError(f"there is no file {args[0]}")
    is_seeded = options.seed is not None
    rng = make_rng(options, used=is_seeded)
    candidates = load_candidates(session, options, log)
    tracks = find_seeds(session, args, candidates, log)
    if len(tracks) > MAX_TRACKS:
        raise UserError(
            f"{args[0]} has {len(tracks)} tracks, and at most {MAX_TRACKS} can be "
            "reordered at once"
        )
    distances = seed_distances(
        [named.seed for named in tracks], names=[named.item.path for named in tracks]
    )
    order = reorder(distances, rng=rng, keep_ends=options.keep_ends)
    change = _change(distances, order)
    tell_seed(options, used=is_seeded, log=log)
    if delivery.outputs:
        print_(change)
    else:
        # The standard output is the list.
        log.info("{}", change)
    deliver(session, _lines(tracks, order), delivery, log)


def _change(distances: Distances, order: Order) -> str:
    before = hops_along(distances, range(len(order)))
    after = hops_along(distances, order)
    count = f"{len(order)} track{'s' if len(order) > 1 else ''}"
    return (
        f"{count}: total distance {before.sum():.3f} before, "
        f"{after.sum():.3f} after; worst hop {before.max(initial=0.0):.3f} before, "
        f"{after.max(initial=0.0):.3f} after"
    )


def _lines(tracks: Sequence[Named], order: Order) -> list[Line]:
    """List the tracks in order, each with what stood behind it and cannot be heard."""
    ordered = [tracks[place] for place in order]
    similarities = hop_similarities(
        [named.seed.departure for named in ordered],
        [named.seed.arrival for named in ordered],
    )
    lines = list(tracks[0].before)
    for named, similarity in zip(ordered, [None, *similarities.tolist()], strict=True):
        lines.append(Line(named.item, similarity, named.source))
        lines += named.behind
    return lines
