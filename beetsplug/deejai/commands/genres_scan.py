"""``beet deejai genres scan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.commands.scan import add_jobs_option, describe, read_jobs
from beetsplug.deejai.embedding.freshness import Freshness, assess_stored, same_audio
from beetsplug.deejai.embedding.scan import Pooling, Summary, scan
from beetsplug.deejai.genre_space import (
    encoder_loader,
    load_genre_model,
    open_network_slices,
)
from beetsplug.deejai.output.text import counted
from beetsplug.deejai.storage.genre_model import genre_folder
from beetsplug.deejai.storage.library import (
    Stored,
    Track,
    all_ids,
    query_items,
    stored_by_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from logging import Logger

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.genre_model import GenreModel
    from beetsplug.deejai.storage.slices import SliceRow, SliceStore

USAGE = "[--force] [--jobs N] [QUERY]"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--force",
        action="store_true",
        help="hear tracks again that are heard already, and those that failed",
    )
    add_jobs_option(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Hear tracks by the genre network that it has not heard yet."""
    n_threads = read_jobs(session, options)
    model = load_genre_model(session)
    if model.network is None:
        print_(
            "nothing to do: these genres are told from the vectors that "
            "`beet deejai scan` makes"
        )
        return
    items = query_items(session.lib, args)
    tracks = [Track.from_item(item) for item in items]
    hear(session, model, tracks, n_threads=n_threads, is_forced=options.force)


def hear(
    session: Session,
    model: GenreModel,
    tracks: Sequence[Track],
    *,
    n_threads: int,
    is_forced: bool = False,
) -> None:
    """Hear tracks by a genre network, and keep what it says of their slices.

    Parameters
    ----------
    session
        The library.
    model
        Of kind ``cnn``; its network is in the genre folder.
    tracks
        Those that are heard already are left alone.
    n_threads
        How many files are decoded at the same time.
    is_forced
        Whether all are heard again.
    """
    folder = genre_folder(session.lib.path)
    assert folder is not None
    store = open_network_slices(folder)
    try:
        store.remove(store.item_ids() - all_ids(session.lib))
        state = _assess(session, store, model, tracks)
        to_hear = list(tracks) if is_forced else state.to_hear
        summary = Summary(len(to_hear))
        try:
            with ProgressLine(len(to_hear), "tracks") as progress:
                for summary in scan(
                    to_hear,
                    store=store,
                    # The library's own vectors stay as they are.
                    write=lambda vectors: None,
                    model=model.encoder,
                    pooling=Pooling("mean", session.settings.epsilon),
                    load_encoder=encoder_loader(session, model),
                    n_threads=n_threads,
                ):
                    progress.update(summary.n_done)
        except KeyboardInterrupt:
            print_(
                "interrupted: what was heard is kept, `beet deejai genres scan` goes "
                "on from here"
            )
            raise
        known = [] if is_forced else state.failed
        n_fresh = 0 if is_forced else len(state.fresh)
        print_(describe(summary, n_fresh, [*summary.failures, *known]))
        rows = store.rows()
    finally:
        store.close()
    _tell_what_does_not_count(stored_by_id(session.lib), rows, tracks)


def _tell_what_does_not_count(
    stored: Mapping[int, Stored], rows: Mapping[int, SliceRow], tracks: Sequence[Track]
) -> None:
    """Say of which tracks the library does not know the audio that was heard."""
    item_ids = [track.item_id for track in tracks]
    n_unknown = sum(item_id not in stored for item_id in item_ids)
    if n_unknown:
        verb = "has" if n_unknown == 1 else "have"
        print_(
            f"{counted(n_unknown, 'track')} {verb} no vector yet: run "
            "`beet deejai scan`, too"
        )
    n_changed = sum(
        item_id in stored
        and item_id in rows
        and stored[item_id].signature != rows[item_id].signature
        for item_id in item_ids
    )
    if n_changed:
        verb = "has" if n_changed == 1 else "have"
        print_(
            f"{counted(n_changed, 'track')} {verb} other audio than `beet deejai scan` "
            "heard: run it, too"
        )


def _assess(
    session: Session, store: SliceStore, model: GenreModel, tracks: Sequence[Track]
) -> Freshness:
    """Tell which tracks the network has to hear."""
    rows, known = store.rows(), stored_by_id(session.lib)
    # Not by what the library knows of them: it may not have heard newer audio yet.
    stored = {i: Stored(model.encoder, row.signature) for i, row in rows.items()}
    found = assess_stored(stored, store, tracks, model=model.encoder)
    fresh, found.fresh = found.fresh, []
    for track in fresh:
        row = rows[track.item_id]
        agrees = known.get(track.item_id, row).signature == row.signature
        # An id may have gone to another file, even one of the same time and size.
        is_fresh = agrees or same_audio(track, row)
        (found.fresh if is_fresh else found.stale).append(track)
    return found
