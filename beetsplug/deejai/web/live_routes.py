"""The API's routes for listening; the work is done in :mod:`.live`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response  # noqa: TC002 - flask_openapi3 reads it when it runs
from flask_openapi3 import APIBlueprint, RawModel, Tag

from beetsplug.deejai.web.api_routes import as_json
from beetsplug.deejai.web.live import LiveQuery, LiveState, Proposals, proposals

if TYPE_CHECKING:
    from beetsplug.deejai.web.deck import Deck


class Samples(RawModel):
    """Signed 16-bit little-endian mono samples, 5 to 30 s of them."""

    mimetypes = ["application/octet-stream"]  # noqa: RUF012 - as its class has it


def routes(deck: Deck) -> APIBlueprint:
    """Make the routes of one deck."""
    tag = Tag(name="live", description="What could follow what a microphone hears")
    api = APIBlueprint("live", __name__, url_prefix="/api/v1", abp_tags=[tag])

    @api.get("/live", responses={200: LiveState})
    def live_state() -> Response:
        """Get ready to listen, and tell whether the deck is."""
        is_ready = deck.listener.encoder() is not None
        return as_json(LiveState(state="ready" if is_ready else "loading"))

    @api.post("/live", responses={200: Proposals})
    def live(query: LiveQuery, raw: Samples) -> Response:
        """Listen to some seconds of sound, and propose what could follow."""
        return as_json(proposals(deck, raw.get_data(), query))

    return api
