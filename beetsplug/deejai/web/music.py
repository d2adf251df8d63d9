"""What the API answers: the functions of the command line, for the tracks of a deck."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from beets.util import normpath

from beetsplug.deejai.commands.journey import DEFAULT_N
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
from beetsplug.deejai.web.choices import Sitting, play_on, start_anywhere
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.search import search
from beetsplug.deejai.web.tracks import (
    described,
    find_items,
    items_in_rows,
    named_among,
    named_of,
    picked,
    rows_of,
    seeds_among,
    track_info,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.tracks import Named, Similar

MAX_REASONS = 3


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
        n_allowed=int(candidates.catalogue.allowed.sum()) if candidates else 0,
        reason=contents.reason,
        keep_on=settings.keep_on,
        drunk=settings.drunk,
        n_steps=DEFAULT_N,
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
    seeds = [named.seed for named in named_of(deck, candidates, refs)]
    negatives = [named.seed for named in named_among(deck, candidates, avoided)]
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
    """Choose what to play next, and say why.

    Tracks that are gone by now are passed over, so that music goes on.

    Raises
    ------
    Refusal
        There are seeds, and none of them can be compared.
    """
    candidates = deck.candidates()
    if not body.seeds:
        return _begin(deck, candidates, body)
    settings = deck.session.settings
    keep_on = settings.keep_on if body.keep_on is None else body.keep_on
    last = named_among(deck, candidates, body.seeds)
    # Without any, it is told of the one that played last what is wrong.
    last = last or named_of(deck, candidates, body.seeds[-1:])
    result = play_on(
        candidates,
        Sitting(
            last=[named.seed for named in last],
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
    items = items_in_rows(deck, candidates, (pick.row for pick in result.picks))
    tracks = [
        described(
            Chosen,
            deck,
            items[pick.row],
            similarity=pick.similarity,
            why=_reasons(candidates, pick.row, last[-keep_on:]),
        )
        for pick in result.picks
        if pick.row in items
    ]
    return PlaylistResult(tracks=tracks, notices=result.notices)


def _begin(deck: Deck, candidates: Candidates, body: PlaylistBody) -> PlaylistResult:
    unwanted = rows_of(candidates, [*body.avoid, *body.played])
    row = start_anywhere(candidates, unwanted, seed=body.seed)
    if row is None or not body.n:
        return PlaylistResult(tracks=[], notices=["no other candidates are left"])
    items = items_in_rows(deck, candidates, [row]).values()
    tracks = [described(Chosen, deck, i, similarity=None, why=[]) for i in items]
    return PlaylistResult(tracks=tracks, notices=[])


def lead(deck: Deck, body: JourneyBody) -> JourneyResult:
    """Join the dots between waypoints."""
    candidates = deck.candidates()
    settings = deck.session.settings
    named = named_of(deck, candidates, body.waypoints)
    waypoints = [each.seed for each in named]
    catalogue = candidates.catalogue
    banned = rows_of(candidates, body.avoid)
    result = journey(
        candidates.index,
        waypoints,
        catalogue=replace(
            catalogue, allowed=catalogue.without(banned, catalogue.allowed)
        ),
        rules=Rules(settings.artist_gap, settings.album_gap),
        n=DEFAULT_N if body.n is None and body.length_s is None else body.n,
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
            item, ref = named[stop.waypoint].item, named[stop.waypoint].ref
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
    title = journey_title([each.item for each in named], len(tracks) - len(named))
    return JourneyResult(title=title, tracks=tracks, notices=result.notices)


def m3u(deck: Deck, refs: Sequence[str], *, title: str) -> bytes:
    """Make an M3U playlist with absolute paths: where it will lie is not known.

    Uploads have no place of their own and are left out, as are tracks that are gone.

    Raises
    ------
    Refusal
        None is left.
    """
    found = find_items(deck, refs)
    items = [found[ref] for ref in refs if ref in found]
    entries = [
        Entry(normpath(item.path), title_of(item), item.length or 0.0)
        for item in items
        if item.id is not None
    ]
    if not entries:
        raise Refusal(404, "none of these tracks is in the library")
    return m3u_text(
        entries, forward_slash=deck.session.settings.forward_slash, comment=title
    )


def _reasons(candidates: Candidates, row: int, last: Sequence[Named]) -> list[Reason]:
    """Tell which of the last tracks one is most like, that one first."""
    arrival = candidates.index.arrivals[row]
    # What was played twice is one reason.
    reasons = [
        Reason(
            ref=named.ref,
            title=name_of(named.item),
            artist=named.item.artist or "",
            similarity=float(np.clip(named.seed.departure @ arrival, -1.0, 1.0)),
        )
        for named in {named.ref: named for named in last}.values()
    ]
    reasons.sort(key=lambda reason: -reason.similarity)
    return reasons[:MAX_REASONS]
