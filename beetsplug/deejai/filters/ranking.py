"""Rank tracks by how much they activate each filter of a layer, in one pass over them.

Of every filter only the first tracks are remembered, so that memory does not grow with
the library; a track's own answers are reduced as soon as it has been heard.

S. Dieleman, "Recommending music on Spotify with deep learning", 2014, ranks in these
two ways: by the maximum over time, which finds what happens once (a bass drum), and by
the mean, which finds what lasts (a drone, a chord).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.embedding.decoders import Request
from beetsplug.deejai.embedding.listen import Heard, listen
from beetsplug.deejai.filters.layers import Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.filters.layers import LayerListener
    from beetsplug.deejai.storage.library import Track
    from beetsplug.deejai.storage.slices import StoredSlices

    Array = npt.NDArray[np.float32]
    Figures = tuple[int, Array, Array]

By = Literal["max", "mean"]

_WAITING_TRACKS = 64
"""Tracks that are merged into the ranking at once."""

_SAME = 1e-6
"""Values that differ by less, as a part of the larger one, differ by rounding."""


@dataclass(frozen=True)
class Firing:
    """A track that activates a filter.

    Attributes
    ----------
    item_id
        Of the track.
    value
        How much, by what is ranked.
    middle_s
        Middle of the loudest moment, in seconds from the start of the track.
    """

    item_id: int
    value: float
    middle_s: float


class Ranking:
    """The tracks that activate each filter most.

    Parameters
    ----------
    n_filters
        Filters of the layer.
    by
        ``max``: the largest answer; ``mean``: the mean of all.
    n_kept
        How many tracks are remembered for each filter.
    """

    def __init__(self, n_filters: int, *, by: By, n_kept: int) -> None:
        self._by = by
        self._n_kept = n_kept
        self._waiting: list[Figures] = []
        self._ids = np.zeros((n_filters, 0), np.int64)
        self._values = np.zeros((n_filters, 0), np.float32)
        self._middles_s = np.zeros((n_filters, 0), np.float32)
        self._lowest = np.full(n_filters, np.inf, np.float32)
        self._highest = np.full(n_filters, -np.inf, np.float32)
        self.item_ids: list[int] = []

    def add(self, item_id: int, answers: Answers) -> None:
        """Take in what the filters answered to all slices of a track."""
        loudest = np.argmax(answers.peaks, axis=0)
        filters = np.arange(len(loudest))
        values = (
            answers.peaks[loudest, filters]
            if self._by == "max"
            else answers.means.mean(axis=0)
        )
        middles_s = loudest * SLICE_S + answers.middles_s[loudest, filters]
        np.minimum(self._lowest, values, out=self._lowest)
        np.maximum(self._highest, values, out=self._highest)
        self.item_ids.append(item_id)
        self._waiting.append((item_id, values, middles_s.astype(np.float32)))
        if len(self._waiting) >= _WAITING_TRACKS:
            self._merge()

    def is_silent(self, number: int) -> bool:
        """Whether a filter tells no tracks apart: always 0, or the same for all."""
        low, high = float(self._lowest[number]), float(self._highest[number])
        if len(self.item_ids) < 2:
            return low == high == 0.0
        return high - low <= _SAME * max(abs(low), abs(high))

    def firings(self, number: int) -> list[Firing]:
        """Return the tracks that activate a filter most, strongest first.

        Equally strong ones stand in the order of their ids. Tracks in which the filter
        never fires (a ReLU that stays at 0) are left out.
        """
        self._merge()
        never = 0.0 if self._lowest[number] >= 0.0 else None
        return [
            Firing(item_id, value, middle_s)
            for item_id, value, middle_s in zip(
                self._ids[number].tolist(),
                self._values[number].tolist(),
                self._middles_s[number].tolist(),
                strict=True,
            )
            if value != never
        ]

    def _merge(self) -> None:
        if not self._waiting:
            return
        ids, values, middles_s = zip(*self._waiting, strict=True)
        self._waiting = []
        new_ids = np.broadcast_to(np.array(ids), (len(self._ids), len(ids)))
        all_ids = np.concatenate([self._ids, new_ids], axis=1)
        all_values = np.concatenate([self._values, np.transpose(values)], axis=1)
        all_s = np.concatenate([self._middles_s, np.transpose(middles_s)], axis=1)
        # By id first: tracks are heard in no fixed order.
        order = np.lexsort((all_ids, -all_values))[:, : self._n_kept]
        self._ids = np.take_along_axis(all_ids, order, axis=1)
        self._values = np.take_along_axis(all_values, order, axis=1)
        self._middles_s = np.take_along_axis(all_s, order, axis=1)


def rank_audio(
    tracks: Sequence[Track],
    ranking: Ranking,
    *,
    listener: LayerListener,
    n_threads: int,
    on_progress: Callable[[int], None] = lambda n_done: None,
) -> list[tuple[Track, str]]:
    """Hear tracks, each once, and rank them.

    Parameters
    ----------
    tracks, ranking
        What to hear, and what takes it in.
    listener
        The layer.
    n_threads
        How many files are decoded at the same time.
    on_progress
        Called with how many tracks are done.

    Returns
    -------
    list
        The tracks that could not be heard, with the reason.
    """
    by_id = {track.item_id: track for track in tracks}
    failures: list[tuple[Track, str]] = []
    requests = (Request(track.item_id, track.path) for track in tracks)
    for finished in listen(
        requests, load_encoder=lambda: listener, n_threads=n_threads
    ):
        for result in finished:
            if isinstance(result, Heard):
                ranking.add(result.key, Answers.of(result.slice_vectors))
            else:
                failures.append((by_id[result.key], result.reason))
        on_progress(len(ranking.item_ids) + len(failures))
    return failures


def rank_stored(
    parts: Iterator[StoredSlices],
    ranking: Ranking,
    *,
    on_progress: Callable[[int], None] = lambda n_done: None,
) -> None:
    """Rank tracks by their slice vectors, which are the answers of the last layer.

    Parameters
    ----------
    parts
        As :meth:`~beetsplug.deejai.storage.slices.SliceStore.iterate` yields them.
    ranking, on_progress
        As for :func:`rank_audio`.
    """
    for part in parts:
        ends = np.cumsum(part.counts)
        for item_id, start, end in zip(
            part.item_ids.tolist(), ends - part.counts, ends, strict=True
        ):
            ranking.add(item_id, Answers.of_units(part.vectors[start:end]))
        on_progress(len(ranking.item_ids))
