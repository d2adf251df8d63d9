"""Threads that turn files into log-mel slices for the encoder.

FFmpeg and the FFT release the interpreter's lock, so threads decode in parallel and
nothing is copied between processes.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.audio.decode import audio_signature, stream_waveform
from beetsplug.deejai.audio.spectrogram import stream_slices
from beetsplug.deejai.embedding.inference import BATCH_SLICES
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

SILENCE_PEAK = 1e-4
"""Peak amplitude (-80 dBFS) under which a whole track counts as silent."""

AHEAD_BLOCK_SAMPLES = 1 << 20
"""Samples decoded in one go while the encoder is loading: 48 s.

The import of its framework holds the interpreter's lock nearly all the time, and a
thread waits for it after every block.
"""

AHEAD_SAMPLES = 1 << 26
"""Samples kept of all the files that are decoded meanwhile: 256 MB, 50 minutes."""

POLL_S = 0.25
"""How often waiting looks up, in seconds, to see whether to stop or to flush."""


@dataclass(frozen=True)
class Request:
    """A file to hear.

    Attributes
    ----------
    key
        Tells the caller which it is (an item's id).
    path
        Of the file.
    progress
        Called with the seconds that are done so far, from any thread. If it raises, the
        track is not heard.
    """

    key: int
    path: str
    progress: Callable[[float], None] | None = None


@dataclass(frozen=True)
class Unheard:
    """A track that gave no vectors, and the reason in one line."""

    key: int
    reason: str


@dataclass(frozen=True)
class Chunk:
    """Some log-mel slices of a track, in order, shape (n_slices, 96, 216)."""

    key: int
    slices: Array


@dataclass(frozen=True)
class End:
    """All slices of a track have been sent; the signature of its audio."""

    key: int
    signature: str


Message = Chunk | End | Unheard
"""What a decoder says of a track: any number of chunks, then its end or failure."""


class Decoders:
    """Threads that take up requests and put slices into a queue.

    Parameters
    ----------
    requests
        What to decode, in the order in which it is taken up.
    n_threads
        How many files are decoded at the same time.
    max_messages
        How many messages may wait; the threads pause when as many do.
    """

    def __init__(
        self, requests: Iterator[Request], *, n_threads: int, max_messages: int
    ) -> None:
        self._requests = requests
        self._requests_lock = threading.Lock()
        self._messages: queue.Queue[Message | None] = queue.Queue(max_messages)
        self._loaded = threading.Event()
        self._cancelled = threading.Event()
        self._n_running = n_threads
        self._ahead_samples = AHEAD_SAMPLES // n_threads
        self._threads = [
            threading.Thread(
                target=self._run, name=f"deejai-decoder-{number}", daemon=True
            )
            for number in range(n_threads)
        ]

    def start(self) -> None:
        """Begin to decode; spectrograms wait for :meth:`encoder_is_loaded`."""
        for thread in self._threads:
            thread.start()

    def encoder_is_loaded(self) -> None:
        """Let the threads go on to spectrograms."""
        self._loaded.set()

    def stop(self) -> None:
        """Drop what is not finished and wait for the threads to end."""
        self._cancelled.set()
        self._loaded.set()
        for thread in self._threads:
            thread.join()

    @property
    def running(self) -> bool:
        """Whether messages will still come."""
        return self._n_running > 0

    def get(self, timeout: float) -> Message | None:
        """Return the next message; None when none came within `timeout` seconds."""
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            return None
        if message is None:
            self._n_running -= 1
        return message

    def _take(self) -> Request | None:
        with self._requests_lock:
            return next(self._requests, None)

    def _put(self, message: Message | None) -> None:
        while not self._cancelled.is_set():
            try:
                self._messages.put(message, timeout=POLL_S)
            except queue.Full:
                continue
            return
        raise _CancelledError

    def _run(self) -> None:
        try:
            ahead = deque(self._decode_ahead())
            while ahead:
                track = ahead.popleft()
                self._deliver(track.request, _hear_ahead(track))
            while (request := self._take()) is not None:
                self._deliver(request, _hear(request))
            self._put(None)
        except _CancelledError:
            pass

    def _deliver(self, request: Request, hearing: Iterator[Chunk | End]) -> None:
        try:
            for message in hearing:
                self._put(message)
        except TrackError as error:
            self._put(Unheard(request.key, str(error)))
        except _CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - files break decoders in new ways
            self._put(Unheard(request.key, f"{type(error).__name__}: {error}"))

    def _decode_ahead(self) -> Iterator[_Ahead]:
        """Decode, and nothing else, until the encoder is there or memory is used up.

        Spectrograms and signatures are many short steps, each of which would wait for
        the lock that loading the encoder holds; decoding runs without it.
        """
        n_samples = 0

        def go_on() -> bool:
            return not self._loaded.is_set() and n_samples < self._ahead_samples

        while go_on() and (request := self._take()) is not None:
            track = _Ahead.begin(request)
            try:
                while go_on() and (block := next(track.rest, None)) is not None:
                    track.blocks.append(block)
                    n_samples += block.size
            except Exception:  # noqa: BLE001 - hearing it again tells what it was
                track = _Ahead.failed(request)
            yield track


class _CancelledError(Exception):
    """The caller is gone; decoding stops where it is."""


@dataclass(frozen=True)
class _Ahead:
    """A file whose first blocks, or all, are decoded; `rest` yields the others."""

    request: Request
    file_state: tuple[int, ...]
    blocks: deque[Array]
    rest: Iterator[Array]

    @classmethod
    def begin(cls, request: Request) -> _Ahead:
        rest = stream_waveform(request.path, block_samples=AHEAD_BLOCK_SAMPLES)
        return cls(request, _file_state(request.path), deque(), rest)

    @classmethod
    def failed(cls, request: Request) -> _Ahead:
        return cls(request, (), deque(), iter(()))


def _file_state(path: str) -> tuple[int, ...]:
    """Size, time of change and inode of a file; nothing where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _hear_ahead(track: _Ahead) -> Iterator[Chunk | End]:
    path = track.request.path
    signature = audio_signature(path)
    if not track.file_state or _file_state(path) != track.file_state:
        # Replaced between decoding and signing: the one would not belong to the other.
        yield from _hear(track.request)
        return

    def blocks() -> Iterator[Array]:
        while track.blocks:
            yield track.blocks.popleft()
        yield from track.rest

    yield from _slices_and_end(track.request, signature, blocks())


def _hear(request: Request) -> Iterator[Chunk | End]:
    # Signed first: a file replaced in between is noticed by the next scan.
    signature = audio_signature(request.path)
    yield from _slices_and_end(request, signature, stream_waveform(request.path))


def _slices_and_end(
    request: Request, signature: str, blocks: Iterator[Array]
) -> Iterator[Chunk | End]:
    peak, n_samples = 0.0, 0

    def watched() -> Iterator[Array]:
        nonlocal peak, n_samples
        for block in blocks:
            peak = max(peak, float(block.max()), -float(block.min()))
            n_samples += block.size
            if request.progress is not None:
                request.progress(n_samples / SAMPLE_RATE)
            yield block

    for slices in stream_slices(watched(), max_slices=BATCH_SLICES):
        yield Chunk(request.key, slices)
    if peak < SILENCE_PEAK:
        raise TrackError("the track is silent")
    yield End(request.key, signature)
