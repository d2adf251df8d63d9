"""The application: pages, API and what every answer has in common."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from beets.dbcore.query import ParsingError
from beets.exceptions import UserError
from flask import Response, jsonify, render_template, request
from flask_openapi3 import Info, OpenAPI
from werkzeug.exceptions import HTTPException

from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.web import (
    api_routes,
    live_routes,
    map_routes,
    media_routes,
    mix_routes,
    safety,
    subsonic_routes,
)
from beetsplug.deejai.web.answers import refusal
from beetsplug.deejai.web.document import document_of
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.tracks import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import ValidationError

    from beetsplug.deejai.web.deck import Deck


def create_app(deck: Deck) -> OpenAPI:
    """Make the application of one deck.

    Parameters
    ----------
    deck
        What it plays from; whoever made it closes it.
    """
    app = OpenAPI(
        __name__,
        info=Info(
            title="beets-deejai",
            version=version("beets-deejai"),
            description="Search a library, and what to play next. POST and DELETE need "
            "the header `X-Deejai: 1`.",
        ),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_model=Message,
        validation_error_status=422,
        validation_error_callback=_explain_invalid,
    )
    _answer_errors(app, deck)
    safety.guard(app, deck)
    for rooms in (
        api_routes,
        media_routes,
        map_routes,
        live_routes,
        mix_routes,
        subsonic_routes,
    ):
        app.register_api(rooms.routes(deck))

    @app.route("/")
    def page() -> str:
        return render_template("index.html")

    written = document_of(app)

    @app.route("/api/v1/openapi.json")
    def document() -> Response:
        return jsonify(written)

    app.wsgi_app = _in_music_dir(deck, app.wsgi_app)  # type: ignore[method-assign]
    return app


def _in_music_dir(deck: Deck, serve: Callable[..., Any]) -> Callable[..., Any]:
    """Make beets expand the paths of items, which it keeps relative."""

    def served(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with deck.session.lib.music_dir_context():
            answer: Iterable[bytes] = serve(environ, start_response)
            return answer

    return served


def _explain_invalid(error: ValidationError) -> Response:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return _refuse(422, f"{where}: {first['msg']}" if where else first["msg"])


def _refuse(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    line, own, body = refusal(status, message, request.path)
    return Response(body, line, {**own, **(headers or {})})


def _answer_errors(app: OpenAPI, deck: Deck) -> None:
    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        return _refuse(error.status, error.message, error.headers)

    @app.errorhandler(UserError)
    @app.errorhandler(ParsingError)
    @app.errorhandler(DeejaiError)
    def mistaken(error: Exception) -> Response:
        return _refuse(400, str(error))

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        if error.response is not None and error.code is None:
            return error.response  # type: ignore[return-value]
        response = _refuse(error.code or 500, error.description or error.name)
        kept = {"allow", "content-range", "retry-after", "location"}
        for name, value in error.get_headers():
            if name.lower() in kept:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        deck.log.error("{} {}: {!r}", request.method, request.path, error)
        return _refuse(500, "something went wrong; the terminal tells what")
