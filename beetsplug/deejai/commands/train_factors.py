"""``beet deejai train factors``."""

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
from beetsplug.deejai.training.factors import (
    ALPHA,
    ITERATIONS,
    REGULARIZATION,
    VECTOR_SIZE,
    factors,
    require_implicit,
)
from beetsplug.deejai.training.tags import load_play_counts, load_tagged

if TYPE_CHECKING:
    from logging import Logger

    from beets.library import Library
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] -o FILE.npz"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    sources.add_options(parser)
    parser.add_option(
        "--play-counts",
        action="store_true",
        help="trust playlists more where they hold what you play often",
    )
    add_vector_options(parser, default_size=VECTOR_SIZE, default_min_count=1)
    parser.add_option(
        "--iterations",
        type="int",
        default=ITERATIONS,
        metavar="N",
        help=f"alternations of least squares (default: {ITERATIONS})",
    )
    parser.add_option(
        "--alpha",
        type="float",
        default=ALPHA,
        metavar="X",
        help="how much more a track in a playlist counts than one that is not "
        f"(default: {ALPHA:g})",
    )
    parser.add_option(
        "--regularization",
        type="float",
        default=REGULARIZATION,
        metavar="X",
        help=f"how small the factors are kept (default: {REGULARIZATION:g})",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Factorise playlists, show what was learnt and write the vectors."""
    if args:
        raise UserError("train factors takes no query: give it with --query")
    check_from(options, 1, "size", "min_count", "iterations")
    check_seed(options)
    for name in ("alpha", "regularization"):
        if not 0 < getattr(options, name) < float("inf"):
            raise UserError(f"--{name} takes a number above 0")
    output = read_output(options)
    require_implicit()
    playlists, report = sources.gather(session.lib, options)
    for line in report:
        print_(line)
    plays = _plays(session.lib) if options.play_counts else None
    with ProgressLine(0, "iterations") as progress:
        targets = factors(
            playlists,
            plays=plays,
            vector_size=options.size,
            min_count=options.min_count,
            iterations=options.iterations,
            alpha=options.alpha,
            regularization=options.regularization,
            seed=options.seed,
            on_iteration=progress.update,
        )
    finish(session.lib, targets, playlists, output)


def _plays(lib: Library) -> dict[str, int]:
    counts = load_play_counts(lib)
    plays = {
        track.path: counts[track.item_id]
        for track in load_tagged(lib)
        if track.item_id in counts
    }
    if not plays:
        raise UserError(
            "no track has a play_count; beets' plugins mpdstats and lastimport keep it"
        )
    print_(f"tracks with a play count: {len(plays)}")
    return plays
