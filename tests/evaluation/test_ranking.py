from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation import ranking
from beetsplug.deejai.evaluation.labels import Alike, Labels, Question
from beetsplug.deejai.evaluation.ranking import (
    Measure,
    expected_hit,
    expected_precision,
    expected_reciprocal_rank,
    expected_score,
    nearest_rows,
    score,
)

MEASURES = [Measure("precision", 1), Measure("precision", 3), Measure("hit", 3)]


@given(
    tiers=st.lists(
        st.integers(0, 3).flatmap(
            lambda size: st.tuples(st.just(size), st.integers(0, size))
        ),
        min_size=1,
        max_size=2,
    ),
    k=st.integers(1, 6),
)
def test_expectations_are_the_means_over_all_orders(
    tiers: list[tuple[int, int]], k: int
) -> None:
    n_right = sum(right for _, right in tiers)
    if not n_right:
        return
    blocks = [[True] * right + [False] * (size - right) for size, right in tiers]
    orders = [
        list(itertools.chain(*parts))
        for parts in itertools.product(*(itertools.permutations(b) for b in blocks))
    ]
    precision = np.mean([sum(order[:k]) for order in orders]) / min(k, n_right)
    assert expected_precision(tiers, k=k) == pytest.approx(precision)
    hit = np.mean([any(order[:k]) for order in orders])
    assert expected_hit(tiers, k=k) == pytest.approx(hit)
    if n_right == 1:
        rank = np.mean([1 / (order.index(True) + 1) for order in orders])
        assert expected_reciprocal_rank(tiers) == pytest.approx(rank)


def test_random_order_by_hand() -> None:
    question = [Question(np.array([1, 2]), np.array([0]))]
    scores = expected_score(5, questions=question, measures=MEASURES)
    # 2 of the 4 others are right; 3 of 4 hold at least one of them.
    np.testing.assert_allclose(scores, [[1 / 2, 3 * (2 / 4) / 2, 1.0]])


def test_favoured_targets_come_first() -> None:
    question = [Question(np.array([1, 4]), np.array([0]))]
    scores = expected_score(
        6,
        questions=question,
        measures=[Measure("precision", 1), Measure("precision"), Measure("hit", 2)],
        favoured=lambda number: np.array([0, 1, 2]),
    )
    # Of 1 and 2, which come first, one is right; both fill the first two places.
    np.testing.assert_allclose(scores, [[1 / 2, 1 / 2, 1.0]])


@given(seed=st.integers(0, 500), n=st.integers(3, 30))
def test_equal_vectors_score_what_random_order_does(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    questions = Alike(Labels(["a", "a", *rng.integers(0, 4, n - 2).astype(str)]))
    same = np.tile(rng.standard_normal(5), (n, 1))
    np.testing.assert_allclose(
        score(
            same[questions.rows], targets=same, questions=questions, measures=MEASURES
        ),
        expected_score(n, questions=questions, measures=MEASURES),
    )


def test_random_vectors_score_as_chance_does_on_average() -> None:
    rng = np.random.default_rng(0)
    labels = Labels(rng.integers(0, 8, 120).astype(str))
    questions = Alike(labels)
    expected = expected_score(120, questions=questions, measures=MEASURES).mean(0)
    scores = []
    for _ in range(40):
        vectors = rng.standard_normal((120, 10))
        scores.append(
            score(
                vectors[questions.rows],
                targets=vectors,
                questions=questions,
                measures=MEASURES,
            ).mean(0)
        )
    error = np.std(scores, axis=0) / np.sqrt(len(scores))
    assert (np.abs(np.mean(scores, axis=0) - expected) < 4 * error).all()


def test_blocks_of_queries_give_what_all_at_once_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((50, 8)).astype("f4")
    questions = Alike(Labels(rng.integers(0, 9, 50).astype(str)))

    def scores() -> np.ndarray:
        return score(
            vectors[questions.rows],
            targets=vectors,
            questions=questions,
            measures=MEASURES,
        )

    together = scores()
    monkeypatch.setattr(ranking, "BLOCK_QUERIES", 7)
    np.testing.assert_array_equal(scores(), together)


def test_each_query_needs_its_question() -> None:
    with pytest.raises(ValueError, match="questions"):
        score(np.eye(2), targets=np.eye(2), questions=[], measures=MEASURES)


def test_nothing_right_has_no_rank() -> None:
    with pytest.raises(ValueError, match="right"):
        expected_reciprocal_rank([(3, 0)])


def test_the_nearest_are_listed_in_order_without_the_query() -> None:
    angles = np.radians([0, 50, 10, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    near = nearest_rows(vectors[[0, 3]], targets=vectors, rows=np.array([0, 3]), k=2)
    assert near.tolist() == [[2, 1], [1, 2]]


def test_of_equally_near_tracks_the_first_are_listed() -> None:
    vectors = np.ones((5, 2))
    near = nearest_rows(vectors[:1], targets=vectors, rows=np.array([0]), k=3)
    assert near.tolist() == [[1, 2, 3]]
