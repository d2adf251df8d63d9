from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.evaluation import bootstrap
from beetsplug.deejai.evaluation.bootstrap import estimate_means


def test_an_interval_is_that_of_the_normal_distribution_for_many_queries() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.2, (400, 1))
    (estimate,) = estimate_means(values)
    half = 1.96 * values.std() / 20
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.002)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.002)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(200):
        values = (rng.random((60, 1)) < 0.3).astype(float)
        (estimate,) = estimate_means(values, seed=seed, n_resamples=300)
        hits += estimate.low <= 0.3 <= estimate.high
    assert 0.88 < hits / 200 < 0.99


def test_columns_are_resampled_together() -> None:
    values = np.random.default_rng(2).random((30, 2))
    difference = values[:, 0] - values[:, 1]
    constant = np.column_stack([values[:, 0], values[:, 0] - 0.1])
    paired = estimate_means(constant[:, :1] - constant[:, 1:])[0]
    assert paired.low == pytest.approx(0.1)
    assert paired.high == pytest.approx(0.1)
    both = estimate_means(np.column_stack([values, difference]))
    assert both[2] == estimate_means(difference[:, None])[0]
    assert both[2].value == pytest.approx(both[0].value - both[1].value)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).random((20, 1))
    assert estimate_means(values, seed=5) == estimate_means(values, seed=5)
    assert estimate_means(values, seed=5) != estimate_means(values, seed=6)


def test_many_queries_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random((50, 1))
    together = estimate_means(values)
    monkeypatch.setattr(bootstrap, "BLOCK_VALUES", 60)
    assert estimate_means(values) == together


@pytest.mark.parametrize(
    "values", [np.zeros((0, 1)), np.zeros(3), np.full((2, 1), np.nan)]
)
def test_nothing_to_average_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"values|row"):
        estimate_means(values)
