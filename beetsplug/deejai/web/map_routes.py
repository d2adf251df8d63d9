"""The API's routes for the map; the work is done in :mod:`.maps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from beetsplug.deejai.web.api_models import MAX_LISTED
from beetsplug.deejai.web.api_routes import as_json
from beetsplug.deejai.web.asked import Body
from beetsplug.deejai.web.maps import smoothly_ordered
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.tracks import Ref, TrackInfo  # noqa: TC001 (pydantic reads them)

if TYPE_CHECKING:
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.maps import MapState, Prepared


_ORDER = "The commonest first, unknown last"


class MapColours(BaseModel):
    """Colours on either ground, as #rrggbb."""

    light: list[str]
    dark: list[str]


class MapEntry(BaseModel):
    """A line of the legend."""

    name: str
    row: int = Field(description="Place of its colour")
    n_tracks: int


class MapRamp(BaseModel):
    """What the colours of years lie on."""

    first: int = Field(description="Year of the first colour")
    last: int = Field(description="Year of the last colour")
    colours: MapColours


class MapColouring(BaseModel):
    """What tracks are coloured by, and what the colours mean."""

    colours: MapColours
    n_named: int = Field(description="So many colours, the first, are drawn on top")
    rows: list[int] = Field(description="Place of the colour of each of the values")
    legend: list[MapEntry]
    ramp: MapRamp | None


class MapColourings(BaseModel):
    """By what tracks can be coloured: values are `genres`, `years` and `artists`."""

    genre: MapColouring
    year: MapColouring
    artist: MapColouring


class MapRegion(BaseModel):
    """A part of the map that tags tell from the rest."""

    name: str
    x: float = Field(description="Where to write the name, from left to right")
    y: float = Field(description="Where to write the name, from top to bottom")
    n_tracks: int
    evidence: str = Field(description="Why it is called so")


class MapFaithfulness(BaseModel):
    """How well the map keeps neighbours; 1 is perfect, 0.5 is chance."""

    n_neighbours: int = Field(description="How many of each track were looked at")
    trustworthiness: float = Field(description="What is near is alike")
    continuity: float = Field(description="What is alike is near")
    n_shared: float = Field(
        description="So many of the nearest are among the most alike, on average"
    )
    n_measured: int = Field(description="Tracks whose neighbours were looked at")


class MapInfo(BaseModel):
    """The map; what follows `n_unplaced` is there when it is ready, a value a track."""

    state: Literal["none", "making", "ready"]
    progress: float = Field(description="Of making it, 0 to 1")
    error: str | None = Field(description="Why the last one could not be made")
    reason: str = Field(default="", description="Why none can be made, and what to do")
    n_unplaced: int = Field(
        default=0, description="New tracks, which a POST finds places for"
    )
    refs: list[str] = Field(default=[])
    x: list[float] = Field(default=[], description="From left to right, 0 to 1")
    y: list[float] = Field(default=[], description="From top to bottom, 0 to 1")
    title: list[str] = Field(default=[])
    artist: list[int] = Field(default=[], description="Places in `artists`")
    artists: list[str] = Field(default=[], description=_ORDER)
    genre: list[int] = Field(default=[], description="Places in `genres`")
    genres: list[str] = Field(default=[], description=_ORDER)
    year: list[int] = Field(default=[], description="Places in `years`")
    years: list[int | None] = Field(default=[], description="In order")
    colourings: MapColourings | None = None
    regions: list[MapRegion] = Field(default=[], description="The largest first")
    region: list[int] = Field(
        default=[], description="Places in `regions`, -1 for none"
    )
    faithfulness: MapFaithfulness | None = Field(
        default=None, description="None for a few tracks"
    )
    caption: str = Field(default="", description="The same in plain words")


class TracksBody(Body):
    """Which tracks."""

    tracks: list[Ref] = Field(min_length=1, max_length=MAX_LISTED)


class Tracks(BaseModel):
    """Tracks, so ordered that each sounds like the one before."""

    tracks: list[TrackInfo]


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck."""
    tag = Tag(name="map", description="The library as a map of how it sounds")
    api = APIBlueprint("map", __name__, url_prefix="/api/v1", abp_tags=[tag])

    def reason() -> str:
        return deck.shelf.contents().reason

    def described(state: MapState, status: int) -> Response:
        info = MapInfo(
            state=state.state,
            progress=state.progress,
            error=state.error,
            reason=reason(),
        )
        return as_json(info, status)

    @api.get("/map", responses={200: MapInfo})
    def read_map() -> Response:
        """Return the map, or how far it is made."""
        prepared = deck.maps.answer()
        return _send(prepared) if prepared else described(deck.maps.state(), 200)

    @api.post("/map", responses={202: MapInfo})
    def make_map() -> Response:
        """Make the map, or find places for new tracks."""
        if why := reason():
            raise Refusal(409, why)
        return described(deck.maps.start(), 202)

    @api.post("/map/tracks", responses={200: Tracks})
    def tracks(body: TracksBody) -> Response:
        """Describe tracks, as those in a lasso, in a smooth order of their sound."""
        return as_json(Tracks(tracks=smoothly_ordered(deck, body.tracks)))

    return api


def _send(prepared: Prepared) -> Response:
    is_packed = request.accept_encodings.quality("gzip") > 0
    response = Response(
        prepared.packed if is_packed else prepared.body, mimetype="application/json"
    )
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(prepared.etag + ("-gzip" if is_packed else ""))
    response.make_conditional(request)
    return response
