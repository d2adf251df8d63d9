from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, made_libraries

from beetsplug.deejai.recommend.genres import GenreIndex, on_sphere, query_composition
from beetsplug.deejai.recommend.index import Index
from beetsplug.deejai.recommend.planning.arc import arc
from beetsplug.deejai.recommend.rules import UNRULED
from beetsplug.deejai.recommend.similar import similar

SIZES = st.integers(2, 12)


def compositions(n: int, n_genres: int, seed: int) -> np.ndarray:
    """Draw distributions: some of many genres, some of nearly one, some of just one."""
    rng = np.random.default_rng(seed)
    sharpness = rng.choice([0.05, 0.5, 5.0], size=n)[:, None]
    drawn = rng.gamma(np.broadcast_to(sharpness, (n, n_genres))) + 1e-12
    drawn[rng.random(n) < 0.2] = np.eye(n_genres)[rng.integers(n_genres)]
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None)
@given(made_libraries(), SIZES, st.integers(0, 2**32 - 1), st.data())
def test_the_nearest_are_those_of_the_smallest_euclidean_distance(
    library: MadeLibrary, n_genres: int, seed: int, data: st.DataObject
) -> None:
    catalogue = library.catalogue
    n = len(catalogue.allowed)
    vectors = compositions(n, n_genres, seed)
    seeds = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4))
    index = GenreIndex(np.arange(n), vectors)
    query = index.query(vectors[seeds])
    picks = similar(index, query, catalogue=catalogue, rules=UNRULED, n=10)

    def distance(row: int) -> float:
        return math.dist(vectors[row].tolist(), query.tolist())

    expected: list[int] = []
    used: set[int] = set()
    for row in sorted(np.flatnonzero(catalogue.allowed), key=distance):
        recording = int(catalogue.recordings[row])
        if recording not in used:
            expected.append(int(row))
            used |= {recording} - {-1}
    wanted = [distance(row) for row in expected[:10]]
    found = [distance(pick.row) for pick in picks]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-15)
    for pick in picks:
        shown = 1 - distance(pick.row) / math.sqrt(2)
        assert pick.similarity == pytest.approx(shown, abs=1e-12)


def test_similarity_is_1_for_the_same_and_0_for_nothing_in_common() -> None:
    index = GenreIndex(np.arange(3), np.eye(3, dtype=np.float32))
    assert index.similarities(np.eye(3)[0]).tolist() == [1.0, 0.0, 0.0]
    many = index.followers(np.full((2, 3), 1 / 3))
    assert many.shape == (2, 3)
    np.testing.assert_allclose(many, 1 - math.sqrt(1 / 3))


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 4), SIZES, st.integers(0, 2**32 - 1))
def test_a_query_is_a_distribution(
    n: int, n_minus: int, n_genres: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    query = query_composition(
        compositions(n, n_genres, seed),
        weights=rng.uniform(0.1, 9.0, n),
        minus=compositions(n_minus, n_genres, seed + 1),
        minus_weights=rng.uniform(0.0, 9.0, n_minus),
    )
    assert query.shape == (n_genres,)
    assert query.min() >= 0.0
    assert query.sum() == pytest.approx(1.0, abs=1e-5)


def test_seeds_are_mixed_as_they_weigh() -> None:
    a, b = [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]
    np.testing.assert_allclose(query_composition([a]), a)
    np.testing.assert_allclose(query_composition([a, b]), [0.25, 0.25, 0.5])
    np.testing.assert_allclose(
        query_composition([a, b], weights=[3, 1]), [0.375, 0.375, 0.25]
    )


def test_what_is_avoided_is_subtracted_and_never_below_nothing() -> None:
    a, b = [0.5, 0.25, 0.25], [0.25, 0.75, 0.0]
    np.testing.assert_allclose(query_composition([a], minus=[b]), [0.5, 0.0, 0.5])
    half = query_composition([a], minus=[b], minus_weights=[0.2])
    np.testing.assert_allclose(half, np.array([0.45, 0.1, 0.25]) / 0.8, rtol=1e-6)
    none = query_composition([a], minus=[b], minus_weights=[0.0])
    np.testing.assert_allclose(none, a)


def test_where_nothing_is_left_the_seeds_stand_in() -> None:
    a = [0.5, 0.25, 0.25]
    np.testing.assert_allclose(query_composition([a], minus=[a]), a)
    assert query_composition([a], minus=np.empty((0, 3))).tolist() == a


def test_a_query_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        query_composition(np.empty((0, 4)))


@settings(deadline=None)
@given(SIZES, st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_way_between_two_distributions_leads_through_distributions_evenly(
    n_genres: int, n: int, seed: int
) -> None:
    start, end = compositions(2, n_genres, seed)
    ends = on_sphere([start, end])
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 1.0, atol=1e-6)
    points = arc(*ends, n=n)
    assert points.min() >= -1e-6
    np.testing.assert_allclose((points**2).sum(axis=1), 1.0, atol=1e-5)
    way = np.array([ends[0], *points, ends[1]], dtype=np.float64)
    # Chords keep their digits where the angle is small, unlike the arc cosine.
    chords = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(chords, chords.mean(), atol=1e-5)


@settings(deadline=None)
@given(SIZES, st.integers(0, 2**32 - 1))
def test_on_the_sphere_the_cosine_is_bhattacharyyas_coefficient(
    n_genres: int, seed: int
) -> None:
    some = compositions(6, n_genres, seed)
    index = Index(np.arange(6), on_sphere(some))
    coefficients = np.sqrt(some[:, None] * some[None]).sum(axis=-1)
    np.testing.assert_allclose(
        index.similarities(index.vectors), coefficients, atol=1e-5
    )
