"""How well the network does on music that it does not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES
from beetsplug.deejai.evaluation.metrics import evaluate
from beetsplug.deejai.training.dataset import spaced
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.training.dataset import Spectrograms, Track
    from beetsplug.deejai.training.lessons import Lessons

MAX_TRACKS = 128
"""Tracks that targets are compared on."""

MAX_SLICES = 8
"""Slices of each of them."""

MAX_FOUND_TRACKS = 500
"""Tracks that are looked for among each other."""

MAX_FOUND_SLICES = 32
"""Slices of each of them, of which two halves are made."""


@dataclass(frozen=True)
class Validation:
    """Music that is held out, and what it should be heard as.

    Attributes
    ----------
    spectrograms, tracks
        The music; no tracks: nothing is measured.
    lessons
        Its targets, where there are any.
    """

    spectrograms: Spectrograms
    tracks: Sequence[Track]
    lessons: Lessons | None = None

    @property
    def taught(self) -> list[Track]:
        """The held-out tracks that have a target, at most :data:`MAX_TRACKS`."""
        lessons = self.lessons
        if lessons is None:
            return []
        tracks = [track for track in self.tracks if lessons.has(track)]
        return [tracks[k] for k in spaced(len(tracks), MAX_TRACKS)] if tracks else []

    def target_similarity(self, predictor: Any) -> float:
        """Return the mean cosine similarity of predictions and targets, over slices."""
        return self._mean_similarity(
            lambda slices: np.asarray(predictor.predict_on_batch(slices[..., None]))
        )

    def constant_similarity(self) -> float:
        """Return the same of the one vector that suits the training targets best."""
        assert self.lessons is not None
        constant = self.lessons.constant
        return self._mean_similarity(lambda slices: np.tile(constant, (len(slices), 1)))

    def _mean_similarity(self, predict: Any) -> float:
        assert self.lessons is not None
        similarities: list[float] = []
        for track in self.taught:
            slices = self.spectrograms.slices(track, max_slices=MAX_SLICES)
            starts = spaced(track.n_slices, MAX_SLICES) * N_FRAMES
            targets = np.stack([self.lessons.at(track, int(s)) for s in starts])
            predicted = unit(predict(slices))
            similarities += (predicted * targets).sum(axis=1).tolist()
        return float(np.mean(similarities))

    def retrieval(self, encoder: Encoder) -> dict[str, float]:
        """Measure whether the encoder finds what belongs together.

        Returns
        -------
        dict
            As of :func:`beetsplug.deejai.evaluation.metrics.evaluate` with groups as
            labels, if any two tracks share one; empty without two tracks.
        """
        tracks = [track for track in self.tracks if track.n_slices > 1]
        if len(tracks) < 2:
            return {}
        tracks = [tracks[k] for k in spaced(len(tracks), MAX_FOUND_TRACKS)]
        groups = [track.group for track in tracks]
        shared = len(set(groups)) < len(groups)
        vectors = [
            encoder.encode(self.spectrograms.slices(track, max_slices=MAX_FOUND_SLICES))
            for track in tracks
        ]
        return evaluate(vectors, labels=groups if shared else None)
