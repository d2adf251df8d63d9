"""``beet deejai scan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.embedding.freshness import assess
from beetsplug.deejai.embedding.scan import Summary, pool_new, scan
from beetsplug.deejai.spaces import (
    models_of_others,
    name_others,
    warn_of_others,
)
from beetsplug.deejai.storage.library import (
    Track,
    all_ids,
    query_items,
    write_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beetsplug.deejai.session import Session


USAGE = "[--force] [--pretend] [--jobs N] [QUERY]"

MAX_REASONS = 20
"""Failures that the summary lists; ``status --failed`` lists all."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--force",
        action="store_true",
        help="hear tracks again whose vector is fresh, and those that failed",
    )
    parser.add_option(
        "--pretend",
        action="store_true",
        help="only list the tracks that would be heard",
    )
    add_jobs_option(parser)


def add_jobs_option(parser: CommonOptionsParser) -> None:
    """Add ``--jobs``, which :func:`read_jobs` reads."""
    parser.add_option(
        "--jobs",
        type="int",
        metavar="N",
        help="decode N tracks at once (default: the number of cores)",
    )


def read_jobs(session: Session, options: Any) -> int:
    """Return how many tracks are decoded at once."""
    if options.jobs is not None and options.jobs < 0:
        raise UserError("--jobs takes a whole number from 0 up")
    return int(options.jobs or session.settings.n_threads)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Make vectors for tracks that have none or a stale one."""
    n_threads = read_jobs(session, options)
    items = query_items(session.lib, args)
    tracks = [Track.from_item(item) for item in items]
    session.store.remove(session.store.item_ids() - all_ids(session.lib))
    state = assess(session.lib, session.store, tracks, model=session.model_id)
    to_hear = tracks if options.force else state.to_hear
    if options.pretend:
        chosen = {track.item_id for track in to_hear}
        for item in items:
            if item.id in chosen:
                print_(format(item))
        return
    _say_why_again(session, state.stale, log)
    n_fresh = 0 if options.force else len(state.fresh)
    summary = None
    try:
        summary = _hear(session, to_hear, n_threads)
        pool_new(
            session.lib,
            session.store,
            write=lambda vectors: write_vectors(session.lib, vectors),
            model=session.model_id,
            pooling=session.pooling,
        )
    except KeyboardInterrupt:
        print_("interrupted: what was heard is kept, the next scan goes on from here")
        raise
    known = [] if options.force else state.failed
    print_(describe(summary, n_fresh, [*summary.failures, *known]))
    warn_of_others(session, log)


def _say_why_again(session: Session, stale: Sequence[Track], log: Logger) -> None:
    """Say how many tracks are heard again because the encoder is another one."""
    others = models_of_others(session, stale)
    if others:
        tracks = "1 track" if others.total() == 1 else f"{others.total()} tracks"
        log.info("hearing {} again: {}", tracks, name_others(others))


def _hear(session: Session, tracks: Sequence[Track], n_threads: int) -> Summary:
    summary = Summary(len(tracks))
    if not tracks:
        return summary
    with ProgressLine(len(tracks), "tracks") as progress:
        for summary in scan(
            tracks,
            store=session.store,
            write=lambda vectors: write_vectors(session.lib, vectors),
            model=session.model_id,
            pooling=session.pooling,
            load_encoder=session.load_encoder,
            n_threads=n_threads,
        ):
            progress.update(summary.n_done)
    return summary


def describe(
    summary: Summary, n_fresh: int, failures: Sequence[tuple[Track, str]]
) -> str:
    """Say what a scan did, and name some of the tracks that could not be heard."""
    lines = [f"{summary.n_heard} new, {n_fresh} fresh, {len(failures)} failed"]
    lines += [f"  {track.shown}: {reason}" for track, reason in failures[:MAX_REASONS]]
    if len(failures) > MAX_REASONS:
        more = len(failures) - MAX_REASONS
        lines.append(f"  ... and {more} more: beet deejai status --failed")
    return "\n".join(lines)
