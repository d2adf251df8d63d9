"""Any audio file as a WAV file that is made while it is read."""

from __future__ import annotations

import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beetsplug.deejai.audio.seeking import StereoReader, shape_of
from beetsplug.deejai.storage.library import file_state
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from beetsplug.deejai.audio.seeking import AudioShape

HEADER_BYTES = 44
FRAME_BYTES = 4
"""A sample of both channels, 16 bits each."""

MAX_FRAMES = (2**32 - 1 - HEADER_BYTES) // FRAME_BYTES
"""The sizes in a WAV header have 32 bits: 6 hours and 45 minutes at 44.1 kHz."""

MAX_DECODERS = 4
"""How many pieces are decoded at the same time."""

PATIENCE_S = 5.0
"""How long a request waits for its turn before it is sent away."""

MAX_IDLE = 8
IDLE_S = 30.0
"""How many readers are kept, and how long, for those who come back for more."""

MAX_SHAPES = 1000
"""Files that have been looked into, and are not again."""


@dataclass(frozen=True)
class Wave:
    """A WAV file that does not exist.

    Attributes
    ----------
    path
        What it is made from.
    state
        Time of change and size of that.
    shape
        What is in it.
    """

    path: str
    state: str
    shape: AudioShape

    @property
    def n_frames(self) -> int:
        """Samples of each channel."""
        return min(self.shape.n_samples, MAX_FRAMES)

    @property
    def n_bytes(self) -> int:
        """Size of the whole file."""
        return HEADER_BYTES + FRAME_BYTES * self.n_frames

    def header(self) -> bytes:
        """Return its first 44 bytes."""
        n_bytes = FRAME_BYTES * self.n_frames
        rate = self.shape.sample_rate
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            HEADER_BYTES - 8 + n_bytes,
            b"WAVE",
            b"fmt ",
            16,
            1,
            2,
            rate,
            FRAME_BYTES * rate,
            FRAME_BYTES,
            16,
            b"data",
            n_bytes,
        )


class Waves:
    """Makes parts of WAV files, a few at a time.

    Who reads on where the last part ended gets the same decoder again, so that parts
    join whatever the format.

    Parameters
    ----------
    max_decoders
        How many parts are decoded at the same time.
    patience_s
        How long a request waits for one.
    clock
        Seconds, as of :func:`time.monotonic`.
    """

    def __init__(
        self,
        *,
        max_decoders: int = MAX_DECODERS,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = threading.BoundedSemaphore(max_decoders)
        self._patience_s = patience_s
        self._clock = clock
        self._lock = threading.Lock()
        self._shapes: dict[tuple[str, str], AudioShape] = {}
        self._idle: list[tuple[float, Wave, StereoReader]] = []
        self._timer: threading.Timer | None = None

    def open(self, path: str) -> Wave:
        """Look into a file.

        Raises
        ------
        TrackError
            There is nothing in it that can be decoded.
        Refusal
            Too much else is being decoded.
        """
        state = file_state(path)
        key = path, state
        shape = self._shapes.get(key)
        if shape is None:
            with self._turn():
                shape = shape_of(path)
            with self._lock:
                self._shapes[key] = shape
                while len(self._shapes) > MAX_SHAPES:
                    del self._shapes[next(iter(self._shapes))]
        return Wave(path, state, shape)

    def read(self, wave: Wave, start: int, stop: int) -> bytes:
        """Make the bytes from `start` up to `stop`, as few as memory shall hold.

        Raises
        ------
        TrackError
            The file is gone.
        Refusal
            Too much else is being decoded.
        """
        header = wave.header()[start:stop]
        first = max(0, start - HEADER_BYTES) // FRAME_BYTES
        last = -(-max(0, stop - HEADER_BYTES) // FRAME_BYTES)
        if first >= last:
            return header
        with self._turn():
            reader = self._take(wave, first)
            try:
                pcm = reader.read(last - first).astype("<i2", copy=False).tobytes()
            except BaseException:
                reader.close()
                raise
            self._keep(wave, reader)
        offset = HEADER_BYTES + FRAME_BYTES * first
        return header + pcm[max(0, start - offset) : stop - offset]

    def close(self) -> None:
        """Close the files that are open."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._drop_idle(max_age_s=-1.0)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._patience_s):
            message = "too many tracks are being converted; try again in a moment"
            raise Refusal(503, message, {"Retry-After": "2"})
        try:
            yield
        finally:
            self._turns.release()

    def _take(self, wave: Wave, first: int) -> StereoReader:
        with self._lock:
            for entry in self._idle:
                _, idle_wave, reader = entry
                if idle_wave == wave and reader.position == first:
                    self._idle.remove(entry)
                    return reader
        return StereoReader(wave.path, wave.shape, start=first)

    def _keep(self, wave: Wave, reader: StereoReader) -> None:
        if reader.position >= wave.n_frames:
            reader.close()
            return
        with self._lock:
            self._idle.append((self._clock(), wave, reader))
            too_many = self._idle[:-MAX_IDLE]
            del self._idle[:-MAX_IDLE]
        for _, _, old in too_many:
            old.close()
        self._expect_nobody()

    def _expect_nobody(self) -> None:
        """Close files after a while: a disk that is to be unmounted must be free."""
        with self._lock:
            if self._timer is None and self._idle:
                self._timer = threading.Timer(IDLE_S, self._tidy)
                self._timer.daemon = True
                self._timer.start()

    def _tidy(self) -> None:
        with self._lock:
            self._timer = None
        self._drop_idle(max_age_s=IDLE_S)
        self._expect_nobody()

    def _drop_idle(self, *, max_age_s: float) -> None:
        now = self._clock()
        with self._lock:
            old = [entry for entry in self._idle if now - entry[0] >= max_age_s]
            self._idle = [entry for entry in self._idle if now - entry[0] < max_age_s]
        for _, _, reader in old:
            with suppress(OSError):
                reader.close()
