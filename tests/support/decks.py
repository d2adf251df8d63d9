"""A deck for tests: the application over a made library, and what a browser sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import beets
from beets import logging

from beetsplug.deejai.candidates import Limits
from beetsplug.deejai.session import Session
from beetsplug.deejai.web.app import create_app
from beetsplug.deejai.web.deck import Deck, DeckOptions
from beetsplug.deejai.web.readonly import ReadOnlyLibrary

if TYPE_CHECKING:
    from beets.library import Library
    from flask.testing import FlaskClient


def open_deck(lib: Library, *, limits: Limits | None = None, **options: Any) -> Deck:
    """Open a deck on a library on disk; whoever opens it closes it."""
    session = Session(ReadOnlyLibrary(lib.path, lib.directory), beets.config["deejai"])
    return Deck(
        session,
        DeckOptions(**options),
        limits or Limits(),
        logging.getLogger("beets.deejai"),
    )


def client_of(deck: Deck) -> FlaskClient:
    """Return a client that comes from the deck's own pages."""
    client = create_app(deck).test_client()
    client.environ_base["HTTP_HOST"] = f"127.0.0.1:{deck.options.port}"
    client.environ_base["HTTP_X_DEEJAI"] = "1"
    return client
