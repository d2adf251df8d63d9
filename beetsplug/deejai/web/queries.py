"""Queries of beets as a page may ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets import plugins
from beets.dbcore.query import ParsingError, PathQuery, RegexpQuery
from beets.dbcore.queryparse import parse_query_part
from beets.exceptions import UserError
from beets.library import Item, parse_query_parts

from beetsplug.deejai.storage.library import split_query
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from beets.dbcore.query import Query
    from beets.dbcore.queryparse import Prefixes

    from beetsplug.deejai.web.deck import Deck

MAX_QUERY = 500
"""Characters."""


def safe_query(deck: Deck, text: str) -> Query:
    """Read a query that came from a page.

    Plugins may add queries of their own, and those may read any file (``similar:`` of
    this one hears it): they are left to the command line. Where other machines can
    reach the deck, so are regular expressions, of which a bad one takes hours, and
    paths, which tell where things lie on the disk.

    Parameters
    ----------
    deck
        The library, and who may reach it.
    text
        One line, quotes as in a shell.

    Returns
    -------
    Query
        What it matches; an order that it names is left out.

    Raises
    ------
    Refusal
        400; the message says what cannot be asked here, or what beets finds wrong.
    """
    if len(text) > MAX_QUERY:
        raise Refusal(400, f"a query has at most {MAX_QUERY} characters")
    terms = split_query(text)
    for term in terms:
        _check(term, is_shared=deck.options.is_shared)
    try:
        with deck.session.lib.music_dir_context():
            query, _ = parse_query_parts(terms, Item)
    except (ParsingError, UserError) as error:
        raise Refusal(400, str(error)) from None
    return query


def _check(term: str, *, is_shared: bool) -> None:
    # What else begins a term comes from plugins, and compares texts.
    prefixes: Prefixes = {":": RegexpQuery}
    field, _, kind, _ = parse_query_part(term, {}, prefixes)
    field = (field or "").lower()
    if field in plugins.named_queries(Item):
        raise Refusal(400, f"{field}: is for the command line only")
    if is_shared and kind is RegexpQuery:
        raise Refusal(400, "regular expressions are off on a shared deck")
    if is_shared and (field == "path" or PathQuery.is_path_query(term)):
        raise Refusal(400, "paths are off on a shared deck")
