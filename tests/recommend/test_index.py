from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import made_library

from beetsplug.deejai.recommend.index import (
    Index,
    add_noise,
    hop_similarities,
    query_vector,
)
from beetsplug.deejai.vectors import unit


def test_a_track_is_found_by_its_id() -> None:
    index = made_library(5).index
    assert [index.row_of(i) for i in (1000, 1004, 999)] == [0, 4, None]
    assert len(index) == 5


def test_similarities_are_cosines() -> None:
    index = made_library(20).index
    one = index.similarities(index.vectors[3])
    assert one.dtype == np.float32
    assert one[3] == pytest.approx(1.0)
    assert one.max() <= 1.0
    many = index.similarities(index.vectors[:4])
    assert many.shape == (4, 20)
    np.testing.assert_allclose(many[3], one, atol=1e-6)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="ids"):
        Index(np.arange(3), np.eye(4, dtype=np.float32))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 4), st.integers(2, 30))
def test_a_query_has_unit_length(seed: int, n: int, n_minus: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    minus = rng.standard_normal((n_minus, size))
    query = query_vector(rng.standard_normal((n, size)), minus=minus)
    assert query.dtype == np.float32
    assert np.linalg.norm(query) == pytest.approx(1.0, abs=1e-6)


def test_a_query_leans_to_the_seeds_and_away_from_the_others() -> None:
    a, b, c = np.eye(3)
    np.testing.assert_allclose(query_vector([a, 5 * b]), [0.5**0.5, 0.5**0.5, 0])
    np.testing.assert_allclose(query_vector([a], minus=[c]), [0.5**0.5, 0, -(0.5**0.5)])
    np.testing.assert_allclose(query_vector([a, b], weights=[3, 4]), [0.6, 0.8, 0])
    away = query_vector([a], minus=[b, c], minus_weights=[1.5, 4])
    np.testing.assert_allclose(away, unit([1, -0.75, -2]), rtol=1e-6)
    np.testing.assert_allclose(query_vector([a], minus=[b], minus_weights=[0]), a)


def test_a_query_that_cancels_falls_back_to_the_seeds() -> None:
    a, b = np.eye(2)
    assert query_vector([a], minus=[a]).tolist() == a.tolist()
    assert query_vector([a, -a]).tolist() == a.tolist()
    assert query_vector([b, -b], minus=[[0.0, 0.0]]).tolist() == b.tolist()
    assert query_vector([[0.0, 0.0]]).tolist() == [0.0, 0.0]


def test_a_query_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        query_vector(np.empty((0, 4)))


def test_noise_is_as_loud_as_drunk_says() -> None:
    rng = np.random.default_rng(1)
    sober = np.eye(100, dtype=np.float32)[:2]
    assert (add_noise(sober, drunk=0.0, rng=rng) == sober).all()
    many = np.repeat(sober[:1], 2000, axis=0)
    for drunk in (0.1, 1.0):
        noisy = add_noise(many, drunk=drunk, rng=rng)
        np.testing.assert_allclose(np.linalg.norm(noisy, axis=1), 1.0, atol=1e-6)
        expected = 1 / np.sqrt(1 + drunk**2)
        assert noisy[:, 0].mean() == pytest.approx(expected, abs=0.01)


def test_no_noise_leaves_the_generator_alone() -> None:
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    add_noise(np.eye(3), drunk=0.0, rng=rng)
    assert rng.bit_generator.state == before


def test_hops_are_between_neighbours() -> None:
    a, b = np.eye(2)
    tracks = [a, 2 * a, b, -b]
    np.testing.assert_allclose(hop_similarities(tracks, tracks), [1, 0, -1])
    np.testing.assert_allclose(hop_similarities([a, b], [b, a]), [1])
    assert hop_similarities([a], [a]).size == 0
