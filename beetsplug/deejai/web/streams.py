"""Audio over HTTP: a track's own file, or a WAV that is made of it, in ranges."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.wsgi import wrap_file

from beetsplug.deejai.audio.packets import open_audio
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.storage.library import file_state
from beetsplug.deejai.web.ranges import Answer, FilePart, Version
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from beets.library import Item
    from flask import Request, Response

    from beetsplug.deejai.web.waves import Wave, Waves

WAVE_PART_BYTES = 2 << 20
"""Most that one range of a WAV holds, 12 s: a part of what was asked for is an answer.

It is made whole before it is sent, so that a slow client keeps no thread waiting.
"""

MAX_WHOLE_WAVES = 4
"""Whole WAV files sent at a time: each may keep a thread as long as a client likes."""

UNKNOWN = "application/octet-stream"

_CONTAINERS = {
    "aac": ("audio/aac", ".aac"),
    "ac3": ("audio/ac3", ".ac3"),
    "aiff": ("audio/aiff", ".aiff"),
    "ape": ("audio/x-ape", ".ape"),
    "asf": ("audio/x-ms-wma", ".wma"),
    "au": ("audio/basic", ".au"),
    "caf": ("audio/x-caf", ".caf"),
    "dsf": ("audio/x-dsf", ".dsf"),
    "dts": ("audio/vnd.dts", ".dts"),
    "flac": ("audio/flac", ".flac"),
    "matroska,webm": ("audio/x-matroska", ".mka"),
    "mov,mp4,m4a,3gp,3g2,mj2": ("audio/mp4", ".m4a"),
    "mp3": ("audio/mpeg", ".mp3"),
    "mpc": ("audio/x-musepack", ".mpc"),
    "mpc8": ("audio/x-musepack", ".mpc"),
    "ogg": ("audio/ogg", ".ogg"),
    "tta": ("audio/x-tta", ".tta"),
    "w64": ("audio/x-w64", ".w64"),
    "wav": ("audio/wav", ".wav"),
    "wv": ("audio/x-wavpack", ".wv"),
}
"""MIME type and suffix of what FFmpeg calls these.

All formats of one file: none of them makes FFmpeg open another, as playlists do.
"""

_TOLD_CODECS = {"alac", "flac", "opus", "vorbis"}
"""Codecs that a browser must know of before it can say whether it plays the type."""

_FORMATS = {
    "AAC": ("mov,mp4,m4a,3gp,3g2,mj2", "aac"),
    "AIFF": ("aiff", ""),
    "ALAC": ("mov,mp4,m4a,3gp,3g2,mj2", "alac"),
    "APE": ("ape", ""),
    "DSD Stream File": ("dsf", ""),
    "FLAC": ("flac", ""),
    "MP3": ("mp3", ""),
    "Musepack": ("mpc", ""),
    "OGG": ("ogg", "vorbis"),
    "Opus": ("ogg", "opus"),
    "WAVE": ("wav", ""),
    "WavPack": ("wv", ""),
    "Windows Media": ("asf", ""),
}
"""Container and codec of what beets calls these."""


class Kind(NamedTuple):
    """What a file is: FFmpeg's names of its container and of its codec."""

    container: str
    codec: str

    @property
    def mime(self) -> str:
        """Its MIME type."""
        mime, _ = _CONTAINERS.get(self.container, (UNKNOWN, ""))
        if self.container != self.codec and self.codec in _TOLD_CODECS:
            return f'{mime}; codecs="{self.codec}"'
        return mime

    @property
    def suffix(self) -> str:
        """The suffix of such files; empty for what is no audio file of its own."""
        return _CONTAINERS.get(self.container, (UNKNOWN, ""))[1]


def mime_of(item: Item) -> str:
    """Guess the MIME type of a track without a look at its file."""
    if item.format in _FORMATS:
        return Kind(*_FORMATS[item.format]).mime
    suffix = os.path.splitext(os.fsdecode(item.path))[1].lower()
    return next(
        (mime for mime, known in _CONTAINERS.values() if known == suffix), UNKNOWN
    )


def kind_of(path: str) -> Kind:
    """Tell what a file is by its content.

    Raises
    ------
    TrackError
        It holds no audio.
    """
    return _kind_of(path, file_state(path))


@lru_cache(maxsize=1000)
def _kind_of(path: str, state: str) -> Kind:
    with open_audio(path) as container:
        codec = container.streams.audio[0].codec_context.name
        return Kind(container.format.name, codec)


def send_file(path: str, request: Request) -> Response:
    """Answer with a file, or with the part of it that is asked for.

    The server reads the file while it sends, and keeps no thread for it.

    Raises
    ------
    Refusal
        There is no such file, or no such part of it.
    """
    with ExitStack() as stack:
        part = stack.enter_context(FilePart(path))
        try:
            mime = kind_of(path).mime
        except TrackError:
            mime = UNKNOWN
        version = Version(part.etag, part.modified_s)
        answer = Answer(request, version, mime=mime, size=part.size)
        if answer.has_body:
            start, part.stop = answer.span
            part.seek(start)
            # Who sends it closes it.
            stack.pop_all()
            return answer.response(wrap_file(request.environ, part))
    return answer.response()


class WaveSender:
    """Answers with WAV files that are made on the fly.

    Parameters
    ----------
    waves
        Who makes them.
    max_whole
        How many are sent at a time to those who do not ask for parts.
    """

    def __init__(self, waves: Waves, *, max_whole: int = MAX_WHOLE_WAVES) -> None:
        self._waves = waves
        self._turns = threading.BoundedSemaphore(max_whole)

    def send(self, path: str, request: Request) -> Response:
        """Answer with a file as WAV, or with a part of the part that is asked for.

        Raises
        ------
        Refusal
            There is no such file, no audio in it, or no such part of it; or too much
            is being sent already.
        """
        with FilePart(path) as part:
            version = Version(f"{part.etag}-wav", part.modified_s)
        try:
            wave = self._waves.open(path)
            answer = Answer(
                request,
                version,
                mime="audio/wav",
                size=wave.n_bytes,
                max_part_bytes=WAVE_PART_BYTES,
            )
            if not answer.has_body:
                return answer.response()
            if answer.is_partial:
                return answer.response([self._waves.read(wave, *answer.span)])
        except TrackError as error:
            raise Refusal(422, f"this track cannot be played: {error}") from error
        if not self._turns.acquire(blocking=False):
            raise Refusal(
                503,
                "too many tracks are being converted; ask for parts of them (Range)",
                {"Retry-After": "10"},
            )
        return answer.response(_WholeWave(self._waves, wave, self._turns.release))


class _WholeWave:
    """The parts of a WAV file, one after the other."""

    def __init__(self, waves: Waves, wave: Wave, done: Callable[[], None]) -> None:
        self._waves = waves
        self._wave = wave
        self._done: Callable[[], None] | None = done
        self._position = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        start = self._position
        stop = min(start + WAVE_PART_BYTES, self._wave.n_bytes)
        if start >= stop:
            raise StopIteration
        self._position = stop
        while True:
            try:
                return self._waves.read(self._wave, start, stop)
            except Refusal:
                # The answer has begun: there is only waiting for a turn.
                continue
            except TrackError:
                # The file is gone by now, but its length has been promised.
                return bytes(stop - start)

    def close(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()
