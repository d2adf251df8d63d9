"""Tracks by name: items of the library by their id, and uploads."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, Field

from beetsplug.deejai.commands.names import name_of
from beetsplug.deejai.storage.library import items_by_id
from beetsplug.deejai.web.asked import Asked
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.streams import mime_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from beets.library import Item

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.recommend.index import Pick, Seed
    from beetsplug.deejai.web.deck import Deck

MAX_ID = 2**63 - 1

_ID = "[1-9][0-9]{0,18}"
UPLOAD = "u[A-Za-z0-9_-]{22}"
"""What ids and the names of uploads look like, as regular expressions."""

Ref = Annotated[
    str,
    Field(
        pattern=f"^({_ID}|{UPLOAD})$",
        description="Names a track: the id of an item in the library, or an upload",
    ),
]


class Message(BaseModel):
    """Why a request was refused."""

    error: str


class TrackInfo(BaseModel):
    """A track as the pages show it."""

    ref: str
    title: str
    artist: str
    album: str
    year: int | None
    genre: str
    length_s: float
    mime: str
    is_heard: bool = Field(description="Whether it has a vector of this encoder")
    has_cover: bool


class Similar(TrackInfo):
    """A track of a list."""

    similarity: float | None = Field(description="Cosine similarity, -1 to 1")


T = TypeVar("T", bound=Similar)


class TrackPath(Asked):
    """Which track."""

    ref: Ref


def id_of(ref: str) -> int | None:
    """Return the id that a ref means; None for an upload, or what no id can be."""
    if not re.fullmatch(_ID, ref) or int(ref) > MAX_ID:
        return None
    return int(ref)


def item_of(deck: Deck, ref: str) -> Item:
    """Find a track.

    Raises
    ------
    Refusal
        There is no such track.
    """
    return items_of(deck, [ref])[0]


def items_of(deck: Deck, refs: Sequence[str]) -> list[Item]:
    """Find tracks, in the order of their refs.

    Raises
    ------
    Refusal
        One of them is not there.
    """
    found = find_items(deck, refs)
    for ref in refs:
        if ref not in found:
            raise Refusal(404, f"there is no track {ref}")
    return [found[ref] for ref in refs]


def find_items(deck: Deck, refs: Iterable[str]) -> dict[str, Item]:
    """Find those tracks that are there, by ref."""
    refs = list(dict.fromkeys(refs))
    ids = {ref: track_id for ref in refs if (track_id := id_of(ref)) is not None}
    items = {i.id: i for i in items_by_id(deck.session.lib, list(ids.values()))}
    found = {ref: items[i] for ref, i in ids.items() if i in items}
    for ref in refs:
        if ref not in ids and (item := deck.uploads.item(ref)) is not None:
            found[ref] = item
    return found


def rows_of(candidates: Candidates, refs: Iterable[str]) -> list[int]:
    """Return the rows of those tracks that can be compared, in order."""
    wanted = np.array([id_of(ref) or 0 for ref in refs], dtype=np.int64)
    ids = candidates.index.ids
    rows = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return [int(row) for row in rows[ids[rows] == wanted]]


def seeds_among(candidates: Candidates, refs: Iterable[str]) -> list[Seed]:
    """Make seeds of those tracks that can be compared, in order.

    Others are passed over: likes and bans are kept for years.
    """
    index, labels = candidates.index, candidates.catalogue.labels
    return [index.seed(row, labels(row)) for row in rows_of(candidates, refs)]


@dataclass(frozen=True)
class Named:
    """A track that a request names, and what recommending takes of it."""

    ref: str
    item: Item
    seed: Seed


def named_of(deck: Deck, candidates: Candidates, refs: Sequence[str]) -> list[Named]:
    """Find tracks that can be compared, in the order of their refs.

    Raises
    ------
    Refusal
        One of them is not there, or has no vector (yet).
    """
    return [
        _named(deck, candidates, ref, item)
        for ref, item in zip(refs, items_of(deck, refs), strict=True)
    ]


def named_among(deck: Deck, candidates: Candidates, refs: Sequence[str]) -> list[Named]:
    """Find tracks as :func:`named_of`, passing over those that are gone or unheard."""
    found = find_items(deck, refs)
    items = [(ref, found[ref]) for ref in refs if ref in found]
    return heard_among(deck, candidates, items)


def heard_among(
    deck: Deck, candidates: Candidates, items: Iterable[tuple[str, Item]]
) -> list[Named]:
    """Return those of some tracks, each with its ref, that can be compared."""
    named = []
    for ref, item in items:
        with suppress(Refusal):
            named.append(_named(deck, candidates, ref, item))
    return named


def _named(deck: Deck, candidates: Candidates, ref: str, item: Item) -> Named:
    heard = deck.uploads.heard(ref) if item.id is None else None
    row = None if item.id is None else candidates.index.row_of(item.id)
    if row is None and heard is None:
        remedy = (
            "it is being listened to" if item.id is None else "run `beet deejai scan`"
        )
        raise Refusal(409, f"{name_of(item)} has no vector yet: {remedy}")
    return Named(ref, item, candidates.seed(item, heard))


def items_in_rows(
    deck: Deck, candidates: Candidates, rows: Iterable[int]
) -> dict[int, Item]:
    """Fetch items by row; what was removed since the library was read is missing."""
    row_of = {int(candidates.index.ids[row]): row for row in rows}
    items = items_by_id(deck.session.lib, list(row_of))
    return {row_of[item.id]: item for item in items if item.id is not None}


def picked(deck: Deck, candidates: Candidates, picks: Sequence[Pick]) -> list[Similar]:
    """Describe picked tracks; what was removed in the meantime is left out."""
    items = items_in_rows(deck, candidates, (pick.row for pick in picks))
    return [
        described(Similar, deck, items[pick.row], similarity=pick.similarity)
        for pick in picks
        if pick.row in items
    ]


def described(model: type[T], deck: Deck, item: Item, ref: str = "", **more: Any) -> T:
    """Describe an item as a track of a list; uploads need their `ref`."""
    return model(**track_info(deck, item, ref).model_dump(), **more)


def track_info(deck: Deck, item: Item, ref: str = "") -> TrackInfo:
    """Describe an item; uploads need their `ref`."""
    length_s = float(item.length or 0.0)
    if item.id is None:
        is_heard = deck.uploads.heard(ref) is not None
    else:
        candidates = deck.shelf.contents().candidates
        is_heard = bool(candidates and candidates.index.row_of(item.id) is not None)
    return TrackInfo(
        ref=ref or str(item.id),
        title=name_of(item),
        artist=item.artist or "",
        album=item.album or "",
        year=item.year or None,
        genre="; ".join(item.genres or ()),
        length_s=length_s if math.isfinite(length_s) and length_s > 0.0 else 0.0,
        mime=mime_of(item),
        is_heard=is_heard,
        has_cover=deck.covers.has_cover(item),
    )
