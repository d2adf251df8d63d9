"""``--taste``: seeds from what the user plays and likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.commands.names import title_of
from beetsplug.deejai.commands.seeds import is_file
from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.recommend.taste import draw_seeds, taste_weights
from beetsplug.deejai.storage.library import items_by_id, matching_ids
from beetsplug.deejai.storage.plays import load_plays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy.typing as npt
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.session import Session

N_NAMED = 3
"""Seeds that are named, so that the user sees which side of the taste was drawn."""


def add_taste_options(parser: CommonOptionsParser) -> None:
    """Add ``--taste`` and ``--half-life``."""
    parser.add_option(
        "--taste",
        action="store_true",
        default=False,
        help="seeds are tracks that you play and like; a query limits which",
    )
    parser.add_option(
        "--half-life",
        type="float",
        metavar="DAYS",
        help="with --taste: a play so long ago counts half (default: as configured, "
        "30)",
    )


def check_taste_options(options: Any, args: Sequence[str]) -> None:
    """Refuse what makes no sense with ``--taste``, and without."""
    if not options.taste:
        if options.half_life is not None:
            raise UserError("--half-life goes with --taste")
        return
    if options.also:
        raise UserError("--taste and --also exclude each other")
    if options.half_life is not None and not 0.0 < options.half_life < np.inf:
        raise UserError("--half-life takes a number of days above 0")
    for argument in args:
        if is_file(argument):
            raise UserError(f"--taste takes a query beside it, no file: {argument}")


def find_taste(
    session: Session,
    options: Any,
    args: Sequence[str],
    candidates: Candidates,
    *,
    rng: np.random.Generator,
    log: Logger,
) -> tuple[list[Seed], npt.NDArray[np.float64]]:
    """Choose seeds among the tracks that were played or rated.

    Parameters
    ----------
    session
        The library.
    options
        As :func:`add_taste_options` adds them.
    args
        A query that the seeds match; empty for all tracks.
    candidates
        The vectors.
    rng
        Which side of the taste.
    log
        Where the seeds are named.

    Returns
    -------
    seeds
        Their artists and albums are not known: they are not printed, so that no gap
        need be kept from them.
    weights
        How much each is liked, shape (n_seeds,).

    Raises
    ------
    UserError
        Nothing has been played.
    """
    ids = candidates.index.ids
    days = options.half_life or session.settings.half_life_days
    weights = taste_weights(load_plays(session.lib, ids), half_life_days=days)
    if args:
        matching = matching_ids(session.lib, args)
        weights[~np.isin(ids, list(matching))] = 0.0
    if not weights.any():
        which = f" that matches {' '.join(args)!r}" if args else ""
        raise UserError(
            f"no track{which} with a vector has been played yet: --taste goes by "
            "play_count, last_played, rating and skip_count, which the plugins "
            "mpdstats, lastimport and listenbrainz keep"
        )
    rows = draw_seeds(candidates.index, weights, rng=rng)
    named = items_by_id(session.lib, ids[rows[:N_NAMED]].tolist())
    more = f" and {len(rows) - len(named)} more" if len(rows) > len(named) else ""
    names = "; ".join(title_of(item) for item in named)
    log.info("seeds: {}{}", names, more)
    labels = (
        candidates.catalogue.labels(row)._replace(artist=UNKNOWN, album=UNKNOWN)
        for row in rows
    )
    return list(map(candidates.index.seed, rows, labels)), weights[rows]
