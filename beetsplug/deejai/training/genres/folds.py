"""Which tracks measure a classifier of genres: artists that it has not learnt from."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from beetsplug.deejai.training.genres.labels import GenreLabels

    Ints = npt.NDArray[np.int64]

N_FOLDS = 5
"""Parts of the music, each of which is predicted from all others."""

N_TRIES = 10
"""Divisions that are drawn to find one that leaves some of every genre to learn."""


def draw_folds(labels: GenreLabels, *, seed: int, n_folds: int = N_FOLDS) -> Ints:
    """Divide tracks into folds of about as much of every genre each.

    All tracks of an artist are in the same fold, unless all genres are by one artist
    each: then tracks are divided, whoever they are by.

    Parameters
    ----------
    labels
        The tracks.
    seed
        Of what is drawn.
    n_folds
        Fewer are made where there are fewer artists, or tracks of a genre.

    Returns
    -------
    ndarray of int64, shape (n_tracks,)
        From 0; all 0 where nothing can be held out.
    """
    best, best_score = np.zeros(len(labels.tracks), dtype=np.int64), -1
    for folds in _divisions(labels, seed=seed, n_folds=n_folds):
        score = min(_n_learnt(labels, folds != number) for number in np.unique(folds))
        if score > best_score:
            best, best_score = folds, score
        if score == len(labels.genres):
            break
    return best


def draw_held_out(
    labels: GenreLabels, *, share: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Choose tracks to hold out, of each genre about the same share.

    Of several divisions as :func:`draw_folds` makes them, the part is taken that has
    the genres of all tracks most nearly in the same shares.

    Parameters
    ----------
    labels
        The tracks.
    share
        Of the tracks, 0 to 0.5.
    seed
        Of what is drawn.

    Returns
    -------
    ndarray of bool, shape (n_tracks,)
        False for all where nothing can be held out.
    """
    best = np.zeros(len(labels.tracks), dtype=bool)
    if not share:
        return best
    best_score = (0, -np.inf)
    wanted = share * labels.targets.sum(axis=0)
    for folds in _divisions(labels, seed=seed, n_folds=max(2, round(1 / share))):
        for number in np.unique(folds):
            chosen = folds == number
            away = np.abs(labels.targets[chosen].sum(axis=0) - wanted) / wanted
            score = (_n_learnt(labels, ~chosen), -float(away.sum()))
            if score > best_score:
                best, best_score = chosen, score
    return best


def _divisions(labels: GenreLabels, *, seed: int, n_folds: int) -> Iterator[Ints]:
    """Draw divisions into folds; none where nothing can be held out."""
    # They import scikit-learn, which costs seconds.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    classes = labels.main
    counts = np.bincount(classes, minlength=len(labels.genres))
    if labels.by_artist:
        n_folds = min(n_folds, len(set(labels.groups)), int(counts.max()))
        kind, groups = StratifiedGroupKFold, np.array(labels.groups)
    else:
        n_folds = min(n_folds, int(counts[counts > 0].min()))
        kind, groups = StratifiedKFold, None
    for attempt in range(N_TRIES if n_folds > 1 else 0):
        folds = np.zeros(len(classes), dtype=np.int64)
        splitter = kind(n_folds, shuffle=True, random_state=(seed + attempt) % 2**32)
        with warnings.catch_warnings():
            # Genres of fewer tracks than folds are known to be thin.
            warnings.simplefilter("ignore", UserWarning)
            parts = splitter.split(classes, classes, groups)
            for number, (_, rows) in enumerate(parts):
                folds[rows] = number
        yield folds


def _n_learnt(labels: GenreLabels, is_learnt: npt.NDArray[np.bool_]) -> int:
    """Count the genres of which something is learnt."""
    return int((labels.targets[is_learnt].sum(axis=0) > 0).sum())
