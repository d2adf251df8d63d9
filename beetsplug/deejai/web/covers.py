"""The pictures of tracks, small enough for a page."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING

from flask import Response

from beetsplug.deejai.commands.mix_tracks import art_path_of
from beetsplug.deejai.output.pictures import embedded_picture, fitted, picture_file
from beetsplug.deejai.storage.library import file_state
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from beets.library import Item
    from flask import Request

MAX_SIDE = 600
"""Longest side of a cover, in pixels."""

MAX_BYTES = 500_000
"""Larger pictures are written anew."""

MAX_AT_ONCE = 2
"""Pictures that are opened at the same time: each may take 160 MB meanwhile."""

FRESH_S = 3600
MISSING_S = 600
"""How long a browser need not ask again, in seconds: for a cover, and for none."""

MAX_MISSING = 10_000

_KINDS = {b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""MIME types by first bytes; all else that Pillow has let pass is a JPEG."""


class Covers:
    """Finds, checks and sends covers.

    Parameters
    ----------
    max_at_once
        Pictures that are opened at the same time.
    clock
        Seconds, as of :func:`time.monotonic`.
    """

    def __init__(
        self,
        *,
        max_at_once: int = MAX_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = threading.BoundedSemaphore(max_at_once)
        self._clock = clock
        self._missing: dict[bytes, float] = {}

    def has_cover(self, item: Item) -> bool:
        """Whether to ask for a cover: false only if there was none a while ago.

        No file is opened for this: lists of tracks come while somebody types.
        """
        return self._clock() - self._missing.get(item.path, -MISSING_S) >= MISSING_S

    def send(self, item: Item, request: Request) -> Response:
        """Answer with the art of a track's album, else with the picture in its file.

        Raises
        ------
        Refusal
            404: there is none that could be shown.
        """
        path, art_path = os.fsdecode(item.path), art_path_of(item)
        states = file_state(path), file_state(art_path or "")
        text = repr((path, art_path, states, MAX_SIDE))
        etag = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12)
        response = Response(status=304)
        if not request.if_none_match.contains(etag.hexdigest()):
            with self._turns:
                data = _fit(picture_file(art_path)) or _fit(embedded_picture(path))
            if data is None:
                self._remember_missing(item.path)
                headers = {"Cache-Control": f"private, max-age={MISSING_S}"}
                raise Refusal(404, "this track has no cover", headers)
            response = Response(data, mimetype=_KINDS.get(data[:4], "image/jpeg"))
        response.set_etag(etag.hexdigest())
        response.headers["Cache-Control"] = f"private, max-age={FRESH_S}"
        return response

    def _remember_missing(self, path: bytes) -> None:
        if len(self._missing) >= MAX_MISSING:
            self._missing.clear()
        self._missing[path] = self._clock()


def _fit(data: bytes | None) -> bytes | None:
    kinds = ("JPEG", "PNG", "WEBP")
    return fitted(data, max_side=MAX_SIDE, max_bytes=MAX_BYTES, kinds=kinds)
