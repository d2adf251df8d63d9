"""``beet deejai status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.embedding.freshness import assess
from beetsplug.deejai.spaces import models_of_others, name_others
from beetsplug.deejai.storage.library import Track, query_items

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.session import Session

USAGE = "[--failed] [QUERY]"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--failed",
        action="store_true",
        help="list the files that could not be heard, each with its reason",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Tell which tracks have a vector, and what failed."""
    tracks = [Track.from_item(item) for item in query_items(session.lib, args)]
    state = assess(session.lib, session.store, tracks, model=session.model_id)
    if options.failed:
        for track, reason in state.failed:
            print_(f"{track.shown}: {reason}")
        return
    print_(f"model:    {session.model_id} ({session.model_path})")
    print_(f"pooling:  {session.pooling.method}, epsilon {session.pooling.epsilon:g}")
    print_(f"tracks:   {len(tracks)}")
    print_(f"  fresh   {len(state.fresh)}")
    print_(f"  stale   {len(state.stale)}")
    if others := models_of_others(session, state.stale):
        print_(f"          {others.total()} {name_others(others)}")
    print_(f"  missing {len(state.missing)}")
    print_(f"  failed  {len(state.failed)}")
    megabytes = session.store.size_bytes() / 1e6
    print_(f"slices:   {megabytes:.1f} MB in {session.store.path}")
    if state.to_hear:
        print_("run `beet deejai scan` to make the vectors that are missing or stale")
