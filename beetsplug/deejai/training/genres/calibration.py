"""Slices to tracks, and how sure to be: temperature scaling.

C. Guo and others, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.evaluation.classification import cross_entropy
from beetsplug.deejai.training.dataset import spaced

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]

MAX_TRACKS = 4000
"""Tracks that a temperature, which is one number, is fitted to at most."""

RANGE = 4.0
"""A temperature is between this and its reciprocal."""

MADE_UP_TRACKS = 20
"""Tracks' worth of belief that the probabilities are right as they are.

So a few tracks, which may be all right or all wrong by chance, change little; several
dozen say more than it. A prior that is made of observations which a simpler model
predicts: D. Huang and others, "Catalytic prior distributions with application to
generalized linear models", PNAS 117 (2020)."""


def compositions(logits: Array, counts: Ints, *, temperature: float = 1.0) -> Array:
    """Average the probabilities of each track's slices.

    Parameters
    ----------
    logits
        Shape (counts.sum(), n_genres): tracks one after another.
    counts
        Slices of each track, at least 1, shape (n_tracks,).
    temperature
        What logits are divided by; more makes less sure.

    Returns
    -------
    ndarray of float32, shape (n_tracks, n_genres)
        Rows add up to 1.
    """
    odds = (logits - logits.max(axis=1, keepdims=True)) / np.float32(temperature)
    np.exp(odds, out=odds)
    odds /= odds.sum(axis=1, keepdims=True)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.asarray(np.add.reduceat(odds, starts, axis=0) / counts[:, None], "f4")


def fit_temperature(logits: Array, counts: Ints, targets: Array) -> float:
    """Find the temperature at which the tracks' compositions fit best.

    They are fitted together with :data:`MADE_UP_TRACKS` that are as often of each genre
    as is predicted of them, for which 1 is best.

    Parameters
    ----------
    logits, counts
        As for :func:`compositions`, of tracks that were not learnt from.
    targets
        Shape (n_tracks, n_genres); rows add up to 1.

    Returns
    -------
    float
        From 1 / :data:`RANGE` to :data:`RANGE`.
    """
    from scipy.optimize import minimize_scalar

    chosen = spaced(len(counts), MAX_TRACKS)
    logits = logits[rows_of(chosen, counts)]
    counts, targets = counts[chosen], targets[chosen]
    # The cross-entropy is linear in the targets, so both kinds of tracks are one sum.
    belief = np.float32(MADE_UP_TRACKS / (MADE_UP_TRACKS + len(counts)))
    targets = (1 - belief) * targets + belief * compositions(logits, counts)

    def miss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        found = compositions(logits, counts, temperature=temperature)
        return cross_entropy(found, targets)

    bound = float(np.log(RANGE))
    found = minimize_scalar(miss, bounds=(-bound, bound), method="bounded")
    return float(np.exp(found.x))


def rows_of(tracks: Ints, counts: Ints) -> Ints:
    """List the rows of some tracks' slices, of tracks that lie one after another."""
    starts = np.cumsum(counts) - counts
    rows = [np.arange(starts[k], starts[k] + counts[k]) for k in tracks]
    return np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
