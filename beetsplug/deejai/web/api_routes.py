"""The API's routes for what to play; the work is done in :mod:`.music`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from beetsplug.deejai.web import music
from beetsplug.deejai.web.api_models import (
    JourneyBody,
    JourneyResult,
    M3uBody,
    PlaylistBody,
    PlaylistResult,
    SearchQuery,
    SearchResult,
    SimilarQuery,
    SimilarTracks,
    Status,
)
from beetsplug.deejai.web.tracks import TrackInfo, TrackPath, item_of, track_info

if TYPE_CHECKING:
    from pydantic import BaseModel

    from beetsplug.deejai.web.deck import Deck

_M3U_TYPE = "audio/x-mpegurl"
_M3U = {"content": {_M3U_TYPE: {"schema": {"type": "string"}}}}


def as_json(model: BaseModel, status: int = 200) -> Response:
    """Answer with a model."""
    return Response(model.model_dump_json(), status, mimetype="application/json")


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck."""
    tag = Tag(name="music", description="Search, and what to play")
    api = APIBlueprint("music", __name__, url_prefix="/api/v1", abp_tags=[tag])

    @api.get("/status", responses={200: Status})
    def status() -> Response:
        """Tell what this deck plays from."""
        return as_json(music.status(deck))

    @api.get("/search", responses={200: SearchResult})
    def search(query: SearchQuery) -> Response:
        """Search the library."""
        return as_json(music.find(deck, query))

    @api.get("/tracks/<ref>", responses={200: TrackInfo})
    def track(path: TrackPath) -> Response:
        """Describe a track."""
        return as_json(track_info(deck, item_of(deck, path.ref), path.ref))

    @api.get("/similar", responses={200: SimilarTracks})
    def similar(query: SimilarQuery) -> Response:
        """List the tracks that sound most like the seeds."""
        tracks = music.nearest(deck, query.seed, avoided=query.avoid, n=query.n)
        return as_json(SimilarTracks(tracks=tracks))

    @api.post("/playlist", responses={200: PlaylistResult})
    def playlist(body: PlaylistBody) -> Response:
        """Choose what to play next."""
        return as_json(music.play_next(deck, body))

    @api.post("/journey", responses={200: JourneyResult})
    def journey(body: JourneyBody) -> Response:
        """Join the dots between waypoints."""
        return as_json(music.lead(deck, body))

    @api.post("/playlists.m3u8", responses={200: _M3U})
    def save(body: M3uBody) -> Response:
        """Make an M3U playlist; uploads have no place of their own and are left out."""
        text = music.m3u(deck, body.tracks, title=body.title)
        response = Response(text, mimetype=_M3U_TYPE)
        response.headers.set(
            "Content-Disposition", "attachment", filename="playlist.m3u8"
        )
        return response

    return api
