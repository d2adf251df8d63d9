"""What stands before the application: who may ask, from where, and for what.

A deck on this machine can be reached by every page that the browser shows. Such a page
must neither steer the deck nor learn what is in the library:

- the name in ``Host`` must be the deck's own, so that a foreign name which is made to
  point here (DNS rebinding) leads nowhere;
- ``Sec-Fetch-Site`` and ``Origin``, which browsers set and pages cannot, must tell that
  the deck's own page asks;
- whatever changes something must carry a header that no form can set.

What other machines can reach asks for a token besides.
"""

from __future__ import annotations

import io
import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from werkzeug.http import parse_cookie

from beetsplug.deejai.web.answers import SAFE_HEADERS, is_for_programs, page, refusal
from beetsplug.deejai.web.bodies import JSON, allowance, check_json
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from beetsplug.deejai.web.deck import Deck, DeckOptions
    from beetsplug.deejai.web.gate import Gate

    Environ = dict[str, Any]
    Application = Callable[[Environ, Any], Iterable[bytes]]

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

MAX_URL = 8_000
"""Characters of a path with its query."""

COOKIE = "deejai-"
"""Holds the token; the port follows, since all ports of a machine share cookies."""

ANYWHERE = ("0.0.0.0", "::")

_LOCAL = ("localhost", "127.0.0.1", "::1")


def guard(app: Flask, deck: Deck) -> None:
    """Let a :class:`Guard` stand before an application."""
    # Every address is spelled in one way, or there is nothing.
    app.url_map.merge_slashes = False
    app.wsgi_app = Guard(app.wsgi_app, deck.options, deck.gate)  # type: ignore[method-assign]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Turns away what must not reach the application (WSGI).

    Parameters
    ----------
    serve
        The application.
    options
        By which names it may be called, and its token.
    gate
        Compares tokens.
    """

    def __init__(self, serve: Application, options: DeckOptions, gate: Gate) -> None:
        self._serve = serve
        self._options = options
        self._gate = gate

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Serve or refuse a request."""

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, _with_safe(headers, environ), *more)

        try:
            self.check(environ)
            if _token_in_address(environ) is not None:
                return self._remember(environ, start)
            check_body(environ)
        except Refusal as error:
            status, headers, body = refusal(
                error.status, error.message, environ["PATH_INFO"]
            )
            start(status, [*headers.items(), *error.headers.items()])
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
        return self._serve(environ, start)

    def check(self, environ: Environ) -> None:
        """Raise unless the request may be served, its body apart.

        Raises
        ------
        Refusal
            With the status that HTTP has for it.
        """
        check_request_line(environ)
        self._check_host(environ)
        _check_origin(environ)
        self._check_token(environ)

    def _check_host(self, environ: Environ) -> None:
        host = environ.get("HTTP_HOST", "")
        if not host:
            raise Refusal(400, "the request names no host")
        name, port = _split_host(host)
        given = [_split_host(each.lower()) for each in self._options.hosts]
        if (name, port) in given or (name, "") in given:
            return
        is_own = name in (*_LOCAL, self._options.host.lower()) or (
            # An address cannot be made to point elsewhere, as a name can.
            self._options.host in ANYWHERE and _is_address(name)
        )
        ports = (environ["SERVER_PORT"], str(self._options.port))
        if not name or not is_own or (port or "80") not in ports:
            raise Refusal(
                421, "the deck has another name; --allow-host NAME gives it this one"
            )

    def _check_token(self, environ: Environ) -> None:
        # Subsonic's own way to tell it is checked by its routes.
        if self._gate.is_open or environ["PATH_INFO"].startswith("/rest/"):
            return
        token = _token_in_address(environ)
        given = tokens_of(environ) if token is None else [token]
        self._gate.admit_any(environ.get("REMOTE_ADDR", ""), given)

    def _remember(self, environ: Environ, start: Any) -> Iterable[bytes]:
        """Keep the token in a cookie, and lead on to the page.

        Not by a redirect: after a link in a mail the browser would not send the cookie.
        """
        cookie = (
            f"{COOKIE}{environ['SERVER_PORT']}={_token_in_address(environ)}; "
            "Path=/; HttpOnly; SameSite=Strict"
        )
        body = page("The deck opens.").encode()
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Refresh": "0; url=/",
        }
        if not self._gate.is_open:
            headers["Set-Cookie"] = cookie
        start("200 OK", list(headers.items()))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def check_request_line(environ: Environ) -> None:
    """Raise unless method and address are such as a browser sends.

    Raises
    ------
    Refusal
        405, 414 or 400.
    """
    if environ["REQUEST_METHOD"] not in METHODS:
        raise Refusal(405, "no such method", {"Allow": ", ".join(METHODS)})
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    # The test client of Flask gives none.
    address = environ.get("REQUEST_URI") or path
    if len(address) > MAX_URL:
        raise Refusal(414, f"an address has at most {MAX_URL} characters")
    if not address.startswith("/"):
        raise Refusal(400, "the address is no path")
    for part in (path.encode("latin-1"), unquote_to_bytes(query.replace("+", " "))):
        try:
            text = part.decode()
        except UnicodeDecodeError:
            raise Refusal(400, "the address is not in UTF-8") from None
        if any(letter < " " or letter == "\x7f" for letter in text):
            raise Refusal(400, "the address holds a control character")


def check_body(environ: Environ) -> None:
    """Raise unless the body is of the kind and size that the route takes.

    Raises
    ------
    Refusal
        413, 415 or 400.
    """
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if not size:
        return
    allowed = allowance(environ["PATH_INFO"])
    if size > allowed.max_bytes:
        raise Refusal(413, f"the body has more than {allowed.max_bytes} bytes")
    if environ["REQUEST_METHOD"] != "POST":
        return
    mime = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if mime != allowed.mime:
        raise Refusal(415, f"the body must be {allowed.mime}")
    if mime == JSON:
        body = environ["wsgi.input"].read(size)
        check_json(body)
        environ["wsgi.input"] = io.BytesIO(body)


def _check_origin(environ: Environ) -> None:
    """Raise unless the deck's own page asks, or no page at all."""
    is_page = environ["PATH_INFO"] == "/" and environ["REQUEST_METHOD"] == "GET"
    is_followed = is_page and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
    site = environ.get("HTTP_SEC_FETCH_SITE", "none").lower()
    # Another port of this machine is the same site, but not the same origin.
    is_foreign = site not in ("same-origin", "none") and not is_followed
    for name in ("HTTP_ORIGIN", "HTTP_REFERER"):
        value = environ.get(name)
        # A link from anywhere leads to the page.
        if value is not None and not (is_followed and name == "HTTP_REFERER"):
            is_foreign = is_foreign or _netloc(value) != environ["HTTP_HOST"].lower()
    if is_foreign:
        raise Refusal(403, "another page asks: only the deck's own page may")
    is_form = environ["PATH_INFO"].startswith("/rest/")
    is_safe = environ["REQUEST_METHOD"] in SAFE_METHODS
    if not is_safe and not is_form and environ.get("HTTP_X_DEEJAI") != "1":
        raise Refusal(403, "the header X-Deejai: 1 is missing")


def _netloc(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _split_host(host: str) -> tuple[str, str]:
    """Split ``name:port``; an address of IPv6 loses its brackets."""
    name, _, port = host.lower().rpartition(":")
    if not name or host.endswith("]"):
        name, port = host.lower(), ""
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1], port
    # A bare address of IPv6 is no host.
    return ("" if ":" in name else name), port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _token_in_address(environ: Environ) -> str | None:
    """Return the token with which the page is opened first."""
    if environ["PATH_INFO"] != "/" or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return None
    given = parse_qs(environ.get("QUERY_STRING", "")).get("token")
    return given[0] if given else None


def tokens_of(environ: Environ) -> list[str]:
    """Return the tokens in the headers of a request: a program's, or the pages'."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return [token.strip()]
    cookies = parse_cookie(environ)
    return [cookies[name] for name in cookies if name.startswith(COOKIE)]


def _with_safe(
    headers: list[tuple[str, str]], environ: Environ
) -> list[tuple[str, str]]:
    """Add the headers that every answer has."""
    given = {name.lower() for name, _ in headers}
    extra = dict(SAFE_HEADERS)
    if is_for_programs(environ["PATH_INFO"]):
        extra["Cache-Control"] = "no-store"
    return headers + [
        (name, value) for name, value in extra.items() if name.lower() not in given
    ]
