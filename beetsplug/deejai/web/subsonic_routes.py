"""OpenSubsonic's extension ``sonicSimilarity``, and what a player needs to use it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from flask import Response, request
from flask_openapi3 import APIBlueprint
from pydantic import ValidationError

from beetsplug.deejai.web import music
from beetsplug.deejai.web.api_models import MAX_LISTED, JourneyBody
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.streams import send_file
from beetsplug.deejai.web.subsonic import (
    GENERIC,
    MISSING_PARAMETER,
    NOT_FOUND,
    USERNAME,
    WRONG_KEY,
    WRONG_PASSWORD,
    SubsonicError,
    as_xml,
    child,
    envelope,
    failure,
    is_authorised,
    similarity_of,
)
from beetsplug.deejai.web.tracks import item_of, items_of, named_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from beets.library import Item

    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.tracks import TrackInfo

    Given = Mapping[str, str]
    Answerer = Callable[[Deck, Given], dict[str, Any] | Response]

MAX_PATH = 202
"""Tracks of a path, both ends included."""


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck; they are not in its own API's document."""
    api = APIBlueprint("subsonic", __name__, url_prefix="/rest", doc_ui=False)

    @api.route("/<name>", methods=["GET", "POST"])
    def answer(name: str) -> Response:
        given = {**request.args.to_dict(), **request.form.to_dict()}
        try:
            try:
                return _written(_answer(deck, name, given), given)
            except Refusal as error:
                if error.status == 416:
                    # A player asks for a range in HTTP's own way.
                    raise
                code = NOT_FOUND if error.status == 404 else GENERIC
                raise SubsonicError(code, error.message) from error
            except ValidationError as error:
                raise SubsonicError(NOT_FOUND, "there is no such song") from error
        except SubsonicError as error:
            return _written(failure(error), given)

    return api


def _answer(deck: Deck, name: str, given: Given) -> dict[str, Any] | Response:
    name = name.removesuffix(".view")
    if name not in _ANSWERERS:
        raise SubsonicError(GENERIC, f"this deck does not offer {name}")
    # Whoever wants to know how to come in may ask without.
    if name != "getOpenSubsonicExtensions":
        _check(deck, given)
    content = _ANSWERERS[name](deck, given)
    return content if isinstance(content, Response) else envelope(content)


def _check(deck: Deck, given: Given) -> None:
    for parameter in ("v", "c"):
        _required(given, parameter)
    is_right = is_authorised(deck.gate, given)
    try:
        deck.gate.admit(request.remote_addr or "", is_right=is_right)
    except Refusal as error:
        if is_right is None:
            message = "give apiKey, or u with p or t: the deck's token"
            raise SubsonicError(MISSING_PARAMETER, message) from error
        code = WRONG_KEY if "apiKey" in given else WRONG_PASSWORD
        message = error.message if error.status == 429 else "wrong token"
        raise SubsonicError(code, message) from error


def _written(answer: dict[str, Any] | Response, given: Given) -> Response:
    """Write an answer; as the protocol has it, failures are 200, too."""
    if isinstance(answer, Response):
        return answer
    if given.get("f") == "json":
        text = json.dumps({"subsonic-response": answer})
        return Response(text, mimetype="application/json")
    if given.get("f", "xml") != "xml":
        answer = failure(SubsonicError(GENERIC, "f is xml or json"))
    return Response(as_xml(answer), mimetype="text/xml")


def _required(given: Given, name: str) -> str:
    if not given.get(name):
        raise SubsonicError(MISSING_PARAMETER, f"the parameter {name} is missing")
    return given[name]


def _count(given: Given, *, default: int, least: int, most: int) -> int:
    text = given.get("count") or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise SubsonicError(GENERIC, "count is no whole number from 0 up")
    if int(text) < least:
        raise SubsonicError(GENERIC, f"count is {least} at least")
    return min(int(text), most)


def _ping(deck: Deck, given: Given) -> dict[str, Any]:
    return {}


def _extensions(deck: Deck, given: Given) -> dict[str, Any]:
    names = ["formPost", "sonicSimilarity"]
    if deck.options.is_shared:
        names.append("apiKeyAuthentication")
    return {
        "openSubsonicExtensions": [{"name": name, "versions": [1]} for name in names]
    }


def _token_info(deck: Deck, given: Given) -> dict[str, Any]:
    return {"tokenInfo": {"username": USERNAME}}


def _similar(deck: Deck, given: Given) -> dict[str, Any]:
    """Answer ``getSonicSimilarTracks``."""
    ref = _required(given, "id")
    n = _count(given, default=10, least=0, most=MAX_LISTED)
    tracks = music.nearest(deck, [ref], n=n)
    items = items_of(deck, [track.ref for track in tracks])
    return _matches(tracks, items, [track.similarity or 0.0 for track in tracks])


def _path(deck: Deck, given: Given) -> dict[str, Any]:
    """Answer ``findSonicPath``: a journey, ends included."""
    start, end = _required(given, "startSongId"), _required(given, "endSongId")
    n = _count(given, default=25, least=2, most=MAX_PATH)
    body = JourneyBody.model_validate({"waypoints": [start, end], "n": n - 2})
    tracks = music.lead(deck, body).tracks
    named = named_of(deck, deck.candidates(), [track.ref for track in tracks])
    # The specification compares with the start; a journey, with the track before.
    first, *others = [each.seed for each in named]
    cosines = [1.0, *(float(first.departure @ other.arrival) for other in others)]
    return _matches(tracks, [each.item for each in named], cosines)


def _stream(deck: Deck, given: Given) -> Response:
    """Answer ``stream`` with the file as it is: nothing is converted here."""
    item = item_of(deck, _required(given, "id"))
    return send_file(os.fsdecode(item.path), request)


def _cover(deck: Deck, given: Given) -> Response:
    """Answer ``getCoverArt``; a track's id is its picture's, too."""
    return deck.covers.send(item_of(deck, _required(given, "id")), request)


def _matches(
    tracks: Sequence[TrackInfo], items: Sequence[Item], cosines: Sequence[float]
) -> dict[str, Any]:
    matches = [
        {"entry": child(item, track), "similarity": similarity_of(cosine)}
        for track, item, cosine in zip(tracks, items, cosines, strict=True)
    ]
    return {"sonicMatch": matches}


_ANSWERERS: Mapping[str, Answerer] = {
    "ping": _ping,
    "getOpenSubsonicExtensions": _extensions,
    "tokenInfo": _token_info,
    "getSonicSimilarTracks": _similar,
    "findSonicPath": _path,
    "stream": _stream,
    "getCoverArt": _cover,
}
