from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.metrics import (
    continuation,
    evaluate,
    hit_rate_at_k,
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


def test_a_hit_is_any_of_the_nearest() -> None:
    # 21's two nearest are 10 and 0; 90's are 21 and 10; the first two find each other.
    vectors = on_circle(0, 10, 21, 90)
    labels = ["soul", "soul", "techno", "techno"]
    assert hit_rate_at_k(vectors, labels=labels, k=1) == pytest.approx(0.75)
    assert hit_rate_at_k(vectors, labels=labels, k=2) == pytest.approx(0.75)
    assert hit_rate_at_k(vectors, labels=labels, k=3) == 1.0


def test_tracks_share_a_label_when_they_share_one_of_its_values() -> None:
    vectors = on_circle(0, 10, 50, 90)
    labels = [("rock", "pop"), ["pop"], {"rock"}, None]
    # 0 finds 10 by pop; 10 finds 0; 50's nearest is 10, which is no rock.
    assert precision_at_k(vectors, labels=labels, k=1) == pytest.approx(2 / 3)
    assert hit_rate_at_k(vectors, labels=labels, k=2) == 1.0


def test_a_track_without_a_label_is_neither_query_nor_neighbour() -> None:
    vectors = on_circle(0, 1, 10, 90)
    for unknown in ("", None, []):
        labels = ["a", unknown, "a", "b"]
        assert precision_at_k(vectors, labels=labels, k=1) == 1.0


def test_tracks_of_the_same_album_are_left_out() -> None:
    vectors = on_circle(0, 1, 20, 25, 90)
    artists = ["x", "x", "y", "x", "y"]
    albums = ["one", "one", "two", "three", "two"]
    # 0 and 1 have the same album: their nearest is then 20, by another artist. 25 is
    # nearest to 20 too. Artist y has a single album and is no query.
    assert precision_at_k(vectors, labels=artists, k=1, apart=albums) == 0.0
    assert hit_rate_at_k(vectors, labels=artists, k=2, apart=albums) == 1.0
    with pytest.raises(ValueError, match="share"):
        precision_at_k(vectors[:2], labels=artists[:2], k=1, apart=albums[:2])


def test_playlist_continuation_by_hand() -> None:
    vectors = on_circle(0, 10, 12, 45, 47, 90)
    # From 0 and 10 the nearest are 12 and 45, of which 12 is withheld; from 45 first
    # comes 47, which is all that is withheld. A single track is no playlist.
    figures = continuation(vectors, playlists=[[0, 1, 2, 5], [3, 4, 3], [5]], k=1)
    assert figures == {"hit_rate": 1.0, "r_precision": pytest.approx(0.75)}


def test_the_middle_track_of_an_odd_playlist_is_to_be_found() -> None:
    vectors = on_circle(0, 10, 90)
    figures = continuation(vectors, playlists=[[0, 2, 1]], k=1)
    assert figures == {"hit_rate": 1.0, "r_precision": 1.0}


@pytest.mark.parametrize(
    ("playlists", "k", "message"),
    [
        ([[0]], 10, "two tracks"),
        ([], 10, "two tracks"),
        ([[0, 3]], 10, "no vector"),
        ([[-1, 0]], 10, "no vector"),
        ([[0, 1]], 0, "k must"),
    ],
)
def test_malformed_playlists_are_refused(
    playlists: list[list[int]], k: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        continuation(np.eye(3), playlists=playlists, k=k)


def clustered(seed: int, n_labels: int, size: int) -> tuple[np.ndarray, list[str]]:
    """Make perfect vectors: those of one label alone point one way."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_labels), size)
    vectors = np.eye(n_labels, 24)[labels] + 1e-3 * rng.standard_normal(
        (len(labels), 24)
    )
    return vectors, [str(label) for label in labels]


@given(
    seed=st.integers(0, 1000),
    n_labels=st.integers(2, 12),
    size=st.integers(2, 6),
    k=st.integers(1, 10),
)
def test_perfect_vectors_score_one(seed: int, n_labels: int, size: int, k: int) -> None:
    vectors, labels = clustered(seed, n_labels, size)
    assert precision_at_k(vectors, labels=labels, k=k) == 1.0
    assert hit_rate_at_k(vectors, labels=labels, k=k) == 1.0
    playlists = np.arange(len(labels)).reshape(n_labels, size).tolist()
    assert continuation(vectors, playlists=playlists, k=k) == {
        "hit_rate": 1.0,
        "r_precision": 1.0,
    }


@given(seed=st.integers(0, 1000), k=st.integers(1, 8))
def test_neither_order_nor_length_nor_duplicates_matter(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((12, 6))
    # The same song on two albums, and one with another's label.
    vectors[3], vectors[7] = vectors[0], vectors[0]
    labels = rng.integers(0, 3, 12)
    labels[:2] = 0
    order = rng.permutation(12)
    scaled = vectors[order] * rng.uniform(0.01, 100, (12, 1))
    for metric in (precision_at_k, hit_rate_at_k):
        assert metric(scaled, labels=list(labels[order]), k=k) == pytest.approx(
            metric(vectors, labels=list(labels), k=k)
        )


def test_vectors_that_are_all_equal_score_as_chance_does() -> None:
    labels = list("aaabb")
    expected = (3 * 2 / 4 + 2 * 1 / 4) / 5
    score = precision_at_k(np.ones((5, 3)), labels=labels, k=1)
    assert score == pytest.approx(expected)
