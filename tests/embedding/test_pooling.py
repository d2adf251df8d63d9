from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.embedding.pooling import (
    pool,
    pool_classic,
    pool_library,
    pool_mean,
    pool_tfidf,
    term_frequencies,
)
from beetsplug.deejai.vectors import unit

METHODS: Any = ["tfidf", "classic", "mean"]


def by_definition(
    tracks: list[np.ndarray], number: int, method: str, epsilon: float
) -> np.ndarray:
    """Pool one track by the formula: loops over all slices of all tracks."""

    def same(v: np.ndarray, w: np.ndarray) -> bool:
        return bool(1.0 - v @ w / math.sqrt((v @ v) * (w @ w)) < epsilon)

    total = np.zeros(tracks[0].shape[1])
    for v in tracks[number]:
        tf = sum(same(v, w) for w in tracks[number])
        df = sum(any(same(v, w) for w in track) for track in tracks)
        idf = {
            "tfidf": math.log((1 + len(tracks)) / (1 + df)) + 1,
            "classic": -math.log(df / len(tracks)),
            "mean": 1 / tf,
        }[method]
        total += tf * idf * v / math.sqrt(v @ v)
    return total / np.linalg.norm(total)


@st.composite
def libraries(draw: st.DrawFn) -> list[np.ndarray]:
    """Draw 2 to 8 tracks that repeat and share some of their slices."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(1, 8), min_size=2, max_size=8))
    size = draw(st.integers(3, 12))
    shared = rng.standard_normal((5, size))
    tracks = []
    for count in counts:
        slices = rng.standard_normal((count, size))
        copied = rng.random(count) < 0.5
        slices[copied] = shared[rng.integers(5, size=copied.sum())]
        slices += 0.01 * rng.standard_normal(slices.shape)
        tracks.append(slices.astype(np.float16).astype(np.float64))
    # One slice of its own, so that the classic weights are not all zero.
    tracks[0] = np.vstack([tracks[0], 7.0 * np.eye(size)[0]])
    return tracks


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(tracks=libraries(), epsilon=st.sampled_from([0.0013, 0.0271]))
def test_a_library_is_pooled_by_the_formula(
    method: Any, tracks: list[np.ndarray], epsilon: float
) -> None:
    vectors = np.concatenate(tracks).astype(np.float16)
    counts = [len(track) for track in tracks]
    pooled = pool_library(vectors, counts=counts, method=method, epsilon=epsilon)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(
        pooled[0], by_definition(tracks, 0, method, epsilon), atol=1e-5
    )
    if method != "classic":
        for number in range(1, len(tracks)):
            expected = by_definition(tracks, number, method, epsilon)
            np.testing.assert_allclose(pooled[number], expected, atol=1e-5)


def test_hand_computed_term_frequencies() -> None:
    slices = [[1, 0], [5, 0.01], [0, 1], [0, 0], [0, 0], [-1, 0]]
    assert term_frequencies(slices, epsilon=0.001).tolist() == [2, 2, 1, 1, 1, 1]
    assert term_frequencies(slices[:3], epsilon=1.5).tolist() == [3, 3, 3]
    assert term_frequencies(slices, epsilon=0.0).tolist() == [1] * 6


def test_hand_computed_weights() -> None:
    """Of 4 tracks one slice is in 1 and repeated, the other is in 3."""
    slices = [[2, 0, 0], [1, 0, 0], [0, 0, 9]]
    arguments = {"document_frequencies": [1, 1, 3], "n_tracks": 4, "epsilon": 0.001}
    smooth = [4 * (math.log(5 / 2) + 1), 0, math.log(5 / 4) + 1]
    np.testing.assert_allclose(pool_tfidf(slices, **arguments), unit(smooth), rtol=1e-6)
    classic = [4 * math.log(4), 0, math.log(4 / 3)]
    np.testing.assert_allclose(
        pool_classic(slices, **arguments), unit(classic), rtol=1e-6
    )
    np.testing.assert_allclose(pool_mean(slices), unit([2, 0, 1]), rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(seed=st.integers(0, 1000), n_slices=st.integers(1, 20))
def test_a_track_alone_has_a_valid_vector(
    method: Any, seed: int, n_slices: int
) -> None:
    slices = np.random.default_rng(seed).standard_normal((n_slices, 10))
    pooled = pool_library(
        slices.astype(np.float32), counts=[n_slices], method=method, epsilon=0.001
    )
    assert np.linalg.norm(pooled[0]) == pytest.approx(1.0, abs=1e-6)
    # Without repetition all slices weigh the same.
    np.testing.assert_allclose(pooled[0], pool_mean(slices), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_slice_is_its_own_track_vector(method: Any) -> None:
    vectors = np.array([[3, 4], [1, 0], [3, 4]], dtype=np.float32)
    pooled = pool_library(vectors, counts=[1, 1, 1], method=method, epsilon=0.001)
    np.testing.assert_allclose(pooled, unit(vectors), rtol=1e-6)


def test_repeated_slices_pull_a_track_towards_them() -> None:
    rare, common = np.eye(2, dtype=np.float32)
    vectors = np.stack([rare, rare, common, common, common])
    pooled = pool_library(vectors, counts=[3, 1, 1], method="tfidf", epsilon=0.001)
    assert pooled[0, 0] > pooled[0, 1]


@pytest.mark.parametrize("method", METHODS)
def test_silent_slices_have_no_direction_to_add(method: Any) -> None:
    vectors = np.array([[0, 0], [0, 2], [0, 0], [0, 0]], dtype=np.float16)
    pooled = pool_library(vectors, counts=[2, 2], method=method, epsilon=0.001)
    assert pooled.tolist() == [[0, 1], [0, 0]]


@pytest.mark.parametrize("method", METHODS)
def test_slices_that_cancel_leave_the_first_direction(method: Any) -> None:
    vectors = np.array([[0, 0], [0, 2], [0, -2]], dtype=np.float32)
    pooled = pool_library(vectors, counts=[3], method=method, epsilon=0.001)
    assert pooled.tolist() == [[0, 1]]


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(
    tracks=libraries(),
    random=st.randoms(use_true_random=False),
    epsilon=st.sampled_from([0.0, 0.0013, 0.31, 2.0]),
)
def test_the_order_of_tracks_does_not_matter(
    method: Any, tracks: list[np.ndarray], random: Any, epsilon: float
) -> None:
    def pooled(order: list[int]) -> np.ndarray:
        return pool_library(
            np.concatenate([tracks[i] for i in order]).astype(np.float16),
            counts=[len(tracks[i]) for i in order],
            method=method,
            epsilon=epsilon,
        )

    order = list(range(len(tracks)))
    first = pooled(order)
    random.shuffle(order)
    assert (pooled(order) == first[order]).all()
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1.0, atol=1e-6)


@settings(deadline=None)
@given(tracks=libraries(), data=st.data())
def test_some_tracks_are_pooled_as_among_all(
    tracks: list[np.ndarray], data: st.DataObject
) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(tracks) - 1), max_size=5))
    arguments: Any = {
        "vectors": np.concatenate(tracks).astype(np.float16),
        "counts": [len(track) for track in tracks],
        "method": "tfidf",
        "epsilon": 0.001,
    }
    some = pool_library(**arguments, tracks=np.array(numbers, dtype=np.int64))
    assert (some == pool_library(**arguments)[numbers]).all()


def test_what_does_not_fit_is_refused() -> None:
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="counts"):
        pool_library(vectors, counts=[1, 1], method="mean", epsilon=0.001)
    with pytest.raises(ValueError, match="counts"):
        pool_library(vectors, counts=[3, 0], method="mean", epsilon=0.001)
    arguments: Any = {"n_tracks": 2, "epsilon": 0.001}
    for wrong in ([1, 1], [1, 1, 3], [0, 1, 1]):
        with pytest.raises(ValueError, match="document frequenc"):
            pool_tfidf(vectors, document_frequencies=wrong, **arguments)
    with pytest.raises(ValueError, match="without slices"):
        pool_mean(vectors[:0])
    method: Any = "median"
    with pytest.raises(ValueError, match="median"):
        pool(vectors, method=method, document_frequencies=[1, 1, 1], **arguments)
