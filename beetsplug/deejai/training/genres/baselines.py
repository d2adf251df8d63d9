"""What a classifier of genres has to beat: the commonest genre, and MFCC statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.evaluation.baselines import listen_to
from beetsplug.deejai.evaluation.classification import main_class, score
from beetsplug.deejai.training.genres.head import genre_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.classification import Scores

    Array = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]


def majority(targets: Array) -> Scores:
    """Score always saying the genre that is commonest among the tracks themselves.

    Parameters
    ----------
    targets
        Shape (n_tracks, n_genres).
    """
    shares = targets.mean(axis=0)
    return score(np.tile(shares / shares.sum(), (len(targets), 1)), targets)


def mfcc_regression(
    paths: Sequence[str],
    targets: Array,
    folds: Ints,
    *,
    measured: Ints,
    n_threads: int,
) -> tuple[Scores | None, int]:
    """Score logistic regression on MFCC statistics of the tracks' slices.

    A track is described by the means of its slices' statistics, standardised.

    Parameters
    ----------
    paths
        Audio files.
    targets
        Shape (n_tracks, n_genres).
    folds
        Shape (n_tracks,).
    measured
        The folds that are predicted, each from all others.
    n_threads
        How many files are decoded at the same time.

    Returns
    -------
    Scores or None
        None when too little could be heard.
    int
        How many tracks could not be heard; they are left out.
    """
    rows, features = [], []
    heard = listen_to(paths, encoders={}, n_threads=n_threads)
    for row, one in enumerate(heard):
        if not isinstance(one, TrackError):
            rows.append(row)
            features.append(one.mfcc.mean(axis=0))
    n_missing = len(paths) - len(rows)
    if not rows:
        return None, n_missing
    known, targets, folds = np.stack(features), targets[rows], folds[rows]
    predicted = np.zeros_like(targets)
    for number in measured:
        learnt, held_out = folds != number, folds == number
        if held_out.any():
            if len(np.unique(main_class(targets[learnt]))) < 2:
                return None, n_missing
            predicted[held_out] = _predict(
                known[learnt], targets[learnt], known[held_out]
            )
    chosen = np.isin(folds, measured)
    return (
        score(predicted[chosen], targets[chosen]) if chosen.any() else None
    ), n_missing


def _predict(known: Array, targets: Array, asked: Array) -> Array:
    # They import scikit-learn, which costs seconds.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    # A track of several genres is learnt from once for each.
    rows, classes = np.nonzero(targets)
    weights = (targets @ genre_weights(targets))[rows] * targets[rows, classes]
    model.fit(known[rows], classes, logisticregression__sample_weight=weights)
    found = np.zeros((len(asked), targets.shape[1]), dtype=np.float32)
    found[:, model.classes_] = model.predict_proba(asked)
    return found
