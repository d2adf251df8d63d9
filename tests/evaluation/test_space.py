from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.embedding.pooling import pool_mean
from beetsplug.deejai.evaluation.space import pool_halves, pool_space


def tracks(*counts: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, 8)).astype("f4") for n in counts]


@pytest.mark.parametrize("method", ["mean", "tfidf", "classic"])
def test_tracks_and_their_halves_are_pooled(method: str) -> None:
    made = tracks(2, 1, 5)
    space = pool_space(made, method=method, epsilon=1e-3)
    assert space.tracks.shape == (3, 8)
    assert space.first.shape == space.second.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(space.first, axis=1), 1.0, rtol=1e-5)


def test_the_second_half_is_the_longer_one() -> None:
    made = tracks(5)
    first, second = pool_halves(made, method="mean", epsilon=0.0)
    np.testing.assert_allclose(first[0], pool_mean(made[0][:2]), atol=1e-6)
    np.testing.assert_allclose(second[0], pool_mean(made[0][2:]), atol=1e-6)


def test_without_halves_there_are_none() -> None:
    first, second = pool_halves(tracks(1, 0), method="tfidf", epsilon=1e-3)
    assert len(first) == len(second) == 0
