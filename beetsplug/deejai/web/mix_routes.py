"""The API's routes for mixes; the work is done in :mod:`.mixes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.output.mixing.model import MixOptions
from beetsplug.deejai.output.text import one_line
from beetsplug.deejai.settings import LOUDEST_LUFS, MAX_CROSSFADE_S, QUIETEST_LUFS
from beetsplug.deejai.web.api_routes import as_json
from beetsplug.deejai.web.asked import Asked, Body
from beetsplug.deejai.web.mixes import State  # noqa: TC001 (pydantic reads it)
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.streams import send_file
from beetsplug.deejai.web.tracks import Ref, items_of

if TYPE_CHECKING:
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.mixes import Mix

MAX_TRACKS = 500

_MAX_NAME = 100
"""Letters of a file's name; disks take 255 bytes, and a letter takes up to four."""

# What separates folders, what Windows has other uses for, and what cannot be seen.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e]+')

_FILE = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}


class MixBody(Body):
    """What to mix, and how."""

    tracks: list[Ref] = Field(min_length=1, max_length=MAX_TRACKS)
    format: str = Field("mp3", max_length=10, description="mp3, flac, ogg, ...")
    title: str = Field(
        "", max_length=200, description="Empty: after the first and the last track"
    )
    crossfade_s: float | None = Field(
        None,
        ge=0.0,
        le=MAX_CROSSFADE_S,
        allow_inf_nan=False,
        description="Longest overlap; without it as the deck's",
    )
    loudness: float | None = Field(
        None,
        ge=QUIETEST_LUFS,
        le=LOUDEST_LUFS,
        allow_inf_nan=False,
        description="In LUFS; null leaves the levels; without it as configured",
    )


class LeftOutInfo(BaseModel):
    """A track that is not in the mix, or not whole."""

    title: str
    reason: str


class MixInfo(BaseModel):
    """A mix, and how far it is."""

    id: str
    state: State
    done_s: float
    total_s: float
    error: str | None
    title: str
    format: str
    n_tracks: int
    duration_s: float
    left_out: list[LeftOutInfo]


class MixPath(Asked):
    """Which mix."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{22}$")


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck."""
    tag = Tag(name="mixes", description="Mixes, rendered in the background")
    api = APIBlueprint("mixes", __name__, url_prefix="/api/v1", abp_tags=[tag])

    @api.post("/mixes", responses={202: MixInfo})
    def make(body: MixBody) -> Response:
        """Render a mix in the background."""
        suffix = f".{body.format.lower()}"
        if suffix not in FORMATS:
            known = ", ".join(each.removeprefix(".") for each in FORMATS)
            raise Refusal(400, f"format is none of {known}")
        mix = deck.mixes.start(
            items_of(deck, body.tracks),
            suffix=suffix,
            title=one_line(body.title),
            options=_options(deck, body),
        )
        return as_json(_info(mix), 202)

    @api.get("/mixes/<id>", responses={200: MixInfo})
    def look(path: MixPath) -> Response:
        """Tell how far a mix is."""
        return as_json(_info(deck.mixes.get(path.id)))

    @api.delete("/mixes/<id>", responses={204: None})
    def remove(path: MixPath) -> Response:
        """Stop a mix, and delete it."""
        deck.mixes.remove(path.id)
        return Response(status=204)

    @api.get("/mixes/<id>/file", responses={200: _FILE})
    def download(path: MixPath) -> Response:
        """Download a mix that is ready."""
        mix = deck.mixes.get(path.id)
        response = send_file(deck.mixes.path(mix), request)
        response.headers["Content-Disposition"] = as_download(
            file_name(mix.title, mix.suffix)
        )
        return response

    return api


def file_name(title: str, suffix: str) -> str:
    """Make a name of a title under which any system saves a file."""
    name = " ".join(_UNSAFE.sub(" ", title).split())[:_MAX_NAME].strip(". ")
    return (name or "mix") + suffix


def as_download(name: str) -> str:
    """Write the header that makes a browser save a file (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _options(deck: Deck, body: MixBody) -> MixOptions:
    crossfade_s, loudness = body.crossfade_s, body.loudness
    if crossfade_s is None:
        crossfade_s = deck.options.crossfade_s
    if "loudness" not in body.model_fields_set:
        loudness = deck.session.settings.loudness
    return MixOptions(crossfade_s=crossfade_s, loudness=loudness)


def _info(mix: Mix) -> MixInfo:
    left_out = [
        LeftOutInfo(title=each.title, reason=each.reason) for each in mix.left_out
    ]
    return MixInfo(
        id=mix.id,
        state=mix.state,
        done_s=mix.done_s,
        total_s=mix.total_s,
        error=mix.error,
        title=mix.title,
        format=mix.suffix.removeprefix("."),
        n_tracks=len(mix.tracks),
        duration_s=mix.duration_s,
        left_out=left_out,
    )
