"""From files to slice vectors: decoding in threads, the encoder in the caller's.

Decoding starts before the encoder is loaded: importing its framework takes as long as
decoding dozens of tracks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.embedding.decoders import (
    POLL_S,
    Chunk,
    Decoders,
    End,
    Request,
    Unheard,
)
from beetsplug.deejai.embedding.inference import BATCH_SLICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

    Array = npt.NDArray[np.float32]

QUEUE_CHUNKS = 24
"""Chunks of slices that wait for the encoder: about 70 MB for songs."""


@dataclass(frozen=True)
class Heard:
    """A track's slice vectors, float32, shape (n_slices, d), and its signature."""

    key: int
    signature: str
    slice_vectors: Array


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
    decoders = Decoders(iter(requests), n_threads=n_threads, max_messages=QUEUE_CHUNKS)
    decoders.start()
    try:
        encoder = load_encoder()
        decoders.encoder_is_loaded()
        yield from _encode_all(encoder, decoders, should_stop)
    finally:
        decoders.stop()


class _Batcher:
    """Collects slices of several tracks into whole batches for the encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._chunks: list[Chunk] = []
        self._vectors: dict[int, list[Array]] = {}
        self._missing: dict[int, int] = {}
        self._ended: dict[int, End] = {}
        self.n_waiting = 0

    def add(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._vectors.setdefault(chunk.key, [])
        self._missing[chunk.key] = self._missing.get(chunk.key, 0) + len(chunk.slices)
        self.n_waiting += len(chunk.slices)

    def end(self, end: End) -> None:
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
        taken: list[Chunk] = []
        while n_slices:
            chunk = self._chunks.pop(0)
            if len(chunk.slices) > n_slices:
                rest = Chunk(chunk.key, chunk.slices[n_slices:])
                self._chunks.insert(0, rest)
                chunk = Chunk(chunk.key, chunk.slices[:n_slices])
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
    encoder: Encoder, decoders: Decoders, should_stop: Callable[[], bool]
) -> Iterator[list[Heard | Unheard]]:
    batcher = _Batcher(encoder)
    while decoders.running and not should_stop():
        finished: list[Heard | Unheard] = []
        message = decoders.get(timeout=POLL_S)
        if message is None:
            # The decoders are slower than the encoder: do not let tracks wait.
            finished = batcher.encode(everything=True)
        elif isinstance(message, Chunk):
            batcher.add(message)
            if batcher.n_waiting >= BATCH_SLICES:
                finished = batcher.encode(everything=False)
        elif isinstance(message, End):
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
