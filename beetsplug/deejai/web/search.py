"""Search as you type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.commands.seeds import title_rank
from beetsplug.deejai.storage.library import items_by_id, matching_ids
from beetsplug.deejai.web.queries import safe_query

if TYPE_CHECKING:
    from beets.library import Item

    from beetsplug.deejai.web.deck import Deck

MAX_RANKED = 200
"""More matches than these are not sorted by title: who typed so little looks around."""


def search(deck: Deck, text: str, *, limit: int, offset: int) -> tuple[int, list[Item]]:
    """Find the items that a query of beets matches.

    Few matches come best title first, many by artist, album and track.

    Parameters
    ----------
    deck
        The library.
    text
        The query; empty: everything.
    limit, offset
        Which of the matches are wanted.

    Returns
    -------
    total : int
        How many match.
    items : list of Item

    Raises
    ------
    Refusal
        The query cannot be understood, or is not for the web.
    """
    order = deck.shelf.contents().order
    if text.strip():
        ids = matching_ids(deck.session.lib, safe_query(deck, text))
        order = order[np.isin(order, list(ids))]
    if text.strip() and len(order) <= MAX_RANKED:
        items = items_by_id(deck.session.lib, order.tolist())
        items.sort(key=lambda item: title_rank(text, item)[0])
        return len(items), items[offset : offset + limit]
    page = order[offset : offset + limit].tolist()
    return len(order), items_by_id(deck.session.lib, page)
