"""The softmax layer on slice vectors, its temperature and its figures."""

from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.storage.genre_model import GenreModel
from beetsplug.deejai.storage.slices import StoredSlices
from beetsplug.deejai.training.genres.calibration import (
    RANGE,
    compositions,
    fit_temperature,
)
from beetsplug.deejai.training.genres.head import (
    MAX_SLICES,
    TrackSlices,
    fit_head,
    gather_slices,
    genre_weights,
    held_out_logits,
)
from beetsplug.deejai.training.genres.measured import FEW_TRACKS, measure


def styles(
    sizes: list[int], *, spread: float = 1.0, seed: int = 0, n_slices: int = 5
) -> tuple[TrackSlices, np.ndarray]:
    """Make tracks around styles: their slices, and what they are."""
    rng = np.random.default_rng(seed)
    centres = 2 * np.eye(20)[: len(sizes)]
    classes = np.repeat(np.arange(len(sizes)), sizes)
    tracks = centres[classes] + spread * rng.standard_normal((len(classes), 20)) / 3
    slices = np.repeat(tracks, n_slices, axis=0)
    slices = slices + spread * rng.standard_normal(slices.shape) / 3
    counts = np.full(len(classes), n_slices)
    targets = np.eye(len(sizes), dtype=np.float32)[classes]
    return TrackSlices(slices.astype(np.float16), counts), targets


def head(weights: np.ndarray, bias: np.ndarray) -> GenreModel:
    genres = tuple(f"genre {k}" for k in range(len(bias)))
    return GenreModel(genres, "head", "some encoder", weights, bias)


def test_a_head_tells_styles_apart_that_it_has_learnt_from_other_tracks() -> None:
    model = head(*fit_head(*styles([20, 20, 20]), seed=0))
    unseen, truth = styles([10, 10, 10], seed=1)
    for number, vectors in enumerate(np.split(unseen.vectors, len(truth))):
        assert model.composition(vectors).argmax() == truth[number].argmax()


def test_the_same_seed_makes_the_same_head() -> None:
    slices, targets = styles([12, 9], n_slices=400)
    first, again = (fit_head(slices, targets, seed=3) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_track_weighs_the_same_whatever_its_length() -> None:
    slices, targets = styles([6, 6])
    longer = TrackSlices(
        np.concatenate([np.repeat(slices.vectors[:5], 9, axis=0), slices.vectors[5:]]),
        np.array([45, *slices.counts[1:]]),
    )
    once, nine_times = (
        fit_head(slices, targets, seed=0),
        fit_head(longer, targets, seed=0),
    )
    assert np.allclose(once[0], nine_times[0], atol=1e-3)


def test_a_rare_genre_is_not_drowned_by_a_common_one() -> None:
    slices, targets = styles([120, 8], spread=1.5)
    unseen, truth = styles([30, 30], spread=1.5, seed=1)
    model = head(*fit_head(slices, targets, seed=0))
    found = np.stack(
        [model.composition(one) for one in np.split(unseen.vectors, len(truth))]
    )
    assert (found.argmax(axis=1) == 1)[30:].mean() > 0.7


def test_every_genre_weighs_the_same_together() -> None:
    _, targets = styles([30, 10, 5])
    weights = targets @ genre_weights(targets)
    assert weights.mean() == pytest.approx(1)
    assert np.allclose(targets.T @ weights, 15)


def test_long_tracks_are_learnt_from_evenly_and_tracks_keep_their_ids() -> None:
    vectors = np.arange(103, dtype=np.float16)[:, None]
    part = StoredSlices(np.array([7, 9]), np.array([3, 100]), vectors)
    later = StoredSlices(np.array([12]), np.array([1]), vectors[:1])
    item_ids, slices = gather_slices([part, later])
    assert item_ids.tolist() == [7, 9, 12]
    assert slices.counts.tolist() == [3, MAX_SLICES, 1]
    assert slices.vectors[[0, 2, 3, 26, 27], 0].tolist() == [0, 2, 3, 102, 0]
    assert slices.of(np.array([2, 0])).vectors[:, 0].tolist() == [0, 0, 1, 2]


def test_nothing_stored_is_no_tracks() -> None:
    item_ids, slices = gather_slices([])
    assert not len(item_ids)
    assert not len(slices.counts)


def test_held_out_tracks_are_predicted_without_having_been_learnt_from() -> None:
    # What tells the tracks is noise: who has not learnt them cannot know.
    rng = np.random.default_rng(0)
    slices = TrackSlices(rng.standard_normal((40, 60)).astype("f2"), np.ones(40, int))
    targets = np.eye(2, dtype=np.float32)[rng.integers(2, size=40)]
    logits = held_out_logits(slices, targets, np.arange(40) % 4, seed=0)
    assert 0.2 < (logits.argmax(axis=1) == targets.argmax(axis=1)).mean() < 0.8


def test_the_temperature_undoes_too_much_certainty() -> None:
    honest, counts, targets = honest_logits(3000)
    assert fit_temperature(3 * honest, counts, targets) == pytest.approx(3, rel=0.2)
    figures = measure(3 * honest, counts, targets, np.arange(3000) % 3)
    assert figures.uncalibrated > 0.2
    assert figures.scores.calibration_error < 0.05
    assert figures.temperature == pytest.approx(3, rel=0.2)


@pytest.mark.parametrize("factor", [100, 0.01])
def test_a_temperature_keeps_within_its_range(factor: float) -> None:
    honest, counts, targets = honest_logits(3000)
    found = fit_temperature(np.float32(factor) * honest, counts, targets)
    assert found == pytest.approx(RANGE if factor > 1 else 1 / RANGE, rel=0.01)


@pytest.mark.parametrize(
    ("n_tracks", "is_right", "least", "most"),
    [(3, True, 0.9, 1), (3, False, 1, 2), (23, True, 0.6, 1), (300, True, 0.25, 0.6)],
)
def test_few_tracks_that_are_all_right_or_all_wrong_change_a_temperature_little(
    n_tracks: int, is_right: bool, least: float, most: float
) -> None:
    logits = np.tile(np.float32([2, 0]), (n_tracks, 1))
    targets = np.tile(np.float32([is_right, not is_right]), (n_tracks, 1))
    counts = np.ones(n_tracks, dtype=np.int64)
    assert least < fit_temperature(logits, counts, targets) < most


@pytest.mark.parametrize(
    ("n_tracks", "n_folds"),
    [(FEW_TRACKS - 1, 3), (10 * FEW_TRACKS, 1), (10 * FEW_TRACKS, 2)],
    ids=["few tracks", "no other fold", "no better on the other fold"],
)
def test_a_temperature_that_is_not_seen_to_help_is_not_used(
    n_tracks: int, n_folds: int
) -> None:
    logits = np.tile(np.float32([2, 0]), (n_tracks, 1))
    folds = np.arange(n_tracks) % n_folds
    # Of two folds one is all right, half of the other is wrong: each misleads.
    targets = np.eye(2, dtype=np.float32)[(np.arange(n_tracks) % 4 == 1).astype(int)]
    figures = measure(logits, np.ones(n_tracks, dtype=np.int64), targets, folds)
    assert figures.temperature == 1
    assert figures.scores.calibration_error == figures.uncalibrated


def honest_logits(n_tracks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make logits of tracks of a slice each, and what they are: as often as is said."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((n_tracks, 3)).astype(np.float32)
    odds = np.exp(logits)
    cumulated = (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)
    classes = (rng.random((n_tracks, 1)) > cumulated).sum(axis=1).clip(0, 2)
    counts = np.ones(n_tracks, dtype=np.int64)
    return logits, counts, np.eye(3, dtype=np.float32)[classes]


def test_a_track_is_the_mean_of_its_slices_as_it_is_in_use() -> None:
    slices, targets = styles([8, 8])
    weights, bias = fit_head(slices, targets, seed=0)
    model = head(weights / np.float32(0.5), bias / np.float32(0.5))
    unit = slices.vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    logits = (unit @ weights + bias).astype(np.float32)
    found = compositions(logits, slices.counts, temperature=0.5)
    used = [model.composition(one) for one in np.split(slices.vectors, len(targets))]
    assert np.allclose(found, used, atol=1e-5)
