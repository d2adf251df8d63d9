"""Go through batches until a network is no more getting better: the loop of training.

What is learnt, and from what, is the caller's.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.checkpoint import (
    Progress,
    load_checkpoint,
    save_checkpoint,
)
from beetsplug.deejai.training.devices import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from beetsplug.deejai.training.devices import Devices


@dataclass(frozen=True)
class Schedule:
    """How long and how fast is learnt; see :class:`~.fit.Recipe` for each number."""

    n_steps: int
    validate_every: int
    patience: int
    learning_rate: float
    weight_decay: float


def learn(
    model: Any,
    batches: Callable[[range], Iterator[tuple[Any, Any]]],
    *,
    loss: Callable[[Any, Any], Any],
    schedule: Schedule,
    measure: Callable[[], tuple[float | None, str]],
    is_measured: bool,
    save: Callable[[], object],
    output: Path,
    checkpoint: Path | None = None,
    run: str = "",
    devices: Devices = ALONE,
    report: Callable[[str], None] = lambda line: None,
) -> Progress:
    """Train a model; keep what does best, and a checkpoint after each measurement.

    Parameters
    ----------
    model
        What learns: a Keras model that is not compiled yet.
    batches
        Makes the batches of some steps: inputs and labels, as `loss` takes them.
    loss
        Maps labels and outputs to losses.
    schedule
        How long and how fast.
    measure
        Tells the score of the network as it stands, the higher the better, and a line
        about it. It may also finish the network; it is called before it is saved.
    is_measured
        Whether there is a score at all; else the last network is kept.
    save
        Writes the network to `output`.
    output
        Tells whether what did best is still there.
    checkpoint, run, devices, report
        As for :func:`~.fit.fit`.

    Returns
    -------
    Progress
        Steps, time and the best score.

    Raises
    ------
    FatalError
        The loss is no number, or something cannot be written.
    """
    optimizer = _optimizer(schedule)
    model.compile(
        optimizer=optimizer,
        loss=loss,
        # JAX is slow without it, and TensorFlow on a CPU with it.
        jit_compile=import_keras().backend.backend() == "jax",
    )
    optimizer.build(model.trainable_variables)
    progress = None
    if checkpoint is not None:
        progress = load_checkpoint(
            checkpoint,
            run=run,
            model=model,
            optimizer=optimizer,
            devices=devices,
        )
    if progress is not None:
        report(f"going on after step {progress.step}")
        if devices.agreed(not output.exists()):
            # What did best went with it: the network as it stands is what is left.
            progress.best_score, _ = measure()
            progress.best_step = progress.step
            with devices.fail_together():
                save()
    else:
        if checkpoint is not None and checkpoint.exists():
            report("the checkpoint is damaged or of another run: starting anew")
        progress = Progress()
        if is_measured:
            progress.untrained, _ = measure()
    started = time.monotonic() - progress.seconds
    while progress.step < schedule.n_steps:
        n_since = (progress.step - progress.best_step) // schedule.validate_every
        if progress.best_score is not None and 0 < schedule.patience <= n_since:
            report(f"no better for {n_since} measurements: done")
            break
        first, every = progress.step, schedule.validate_every
        progress.step = min(first - first % every + every, schedule.n_steps)
        with _in_background(batches(range(first, progress.step)), size=4) as ready:
            history = model.fit(
                ready,
                steps_per_epoch=progress.step - first,
                shuffle=False,
                verbose=0,
            )
        mean_loss = float(history.history["loss"][-1])
        if not np.isfinite(mean_loss):
            raise FatalError("the loss is no number any more: lower --learning-rate")
        score, line = measure()
        progress.seconds = time.monotonic() - started
        best = progress.best_score
        with devices.fail_together():
            if score is None or best is None or score > best:
                progress.best_score, progress.best_step = score, progress.step
                save()
            report(
                f"step {progress.step}/{schedule.n_steps}  {progress.seconds:.0f} s  "
                f"loss {mean_loss:.3f}{line}"
            )
            if checkpoint is not None and devices.is_first:
                save_checkpoint(
                    checkpoint,
                    progress,
                    run=run,
                    model=model,
                    optimizer=optimizer,
                )
    return progress


def _optimizer(schedule: Schedule) -> Any:
    keras = import_keras()
    n_warm_up = max(1, schedule.n_steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, schedule.n_steps - n_warm_up),
        warmup_target=schedule.learning_rate,
        warmup_steps=n_warm_up,
    )
    return keras.optimizers.AdamW(rate, weight_decay=schedule.weight_decay)


@contextlib.contextmanager
def _in_background(batches: Iterator[Any], *, size: int) -> Iterator[Iterator[Any]]:
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

    def take() -> Iterator[Any]:
        while (batch := ready.get()) is not None:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    worker = threading.Thread(target=work, name="deejai-batches", daemon=True)
    worker.start()
    try:
        yield take()
    finally:
        stopped.set()
        worker.join()
