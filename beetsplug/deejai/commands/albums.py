"""``beet deejai similar -a``: albums instead of tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_

from beetsplug.deejai.commands.deliver import Line, deliver
from beetsplug.deejai.recommend.albums import album_index, nearest_albums
from beetsplug.deejai.storage.albums import album_tracks, albums_by_id, load_album_ids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from logging import Logger

    import numpy as np
    import numpy.typing as npt

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.deliver import Delivery
    from beetsplug.deejai.commands.listing import Amount
    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.session import Session


def check_album_options(options: Any) -> None:
    """Refuse what makes no sense for albums."""
    for name, given in (
        ("--length", options.length is not None),
        ("--segue", options.segue),
        ("--space genre", options.space == "genre"),
        ("--artist-gap", options.artist_gap is not None),
        ("--album-gap", options.album_gap is not None),
        ("--allow-versions", options.allow_versions),
    ):
        if options.album and given:
            raise UserError(f"-a and {name} exclude each other")


def find_albums(
    session: Session,
    candidates: Candidates,
    query: npt.NDArray[np.float32],
    *,
    excluded: Iterable[int],
    n: int,
) -> dict[int, float]:
    """Find the albums nearest to a query by the mean of their candidates.

    Parameters
    ----------
    session
        The library.
    candidates
        An album stands for those of its tracks that may be proposed.
    query
        Unit vector, shape (d,).
    excluded
        Ids of albums that are not to be found.
    n
        How many.

    Returns
    -------
    dict
        Similarities by the album's id, nearest first.
    """
    index = album_index(
        candidates.index,
        albums=load_album_ids(session.lib, candidates.index.ids),
        counted=candidates.catalogue.allowed,
    )
    picks = nearest_albums(index, query, excluded=set(excluded), n=n)
    return {int(index.ids[pick.row]): pick.similarity for pick in picks}


def list_albums(
    session: Session,
    candidates: Candidates,
    query: npt.NDArray[np.float32],
    *,
    given: Iterable[Named],
    amount: Amount,
    delivery: Delivery,
    log: Logger,
) -> None:
    """Print the albums nearest to a query, or write their tracks to the outputs.

    The albums of the given tracks are left out.
    """
    n = amount.number or 0
    own = {named.item.album_id for named in given if named.item.album_id is not None}
    found = find_albums(session, candidates, query, excluded=own, n=n)
    if len(found) < n:
        count = f"only {len(found)}" if found else "no"
        what = "album" if len(found) == 1 else "albums"
        log.warning("{} {} can be proposed", count, what)
    albums = albums_by_id(session.lib, list(found))
    if not delivery.outputs or delivery.explain:
        for album, similarity in zip(albums, found.values(), strict=True):
            print_(f"{similarity:6.3f}  {album}" if delivery.explain else str(album))
    if delivery.outputs:
        tracks = [item for album in albums for item in album_tracks(session.lib, album)]
        lines = [Line(item) for item in tracks]
        deliver(session, lines, replace(delivery, explain=False), log)
