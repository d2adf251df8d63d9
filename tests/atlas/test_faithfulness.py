from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness

from beetsplug.deejai.atlas.faithfulness import FEWEST, measure_faithfulness


def unit(n: int, d: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def any_map(n: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + 1).random((n, 2), dtype=np.float32)


@settings(deadline=None, max_examples=30)
@given(st.integers(FEWEST, 120), st.integers(1, 30), st.integers(0, 1000))
def test_it_is_what_scikit_learn_says(n: int, k: int, seed: int) -> None:
    vectors, positions = unit(n, 8, seed=seed), any_map(n, seed=seed)
    found = measure_faithfulness(vectors, positions, k=k)
    assert found is not None
    k = found.n_neighbours
    assert k <= (n - 1) / 2
    expected = trustworthiness(vectors, positions, n_neighbors=k, metric="cosine")
    assert found.trustworthiness == pytest.approx(expected, abs=1e-4)
    # Between unit vectors, those that are nearer are so by either distance.
    swapped = trustworthiness(positions, vectors, n_neighbors=k)
    assert found.continuity == pytest.approx(swapped, abs=1e-4)
    assert found.n_measured == n


def test_a_map_that_keeps_all_neighbours_is_perfect() -> None:
    angles = np.sort(np.random.default_rng(0).random(60)) * np.pi / 2
    positions = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = measure_faithfulness(positions, positions)
    assert found is not None
    assert (found.trustworthiness, found.continuity) == (1.0, 1.0)
    assert found.n_shared == found.n_neighbours == 15


def test_a_map_drawn_by_lot_has_about_half() -> None:
    found = measure_faithfulness(unit(1500, 20), any_map(1500))
    assert found is not None
    assert found.trustworthiness == pytest.approx(0.5, abs=0.03)
    assert found.continuity == pytest.approx(0.5, abs=0.03)
    assert found.n_shared < 1


def test_a_map_torn_apart_is_less_continuous_than_trustworthy() -> None:
    line = np.linspace(0.0, 1.0, 100, dtype=np.float32)
    vectors = np.stack([np.cos(line), np.sin(line)], axis=1)
    # The second half is put elsewhere, whole.
    torn = np.stack([line + 5.0 * (line > 0.5), line * 0], axis=1)
    found = measure_faithfulness(vectors, torn)
    assert found is not None
    assert found.continuity < found.trustworthiness


def test_a_sample_says_nearly_the_same_and_always_the_same() -> None:
    vectors = unit(1200, 6)
    positions = vectors[:, :2].copy()
    whole = measure_faithfulness(vectors, positions)
    some = measure_faithfulness(vectors, positions, most_cells=1200 * 300)
    assert whole is not None
    assert some is not None
    assert (whole.n_measured, some.n_measured) == (1200, 300)
    assert some.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.02)
    assert some.continuity == pytest.approx(whole.continuity, abs=0.02)
    again = measure_faithfulness(vectors, positions, most_cells=1200 * 300)
    assert again == some


@pytest.mark.parametrize("n", range(FEWEST))
def test_of_a_few_tracks_there_is_no_number(n: int) -> None:
    assert measure_faithfulness(unit(n, 4), any_map(n)) is None


@pytest.mark.parametrize("n", [FEWEST, 20, 40])
def test_equal_tracks_and_equal_places_do_no_harm(n: int) -> None:
    same = np.ones((n, 4), dtype=np.float32) / 2
    for vectors, positions in (
        (same, any_map(n)),
        (unit(n, 4), np.full((n, 2), 0.5, dtype=np.float32)),
        (same, np.full((n, 2), 0.5, dtype=np.float32)),
    ):
        found = measure_faithfulness(vectors, positions)
        assert found is not None
        assert 0.0 <= found.trustworthiness <= 1.0
        assert 0.0 <= found.continuity <= 1.0
        assert 0.0 <= found.n_shared <= found.n_neighbours


def test_it_is_said_in_plain_words() -> None:
    found = measure_faithfulness(unit(100, 2), any_map(100))
    assert found is not None
    sentence = found.sentence()
    assert "Of the 15 tracks nearest to one on the map" in sentence
    assert f"Trustworthiness {found.trustworthiness:.2f}" in sentence
    assert f"continuity {found.continuity:.2f}" in sentence


def test_20_000_tracks_take_seconds() -> None:
    """A floor for a busy machine; it takes about one."""
    vectors, positions = unit(20_000, 100), any_map(20_000)
    began = time.monotonic()
    found = measure_faithfulness(vectors, positions)
    assert time.monotonic() - began < 15
    assert found is not None
    assert found.n_measured == 1000
