"""The state of a training run on disk, so that one that was broken off goes on."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.output.atomic import atomic_writer, explained

if TYPE_CHECKING:
    from pathlib import Path

    from beetsplug.deejai.training.devices import Devices


@dataclass
class Progress:
    """How far a run has come.

    Attributes
    ----------
    step
        Batches learnt from.
    seconds
        Time spent, all sittings together.
    best_score
        The best validation score so far; None before the first.
    best_step
        When that was.
    untrained
        The validation score before the first batch.
    """

    step: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_step: int = 0
    untrained: float | None = None


def save_checkpoint(
    path: Path, progress: Progress, *, run: str, model: Any, optimizer: Any
) -> None:
    """Write weights, optimiser and progress, all or nothing.

    Parameters
    ----------
    path
        An ``.npz`` file.
    progress
        How far the run has come.
    run
        What tells this run from others, such as a hash of its options.
    model, optimizer
        Keras' own; their variables are written as plain arrays.

    Raises
    ------
    FatalError
        The file cannot be written: a full disk, a missing permission.
    """
    to_numpy = import_keras().ops.convert_to_numpy
    arrays = {f"model_{k}": to_numpy(v) for k, v in enumerate(model.variables)}
    for k, variable in enumerate(optimizer.variables):
        arrays[f"optimizer_{k}"] = to_numpy(variable)
    state = json.dumps({"run": run, "progress": vars(progress)})
    with atomic_writer(str(path)) as file, explained(str(path)):
        np.savez(file, state=np.array(state), **arrays)


def load_checkpoint(
    path: Path, *, run: str, model: Any, optimizer: Any, devices: Devices
) -> Progress | None:
    """Put a run back to where its checkpoint was written.

    Parameters
    ----------
    path, run, model, optimizer
        As they were given to :func:`save_checkpoint`.
    devices
        The first process reads the file for all.

    Returns
    -------
    Progress or None
        None, and nothing is changed, when there is no checkpoint of this run or it is
        damaged.
    """
    variables = {f"model_{k}": v for k, v in enumerate(model.variables)}
    variables |= {f"optimizer_{k}": v for k, v in enumerate(optimizer.variables)}
    data = b""
    with contextlib.suppress(OSError):
        data = path.read_bytes() if devices.is_first else b""
    try:
        file = io.BytesIO(devices.bytes_from_first(data))
        with np.load(file, allow_pickle=False) as file:
            state = json.loads(str(file["state"]))
            if state["run"] != run:
                return None
            arrays = {name: file[name] for name in variables}
        progress = Progress(**state["progress"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    if any(arrays[name].shape != tuple(v.shape) for name, v in variables.items()):
        return None
    for name, variable in variables.items():
        variable.assign(arrays[name])
    return progress
