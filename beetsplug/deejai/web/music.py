"""What the API answers: the functions of the command line, for the tracks of a deck."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from beets.util import normpath

from beetsplug.deejai.commands.names import journey_title, name_of, title_of
from beetsplug.deejai.output.m3u import Entry, m3u_text
from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.recommend.index import query_vector
from beetsplug.deejai.recommend.journey import journey, stops
from beetsplug.deejai.recommend.rules import UNRULED, Rules
from beetsplug.deejai.recommend.similar import similar
from beetsplug.deejai.web.api_models import (
    Chosen,
    JourneyBody,
    JourneyResult,
    PlaylistBody,
    PlaylistResult,
    Reason,
    SearchQuery,
    SearchResult,
    Status,
    Stopped,
)
from beetsplug.deejai.web.choices import Sitting, play_on
from beetsplug.deejai.web.search import search
from beetsplug.deejai.web.tracks import (
    described,
    items_in_rows,
    items_of,
    picked,
    rows_of,
    seeds_among,
    seeds_of,
    track_info,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Item

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.tracks import Similar

MAX_REASONS = 3

DEFAULT_STEPS = 9
"""Tracks between two waypoints of a journey."""


def status(deck: Deck) -> Status:
    """Tell what a deck plays from."""
    settings = deck.session.settings
    contents = deck.shelf.contents()
    candidates = contents.candidates
    return Status(
        version=version("beets-deejai"),
        library=sha256(os.fsencode(deck.session.lib.path)).hexdigest()[:12],
        model=deck.session.model_id,
        n_items=len(contents.order),
        n_tracks=len(candidates.index) if candidates else 0,
        reason=contents.reason,
        keep_on=settings.keep_on,
        drunk=settings.drunk,
        crossfade_s=deck.options.crossfade_s,
        loudness=settings.loudness,
        demo_s=deck.options.demo_s,
        mix_formats=[suffix.removeprefix(".") for suffix in FORMATS],
    )


def find(deck: Deck, query: SearchQuery) -> SearchResult:
    """Search the library."""
    total, items = search(deck, query.q, limit=query.limit, offset=query.offset)
    infos = [track_info(deck, item) for item in items]
    return SearchResult(total=total, tracks=infos)


def nearest(
    deck: Deck, refs: Sequence[str], *, avoided: Sequence[str] = (), n: int
) -> list[Similar]:
    """List the tracks that sound most like some, nearest first."""
    candidates = deck.candidates()
    seeds = seeds_of(deck, candidates, refs)
    negatives = seeds_of(deck, candidates, avoided)
    vector = query_vector(
        [seed.departure for seed in seeds],
        minus=[seed.departure for seed in negatives] or None,
    )
    picks = similar(
        candidates.index,
        vector,
        catalogue=candidates.catalogue,
        rules=UNRULED,
        excluded=[*seeds, *negatives],
        n=n,
    )
    return picked(deck, candidates, picks)


def play_next(deck: Deck, body: PlaylistBody) -> PlaylistResult:
    """Choose what to play next, and say why."""
    candidates = deck.candidates()
    settings = deck.session.settings
    keep_on = settings.keep_on if body.keep_on is None else body.keep_on
    last = seeds_of(deck, candidates, body.seeds)
    result = play_on(
        candidates,
        Sitting(
            last=last,
            liked=seeds_among(candidates, body.like),
            banned=seeds_among(candidates, body.avoid),
            played=rows_of(candidates, body.played),
        ),
        settings=settings,
        n=body.n,
        keep_on=keep_on,
        drunk=settings.drunk if body.drunk is None else body.drunk,
        seed=body.seed,
    )
    # What was played twice is one reason.
    heard = list(dict(list(zip(body.seeds, last, strict=True))[-keep_on:]).items())
    names = items_of(deck, [ref for ref, _ in heard])
    items = items_in_rows(deck, candidates, (pick.row for pick in result.picks))
    tracks = [
        described(
            Chosen,
            deck,
            items[pick.row],
            similarity=pick.similarity,
            why=_reasons(candidates, pick.row, heard, names),
        )
        for pick in result.picks
        if pick.row in items
    ]
    return PlaylistResult(tracks=tracks, notices=result.notices)


def lead(deck: Deck, body: JourneyBody) -> JourneyResult:
    """Join the dots between waypoints."""
    candidates = deck.candidates()
    settings = deck.session.settings
    waypoints = seeds_of(deck, candidates, body.waypoints)
    named = items_of(deck, body.waypoints)
    catalogue = candidates.catalogue
    banned = rows_of(candidates, body.avoid)
    result = journey(
        candidates.index,
        waypoints,
        catalogue=replace(
            catalogue, allowed=catalogue.without(banned, catalogue.allowed)
        ),
        rules=Rules(settings.artist_gap, settings.album_gap),
        n=DEFAULT_STEPS if body.n is None and body.length_s is None else body.n,
        length_s=body.length_s,
        drunk=body.drunk,
        rng=np.random.default_rng(body.seed),
    )
    way = stops(candidates.index, waypoints, result.legs)
    rows = (stop.row for stop in way if stop.row is not None)
    items = items_in_rows(deck, candidates, rows)
    tracks = []
    for stop in way:
        item, ref = items.get(-1 if stop.row is None else stop.row), ""
        if stop.waypoint is not None:
            item, ref = named[stop.waypoint], body.waypoints[stop.waypoint]
        if item is not None:
            tracks.append(
                described(
                    Stopped,
                    deck,
                    item,
                    ref,
                    similarity=stop.similarity,
                    is_waypoint=stop.row is None,
                )
            )
    title = journey_title(named, len(tracks) - len(named))
    return JourneyResult(title=title, tracks=tracks, notices=result.notices)


def m3u(deck: Deck, refs: Sequence[str], *, title: str) -> bytes:
    """Make an M3U playlist with absolute paths: where it will lie is not known.

    Uploads have no place of their own and are left out.
    """
    entries = [
        Entry(normpath(item.path), title_of(item), item.length or 0.0)
        for item in items_of(deck, refs)
        if item.id is not None
    ]
    return m3u_text(
        entries, forward_slash=deck.session.settings.forward_slash, comment=title
    )


def _reasons(
    candidates: Candidates,
    row: int,
    heard: Sequence[tuple[str, Seed]],
    items: Sequence[Item],
) -> list[Reason]:
    """Tell which of the last tracks one is most like, that one first."""
    arrival = candidates.index.arrivals[row]
    reasons = [
        Reason(
            ref=ref,
            title=name_of(item),
            artist=item.artist or "",
            similarity=float(np.clip(seed.departure @ arrival, -1.0, 1.0)),
        )
        for (ref, seed), item in zip(heard, items, strict=True)
    ]
    reasons.sort(key=lambda reason: -reason.similarity)
    return reasons[:MAX_REASONS]
