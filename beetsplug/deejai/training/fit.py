"""Train an encoder by contrast: slices of one track attract, all others repel."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.encoder import KerasEncoder, import_keras
from beetsplug.deejai.evaluation.metrics import evaluate
from beetsplug.deejai.training.discriminant import fit_discriminant
from beetsplug.deejai.training.networks import fold_batch_norm, trunk, with_head
from beetsplug.deejai.training.pairs import draw_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.training.dataset import Spectrograms, Track

SLICES_PER_TRACK = 16
"""Slices of a track that the last layer is fitted to: 80 s of it."""


@dataclass(frozen=True)
class Recipe:
    """Everything a training run depends on besides the music.

    `n_tracks` is the number of tracks in a batch (twice as many slices),
    `temperature` divides the cosine similarities, `learning_rate` is the highest of a
    schedule that rises for a twentieth of `n_steps` and then falls as a cosine.
    """

    n_steps: int = 800
    n_tracks: int = 96
    temperature: float = 0.1
    spare_group: bool = True
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    seed: int = 0


def nt_xent(*, temperature: float, spare_group: bool) -> Callable[[Any, Any], Any]:
    """Make the normalised temperature-scaled cross-entropy loss (SimCLR, Chen 2020).

    Parameters
    ----------
    temperature
        Smaller is stricter with the nearest of the others.
    spare_group
        Do not repel tracks of the same group: they may well sound alike.

    Returns
    -------
    callable
        Maps labels (2n, 2), as :func:`~beetsplug.deejai.training.pairs.draw_pairs`
        makes them, and vectors (2n, d) to losses (2n,).
    """
    ops = import_keras().ops

    def loss(labels: Any, vectors: Any) -> Any:
        n_rows = ops.shape(vectors)[0]
        unit = vectors / (ops.norm(vectors, axis=1, keepdims=True) + 1e-6)
        similarity = ops.matmul(unit, ops.transpose(unit)) / temperature
        labels = ops.cast(labels, "int32")
        track, group = labels[:, 0], labels[:, 1]
        itself = ops.cast(ops.eye(n_rows), "bool")
        partner = ops.logical_and(
            ops.equal(track[:, None], track[None]), ops.logical_not(itself)
        )
        ignored = itself
        if spare_group:
            kin = ops.equal(group[:, None], group[None])
            ignored = ops.logical_and(kin, ops.logical_not(partner))
        similarity = ops.where(ignored, -1e9, similarity)
        attraction = ops.sum(ops.where(partner, similarity, 0.0), axis=1)
        return ops.logsumexp(similarity, axis=1) - attraction

    return loss


def fit(
    model: Any,
    spectrograms: Spectrograms,
    *,
    train: Sequence[Track],
    validation: Sequence[Track] = (),
    output: Path,
    recipe: Recipe,
    validate_every: int = 100,
    report: Callable[[str], None] = lambda line: None,
) -> Encoder:
    """Train a network and write it as an encoder.

    Parameters
    ----------
    model
        As :func:`~beetsplug.deejai.training.networks.compact` makes it.
    spectrograms, train, validation
        The music. The validation tracks are only ever measured: no choice follows.
    output
        A ``.keras`` file, replaced whenever the network is measured, so that a run that
        is broken off leaves an encoder too.
    validate_every
        Steps between two measurements.
    report
        Receives a line at each measurement.

    Returns
    -------
    Encoder
        The trained one, which `output` holds.
    """
    learner = with_head(model)
    learner.compile(
        optimizer=_optimizer(import_keras(), recipe),
        loss=nt_xent(temperature=recipe.temperature, spare_group=recipe.spare_group),
        jit_compile=False,
    )
    start = time.monotonic()
    losses: list[float] = []
    batches = _in_background(_batches(spectrograms, train, recipe), size=4)
    for step, (slices, labels) in enumerate(batches, start=1):
        losses.append(float(learner.train_on_batch(slices[..., None], labels)))
        if step % validate_every == 0 or step == recipe.n_steps:
            solve_last_layer(model, spectrograms, train)
            encoder = save_encoder(model, output)
            measured = _measure(encoder, spectrograms, validation)
            report(
                f"step {step}/{recipe.n_steps}  {time.monotonic() - start:.0f} s  "
                f"loss {np.mean(losses):.3f}{measured}"
            )
            losses.clear()
    return encoder


def solve_last_layer(
    model: Any, spectrograms: Spectrograms, tracks: Sequence[Track]
) -> None:
    """Set the last layer to the discriminant of the trunk's features.

    It is fitted to :data:`SLICES_PER_TRACK` slices of each track, evenly spaced.
    """
    below = trunk(model)
    features, numbers = [], []
    for number, track in enumerate(tracks):
        slices = spectrograms.slices(track)
        n_wanted = min(SLICES_PER_TRACK, len(slices))
        picked = np.linspace(0, len(slices) - 1, n_wanted).astype(int)
        features.append(below.predict_on_batch(slices[picked][..., None]))
        numbers += [number] * n_wanted
    last = model.get_layer("vectors")
    kernel, bias = fit_discriminant(
        np.concatenate(features), tracks=numbers, n_components=last.units
    )
    last.set_weights([kernel, bias])


def _optimizer(keras: Any, recipe: Recipe) -> Any:
    n_warm_up = max(1, recipe.n_steps // 20)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, recipe.n_steps - n_warm_up),
        warmup_target=recipe.learning_rate,
        warmup_steps=n_warm_up,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)


def _batches(
    spectrograms: Spectrograms, tracks: Sequence[Track], recipe: Recipe
) -> Iterator[tuple[Any, Any]]:
    rng = np.random.default_rng(recipe.seed)
    for _ in range(recipe.n_steps):
        yield draw_pairs(spectrograms, tracks, n_tracks=recipe.n_tracks, rng=rng)


def _in_background(batches: Iterator[Any], *, size: int) -> Iterator[Any]:
    """Make the next batches while the network learns from this one."""
    ready: queue.Queue[Any] = queue.Queue(size)
    stopped = threading.Event()

    def put(batch: Any) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(batch, timeout=0.25)
                return

    def work() -> None:
        try:
            for batch in batches:
                put(batch)
                if stopped.is_set():
                    return
            put(None)
        except Exception as error:  # noqa: BLE001 - raised again by who waits for it
            put(error)

    worker = threading.Thread(target=work, name="deejai-batches", daemon=True)
    worker.start()
    try:
        while (batch := ready.get()) is not None:
            if isinstance(batch, Exception):
                raise batch
            yield batch
    finally:
        stopped.set()
        worker.join()


def save_encoder(model: Any, output: Path) -> Encoder:
    """Write a network without what only training needs, through a temporary name."""
    folded = fold_batch_norm(model)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.stem}.part.keras")
    folded.save(temporary)
    temporary.replace(output)
    return KerasEncoder(folded, model_id=output.stem)


def _measure(
    encoder: Encoder, spectrograms: Spectrograms, tracks: Sequence[Track]
) -> str:
    if not tracks:
        return ""
    figures = evaluate(
        [encoder.encode(spectrograms.slices(track)) for track in tracks],
        labels=[track.group for track in tracks],
    )
    return "".join(f"  {name} {value:.3f}" for name, value in figures.items())
