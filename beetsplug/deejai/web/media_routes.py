"""The API's routes for sound and pictures: streams, covers, uploads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, request
from flask_openapi3 import APIBlueprint, FileStorage, Tag
from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage as SentFile

from beetsplug.deejai.web.api_routes import as_json
from beetsplug.deejai.web.asked import Asked
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.streams import WaveSender, send_file
from beetsplug.deejai.web.tracks import (
    UPLOAD,
    Message,
    TrackInfo,
    TrackPath,
    item_of,
    track_info,
)

if TYPE_CHECKING:
    from http import HTTPStatus

    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.uploads import Upload

    _Responses = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]

_BINARY = {"schema": {"type": "string", "format": "binary"}}


class StreamQuery(Asked):
    """How to send a track."""

    as_: Literal["wav"] | None = Field(
        None,
        alias="as",
        description="Convert it to WAV, for what cannot be played otherwise",
    )


class UploadForm(BaseModel):
    """A file to play."""

    file: FileStorage


class UploadPath(Asked):
    """Which upload."""

    ref: str = Field(pattern=f"^{UPLOAD}$")


class UploadInfo(BaseModel):
    """An upload, and how far it is heard."""

    ref: str
    name: str
    state: Literal["listening", "ready", "failed"]
    progress: float = Field(description="The part that is heard, 0 to 1")
    error: str | None
    track: TrackInfo


_STREAM: _Responses = {
    "200": {"content": {"audio/*": _BINARY}, "description": "All of it"},
    "206": {
        "content": {"audio/*": _BINARY},
        "description": "The range, or the beginning of it, as Content-Range tells",
    },
    "304": None,
    "416": Message,
    "422": Message,
}
_COVER: _Responses = {
    "200": {
        "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BINARY)
    },
    "304": None,
}


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck."""
    tag = Tag(name="media", description="Sound, pictures and uploads")
    api = APIBlueprint("media", __name__, url_prefix="/api/v1", abp_tags=[tag])
    sender = WaveSender(deck.waves)

    @api.get("/tracks/<ref>/stream", responses=_STREAM)
    def stream(path: TrackPath, query: StreamQuery) -> Response:
        """Send the sound of a track, or the range of it that is asked for."""
        name = os.fsdecode(item_of(deck, path.ref).path)
        if query.as_ is None:
            return send_file(name, request)
        return sender.send(name, request)

    @api.get("/tracks/<ref>/cover", responses=_COVER)
    def cover(path: TrackPath) -> Response:
        """Send the picture of a track, at most 600 pixels a side."""
        return deck.covers.send(item_of(deck, path.ref), request)

    @api.post("/uploads", responses={202: UploadInfo, 415: Message, 507: Message})
    def upload(form: UploadForm) -> Response:
        """Take a file that need not be in the library; it is heard in the background.

        It can be played at once, and is deleted after some hours.
        """
        file: object = form.file
        # A field of a form that is no file comes as text.
        if not isinstance(file, SentFile):
            raise Refusal(422, "file: the field holds no file")
        name = file.filename or ""
        if "\0" in name:
            raise Refusal(422, "file: its name holds what is no character")
        kept = deck.uploads.add(file.stream, name)
        return as_json(_info(deck, kept), 202)

    @api.get("/uploads/<ref>", responses={200: UploadInfo})
    def look(path: UploadPath) -> Response:
        """Tell how far an upload is heard."""
        return as_json(_info(deck, deck.uploads.get(path.ref)))

    @api.delete("/uploads/<ref>", responses={204: None})
    def remove(path: UploadPath) -> Response:
        """Delete an upload."""
        deck.uploads.remove(path.ref)
        return Response(status=204)

    return api


def _info(deck: Deck, upload: Upload) -> UploadInfo:
    return UploadInfo(
        ref=upload.ref,
        name=upload.name,
        state=upload.state,
        progress=upload.progress,
        error=upload.error,
        track=track_info(deck, upload.item, upload.ref),
    )
