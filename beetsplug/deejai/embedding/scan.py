"""Vectors for many tracks: listen, store, pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.embedding.decoders import Request
from beetsplug.deejai.embedding.listen import Heard, listen
from beetsplug.deejai.embedding.pooling import pool, pool_library
from beetsplug.deejai.storage.library import Stored, signatures_of, stored_by_id
from beetsplug.deejai.storage.slices import Failure, SliceRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.embedding.decoders import Unheard
    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.embedding.pooling import Method
    from beetsplug.deejai.storage.library import Track
    from beetsplug.deejai.storage.slices import SliceStore, StoredSlices

    Vectors = npt.NDArray[np.float32]
    WriteVectors = Callable[[Sequence[tuple[int, Vectors, Stored]]], None]


@dataclass(frozen=True)
class Pooling:
    """How slice vectors become a track vector: method and epsilon (cosine distance)."""

    method: Method
    epsilon: float


@dataclass
class Summary:
    """What a scan did; grows while it runs."""

    n_total: int
    n_heard: int = 0
    audio_s: float = 0.0
    failures: list[tuple[Track, str]] = field(default_factory=list)

    @property
    def n_done(self) -> int:
        """Tracks dealt with so far."""
        return self.n_heard + len(self.failures)


def scan(
    tracks: Sequence[Track],
    *,
    store: SliceStore,
    write: WriteVectors,
    model: str,
    pooling: Pooling,
    load_encoder: Callable[[], Encoder],
    n_threads: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Summary]:
    """Hear tracks and store their vectors as they come.

    Every finished track is written at once, its slices before its vector: killed at any
    moment, a scan loses the tracks in work and no other. Until
    :func:`pool_new` has compared a new track with the library, its vector weighs slices
    by their frequency within the track alone.

    Parameters
    ----------
    tracks
        What to hear.
    store
        The side store.
    write
        Puts vectors on the library's items.
    model
        Id of the encoder.
    pooling
        How slice vectors become a track vector.
    load_encoder, n_threads, should_stop
        As for :func:`~beetsplug.deejai.embedding.listen.listen`.

    Yields
    ------
    Summary
        Always the same object, after each write.
    """
    summary = Summary(len(tracks))
    by_id = {track.item_id: track for track in tracks}
    # Taken before a file is read: audio that changes meanwhile is noticed next time.
    states: dict[int, str] = {}

    def requests() -> Iterator[Request]:
        for track in tracks:
            states[track.item_id] = track.file_state()
            yield Request(track.item_id, track.path)

    for finished in listen(
        requests(),
        load_encoder=load_encoder,
        n_threads=n_threads,
        should_stop=should_stop,
    ):
        heard = [result for result in finished if isinstance(result, Heard)]
        unheard = [result for result in finished if not isinstance(result, Heard)]
        _store_heard(heard, states, store, write, model, pooling)
        _store_unheard(unheard, states, store)
        summary.n_heard += len(heard)
        summary.audio_s += SLICE_S * sum(len(h.slice_vectors) for h in heard)
        summary.failures += [(by_id[u.key], u.reason) for u in unheard]
        yield summary


def _store_heard(
    heard: Sequence[Heard],
    states: dict[int, str],
    store: SliceStore,
    write: WriteVectors,
    model: str,
    pooling: Pooling,
) -> None:
    if not heard:
        return
    store.put(
        (SliceRow(h.key, model, h.signature, states[h.key], False), h.slice_vectors)
        for h in heard
    )
    write(
        [
            (h.key, pool_alone(h.slice_vectors, pooling), Stored(model, h.signature))
            for h in heard
        ]
    )


def _store_unheard(
    unheard: Sequence[Unheard], states: dict[int, str], store: SliceStore
) -> None:
    if unheard:
        store.put_failures(Failure(u.key, states[u.key], u.reason) for u in unheard)


def pool_alone(slice_vectors: Vectors, pooling: Pooling) -> Vectors:
    """Pool a track as if it were the whole library."""
    return pool(
        slice_vectors,
        method=pooling.method,
        document_frequencies=np.ones(len(slice_vectors), dtype=np.int64),
        n_tracks=1,
        epsilon=pooling.epsilon,
    )


def load_slices(
    store: SliceStore, stored: Mapping[int, Stored], model: str
) -> StoredSlices:
    """Load the slices of every track whose vector is of this model.

    Parameters
    ----------
    stored
        What the library says of its vectors, as
        :func:`~beetsplug.deejai.storage.library.stored_by_id` reads it.
    """
    return store.load(model, signatures_of(stored, model))


def pool_new(
    lib: Library,
    store: SliceStore,
    *,
    write: WriteVectors,
    model: str,
    pooling: Pooling,
) -> int:
    """Pool the tracks that are not yet compared with the library; leave all others.

    Returns
    -------
    int
        How many tracks were pooled.
    """
    new = {row.item_id for row in store.rows().values() if not row.pooled}
    return pool_stored(lib, store, write=write, model=model, pooling=pooling, only=new)


def pool_stored(
    lib: Library,
    store: SliceStore,
    *,
    write: WriteVectors,
    model: str,
    pooling: Pooling,
    only: set[int] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Recompute track vectors from the stored slices; no audio is read.

    Parameters
    ----------
    only
        Ids of the items to pool; None for every one. Document frequencies always count
        the whole library.
    on_progress
        Called now and then with the slices compared and their total.

    Returns
    -------
    int
        How many tracks were pooled.
    """
    if only is not None and not only:
        return 0
    stored = stored_by_id(lib)
    slices = load_slices(store, stored, model)
    tracks = np.arange(len(slices.item_ids))
    if only is not None:
        tracks = tracks[[int(i) in only for i in slices.item_ids]]
    if not tracks.size:
        return 0
    vectors = pool_library(
        slices.vectors,
        counts=slices.counts,
        tracks=tracks,
        method=pooling.method,
        epsilon=pooling.epsilon,
        progress=on_progress,
    )
    item_ids = [int(i) for i in slices.item_ids[tracks]]
    write([(i, v, stored[i]) for i, v in zip(item_ids, vectors, strict=True)])
    store.set_pooled(item_ids)
    return len(item_ids)
