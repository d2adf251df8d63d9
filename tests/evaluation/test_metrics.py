from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.metrics import (
    evaluate,
    mean_reciprocal_rank,
    precision_at_k,
)


def on_circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_precision_counts_neighbours_of_the_same_label() -> None:
    # 0 and 10 find each other; 20's nearest is 10, and 90's is 20.
    vectors = on_circle(0, 10, 21, 90)
    labels = ["soul", "soul", "techno", "techno"]
    assert precision_at_k(vectors, labels=labels, k=1) == pytest.approx(0.75)


def test_a_track_is_not_its_own_neighbour() -> None:
    vectors = on_circle(0, 80, 10, 90)
    assert precision_at_k(vectors, labels=["a", "a", "b", "b"], k=1) == 0.0


def test_tracks_whose_label_no_other_has_are_no_queries() -> None:
    vectors = on_circle(0, 10, 50)
    assert precision_at_k(vectors, labels=["a", "a", "alone"], k=1) == 1.0


def test_a_small_label_can_reach_full_precision() -> None:
    vectors = on_circle(0, 1, 90, 91, 92)
    assert precision_at_k(vectors, labels=["a", "a", "b", "b", "b"], k=4) == 1.0


def test_length_of_vectors_does_not_matter() -> None:
    vectors = on_circle(0, 10, 21, 90)
    scaled = vectors * np.array([[1.0], [50.0], [0.01], [3.0]])
    labels = ["a", "a", "b", "b"]
    assert precision_at_k(scaled, labels=labels, k=2) == precision_at_k(
        vectors, labels=labels, k=2
    )


def test_reciprocal_rank_by_hand() -> None:
    # The second query finds a wrong target first, the others their own.
    queries, targets = on_circle(0, 40, 90), on_circle(5, 62, 80)
    queries[1] = on_circle(75)[0]
    assert mean_reciprocal_rank(queries, targets=targets) == pytest.approx(2.5 / 3)


def test_targets_that_are_all_equal_are_no_success() -> None:
    queries, targets = on_circle(0, 30, 60, 90), on_circle(5, 5, 5, 5)
    assert mean_reciprocal_rank(queries, targets=targets) == pytest.approx(0.25)


@given(seed=st.integers(0, 1000), n=st.integers(2, 12), k=st.integers(1, 15))
def test_metrics_stay_in_range_and_ignore_the_order_of_tracks(
    seed: int, n: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors, labels = rng.standard_normal((n, 8)), rng.integers(0, 2, n)
    labels[:2] = 0
    order = rng.permutation(n)
    value = precision_at_k(vectors, labels=list(labels), k=k)
    assert 0 <= value <= 1
    assert value == pytest.approx(
        precision_at_k(vectors[order], labels=list(labels[order]), k=k)
    )
    assert mean_reciprocal_rank(vectors, targets=vectors) == 1.0


@pytest.mark.parametrize(
    ("vectors", "labels", "message"),
    [
        (np.ones(4), "ab", "shape"),
        (np.full((2, 2), np.nan), "aa", "NaN"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), "aa", "zero"),
        (np.eye(3), "aa", "labels"),
        (np.eye(3), "abc", "share"),
    ],
)
def test_malformed_input_is_refused(
    vectors: np.ndarray, labels: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        precision_at_k(vectors, labels=labels, k=1)


def test_evaluate_pools_slices_and_measures_all() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(10 * np.eye(2, 16), 3, axis=0)
    centres[:, 4:] += rng.standard_normal((6, 12))
    tracks = [centre + 0.1 * rng.standard_normal((8, 16)) for centre in centres]
    figures = evaluate(tracks, labels=list("aaabbb"), k=2)
    assert figures == {"nearest": 1.0, "precision": 1.0, "halves": 1.0}


def test_a_track_of_one_slice_cannot_be_halved() -> None:
    with pytest.raises(ValueError, match="one slice"):
        evaluate([np.ones((1, 4)), np.ones((2, 4))], labels=["a", "a"])
