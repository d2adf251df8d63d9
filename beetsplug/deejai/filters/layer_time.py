"""Where in time the answers of a network's layer lie, found out by trial (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import (
    HOP_LENGTH,
    N_FRAMES,
    N_MELS,
    SAMPLE_RATE,
    SLICE_S,
)
from beetsplug.deejai.embedding.inference import BATCH_SLICES

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

FRAME_S = HOP_LENGTH / SAMPLE_RATE

_N_PROBES = 2
"""Noises in which every frame is changed to find out where in time answers lie."""

_BATCH_FRAMES = N_FRAMES // 4
"""As many of them as there is room for in a batch, beside the noise itself."""

_MAX_BEYOND = 0.02
"""Part of what a step sees that may lie beyond the slice."""

_LEAST_SHIFT_S = 1.0
"""How far apart the first and the last step of time look at least."""

_CHANGED = 1e-3
"""Part of the strongest change that counts as one; rounding stays far below."""


@dataclass(frozen=True)
class Time:
    """How an answer lies in time.

    Attributes
    ----------
    axis
        Of the answer; None where one answer sees the whole slice.
    steps
        Those along it that count.
    middles_s
        Middle of what each of these sees, in seconds, shape (n_steps,).
    seen_s
        How long that is for most of them.
    """

    axis: int | None
    steps: slice
    middles_s: Array
    seen_s: float


def find_time(run: Callable[[Array], Array]) -> Time:
    """Find out by trial which axis of an answer is time, and what each step sees.

    Noise is heard again and again, each time with other noise in a few of its frames:
    what changes in the answer is what sees these. That holds for any network, however
    its axes are turned around.

    Parameters
    ----------
    run
        Maps slices, shape (n, 96, 216), to answers, shape (n, ..., n_filters).
    """
    rng = np.random.default_rng(0)
    change = np.mean([_changes(run, rng) for _ in range(_N_PROBES)], axis=0)
    best: tuple[float, int | None, Array] = (_LEAST_SHIFT_S, None, change)
    for axis in range(1, change.ndim):
        others = tuple(i for i in range(1, change.ndim) if i != axis)
        by_step = change.mean(axis=others)
        # Along frequency all steps look at the same time, the whole slice.
        middles_s = _middles_s(by_step)
        shift_s = float(middles_s[-1] - middles_s[0])
        if shift_s > best[0]:
            best = shift_s, axis, by_step
    _, time_axis, by_step = best
    if time_axis is None:
        middle_s = np.full(1, SLICE_S / 2, np.float32)
        return Time(None, slice(None), middle_s, SLICE_S)
    n_seen = np.count_nonzero(by_step > _CHANGED * by_step.max(axis=0), axis=0)
    steps = _steps_inside(by_step)
    return Time(
        time_axis,
        steps,
        _middles_s(by_step).astype(np.float32)[steps],
        float(np.median(n_seen)) * FRAME_S,
    )


def _changes(run: Callable[[Array], Array], rng: np.random.Generator) -> Array:
    """Return how much each frame of a noise changes the answers to it.

    Returns
    -------
    ndarray of float32, shape (216, ...)
        The axes of an answer follow, but for the filters, whose mean it is.
    """
    noise = rng.random((N_MELS, N_FRAMES), np.float32)
    parts = []
    for start in range(0, N_FRAMES, _BATCH_FRAMES):
        batch = np.repeat(noise[None], BATCH_SLICES, axis=0)
        for number in range(_BATCH_FRAMES):
            batch[number, :, start + number] = rng.random(N_MELS, np.float32)
        answers = run(batch)
        # The last slices are as they were: others are compared with one of them.
        change = np.abs(answers[:_BATCH_FRAMES] - answers[-1])
        parts.append(change.mean(axis=-1))
    return np.concatenate(parts)


def _middles_s(by_step: Array) -> npt.NDArray[np.float64]:
    """Return when what each step sees is, weighted by how much it answers to that."""
    times_s = (np.arange(N_FRAMES) + 0.5) * FRAME_S
    weights = by_step + np.float64(1e-12)
    return np.asarray(times_s @ weights / weights.sum(axis=0))


def _steps_inside(by_step: Array) -> slice:
    """Leave out the steps that look beyond the slice.

    What they see there is what the network fills its borders with: as if the music
    began or broke off, every five seconds. Filters for that would be loudest there, and
    nothing would be heard at these moments.
    """
    n_steps = by_step.shape[1]
    middles_s = _middles_s(by_step)
    middle, quarter = n_steps // 2, n_steps // 4
    # Near the borders the middle is one of what is left of the view.
    step_s = (middles_s[-1 - quarter] - middles_s[quarter]) / (
        n_steps - 1 - 2 * quarter
    )
    view = by_step[:, middle] / by_step[:, middle].sum()
    shifts_s = (np.arange(n_steps) - middle) * step_s
    times_s = (np.arange(N_FRAMES) + 0.5) * FRAME_S + shifts_s[:, None]
    is_beyond = (times_s < 0) | (times_s > SLICE_S)
    inside = np.flatnonzero((is_beyond * view).sum(axis=1) <= _MAX_BEYOND)
    # Of a network whose every answer depends on the whole slice, half is kept.
    return slice(
        min(int(inside[0]), quarter), max(int(inside[-1]) + 1, n_steps - quarter)
    )
