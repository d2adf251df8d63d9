"""Answers that are made outside Flask: refusals, and the headers of every answer."""

from __future__ import annotations

import html
import json
from http import HTTPStatus

from beetsplug.deejai.output.text import one_line

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
"""Nothing but what the deck itself serves is loaded or run: no tag becomes a script."""

SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}
"""Go with every answer."""


def is_for_programs(path: str) -> bool:
    """Whether errors below a path are JSON rather than a page."""
    return path.startswith(("/api/", "/rest/"))


def refusal(status: int, message: str, path: str) -> tuple[str, dict[str, str], bytes]:
    """Write a refusal: as JSON for programs, else as a small page.

    Returns
    -------
    status line, headers, body
        Without :data:`SAFE_HEADERS`.
    """
    message = one_line(message)
    if is_for_programs(path):
        text, mime = json.dumps({"error": message}), "application/json"
    else:
        text, mime = page(message), "text/html; charset=utf-8"
    body = text.encode()
    headers = {"Content-Type": mime, "Content-Length": str(len(body))}
    return f"{status} {HTTPStatus(status).phrase}", headers, body


def page(message: str) -> str:
    """Write a page that says one thing."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Deck</title><p>{html.escape(message)}</p></html>\n"
    )
