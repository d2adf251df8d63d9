"""Files and ranges of them over HTTP.

RFC 9110, sections 13 (conditional requests) and 14 (range requests).
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from typing import TYPE_CHECKING, NamedTuple

from flask import Response
from werkzeug.http import (
    http_date,
    is_resource_modified,
    parse_range_header,
    quote_etag,
)

from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Request

NO_FILE = "the track's file is not there: it was moved, or its disk is out of reach"


class FilePart(FileIO):
    """A regular file from its position up to `stop`.

    Attributes
    ----------
    size
        Of the whole file.
    stop
        Where reading ends.

    Raises
    ------
    Refusal
        By the constructor: there is no such file, or it is none to be read.
    """

    def __init__(self, path: str) -> None:
        try:
            # To open a device or a pipe may do something, or wait for ever.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise Refusal(404, NO_FILE)
            super().__init__(path, opener=_open_at_once)
            status = os.fstat(self.fileno())
        except (OSError, ValueError) as error:
            raise Refusal(404, NO_FILE) from error
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise Refusal(404, NO_FILE)
        self.size = self.stop = status.st_size
        self.modified_s = status.st_mtime
        self.etag = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on.

        Raises
        ------
        OSError
            The file has become shorter than was promised.
        """
        n_left = max(0, self.stop - self.tell())
        n_bytes = n_left if size is None or size < 0 else min(size, n_left)
        data = super().read(n_bytes)
        # A server that waits for more would wait for ever.
        if n_bytes and not data:
            raise OSError("the file was cut off while it was sent")
        return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class Version(NamedTuple):
    """Tells one state of a file from others."""

    etag: str
    modified_s: float


class Answer:
    """What a request gets of something that has a size and a version.

    The caller adds the bytes.

    Parameters
    ----------
    request
        GET or HEAD.
    version
        Of what is sent.
    mime
        Of what is sent.
    size
        Of the whole, in bytes.
    max_part_bytes
        Most that a range holds: a part of what was asked for is an answer, too.

    Attributes
    ----------
    span
        First byte, and the one after the last.
    is_partial
        Whether this is the answer to a range.
    has_body
        Whether anything is sent but the header.

    Raises
    ------
    Refusal
        416: the range lies outside.
    """

    def __init__(
        self,
        request: Request,
        version: Version,
        *,
        mime: str,
        size: int,
        max_part_bytes: int | None = None,
    ) -> None:
        modified = http_date(int(version.modified_s))
        self._headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Type": mime,
            "ETag": quote_etag(version.etag),
            "Last-Modified": modified,
        }
        self._size = size
        self.span = 0, size
        self.is_partial = False
        self._is_known = not is_resource_modified(
            request.environ, version.etag, last_modified=modified
        )
        if not self._is_known and request.method == "GET":
            self._take_range(request, max_part_bytes)
        self.has_body = request.method == "GET" and not self._is_known

    def _take_range(self, request: Request, max_part_bytes: int | None) -> None:
        condition = request.headers.get("If-Range")
        if condition not in (
            None,
            self._headers["ETag"],
            self._headers["Last-Modified"],
        ):
            return
        wanted = parse_range_header(request.headers.get("Range"))
        # A server may ignore what it does not understand, and lists of ranges.
        if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
            return
        start, stop = wanted.ranges[0]
        # Of the last bytes there may be fewer than are asked for.
        start = start if start >= 0 else max(0, self._size + start)
        stop = self._size if stop is None else min(stop, self._size)
        if start >= stop:
            raise Refusal(
                416,
                f"there are only {self._size} bytes",
                {"Content-Range": f"bytes */{self._size}"},
            )
        if max_part_bytes is not None:
            stop = min(stop, start + max_part_bytes)
        self.span = start, stop
        self.is_partial = True

    def response(self, body: Iterable[bytes] = ()) -> Response:
        """Make the answer, with the bytes of the span."""
        start, stop = self.span
        headers = {**self._headers, "Content-Length": str(stop - start)}
        status = 200
        if self._is_known:
            status = 304
            del headers["Content-Length"]
        elif self.is_partial:
            status = 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{self._size}"
        return Response(body, status, headers, direct_passthrough=True)
