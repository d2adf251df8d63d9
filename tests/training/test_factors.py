from __future__ import annotations

import sys

import numpy as np
import pytest
from made_playlists import made_playlists, share_in_style
from scipy.sparse import csr_array

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.factors import factorise, factors, interactions
from beetsplug.deejai.training.playlists import Playlist


def test_factors_solve_the_normal_equations_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    observed = rng.integers(0, 4, (30, 20)) * (rng.random((30, 20)) < 0.3)
    alpha, regularization, size = 5.0, 0.5, 6
    x, y = factorise(
        csr_array(observed.astype(np.float32)),
        vector_size=size,
        iterations=10,
        alpha=alpha,
        regularization=regularization,
        seed=0,
    )
    confidence, preference = 1 + alpha * observed, observed > 0
    x = x.astype(np.float64)
    for column in range(20):
        c = confidence[:, column]
        exact = np.linalg.solve(
            (x.T * c) @ x + regularization * np.eye(size),
            (x.T * c) @ preference[:, column],
        )
        np.testing.assert_allclose(y[column], exact, atol=2e-4)


def test_more_iterations_fit_better() -> None:
    rng = np.random.default_rng(0)
    observed = (rng.random((40, 30)) < 0.2).astype(np.float32)

    def loss(iterations: int) -> float:
        x, y = factorise(
            csr_array(observed),
            vector_size=5,
            iterations=iterations,
            alpha=10.0,
            regularization=0.1,
            seed=0,
        )
        missed = (1 + 10 * observed) * (observed - x @ y.T) ** 2
        return float(missed.sum() + 0.1 * ((x**2).sum() + (y**2).sum()))

    assert loss(1) > loss(3) > loss(15)


def test_neighbours_are_of_the_style_that_playlists_were_drawn_within() -> None:
    playlists = made_playlists(
        n_tracks=200, n_styles=10, n_playlists=200, shortest=8, longest=15, mixed=0.2
    )
    targets = factors(playlists)
    assert targets.size == 40
    assert share_in_style(targets.keys, targets.matrix()) >= 0.95
    np.testing.assert_allclose(np.linalg.norm(targets.matrix(), axis=1), 1, atol=1e-5)


def test_the_same_seed_gives_the_same_factors() -> None:
    playlists = made_playlists(
        n_tracks=50, n_styles=5, n_playlists=40, shortest=4, longest=8
    )
    one, same, other = (factors(playlists, seed=seed).matrix() for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_plays_make_it_count_more_that_a_track_is_in_a_playlist() -> None:
    observed = interactions(
        [("/a", "/b"), ("/b",)], ["/a", "/b", "/c"], plays={"/b": 9, "/x": 3}
    ).toarray()
    loud = 1 + np.log(10)
    np.testing.assert_allclose(observed, [[1, loud, 0], [0, loud, 0]], rtol=1e-6)


def test_nothing_left_is_told_with_the_remedy() -> None:
    with pytest.raises(FatalError, match="--min-count"):
        factors([Playlist("", ("/a", "/b"))], min_count=2)


def test_without_implicit_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(FatalError, match=r"pip install 'beets-deejai\[train\]'"):
        factors([Playlist("", ("/a", "/b"))])
