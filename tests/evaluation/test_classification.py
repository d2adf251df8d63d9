"""Figures of classifiers, where a track may be of several classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.classification import (
    calibration_error,
    confusion,
    cross_entropy,
    main_class,
    score,
)


def one_hot(classes: list[int], n_classes: int = 3) -> np.ndarray:
    return np.eye(n_classes, dtype=np.float32)[classes]


def test_a_classifier_that_is_always_right_and_sure_is_perfect() -> None:
    truth = one_hot([0, 1, 2, 1])
    scores = score(truth, truth)
    assert (scores.accuracy, scores.macro_f1, scores.calibration_error) == (1, 1, 0)
    assert np.array_equal(scores.confusion, np.diag([1, 2, 1]))


def test_rows_are_what_tracks_are_and_columns_what_they_are_taken_for() -> None:
    matrix = confusion(one_hot([1, 1, 2]), one_hot([0, 0, 2]))
    assert matrix.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_any_of_a_tracks_classes_is_right_and_the_rarest_stands_for_it_else() -> None:
    truth = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]])
    found = one_hot([0, 2])
    assert score(found, truth).accuracy == 0.5
    assert main_class(truth).tolist() == [1, 1]
    assert confusion(found, truth).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_macro_f1_counts_small_classes_as_much_as_large_ones() -> None:
    truth = one_hot([0] * 9 + [1])
    scores = score(one_hot([0] * 10), truth)
    assert scores.accuracy == 0.9
    assert scores.macro_f1 == pytest.approx((2 * 9 / 19 + 0) / 2)


def test_being_sure_and_wrong_is_a_calibration_error() -> None:
    truth = one_hot([0, 0, 1, 1], 2)
    sure = np.tile([0.95, 0.05], (4, 1))
    assert calibration_error(sure, truth) == pytest.approx(0.45)
    assert calibration_error(np.full((4, 2), 0.5), truth) == pytest.approx(0)


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 99))
def test_figures_are_shares(n_tracks: int, n_classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = rng.dirichlet(np.ones(n_classes), n_tracks)
    truth = one_hot(rng.integers(n_classes, size=n_tracks).tolist(), n_classes)
    scores = score(found, truth)
    figures = (scores.accuracy, scores.macro_f1, scores.calibration_error)
    assert all(0 <= figure <= 1 for figure in figures)
    assert scores.confusion.sum() == n_tracks
    assert cross_entropy(found, truth) >= 0
