"""``beet deejai genres write``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands.names import n_tracks
from beetsplug.deejai.commands.seeds import no_match
from beetsplug.deejai.genre_space import load_genre_model, load_genre_space, scan_for
from beetsplug.deejai.output.text import one_line
from beetsplug.deejai.storage.genre_fields import (
    HeardGenre,
    load_heard_genres,
    write_heard_genres,
)
from beetsplug.deejai.storage.genre_model import OTHER
from beetsplug.deejai.storage.library import items_by_id, matching_ids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import Logger

    from beetsplug.deejai.genre_space import GenreSpace
    from beetsplug.deejai.session import Session

    Genres = Mapping[int, HeardGenre | None]

USAGE = "[--pretend] [--min-confidence X] [QUERY]"

SHOWN_AT_ONCE = 500


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--pretend",
        action="store_true",
        default=False,
        help="print what would change, and change nothing",
    )
    parser.add_option(
        "--min-confidence",
        dest="least",
        type="float",
        default=0.0,
        metavar="X",
        help="write no genre that is less probable, and take away one that was written "
        "(0 to 1, default: 0)",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Write the genre that is heard to fields of its own."""
    if not 0 <= options.least <= 1:
        raise UserError(f"--min-confidence {options.least:g} is not between 0 and 1")
    model = load_genre_model(session)
    wanted = matching_ids(session.lib, args)
    if not wanted:
        if args:
            raise UserError(no_match(" ".join(args)))
        raise UserError("the library is empty; run `beet import` first")
    space = load_genre_space(session, model)
    genres = _strongest(space, wanted, least=options.least)
    if unheard := len(wanted) - len(genres):
        left_out = f"{n_tracks(unheard)} without slices that tell the genre: left as "
        log.warning("{}they are; run `{}`", left_out, scan_for(model))
    old = load_heard_genres(session.lib)
    changes = {
        item_id: heard for item_id, heard in genres.items() if old.get(item_id) != heard
    }
    if options.pretend:
        _show(session, old, changes)
    else:
        write_heard_genres(session.lib, changes)
    _summarise(genres, changes, pretend=options.pretend)


def _strongest(space: GenreSpace, wanted: set[int], *, least: float) -> Genres:
    """Return the strongest genre of each track, None where none is strong enough."""
    rows = np.flatnonzero(np.isin(space.item_ids, list(wanted)))
    found: dict[int, HeardGenre | None] = {}
    if not rows.size:
        return found
    best = space.probabilities[rows].argmax(axis=1)
    confidences = space.probabilities[rows, best]
    for item_id, number, confidence in zip(
        space.item_ids[rows].tolist(), best.tolist(), confidences.tolist(), strict=True
    ):
        genre = space.genres[number]
        # That it is none of those that were learnt is no genre.
        is_told = confidence >= least and genre != OTHER
        found[item_id] = HeardGenre.of(genre, confidence) if is_told else None
    return found


def _show(session: Session, old: Mapping[int, HeardGenre], changes: Genres) -> None:
    ids = list(changes)
    for start in range(0, len(ids), SHOWN_AT_ONCE):
        for item in items_by_id(session.lib, ids[start : start + SHOWN_AT_ONCE]):
            assert item.id is not None
            before, after = old.get(item.id), changes[item.id]
            change = f"{before or 'none'} -> {after or 'none'}"
            print_(f"{one_line(str(item))}: {one_line(change)}")


def _summarise(genres: Genres, changes: Genres, *, pretend: bool) -> None:
    removed = sum(heard is None for heard in changes.values())
    without = sum(heard is None for heard in genres.values()) - removed
    would = "would be " if pretend else ""
    parts = [f"{n_tracks(len(changes) - removed)} {would}written"]
    if removed:
        parts.append(f"{removed} {would}cleared")
    if same := len(genres) - len(changes) - without:
        parts.append(f"{same} unchanged")
    if without:
        parts.append(f"{without} without a genre")
    print_(", ".join(parts))
