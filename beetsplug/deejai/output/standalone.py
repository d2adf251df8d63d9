"""Pages that need nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STATIC = Path(__file__).parents[1] / "web" / "static"
"""What the deck serves; the pages are made of the same."""

_IMPORT = re.compile(r'^import\s[^;]*?from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(async )?(function|class|const|let)\b)", re.MULTILINE)


def standalone_page(
    data: object,
    *,
    title: str,
    lead: str,
    main: str,
    script: str,
    styles: Sequence[str],
    media: Sequence[str] = (),
) -> bytes:
    """Write a page whose script draws what it is given as data.

    Text of tags only comes in as JSON that is never run, and the script puts it on the
    page as text. Should that ever fail, the policy still lets nothing run but the one
    script whose hash it names, and nothing be loaded.

    Parameters
    ----------
    data
        What JSON can say; the script finds it in the element ``MAIN-data``.
    title, lead
        The heading, and one line below it.
    main
        Id of the element that the script fills.
    script, styles
        Names of files in :data:`STATIC`; what the script imports comes with it.
    media
        Kinds of content that may come as ``data:`` addresses: ``media`` is sound.

    Returns
    -------
    bytes
        UTF-8.
    """
    code = bundle(script)
    style = "".join((STATIC / name).read_text(encoding="utf-8") for name in styles)
    policy = "; ".join(
        [
            f"default-src 'none'; script-src {_hash(code)}; style-src {_hash(style)}",
            *(f"{kind}-src data:" for kind in media),
            "base-uri 'none'; form-action 'none'",
        ]
    )
    name = html.escape(title)
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{name}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{name}</h1><p>{html.escape(lead)}</p></header>
<main id="{main}"><noscript><p>This page needs JavaScript.</p></noscript></main>
<script type="application/json" id="{main}-data">{embedded_json(data)}</script>
<script type="module">{code}</script>
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
