from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from beetsplug.deejai.training.discriminant import fit_discriminant


def tracks_in_noise(
    *, seed: int = 0, n_tracks: int = 12, n_slices: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Make tracks that differ in 3 of 10 features, amid louder noise in the others."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n_tracks * n_slices, 10)) * ([1] * 3 + [4] * 7)
    tracks = np.repeat(np.arange(n_tracks), n_slices)
    noise[:, :3] += 8 * rng.standard_normal((n_tracks, 3))[tracks]
    return noise + 7, tracks


def test_it_finds_what_tracks_differ_in() -> None:
    features, tracks = tracks_in_noise()
    kernel, bias = fit_discriminant(features, tracks=tracks, n_components=3)
    vectors = features @ kernel + bias
    means = np.stack([vectors[tracks == k].mean(0) for k in range(12)])
    nearest = np.linalg.norm(vectors[:, None] - means, axis=2).argmin(1)
    assert np.mean(nearest == tracks) > 0.95
    assert np.abs(kernel[3:]).max() < 0.1 * np.abs(kernel[:3]).max()


def test_without_shrinkage_it_spans_the_space_of_scikit_learn() -> None:
    features, tracks = tracks_in_noise()
    kernel, _ = fit_discriminant(features, tracks=tracks, n_components=3, shrinkage=0)
    theirs = LinearDiscriminantAnalysis(solver="eigen", n_components=3)
    theirs.fit(features, tracks)
    mine, other = (np.linalg.qr(k)[0] for k in (kernel, theirs.scalings_[:, :3]))
    np.testing.assert_allclose(np.linalg.svd(mine.T @ other)[1], 1.0, atol=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 99), n_tracks=st.integers(2, 15))
def test_vectors_have_mean_zero_and_at_most_one_component_less_than_tracks(
    seed: int, n_tracks: int
) -> None:
    features, tracks = tracks_in_noise(seed=seed, n_tracks=n_tracks)
    kernel, bias = fit_discriminant(features, tracks=tracks, n_components=20)
    vectors = features @ kernel + bias
    assert vectors.shape == (len(tracks), 20)
    np.testing.assert_allclose(vectors.mean(axis=0), 0.0, atol=1e-8)
    assert np.any(kernel, axis=0).sum() == min(n_tracks - 1, 10)


@pytest.mark.parametrize("tracks", [[0, 0, 0], [0, 1, 2]])
def test_nothing_to_compare_is_an_error(tracks: list[int]) -> None:
    with pytest.raises(ValueError, match="two tracks"):
        fit_discriminant(np.eye(3), tracks=tracks, n_components=2)
