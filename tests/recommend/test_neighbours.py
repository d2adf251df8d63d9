from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend import neighbours
from beetsplug.deejai.recommend.neighbours import nearest
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import pytest


def made(n: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, 12)))


def test_the_nearest_come_first_and_never_oneself() -> None:
    vectors = made(50)
    rows, similarities = nearest(vectors, vectors, n=5, own_rows=np.arange(50))
    expected = vectors @ vectors.T
    np.fill_diagonal(expected, -np.inf)
    assert rows.tolist() == np.argsort(-expected, axis=1)[:, :5].tolist()
    np.testing.assert_allclose(
        similarities, np.take_along_axis(expected, rows, axis=1), atol=1e-6
    )


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, vectors = made(30, seed=1), made(70)
    whole = nearest(queries, vectors, n=4)
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 300)
    done: list[int] = []
    parts = nearest(queries, vectors, n=4, on_progress=done.append)
    assert parts[0].tolist() == whole[0].tolist()
    assert done == [*range(4, 30, 4), 30]


def test_there_are_no_more_than_there_are() -> None:
    vectors = made(3)
    assert nearest(vectors, vectors, n=9)[0].shape == (3, 3)
    assert nearest(vectors, vectors, n=9, own_rows=np.arange(3))[0].shape == (3, 2)
    assert nearest(vectors[:1], vectors[:1], n=9, own_rows=np.arange(1))[0].size == 0
    assert nearest(vectors, vectors[:0], n=9)[0].shape == (3, 0)
