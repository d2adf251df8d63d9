"""How well probabilities of classes are, where a track may be of several (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]
    Ints = npt.NDArray[np.int64]

N_BINS = 10
"""Bins of confidence for :func:`calibration_error`."""


@dataclass(frozen=True)
class Scores:
    """What a classifier is worth.

    Attributes
    ----------
    accuracy
        Share of tracks whose most probable class is one of theirs, 0 to 1.
    macro_f1
        Mean over classes of the harmonic mean of precision and recall, 0 to 1.
    calibration_error
        See :func:`calibration_error`, 0 to 1.
    confusion
        See :func:`confusion`.
    """

    accuracy: float
    macro_f1: float
    calibration_error: float
    confusion: Ints


def score(probabilities: Floats, targets: Floats) -> Scores:
    """Compare probabilities with what tracks are.

    Parameters
    ----------
    probabilities
        Shape (n_tracks, n_classes); rows add up to 1.
    targets
        The same shape; more than 0 for each class that a track is of, at least one.
    """
    matrix = confusion(probabilities, targets)
    return Scores(
        accuracy=float(hits(probabilities, targets).mean()),
        macro_f1=macro_f1(matrix),
        calibration_error=calibration_error(probabilities, targets),
        confusion=matrix,
    )


def hits(probabilities: Floats, targets: Floats) -> npt.NDArray[np.bool_]:
    """Tell of each track whether its most probable class is one of its own."""
    best = probabilities.argmax(axis=1)
    return np.asarray(targets[np.arange(len(targets)), best] > 0)


def main_class(targets: Floats) -> Ints:
    """Return the one class that stands for each track: of several the last.

    With the commonest class first that is the rarest.
    """
    n_classes = targets.shape[1]
    last = (targets[:, ::-1] > 0).argmax(axis=1)
    return np.asarray(n_classes - 1 - last, dtype=np.int64)


def confusion(probabilities: Floats, targets: Floats) -> Ints:
    """Count which class tracks are of (rows), and which is the most probable (columns).

    A track of several classes counts in the row of the one that was found, or else of
    its :func:`main_class`.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes)
    """
    best = probabilities.argmax(axis=1)
    rows = np.where(hits(probabilities, targets), best, main_class(targets))
    matrix = np.zeros((targets.shape[1],) * 2, dtype=np.int64)
    np.add.at(matrix, (rows, best), 1)
    return matrix


def macro_f1(matrix: Ints) -> float:
    """Return the mean F1 of the classes of a :func:`confusion` matrix that occur."""
    right = np.diag(matrix).astype(float)
    either = matrix.sum(axis=0) + matrix.sum(axis=1)
    occurs = either > 0
    return float((2 * right[occurs] / either[occurs]).mean()) if occurs.any() else 0.0


def calibration_error(
    probabilities: Floats, targets: Floats, *, n_bins: int = N_BINS
) -> float:
    """Return the expected calibration error of the most probable class.

    Tracks are put into bins of equal width by the probability of that class; the error
    is the mean distance between it and the share of hits, over tracks (Guo and others,
    "On calibration of modern neural networks", 2017).
    """
    confidence = probabilities.max(axis=1).astype(float)
    bins = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    missed = np.zeros(n_bins)
    np.add.at(missed, bins, hits(probabilities, targets) - confidence)
    return float(np.abs(missed).sum() / max(len(targets), 1))


def cross_entropy(probabilities: Floats, targets: Floats) -> float:
    """Return the mean cross-entropy in nats; the smaller, the better."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    return float(-(targets * logs).sum(axis=1).mean())
