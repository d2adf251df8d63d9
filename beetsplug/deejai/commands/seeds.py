"""Find the tracks that the user names: queries of the library, or files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beets.dbcore.query import PathQuery
from beets.exceptions import UserError
from beets.library import Item
from beets.library.exceptions import FileOperationError
from beets.ui import input_, print_
from beets.util import displayable_path, normpath, syspath

from beetsplug.deejai.commands.deliver import PLAYLIST_SUFFIXES
from beetsplug.deejai.storage.library import query_items, shown_path, split_query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy as np
    import numpy.typing as npt

    from beetsplug.deejai.commands.listing import Candidates
    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.session import Session

MAX_UNHEARD = 20
"""Seeds without a vector of the encoder in use that are heard on the fly.

With more, a scan is due.
"""

MAX_CHOICES = 20
"""Matches of a waypoint that are offered to choose from."""


@dataclass(frozen=True)
class Named:
    """A track that the user named: the item, and the seed that recommending takes."""

    item: Item
    seed: Seed


def is_file(argument: str) -> bool:
    """Whether an argument names a file rather than being a query."""
    return os.path.isfile(syspath(normpath(argument)))


def no_match(query: str) -> str:
    """Say that a query found nothing, and that it is no file if it looks like one."""
    message = f"nothing in the library matches {query!r}"
    if os.sep in query or query.lower().endswith(PLAYLIST_SUFFIXES):
        message += ", and there is no such file"
    return message


def find_seeds(
    session: Session, arguments: Sequence[str], candidates: Candidates, log: Logger
) -> list[Named]:
    """Resolve the arguments of ``similar`` and ``playlist``.

    Arguments that are files are seeds; all others together are one query, of which
    every match is a seed.

    Raises
    ------
    UserError
        Nothing was named, or nothing matches.
    """
    if not arguments:
        raise UserError("name a seed: a query, or an audio file")
    items = [file_item(session, arg) for arg in arguments if is_file(arg)]
    terms = [arg for arg in arguments if not is_file(arg)]
    if terms:
        matches = query_items(session.lib, terms)
        if not matches:
            raise UserError(no_match(" ".join(terms)))
        items += matches
    return _with_vectors(session, items, candidates, log)


def find_negatives(
    session: Session,
    arguments: Sequence[str] | None,
    candidates: Candidates,
    log: Logger,
) -> list[Named]:
    """Resolve the arguments of ``--not``: each is a file or a query of its own."""
    return [
        named
        for argument in arguments or []
        for named in find_seeds(
            session,
            [argument] if is_file(argument) else split_query(argument),
            candidates,
            log,
        )
    ]


def find_waypoint(
    session: Session, argument: str, candidates: Candidates, log: Logger
) -> Named:
    """Resolve one argument of ``journey``: a file, or a query for one track.

    Of several matches the user chooses on a terminal; elsewhere the best title match
    is taken, and said.
    """
    if is_file(argument):
        items = [file_item(session, argument)]
    else:
        matches = query_items(session.lib, argument)
        if not matches:
            raise UserError(no_match(argument))
        items = [_choose(argument, matches, log) if len(matches) > 1 else matches[0]]
    return _with_vectors(session, items, candidates, log)[0]


def _choose(query: str, matches: list[Item], log: Logger) -> Item:
    ranked = sorted(matches, key=lambda item: _title_rank(query, item))
    # Without a terminal standard input may be anything, even nothing.
    if not getattr(sys.stdin, "isatty", bool)():
        log.info("{} tracks match {!r}; taking: {}", len(matches), query, ranked[0])
        return ranked[0]
    print_(f"{len(matches)} tracks match {query!r}:")
    shown = ranked[:MAX_CHOICES]
    for number, item in enumerate(shown, 1):
        print_(f"{number:3}. {item}")
    while True:
        answer = input_(f"Which one? [1-{len(shown)}, Enter for 1]").strip() or "1"
        if answer.isdecimal() and 1 <= int(answer) <= len(shown):
            return shown[int(answer) - 1]
        print_(f"a number from 1 to {len(shown)}, please")


def _title_rank(query: str, item: Item) -> tuple[int, int, int]:
    """Sort key: the same title first, then titles that begin so, then the shortest."""
    title, wanted = item.title.casefold(), query.strip().casefold()
    if title == wanted:
        kind = 0
    elif title.startswith(wanted):
        kind = 1
    else:
        kind = 2 if wanted in title else 3
    return kind, len(title), item.id or 0


def file_item(session: Session, argument: str) -> Item:
    """Return the item of a file: the library's, else one made from its tags."""
    path = normpath(argument)
    with session.lib.music_dir_context():
        known = session.lib.items(PathQuery("path", path)).get()
    if known is not None:
        return known
    try:
        return Item.from_path(path)
    except FileOperationError:
        # beets reads the tags of fewer formats than FFmpeg decodes.
        return Item(path=path, title=os.path.basename(displayable_path(path)))


def _with_vectors(
    session: Session, items: Sequence[Item], candidates: Candidates, log: Logger
) -> list[Named]:
    unheard = [
        item
        for item in items
        if item.id is None or candidates.index.row_of(item.id) is None
    ]
    if len(unheard) > MAX_UNHEARD:
        raise UserError(
            f"{len(unheard)} of the seeds have no vector of the encoder in use; run "
            "`beet deejai scan` first"
        )
    heard = _hear(session, unheard, log) if unheard else {}
    silent = {id(item) for item in unheard} - heard.keys()
    return [
        Named(item, candidates.seed(item, heard.get(id(item))))
        for item in items
        if id(item) not in silent
    ]


def _hear(
    session: Session, items: Sequence[Item], log: Logger
) -> dict[int, npt.NDArray[np.float32]]:
    """Hear files on the fly; what cannot be heard is an error if it was all."""
    from beetsplug.deejai.embedding.outside import hear_files

    paths = [os.fsdecode(item.path) for item in items]
    vectors, failures = hear_files(
        session.lib,
        session.store if session.has_store else None,
        paths,
        model=session.model_id,
        pooling=session.pooling,
        load_encoder=session.load_encoder,
        n_threads=session.settings.n_threads,
    )
    if not vectors:
        path, reason = failures[0]
        raise UserError(f"cannot be heard: {shown_path(path)}: {reason}")
    for path, reason in failures:
        log.warning("cannot be heard: {}: {}", shown_path(path), reason)
    return {
        id(item): vectors[path]
        for item, path in zip(items, paths, strict=True)
        if path in vectors
    }
