"""``beet deejai pool``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.embedding.scan import Pooling, pool_stored
from beetsplug.deejai.settings import POOLINGS
from beetsplug.deejai.spaces import (
    explain_none,
    other_models,
    warn_of_others,
)
from beetsplug.deejai.storage.library import write_vectors

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.session import Session

USAGE = "[--epsilon X] [--pooling METHOD]"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--epsilon",
        type="float",
        metavar="X",
        help="cosine distance under which two slices are the same (0 to 2)",
    )
    parser.add_option(
        "--pooling",
        type="choice",
        choices=POOLINGS,
        metavar="METHOD",
        help=f"one of {', '.join(POOLINGS)}",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Recompute the track vectors from the stored slices."""
    if args:
        raise UserError("pool takes no query: it compares the whole library")
    epsilon = session.pooling.epsilon if options.epsilon is None else options.epsilon
    if not 0 <= epsilon <= 2:
        raise UserError(f"--epsilon {epsilon:g} is not between 0 and 2")
    pooling = Pooling(options.pooling or session.pooling.method, epsilon)
    with ProgressLine(0, "slices") as progress:
        n_pooled = pool_stored(
            session.lib,
            session.store,
            write=lambda vectors: write_vectors(session.lib, vectors),
            model=session.model_id,
            pooling=pooling,
            on_progress=progress.update,
        )
    if not n_pooled:
        if other_models(session):
            raise UserError(explain_none(session))
        raise UserError("no slices are stored yet; run `beet deejai scan` first")
    warn_of_others(session, log)
    print_(f"{n_pooled} tracks pooled: {pooling.method}, epsilon {pooling.epsilon:g}")
