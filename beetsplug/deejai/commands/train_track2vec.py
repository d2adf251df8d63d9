"""``beet deejai train track2vec``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_

from beetsplug.deejai.commands import sources
from beetsplug.deejai.commands.learning import (
    add_vector_options,
    check_from,
    check_seed,
    finish,
    read_output,
)
from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.training.track2vec import (
    MIN_COUNT,
    NEGATIVE,
    VECTOR_SIZE,
    require_gensim,
    track2vec,
)

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] -o FILE.npz"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    sources.add_options(parser)
    add_vector_options(parser, default_size=VECTOR_SIZE, default_min_count=MIN_COUNT)
    parser.add_option(
        "--epochs",
        type="int",
        metavar="N",
        help="how often the playlists are read; by default the fewer, the more there "
        "is to read",
    )
    parser.add_option(
        "--negative",
        type="int",
        default=NEGATIVE,
        metavar="N",
        help=f"random tracks against each one predicted (default: {NEGATIVE})",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Learn vectors from playlists, show what they learnt and write them."""
    if args:
        raise UserError("train track2vec takes no query: give it with --query")
    check_from(options, 1, "size", "min_count", "epochs", "negative")
    check_seed(options)
    output = read_output(options)
    # It takes a second to import, and must not be missed after the rest is done.
    require_gensim()
    playlists, report = sources.gather(session.lib, options)
    for line in report:
        print_(line)
    with ProgressLine(0, "epochs") as progress:
        targets = track2vec(
            playlists,
            vector_size=options.size,
            min_count=options.min_count,
            epochs=options.epochs,
            negative=options.negative,
            seed=options.seed,
            on_epoch=progress.update,
        )
    finish(session.lib, targets, playlists, output)
