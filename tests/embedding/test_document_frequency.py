from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.embedding import document_frequency
from beetsplug.deejai.embedding.document_frequency import document_frequencies


def brute_force(vectors: np.ndarray, tracks: np.ndarray, epsilon: float) -> list[int]:
    """Count by the definition: a double loop over all pairs, in float64."""
    found = []
    for i, v in enumerate(vectors.astype(np.float64)):
        same = {tracks[i]}
        for j, w in enumerate(vectors.astype(np.float64)):
            lengths = math.sqrt(float(v @ v) * float(w @ w))
            cosine = float(v @ w) / lengths if lengths else 0.0
            if 1.0 - min(cosine, 1.0) < epsilon:
                same.add(tracks[j])
        found.append(len(same))
    return found


@st.composite
def libraries(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw a small library: slices near few centres, copied ones, silent ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(1, 9), min_size=1, max_size=12))
    size = draw(st.integers(2, 20))
    # Epsilons that no angle between the few exact vectors hits.
    epsilon = draw(st.sampled_from([0.0, 1e-7, 1.3e-3, 0.0371, 0.317, 1.37, 2.0]))
    n_slices = sum(counts)
    vectors = rng.standard_normal((4, size))[rng.integers(4, size=n_slices)]
    vectors += draw(st.sampled_from([0.0, 1e-4, 0.03, 0.3])) * rng.standard_normal(
        vectors.shape
    )
    vectors[rng.random(n_slices) < 0.1] = 0.0
    vectors *= rng.uniform(0.5, 2.0, size=(n_slices, 1))
    dtype = draw(st.sampled_from([np.float16, np.float32]))
    return vectors.astype(dtype), np.repeat(np.arange(len(counts)), counts), epsilon


@settings(deadline=None)
@given(libraries())
def test_equals_a_double_loop(library: tuple[np.ndarray, np.ndarray, float]) -> None:
    vectors, tracks, epsilon = library
    found = document_frequencies(vectors, tracks=tracks, epsilon=epsilon)
    assert found.tolist() == brute_force(vectors, tracks, epsilon)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tens of slices run through all divisions that else need many thousands."""
    for name, value in [("LEAF_SLICES", 3), ("BLOCK_PAIRS", 7), ("BLOCK_ROWS", 5)]:
        monkeypatch.setattr(document_frequency, name, value)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("epsilon", [0.0, 1e-4, 1e-3, 0.02, 0.3, 1.1, 2.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_divided_work_gives_the_same_counts(epsilon: float, dtype: type) -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((6, 16))[rng.integers(6, size=90)]
    vectors += 0.05 * rng.standard_normal(vectors.shape) * rng.random((90, 1))
    vectors[40:50] = vectors[7]
    vectors = vectors.astype(dtype)
    tracks = np.repeat([5, 3, 11, 0], [30, 1, 39, 20])
    found = document_frequencies(vectors, tracks=tracks, epsilon=epsilon)
    assert found.tolist() == brute_force(vectors, tracks, epsilon)


@pytest.mark.parametrize("epsilon", [0.0021, 0.0213, 0.1217])
def test_no_pair_is_ruled_out_that_is_close_enough(
    epsilon: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 3 dimensions nothing is lost but what the boxes rule out."""
    monkeypatch.setattr(document_frequency, "LEAF_SLICES", 1)
    vectors = np.random.default_rng(2).standard_normal((400, 3)).astype(np.float32)
    found = document_frequencies(vectors, tracks=np.arange(400), epsilon=epsilon)
    assert found.tolist() == brute_force(vectors, np.arange(400), epsilon)


def test_slices_of_one_hash_are_still_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        document_frequency,
        "_hash_rows",
        lambda vectors: np.zeros(len(vectors), dtype=np.uint64),
    )
    vectors = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 2]]
    found = document_frequencies(vectors, tracks=[0, 1, 2, 3, 3], epsilon=0.001)
    assert found.tolist() == [2, 1, 2, 1, 1]


def test_hand_computed_counts() -> None:
    vectors = np.array(
        [[1, 0], [0, 1], [2, 0], [1, 0], [0, -1], [3, 0.01]], dtype=np.float32
    )
    found = document_frequencies(vectors, tracks=[0, 0, 1, 1, 2, 3], epsilon=0.001)
    assert found.tolist() == [3, 1, 3, 3, 1, 3]


@settings(deadline=None)
@given(libraries(), st.randoms(use_true_random=False))
def test_the_order_of_tracks_does_not_matter(
    library: tuple[np.ndarray, np.ndarray, float], random: np.random.Generator
) -> None:
    vectors, tracks, epsilon = library
    numbers = list(range(tracks[-1] + 1))
    random.shuffle(numbers)
    order = np.concatenate([np.flatnonzero(tracks == t) for t in numbers])
    found = document_frequencies(vectors, tracks=tracks, epsilon=epsilon)
    moved = document_frequencies(vectors[order], tracks=tracks[order], epsilon=epsilon)
    assert moved.tolist() == found[order].tolist()


@settings(deadline=None)
@given(libraries(), st.data())
def test_wanted_rows_get_what_they_get_among_all(
    library: tuple[np.ndarray, np.ndarray, float], data: st.DataObject
) -> None:
    vectors, tracks, epsilon = library
    rows = data.draw(st.lists(st.integers(0, len(vectors) - 1), max_size=20))
    found = document_frequencies(vectors, tracks=tracks, epsilon=epsilon)
    some = document_frequencies(vectors, tracks=tracks, epsilon=epsilon, rows=rows)
    assert some.tolist() == found[rows].tolist()


def test_the_threshold_is_exact_where_float32_is_not() -> None:
    """Distances of 0.001 -+ 1e-9 differ by less than float32 can tell."""
    angles = np.arccos(1.0 - np.array([0.001 - 1e-9, 0.001 + 1e-9]))
    pair = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # Long vectors carry the small difference through float32.
    scaled = np.rint(pair * 2**24).astype(np.float32)
    vectors = np.concatenate([np.array([[1, 0]], dtype=np.float32), scaled])
    found = document_frequencies(vectors, tracks=[0, 1, 2], epsilon=0.001)
    assert found.tolist() == brute_force(vectors, np.arange(3), 0.001) == [2, 3, 2]


def test_many_silent_slices_cost_no_more_than_one() -> None:
    rng = np.random.default_rng(0)
    silence = np.tile(rng.standard_normal(100).astype(np.float16), (200_000, 1))
    music = rng.standard_normal((2000, 100)).astype(np.float16)
    vectors = np.concatenate([silence, music])
    tracks = np.repeat(np.arange(202), 1000)
    found = document_frequencies(vectors, tracks=tracks, epsilon=0.001)
    assert (found[:200_000] == 200).all()
    assert (found[200_000:] == 1).all()


def test_a_track_that_spans_many_blocks_counts_once() -> None:
    rng = np.random.default_rng(0)
    centre = rng.standard_normal(10)
    vectors = (centre + 1e-3 * rng.standard_normal((5000, 10))).astype(np.float32)
    tracks = np.repeat([0, 1], [4999, 1])
    found = document_frequencies(vectors, tracks=tracks, epsilon=0.001)
    assert (found == 2).all()


def test_progress_ends_at_the_total() -> None:
    vectors = np.random.default_rng(0).standard_normal((3000, 8)).astype(np.float32)
    calls: list[tuple[int, int]] = []
    document_frequencies(
        vectors,
        tracks=np.arange(3000) // 10,
        epsilon=0.001,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert len(calls) > 1
    assert calls == sorted(calls)
    assert calls[-1] == (3000, 3000)


def test_nothing_wanted_and_nothing_there_give_nothing() -> None:
    empty = np.empty((0, 5), dtype=np.float16)
    assert document_frequencies(empty, tracks=[], epsilon=0.001).size == 0
    one = np.ones((1, 5), dtype=np.float16)
    assert document_frequencies(one, tracks=[0], epsilon=0.1, rows=[]).size == 0


@pytest.mark.parametrize(
    ("tracks", "epsilon"), [([0, 1, 0], 0.1), ([0, 1], 0.1), ([0, 1, 1], 2.1)]
)
def test_what_makes_no_sense_is_refused(tracks: list[int], epsilon: float) -> None:
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match=r"track|epsilon"):
        document_frequencies(vectors, tracks=tracks, epsilon=epsilon)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 100))
def test_equals_a_matrix_product_on_a_library_of_many_leaves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = np.repeat(np.arange(150), 20)
    centres = rng.standard_normal((150, 30)) * np.exp(-np.arange(30) / 8)
    vectors = centres[tracks] + 0.02 * rng.standard_normal((3000, 30))
    vectors[rng.random(3000) < 0.1] = vectors[0]
    vectors = vectors.astype(np.float16)
    rows = vectors.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for epsilon in (0.001, 0.01, 0.1):
        same = 1.0 - rows @ rows.T < epsilon
        expected = np.logical_or.reduceat(same, np.arange(0, 3000, 20), axis=1).sum(1)
        found = document_frequencies(vectors, tracks=tracks, epsilon=epsilon)
        assert found.tolist() == expected.tolist()
