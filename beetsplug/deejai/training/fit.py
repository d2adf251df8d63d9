"""Train an encoder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
from beetsplug.deejai.output.atomic import explained
from beetsplug.deejai.training.devices import ALONE
from beetsplug.deejai.training.last_layer import solve_last_layer
from beetsplug.deejai.training.learn import Schedule, learn
from beetsplug.deejai.training.networks import fold_batch_norm
from beetsplug.deejai.training.objective import Objective, make_learner, make_loss
from beetsplug.deejai.training.pairs import Augmentation, draw_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.training.checkpoint import Progress
    from beetsplug.deejai.training.dataset import Spectrograms, Track
    from beetsplug.deejai.training.devices import Devices
    from beetsplug.deejai.training.lessons import Lessons
    from beetsplug.deejai.training.objective import Learner
    from beetsplug.deejai.training.pairs import Taught
    from beetsplug.deejai.training.validation import Validation


@dataclass(frozen=True)
class Recipe:
    """Everything a training run depends on besides the music and the network.

    Attributes
    ----------
    objective
        The loss.
    augmentation
        How slices are changed.
    discriminant
        Whether the last layer is solved (:func:`~.last_layer.solve_last_layer`), else
        it is trained to say the target.
    n_steps
        Batches, at most.
    n_tracks
        Tracks in a batch; twice as many slices.
    validate_every
        Steps between two measurements, each of which is followed by a checkpoint.
    patience
        Measurements without a better score after which training ends; 0 = never.
    learning_rate
        The highest of a schedule that rises for a twentieth of `n_steps` and then falls
        as a cosine.
    weight_decay
        Of AdamW.
    seed
        Of everything random.
    """

    objective: Objective = field(default_factory=Objective)
    augmentation: Augmentation = field(default_factory=Augmentation)
    discriminant: bool = True
    n_steps: int = 2000
    n_tracks: int = 96
    validate_every: int = 100
    patience: int = 10
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """How long and how fast is learnt."""
        return Schedule(
            self.n_steps,
            self.validate_every,
            self.patience,
            self.learning_rate,
            self.weight_decay,
        )


def fit(
    network: Any,
    spectrograms: Spectrograms,
    *,
    train: Sequence[Track],
    validation: Validation,
    output: Path,
    recipe: Recipe,
    lessons: Lessons | None = None,
    checkpoint: Path | None = None,
    run: str = "",
    devices: Devices = ALONE,
    report: Callable[[str], None] = lambda line: None,
) -> Progress:
    """Train a network and write it as an encoder.

    With validation music the file holds the network that did best on it: by the mean
    cosine similarity to the targets, or without targets by how early the second half
    of a track is found from its first. Without, it holds the last one.

    Parameters
    ----------
    network
        As made by :mod:`~beetsplug.deejai.training.networks`.
    spectrograms, train
        The music to learn from.
    validation
        The music that only measures.
    output
        A ``.keras`` file, replaced whenever the network has become better.
    recipe
        All settings.
    lessons
        The targets; None when the recipe has none.
    checkpoint
        Where the state is kept; a run that was broken off goes on from there.
    run
        Tells this run from others with the same checkpoint.
    devices
        Those of :func:`~.devices.all_devices`. Every process calls this with the same
        music; the first reads the checkpoint and writes the files.
    report
        Receives a line at each measurement.

    Returns
    -------
    Progress
        Steps, time and the best validation score.

    Raises
    ------
    FatalError
        The encoder or the checkpoint cannot be written, or the loss is no number.
    """
    n_tracks = devices.n_tracks(min(recipe.n_tracks, len(train)))
    learner = make_learner(
        network, recipe.objective, own_output=not recipe.discriminant
    )
    measure = _Measure(
        learner, network, spectrograms, train, validation, recipe, devices
    )

    def batches(steps: range) -> Iterator[tuple[Any, Any]]:
        return draw_batches(
            spectrograms,
            train,
            lessons,
            recipe=replace(recipe, n_tracks=n_tracks),
            devices=devices,
            steps=steps,
        )

    return learn(
        learner.model,
        batches,
        loss=make_loss(recipe.objective),
        schedule=recipe.schedule,
        measure=measure,
        is_measured=bool(validation.tracks),
        save=lambda: save_encoder(network, output, devices),
        output=output,
        checkpoint=checkpoint,
        run=run,
        devices=devices,
        report=report,
    )


@dataclass(frozen=True)
class _Measure:
    """Measures the network as it stands: the score to go by, and a line about all."""

    learner: Learner
    network: Any
    spectrograms: Spectrograms
    train: Sequence[Track]
    validation: Validation
    recipe: Recipe
    devices: Devices

    def __call__(self) -> tuple[float | None, str]:
        if self.recipe.discriminant:
            solve_last_layer(
                self.network,
                self.spectrograms,
                self.train,
                seed=self.recipe.seed,
                devices=self.devices,
            )
        if not self.validation.tracks:
            return None, ""
        encoder = KerasEncoder(self.network, model_id="in training")
        figures = self.validation.retrieval(encoder)
        score = figures.get("halves")
        if self.learner.predictor is not None and self.validation.taught:
            score = self.validation.target_similarity(self.learner.predictor)
            figures = {"target": score, **figures}
        line = "".join(f"  {name} {value:.3f}" for name, value in figures.items())
        score, line = self.devices.agreed((score, line))
        return score, line


def draw_batches(
    spectrograms: Spectrograms,
    tracks: Sequence[Track],
    lessons: Taught | None,
    *,
    recipe: Recipe,
    devices: Devices,
    steps: range,
) -> Iterator[tuple[Any, Any]]:
    """Draw the batch of each step, as :func:`~.pairs.draw_pairs` makes them."""
    for step in steps:
        # A generator for each step: a run that goes on draws what it would have drawn.
        slices, labels = draw_pairs(
            spectrograms,
            tracks,
            n_tracks=recipe.n_tracks,
            rng=np.random.default_rng((recipe.seed, step)),
            lessons=lessons,
            augmentation=recipe.augmentation,
            part=devices.process,
            n_parts=devices.n_processes,
        )
        yield slices[..., None], labels


def save_encoder(network: Any, output: Path, devices: Devices = ALONE) -> Encoder:
    """Write a network without what only training needs, through a temporary name.

    All of several processes make the network that is written, and the first writes it.

    Raises
    ------
    FatalError
        The file cannot be written.
    """
    folded = fold_batch_norm(network)
    temporary = output.with_name(f".{output.stem}.part.keras")
    if devices.is_first:
        with explained(str(output)):
            output.parent.mkdir(parents=True, exist_ok=True)
            try:
                folded.save(temporary)
                temporary.replace(output)
            finally:
                temporary.unlink(missing_ok=True)
    return KerasEncoder(folded, model_id=output.stem)
