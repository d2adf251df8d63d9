"""Train a tiny network on FOLDER, alone or with other processes, and tell of it.

Run as a script: FOLDER OUTPUT [DEVICE...]. Standard output ends with a line of JSON.
The files go to OUTPUT, the checkpoint under the number of the process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.dataset import build_spectrograms
from beetsplug.deejai.training.devices import all_devices
from beetsplug.deejai.training.fit import Recipe, fit
from beetsplug.deejai.training.last_layer import solve_last_layer
from beetsplug.deejai.training.lessons import Lessons
from beetsplug.deejai.training.networks import compact
from beetsplug.deejai.training.objective import Objective
from beetsplug.deejai.training.pairs import Augmentation
from beetsplug.deejai.training.sources import find_music
from beetsplug.deejai.training.targets import Targets
from beetsplug.deejai.training.validation import Validation

if TYPE_CHECKING:
    from beetsplug.deejai.training.devices import Devices

SIZE = 4

RECIPE = Recipe(
    objective=Objective(target_size=SIZE, spare_group=False),
    # Tracks of one slice, unchanged: any number of processes draws the same batches.
    augmentation=Augmentation(0, 0.0, 0.0, 0, 0, 0.0),
    discriminant=False,
    n_tracks=4,
    validate_every=2,
)


def train(music: Path, output: Path, devices: Devices) -> list[str]:
    """Train for four steps, go on with two more, and solve the last layer."""
    spectrograms = build_spectrograms(
        find_music(music), output / "work", min_s=5, devices=devices
    )
    tracks = spectrograms.tracks
    short = [track for track in tracks if track.n_slices == 1]
    long = [track for track in tracks if track.n_slices > 1]
    vectors = np.random.default_rng(0).standard_normal((len(tracks), SIZE))
    targets = Targets([track.path for track in tracks], vectors)
    lessons = Lessons(targets, tracks, fitted_to=short)
    validation = Validation(spectrograms, long, lessons)
    said: list[str] = []
    for n_steps in (4, 6):
        network = compact(stem_filters=4, filters=(8,), vector_size=SIZE)
        fit(
            network,
            spectrograms,
            train=short,
            validation=validation,
            output=output / "a.keras",
            recipe=replace(RECIPE, n_steps=n_steps),
            lessons=lessons,
            checkpoint=output / f"process-{devices.process}.npz",
            devices=devices,
            report=said.append,
        )
    solve_last_layer(network, spectrograms, long, devices=devices)
    solved = KerasEncoder(network, model_id="solved")
    said.append(f"solved halves {validation.retrieval(solved)['halves']:.3f}")
    return said


def disagree(devices: Devices) -> list[str]:
    """Collect what is said of processes that differ, and of one that fails."""
    errors = []
    try:
        devices.require_alike("music", f"options of {devices.process}")
    except FatalError as error:
        errors.append(str(error))
    try:
        with devices.fail_together():
            if devices.process == 1:
                raise ValueError("no space left")
    except (FatalError, ValueError) as error:
        errors.append(str(error))
    return errors


if __name__ == "__main__":
    folder, output, *names = sys.argv[1:]
    with all_devices(names or None) as devices:
        told = {
            "devices": str(devices),
            "said": train(Path(folder), Path(output), devices),
            "errors": disagree(devices),
        }
    print(json.dumps(told))
