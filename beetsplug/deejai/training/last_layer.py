"""The last layer of an encoder, set to what parts tracks best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.training.devices import ALONE
from beetsplug.deejai.training.discriminant import fit_discriminant
from beetsplug.deejai.training.networks import LAST, trunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.training.dataset import Spectrograms, Track
    from beetsplug.deejai.training.devices import Devices

SOLVED_TRACKS = 2000
"""Tracks that the last layer is fitted to, at most."""

SOLVED_SLICES = 16
"""Slices of each of them: 80 s."""


def solve_last_layer(
    network: Any,
    spectrograms: Spectrograms,
    tracks: Sequence[Track],
    *,
    seed: int = 0,
    devices: Devices = ALONE,
) -> None:
    """Set the last layer to the discriminant of what it sees.

    It is fitted to :data:`SOLVED_SLICES` slices of each track, evenly spaced, of at
    most :data:`SOLVED_TRACKS` tracks. Of several processes the first one's counts.
    """
    below = trunk(network)
    if len(tracks) > SOLVED_TRACKS:
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(len(tracks), SOLVED_TRACKS, replace=False))
        tracks = [tracks[k] for k in chosen]
    seen, numbers = [], []
    for number, track in enumerate(tracks):
        slices = spectrograms.slices(track, max_slices=SOLVED_SLICES)
        seen.append(np.asarray(below.predict_on_batch(slices[..., None])))
        numbers += [number] * len(slices)
    last = network.get_layer(LAST)
    kernel, bias = fit_discriminant(
        np.concatenate(seen), tracks=numbers, n_components=last.units
    )
    solved = devices.from_first(np.concatenate([kernel, bias[None]]))
    last.set_weights([solved[:-1], solved[-1]])
