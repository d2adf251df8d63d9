"""The map as one page that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(__file__).parents[1] / "web" / "static"
"""What the deck serves; the page is made of the same."""

SCRIPT = "mappage.js"
STYLES = ("mappage.css", "map.css")

_IMPORT = re.compile(r'^import\s[^;]*?from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(async )?(function|class|const|let)\b)", re.MULTILINE)


def map_page(fields: Mapping[str, Any], *, title: str) -> bytes:
    """Write the page.

    Text of tags only comes in as JSON that is never run, and its script puts it on the
    page as text. Should that ever fail, the policy still lets nothing run but the one
    script whose hash it names, and nothing be loaded.

    Parameters
    ----------
    fields
        As :func:`~beetsplug.deejai.atlas.fields.map_fields` returns them, with ``path``
        and ``album`` beside them, one for each track; and ``way``, the rows of a
        playlist in order.
    title
        Of the page.

    Returns
    -------
    bytes
        UTF-8.
    """
    script = bundle(SCRIPT)
    style = "".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{html.escape(title)}</h1><p>What sounds alike lies together.</p></header>
<main id="map"><noscript><p>The map needs JavaScript.</p></noscript></main>
<script type="application/json" id="map-data">{embedded_json(fields)}</script>
<script type="module">{script}</script>
</body>
</html>
"""
    return text.encode("utf-8", "replace")


def embedded_json(value: object) -> str:
    """Write JSON that can stand in a page: in ASCII, and without what could end it."""
    text = json.dumps(value, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def bundle(name: str) -> str:
    """Put a module and all that it imports into one script.

    Parameters
    ----------
    name
        Of a file in :data:`STATIC`. Modules share one scope afterwards, so that none of
        their names may be the same.
    """
    parts: dict[str, str] = {}

    def add(module: str) -> None:
        if module in parts:
            return
        source = (STATIC / module).read_text(encoding="utf-8")
        parts[module] = ""
        for imported in _IMPORT.findall(source):
            add(imported)
        # Last, so that what it imports stands before it.
        del parts[module]
        parts[module] = _EXPORT.sub("", _IMPORT.sub("", source))

    add(name)
    return "\n".join(parts.values())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
