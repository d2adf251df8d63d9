"""A convolutional network that tells genres from log-mel spectrograms.

As in S. Cardorelle's system ("How I taught a neural network to understand similarities
in music audio", 2018): softmax over genres. Slices are of 5 s; a track is their mean.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import (
    KerasEncoder,
    import_keras,
    load_keras,
)
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.evaluation.classification import cross_entropy, score
from beetsplug.deejai.training.dataset import build_spectrograms
from beetsplug.deejai.training.devices import ALONE
from beetsplug.deejai.training.fit import Recipe, draw_batches, save_encoder
from beetsplug.deejai.training.genres.calibration import compositions, fit_temperature
from beetsplug.deejai.training.genres.folds import draw_folds
from beetsplug.deejai.training.genres.head import genre_weights
from beetsplug.deejai.training.genres.measured import measure
from beetsplug.deejai.training.learn import learn
from beetsplug.deejai.training.networks import LAST, compact, features
from beetsplug.deejai.training.pairs import N_LABELS
from beetsplug.deejai.training.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.training.dataset import Spectrograms, Track
    from beetsplug.deejai.training.genres.labels import GenreLabels
    from beetsplug.deejai.training.genres.measured import Measured

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]

MAX_S = 180.0
"""Of each track at most so much is learnt from, in seconds."""

MIN_S = 10.0
"""Shorter tracks are not learnt from, in seconds."""

MEASURED_SLICES = 16
"""Slices of a held-out track that are measured, evenly spaced."""

DROPOUT = 0.3
"""Of what the last layer sees, while it learns."""

RUN_DIGITS = 12
"""Of the hash of all settings, in the names of a run's files."""


class GenreTeacher:
    """Says of each track which genres it is.

    Parameters
    ----------
    labels
        The tracks.
    """

    def __init__(self, labels: GenreLabels) -> None:
        self.size = len(labels.genres)
        self._targets = {
            track.path: target
            for track, target in zip(labels.tracks, labels.targets, strict=True)
        }

    def has(self, track: Track) -> bool:
        """Whether a track has a genre: all of them do."""
        return track.path in self._targets

    def at(self, track: Track, start_frame: int) -> Array:
        """Return the genres of a track, of shape (n_genres,), wherever in it."""
        target: Array = self._targets[track.path]
        return target

    def all(self, tracks: Sequence[Track]) -> Array:
        """Return the genres of tracks, shape (n_tracks, n_genres)."""
        return np.stack([self._targets[track.path] for track in tracks])


@dataclass(frozen=True)
class TrainedNetwork:
    """A network's file, and what was measured of it; None: nothing was held out."""

    path: Path
    measured: Measured | None
    n_learnt: int


def remove_others(network: Path) -> None:
    """Remove the networks and checkpoints of other runs than the one of a network.

    What cannot be removed does no harm.
    """
    of_run = network.stem.rpartition("-")[2]
    digits = "[0-9a-f]" * RUN_DIGITS
    for name in (f"network-{digits}.keras", f"checkpoint-{digits}.npz"):
        for path in network.parent.glob(name):
            if not path.stem.endswith(of_run):
                with contextlib.suppress(OSError):
                    path.unlink()


def train_network(
    labels: GenreLabels,
    is_held_out: npt.NDArray[np.bool_],
    *,
    work: Path,
    recipe: Recipe,
    report: Callable[[str], None] = lambda line: None,
) -> TrainedNetwork:
    """Train a network; tracks that are held out measure it, and stop it.

    Parameters
    ----------
    labels
        The tracks.
    is_held_out
        Shape (n_tracks,), such as of :func:`~.folds.draw_held_out`.
    work
        A folder for spectrograms and the checkpoint: the same run with the same folder
        goes on where it was broken off.
    recipe
        All settings; its objective is not used.
    report
        Receives lines for the user.

    Raises
    ------
    FatalError
        There is too little music, or something cannot be written.
    """
    paths = [track.path for track in labels.tracks]
    sources = [Source(p, g) for p, g in zip(paths, labels.groups, strict=True)]
    spectrograms = build_spectrograms(
        sources, work, min_s=MIN_S, max_s=MAX_S, report=report
    )
    teacher = GenreTeacher(labels)
    measures = dict(zip(paths, is_held_out.tolist(), strict=True))
    train = [track for track in spectrograms.tracks if not measures[track.path]]
    held_out = [track for track in spectrograms.tracks if measures[track.path]]
    report(f"{len(train)} tracks to learn from, {len(held_out)} held out")
    if len(train) < 2 or (teacher.all(train).sum(axis=0) > 0).sum() < 2:
        raise FatalError(
            "need two genres or more to learn from, of tracks that can be decoded and "
            f"last {MIN_S:g} s: tag or add more music"
        )
    with quiet_stderr():
        network = compact(vector_size=teacher.size, seed=recipe.seed)
    run = _run_id(recipe, labels.genres, teacher, train, held_out)
    # Each run has its own: another one in between, even of the same music, must not
    # cost what was learnt before it.
    output = work / f"network-{run[:RUN_DIGITS]}.keras"
    checkpoint = work / f"checkpoint-{run[:RUN_DIGITS]}.npz"
    learner = _learner(network)

    def batches(steps: range) -> Iterator[tuple[Any, Any]]:
        return draw_batches(
            spectrograms, train, teacher, recipe=recipe, devices=ALONE, steps=steps
        )

    def measured() -> tuple[float | None, str]:
        if not held_out:
            return None, ""
        encoder = KerasEncoder(network, model_id="in training")
        logits, counts = _logits(encoder, spectrograms, held_out)
        targets = teacher.all(held_out)
        # Else the first steps, which say the same of all, would count as best where
        # later ones are right more often, but too sure of what they get wrong.
        temperature = fit_temperature(logits, counts, targets)
        found = compositions(logits, counts, temperature=temperature)
        miss, scores = cross_entropy(found, targets), score(found, targets)
        return -miss, (
            f"  cross-entropy {miss:.3f}  accuracy {scores.accuracy:.3f}"
            f"  F1 {scores.macro_f1:.3f}"
        )

    learn(
        learner,
        batches,
        loss=_loss(genre_weights(teacher.all(train))),
        schedule=recipe.schedule,
        measure=measured,
        is_measured=bool(held_out),
        save=lambda: save_encoder(network, output),
        output=output,
        checkpoint=checkpoint,
        run=run,
        report=report,
    )
    result = None
    if held_out:
        best = load_keras(output, model_id="best")
        logits, counts = _logits(best, spectrograms, held_out)
        rows = [paths.index(track.path) for track in held_out]
        folds = draw_folds(labels.of(rows), seed=recipe.seed)
        result = measure(logits, counts, teacher.all(held_out), folds)
    return TrainedNetwork(output, result, len(train))


def _learner(network: Any) -> Any:
    """Put dropout before a network's last layer: the same weights, and no new ones."""
    layers = import_keras().layers
    below = layers.Dropout(DROPOUT, name="head_dropout")(features(network))
    return import_keras().Model(network.input, network.get_layer(LAST)(below))


def _loss(weights: Array) -> Callable[[Any, Any], Any]:
    """Make the cross-entropy of logits, each genre weighed."""
    ops = import_keras().ops

    def loss(labels: Any, logits: Any) -> Any:
        # Where another track was laid under a slice its genres are mixed in, at unit
        # length: divided by their sum they are shares again.
        shares = labels[:, N_LABELS:]
        shares = shares / ops.sum(shares, axis=1, keepdims=True)
        miss = -ops.sum(shares * ops.log_softmax(logits, axis=1), axis=1)
        return miss * ops.sum(shares * weights, axis=1)

    return loss


def _logits(
    encoder: KerasEncoder, spectrograms: Spectrograms, tracks: Sequence[Track]
) -> tuple[Array, Ints]:
    """Return the logits of slices of tracks, and how many each has."""
    logits = [
        encoder.encode(spectrograms.slices(track, max_slices=MEASURED_SLICES))
        for track in tracks
    ]
    counts = np.array([len(one) for one in logits], dtype=np.int64)
    return np.concatenate(logits), counts


def _run_id(
    recipe: Recipe,
    genres: Sequence[str],
    teacher: GenreTeacher,
    train: Sequence[Track],
    held_out: Sequence[Track],
) -> str:
    """Hash all that a checkpoint depends on."""
    state = {
        "recipe": asdict(recipe),
        "genres": list(genres),
        "train": [(t.path, t.stop - t.start) for t in train],
        "held out": [t.path for t in held_out],
        "targets": teacher.all(train).tolist(),
    }
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
