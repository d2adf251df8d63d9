"""Vectors for files that are not in the library."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.seeking import shape_of
from beetsplug.deejai.embedding.decoders import Request
from beetsplug.deejai.embedding.ends import ends
from beetsplug.deejai.embedding.listen import Heard, listen
from beetsplug.deejai.embedding.pooling import pool_library
from beetsplug.deejai.embedding.scan import load_slices
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.storage.library import stored_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.embedding.scan import Pooling
    from beetsplug.deejai.storage.slices import SliceStore

    Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Outsider:
    """A track that is not in the library.

    Attributes
    ----------
    vector
        Track vector, float32, shape (d,), unit length.
    beginning, ending
        As of :func:`~beetsplug.deejai.embedding.ends.ends`.
    slice_vectors
        What it was pooled of, float32, shape (n_slices, d).
    composition
        How probable each genre is, float32, shape (n_genres,), where that was asked.
    """

    vector: Array
    beginning: Array
    ending: Array
    slice_vectors: Array
    composition: Array | None = None


def hear_files(
    lib: Library,
    store: SliceStore | None,
    paths: Sequence[str],
    *,
    model: str,
    pooling: Pooling,
    load_encoder: Callable[[], Encoder],
    n_threads: int,
    progress: Callable[[float], None] | None = None,
) -> tuple[dict[str, Outsider], list[tuple[str, str]]]:
    """Hear files and pool them as if they were in the library; nothing is stored.

    Parameters
    ----------
    lib, store, model
        The library whose slices are compared; no store, no comparison.
    paths
        The files.
    pooling, load_encoder, n_threads
        As for :func:`~beetsplug.deejai.embedding.scan.scan`.
    progress
        Called with the part of all files that is decoded, 0 to 1; more than 1 when they
        hold more than they declare. If it raises, the file is not heard.

    Returns
    -------
    heard
        What was heard, by path.
    failures
        Path and reason of each file that could not be heard.
    """
    heard: list[Heard] = []
    failures: list[tuple[str, str]] = []
    requests = list(_requests(paths, progress))
    for finished in listen(requests, load_encoder=load_encoder, n_threads=n_threads):
        for result in finished:
            if isinstance(result, Heard):
                heard.append(result)
            else:
                failures.append((paths[result.key], result.reason))
    if not heard:
        return {}, failures
    parts = [h.slice_vectors.astype(np.float16) for h in heard]
    counts = np.array([len(part) for part in parts])
    if store is not None and pooling.method != "mean":
        known = load_slices(store, stored_by_id(lib), model)
        if known.counts.size:
            parts.insert(0, known.vectors)
            counts = np.concatenate([known.counts, counts])
    pooled = pool_library(
        np.concatenate(parts),
        counts=counts,
        tracks=np.arange(counts.size - len(heard), counts.size),
        method=pooling.method,
        epsilon=pooling.epsilon,
    )
    return {
        paths[h.key]: Outsider(vector, *ends(h.slice_vectors), h.slice_vectors)
        for h, vector in zip(heard, pooled, strict=True)
    }, failures


def _requests(
    paths: Sequence[str], progress: Callable[[float], None] | None
) -> Iterator[Request]:
    """Make requests, which tell how much of all files is done."""
    if progress is None:
        yield from map(Request, range(len(paths)), paths)
        return
    expected_s = max(1e-3, sum(map(_duration_s, paths)))
    done_s = [0.0] * len(paths)

    def note(number: int, seconds: float) -> None:
        done_s[number] = seconds
        progress(sum(done_s) / expected_s)

    for number, path in enumerate(paths):
        yield Request(number, path, partial(note, number))


def _duration_s(path: str) -> float:
    try:
        return shape_of(path).duration_s
    except TrackError:
        return 0.0
