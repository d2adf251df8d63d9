from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.lists import (
    cohesion,
    diversity,
    label_entropy,
    variety,
)


def sets(*labels: str) -> list[frozenset[str]]:
    return [frozenset(label.split()) for label in labels]


def test_cohesion_is_the_share_of_pairs_that_share_a_label() -> None:
    assert cohesion(sets("rock", "rock pop", "pop", "jazz")) == pytest.approx(2 / 6)
    assert cohesion(sets("rock", "rock")) == 1.0


def test_unknown_labels_make_no_pair() -> None:
    assert cohesion(sets("rock", "", "rock", "")) == 1.0
    assert math.isnan(cohesion(sets("rock", "")))


def test_entropy_of_genres_in_bits() -> None:
    assert label_entropy(sets("rock", "rock", "")) == 0.0
    assert label_entropy(sets("rock", "pop")) == pytest.approx(1.0)
    # A track of two genres counts half for each: 3/4 rock, 1/4 pop.
    assert label_entropy(sets("rock", "rock pop")) == pytest.approx(0.811278, abs=1e-6)
    assert math.isnan(label_entropy(sets("", "")))


def test_variety_counts_artists_for_each_track() -> None:
    assert variety(sets("a", "b", "a", "")) == pytest.approx(2 / 3)
    assert math.isnan(variety(sets("")))


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    assert diversity(np.array([[1.0, 0], [0, 2.0]])) == pytest.approx(1.0)
    assert diversity(np.array([[1.0, 0], [-3.0, 0]])) == pytest.approx(2.0)
    assert diversity(np.ones((4, 3))) == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ValueError, match="playlist"):
        diversity(np.ones((1, 3)))


@given(seed=st.integers(0, 1000), n=st.integers(2, 12))
def test_order_and_length_do_not_matter(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, 6))
    labels = [frozenset(rng.choice(list("abcd"), rng.integers(0, 3))) for _ in range(n)]
    order = rng.permutation(n)
    shuffled = [labels[i] for i in order]
    for measure in (cohesion, label_entropy, variety):
        np.testing.assert_allclose(measure(shuffled), measure(labels))
    scaled = vectors[order] * rng.uniform(0.1, 9, (n, 1))
    assert diversity(scaled) == pytest.approx(diversity(vectors), abs=1e-5)
