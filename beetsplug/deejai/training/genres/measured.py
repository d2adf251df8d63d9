"""What was measured of a classifier of genres, on tracks not learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.evaluation.classification import cross_entropy, score
from beetsplug.deejai.training.genres.calibration import (
    compositions,
    fit_temperature,
    rows_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.evaluation.classification import Scores

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]


FEW_TRACKS = 30
"""Fewer give rough figures, and no temperature.

The standard error of the accuracy of so many is up to 0.09."""


@dataclass(frozen=True)
class Measured:
    """Figures of held-out tracks.

    Attributes
    ----------
    n_tracks
        How many there are.
    scores
        With the temperature, if any; that of each fold is fitted to the others.
    uncalibrated
        The calibration error without it.
    temperature
        Fitted to all of them: that of the model which is kept. 1 where they are fewer
        than :data:`FEW_TRACKS`, or none is seen to help on other folds than it is
        fitted to.
    """

    n_tracks: int
    scores: Scores
    uncalibrated: float
    temperature: float


def measure(logits: Array, counts: Ints, targets: Array, folds: Ints) -> Measured:
    """Measure held-out predictions.

    Parameters
    ----------
    logits
        Of slices, shape (counts.sum(), n_genres), none of them learnt from.
    counts
        Slices of each track.
    targets
        Shape (n_tracks, n_genres); rows add up to 1.
    folds
        Shape (n_tracks,): a temperature is tried on other folds than it is fitted to.
    """
    temperature = 1.0
    plain = compositions(logits, counts)
    scores = uncalibrated = score(plain, targets)
    numbers = np.unique(folds)
    if len(numbers) > 1 and len(counts) >= FEW_TRACKS:
        calibrated = np.empty_like(plain)
        for number in numbers:
            others, own = (
                np.flatnonzero(folds != number),
                np.flatnonzero(folds == number),
            )
            fitted = fit_temperature(
                logits[rows_of(others, counts)], counts[others], targets[others]
            )
            calibrated[own] = compositions(
                logits[rows_of(own, counts)], counts[own], temperature=fitted
            )
        tried = score(calibrated, targets)
        is_closer = tried.calibration_error < uncalibrated.calibration_error
        if is_closer and cross_entropy(calibrated, targets) < cross_entropy(
            plain, targets
        ):
            scores, temperature = tried, fit_temperature(logits, counts, targets)
    return Measured(
        n_tracks=len(counts),
        scores=scores,
        uncalibrated=uncalibrated.calibration_error,
        temperature=temperature,
    )
