"""From files to slice vectors: decoding in threads, the encoder in the caller's.

FFmpeg and the FFT release the interpreter's lock, so threads decode in parallel and
nothing is copied between processes. Decoding starts before the encoder is loaded:
importing its framework takes as long as decoding dozens of tracks.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.decode import audio_signature, stream_waveform
from beetsplug.deejai.audio.spectrogram import stream_slices
from beetsplug.deejai.embedding.encoder import BATCH_SLICES
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

    Array = npt.NDArray[np.float32]

SILENCE_PEAK = 1e-4
"""Peak amplitude (-80 dBFS) under which a whole track counts as silent."""

QUEUE_CHUNKS = 24
"""Chunks of slices decoded ahead of the encoder: about 70 MB for songs."""

POLL_S = 0.25
"""How often waiting looks up, in seconds, to see whether to stop or to flush."""


@dataclass(frozen=True)
class Request:
    """A file to hear; `key` tells the caller which (an item's id)."""

    key: int
    path: str


@dataclass(frozen=True)
class Heard:
    """A track's slice vectors, float32, shape (n_slices, d), and its signature."""

    key: int
    signature: str
    slice_vectors: Array


@dataclass(frozen=True)
class Unheard:
    """A track that gave no vectors, and the reason in one line."""

    key: int
    reason: str


@dataclass(frozen=True)
class _Chunk:
    key: int
    slices: Array


@dataclass(frozen=True)
class _End:
    key: int
    signature: str


class _CancelledError(Exception):
    """The caller is gone; decoding stops where it is."""


def listen(
    requests: Iterable[Request],
    *,
    load_encoder: Callable[[], Encoder],
    n_threads: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[list[Heard | Unheard]]:
    """Hear many files at once.

    Parameters
    ----------
    requests
        What to hear, in the order in which it is taken up.
    load_encoder
        Called once, when decoding has begun.
    n_threads
        How many files are decoded at the same time.
    should_stop
        Asked several times a second; when true, what is not finished is dropped.

    Yields
    ------
    list of Heard or Unheard
        The tracks just finished, not in order. Together all of `requests`, each once.

    Raises
    ------
    FatalError
        The encoder cannot be loaded.
    """
    messages: queue.Queue[_Chunk | _End | Unheard | None] = queue.Queue(QUEUE_CHUNKS)
    cancelled = threading.Event()
    shared = _Shared(iter(requests))
    decoders = [
        threading.Thread(
            target=_decode_all,
            args=(shared, messages, cancelled),
            name=f"deejai-decoder-{number}",
            daemon=True,
        )
        for number in range(n_threads)
    ]
    for decoder in decoders:
        decoder.start()
    try:
        encoder = load_encoder()
        yield from _encode_all(encoder, messages, len(decoders), should_stop)
    finally:
        cancelled.set()
        for decoder in decoders:
            decoder.join()


class _Shared:
    """An iterator that several threads may take from."""

    def __init__(self, requests: Iterator[Request]) -> None:
        self._requests = requests
        self._lock = threading.Lock()

    def take(self) -> Request | None:
        with self._lock:
            return next(self._requests, None)


def _decode_all(
    requests: _Shared,
    messages: queue.Queue[_Chunk | _End | Unheard | None],
    cancelled: threading.Event,
) -> None:
    def send(message: _Chunk | _End | Unheard | None) -> None:
        while not cancelled.is_set():
            try:
                messages.put(message, timeout=POLL_S)
            except queue.Full:
                continue
            return
        raise _CancelledError

    try:
        while (request := requests.take()) is not None:
            try:
                for message in _decode_one(request):
                    send(message)
            except TrackError as error:
                send(Unheard(request.key, str(error)))
            except _CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - files break decoders in new ways
                send(Unheard(request.key, f"{type(error).__name__}: {error}"))
        send(None)
    except _CancelledError:
        pass


def _decode_one(request: Request) -> Iterator[_Chunk | _End]:
    signature = audio_signature(request.path)
    peak = 0.0

    def watched() -> Iterator[Array]:
        nonlocal peak
        for block in stream_waveform(request.path):
            peak = max(peak, float(block.max()), -float(block.min()))
            yield block

    for slices in stream_slices(watched(), max_slices=BATCH_SLICES):
        yield _Chunk(request.key, slices)
    if peak < SILENCE_PEAK:
        raise TrackError("the track is silent")
    yield _End(request.key, signature)


class _Batcher:
    """Collects slices of several tracks into whole batches for the encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._chunks: list[_Chunk] = []
        self._vectors: dict[int, list[Array]] = {}
        self._missing: dict[int, int] = {}
        self._ended: dict[int, _End] = {}
        self.n_waiting = 0

    def add(self, chunk: _Chunk) -> None:
        self._chunks.append(chunk)
        self._vectors.setdefault(chunk.key, [])
        self._missing[chunk.key] = self._missing.get(chunk.key, 0) + len(chunk.slices)
        self.n_waiting += len(chunk.slices)

    def end(self, end: _End) -> None:
        self._ended[end.key] = end

    def drop(self, key: int) -> None:
        """Forget a track that failed after its first slices."""
        self._chunks = [chunk for chunk in self._chunks if chunk.key != key]
        self.n_waiting = sum(len(chunk.slices) for chunk in self._chunks)
        self._vectors.pop(key, None)
        self._missing.pop(key, None)

    def encode(self, *, everything: bool) -> list[Heard | Unheard]:
        """Encode whole batches, or all that waits, and return the finished tracks."""
        n_slices = self.n_waiting
        if not everything:
            n_slices -= n_slices % BATCH_SLICES
        taken: list[_Chunk] = []
        while n_slices:
            chunk = self._chunks.pop(0)
            if len(chunk.slices) > n_slices:
                rest = _Chunk(chunk.key, chunk.slices[n_slices:])
                self._chunks.insert(0, rest)
                chunk = _Chunk(chunk.key, chunk.slices[:n_slices])
            taken.append(chunk)
            n_slices -= len(chunk.slices)
            self.n_waiting -= len(chunk.slices)
        if taken:
            vectors = self._encoder.encode(
                np.concatenate([chunk.slices for chunk in taken])
            )
            start = 0
            for chunk in taken:
                stop = start + len(chunk.slices)
                self._vectors[chunk.key].append(vectors[start:stop])
                self._missing[chunk.key] -= stop - start
                start = stop
        return self._finished()

    def _finished(self) -> list[Heard | Unheard]:
        done: list[Heard | Unheard] = []
        for key in [key for key in self._ended if not self._missing.get(key)]:
            end = self._ended.pop(key)
            self._missing.pop(key, None)
            vectors = np.concatenate(self._vectors.pop(key))
            if np.isfinite(vectors).all():
                done.append(Heard(key, end.signature, vectors))
            else:
                done.append(Unheard(key, "the encoder gave no finite numbers"))
        return done


def _encode_all(
    encoder: Encoder,
    messages: queue.Queue[_Chunk | _End | Unheard | None],
    n_decoders: int,
    should_stop: Callable[[], bool],
) -> Iterator[list[Heard | Unheard]]:
    batcher = _Batcher(encoder)
    while n_decoders and not should_stop():
        finished: list[Heard | Unheard] = []
        try:
            message = messages.get(timeout=POLL_S)
        except queue.Empty:
            # The decoders are slower than the encoder: do not let tracks wait.
            finished = batcher.encode(everything=True)
        else:
            if message is None:
                n_decoders -= 1
            elif isinstance(message, _Chunk):
                batcher.add(message)
                if batcher.n_waiting >= BATCH_SLICES:
                    finished = batcher.encode(everything=False)
            elif isinstance(message, _End):
                batcher.end(message)
                finished = batcher.encode(everything=False)
            else:
                batcher.drop(message.key)
                finished = [message]
        if finished:
            yield finished
    if not should_stop():
        finished = batcher.encode(everything=True)
        if finished:
            yield finished
