"""A softmax layer that tells genres by slice vectors, and how well it does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.training.dataset import spaced
from beetsplug.deejai.training.genres.calibration import rows_of
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from beetsplug.deejai.storage.slices import StoredSlices

    Array = npt.NDArray[np.float32]
    Floats = npt.NDArray[np.floating[Any]]
    Ints = npt.NDArray[np.int64]

MAX_SLICES = 24
"""Slices of a track that are learnt from, evenly spaced: two minutes of it."""

BATCH_SLICES = 4096
"""Slices of a batch; what is less is learnt from all at once."""

N_STEPS = 400
"""Batches. The loss has one minimum, which is near after half as many."""

LEARNING_RATE = 0.05
"""Of Adam, at first; it falls as a cosine."""

L2 = 3e-4
"""Weight of the squared weights beside the loss."""


@dataclass(frozen=True)
class TrackSlices:
    """Slice vectors of tracks that lie one after another.

    Attributes
    ----------
    vectors
        Shape (counts.sum(), d).
    counts
        Slices of each track, at least 1: int64, shape (n_tracks,).
    """

    vectors: Floats
    counts: Ints

    def of(self, tracks: Ints) -> TrackSlices:
        """Return the slices of some of the tracks."""
        return TrackSlices(
            self.vectors[rows_of(tracks, self.counts)], self.counts[tracks]
        )


def gather_slices(parts: Iterable[StoredSlices]) -> tuple[Ints, TrackSlices]:
    """Take at most :data:`MAX_SLICES` slices of every track.

    Parameters
    ----------
    parts
        What the side store holds, some tracks after others: only what is taken stays in
        memory.

    Returns
    -------
    item_ids : ndarray of int64, shape (n_tracks,)
    slices : TrackSlices
        Of these tracks.
    """
    item_ids, vectors, counts = [np.zeros(0, dtype=np.int64)], [], []
    for part in parts:
        starts = np.cumsum(part.counts) - part.counts
        picked = [
            start + spaced(n_slices, MAX_SLICES)
            for start, n_slices in zip(starts, part.counts.tolist(), strict=True)
        ]
        item_ids.append(part.item_ids)
        vectors.append(part.vectors[np.concatenate(picked)])
        counts += [len(one) for one in picked]
    together = np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float16)
    return np.concatenate(item_ids), TrackSlices(together, np.array(counts, np.int64))


def genre_weights(targets: Array) -> Array:
    """Weigh genres so that each counts the same, however many tracks it has.

    On real music of unseen artists and on made music that was better than equal tracks
    in accuracy as well as in F1; half-way was between the two.

    Parameters
    ----------
    targets
        Shape (n_tracks, n_genres); rows add up to 1.

    Returns
    -------
    ndarray of float32, shape (n_genres,)
        The mean weight of a track, that of its genres, is 1.
    """
    mass = np.maximum(targets.sum(axis=0, dtype=np.float64), 1e-9)
    weights = mass.sum() / mass / np.count_nonzero(targets.any(axis=0))
    return np.asarray(weights, dtype=np.float32)


def fit_head(slices: TrackSlices, targets: Array, *, seed: int) -> tuple[Array, Array]:
    """Learn a softmax layer on unit slice vectors.

    Each track weighs the same, however many slices it has, but for
    :func:`genre_weights`.

    Parameters
    ----------
    slices
        Of the tracks to learn from.
    targets
        Shape (n_tracks, n_genres); rows add up to 1.
    seed
        Of the order in which slices are learnt from.

    Returns
    -------
    weights : ndarray of float32, shape (d, n_genres)
    bias : ndarray of float32, shape (n_genres,)
    """
    tracks = np.repeat(np.arange(len(targets)), slices.counts)
    weights = (targets @ genre_weights(targets) / slices.counts)[tracks]
    weights = (weights * (len(weights) / weights.sum())).astype(np.float32)

    def batches() -> Iterator[tuple[Array, Array, Array]]:
        rng = np.random.default_rng(seed)
        for _ in range(N_STEPS):
            rows = np.arange(len(tracks))
            if len(tracks) > BATCH_SLICES:
                rows = rng.integers(len(tracks), size=BATCH_SLICES)
            yield unit(slices.vectors[rows]), targets[tracks[rows]], weights[rows]

    with quiet_stderr():
        layer = _softmax_layer(slices.vectors.shape[1], targets.shape[1])
        return layer.fit(batches(), seed=seed)


class _SoftmaxLayer:
    """A softmax layer that can be learnt again and again.

    Keras takes longer to build it than to learn it from a small library.

    Parameters
    ----------
    size
        Components of a slice vector.
    n_genres
        Of the output.
    """

    def __init__(self, size: int, n_genres: int) -> None:
        keras = import_keras()
        self._layer = keras.layers.Dense(
            n_genres,
            activation="softmax",
            # It is at its only minimum whatever it starts from.
            kernel_initializer="zeros",
            kernel_regularizer=keras.regularizers.L2(L2),
        )
        self._model = keras.Sequential([keras.Input((size,)), self._layer])
        rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, N_STEPS)
        optimizer = keras.optimizers.Adam(rate)
        self._model.compile(
            optimizer=optimizer,
            loss="categorical_crossentropy",
            # Steps of so little work cost less together.
            steps_per_execution=20,
            jit_compile=keras.backend.backend() == "jax",
        )
        optimizer.build(self._model.trainable_variables)
        self._variables = [*self._model.variables, *optimizer.variables]

    def fit(
        self, batches: Iterator[tuple[Array, Array, Array]], *, seed: int
    ) -> tuple[Array, Array]:
        """Learn from :data:`N_STEPS` batches, and forget all that was learnt before."""
        import_keras().utils.set_random_seed(seed)
        # Weights, what Adam remembers and the number of steps: all begin at zero.
        for variable in self._variables:
            variable.assign(np.zeros(variable.shape))
        self._model.fit(batches, steps_per_epoch=N_STEPS, shuffle=False, verbose=0)
        kernel, bias = self._layer.get_weights()
        return np.asarray(kernel, np.float32), np.asarray(bias, np.float32)


@lru_cache(maxsize=1)
def _softmax_layer(size: int, n_genres: int) -> _SoftmaxLayer:
    return _SoftmaxLayer(size, n_genres)


def held_out_logits(
    slices: TrackSlices,
    targets: Array,
    folds: Ints,
    *,
    seed: int,
) -> Array:
    """Predict the slices of each fold by a layer that has learnt from all others.

    Parameters
    ----------
    slices, targets, seed
        As for :func:`fit_head`.
    folds
        As of :func:`~.folds.draw_folds`, at least two.

    Returns
    -------
    ndarray of float32, shape (n_slices, n_genres)
    """
    logits = np.empty((len(slices.vectors), targets.shape[1]), dtype=np.float32)
    for number in np.unique(folds):
        learnt, held_out = folds != number, np.flatnonzero(folds == number)
        weights, bias = fit_head(
            slices.of(np.flatnonzero(learnt)), targets[learnt], seed=seed
        )
        rows = rows_of(held_out, slices.counts)
        logits[rows] = unit(slices.vectors[rows]) @ weights + bias
    return logits
