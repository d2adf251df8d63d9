"""Batches: pairs of slices, their labels, and how they are changed."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.training.dataset import Spectrograms, build_spectrograms
from beetsplug.deejai.training.lessons import Lessons
from beetsplug.deejai.training.pairs import (
    N_LABELS,
    Augmentation,
    draw_pairs,
    equalise,
    mask,
    mix,
)
from beetsplug.deejai.training.sources import find_music
from beetsplug.deejai.training.targets import Targets

UNCHANGED = Augmentation(0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def spectrograms(tmp_path_factory: pytest.TempPathFactory) -> Spectrograms:
    folder = tmp_path_factory.mktemp("music")
    for name, wave in {
        "chords/low.wav": tone(110, seconds=21),
        "chords/high.wav": tone(880, seconds=21),
        "rhythms/slow.wav": clicks(seconds=21, per_second=2),
        "noises/white.wav": noise(seconds=21),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_sound(folder / name, wave)
    return build_spectrograms(find_music(folder), folder / "work")


def test_pairs_are_two_slices_of_each_of_several_tracks(
    spectrograms: Spectrograms,
) -> None:
    rng = np.random.default_rng(0)
    slices, labels = draw_pairs(spectrograms, spectrograms.tracks, n_tracks=3, rng=rng)
    assert slices.shape == (6, N_MELS, N_FRAMES)
    assert slices.dtype == np.float32
    assert slices.min() >= 0
    assert slices.max() <= 1
    assert labels.shape == (6, N_LABELS)
    np.testing.assert_array_equal(labels[::2], labels[1::2])
    assert len(set(labels[:, 0])) == 3
    assert not np.array_equal(slices[::2], slices[1::2])


def test_the_same_generator_draws_the_same_pairs(spectrograms: Spectrograms) -> None:
    drawn = [
        draw_pairs(
            spectrograms,
            spectrograms.tracks,
            n_tracks=3,
            rng=np.random.default_rng(5),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])


def test_a_batch_is_no_larger_than_the_music(spectrograms: Spectrograms) -> None:
    rng = np.random.default_rng(0)
    slices, _ = draw_pairs(spectrograms, spectrograms.tracks, n_tracks=99, rng=rng)
    assert len(slices) == 8


def test_the_parts_of_a_batch_have_its_tracks_and_none_in_common(
    spectrograms: Spectrograms,
) -> None:
    def tracks(part: int, n_parts: int) -> list[float]:
        _, labels = draw_pairs(
            spectrograms,
            spectrograms.tracks,
            n_tracks=4,
            rng=np.random.default_rng(3),
            part=part,
            n_parts=n_parts,
        )
        return labels[::2, 0].tolist()

    assert tracks(0, 2) + tracks(1, 2) == tracks(0, 1)


def test_labels_carry_the_targets_of_the_tracks_that_have_one(
    spectrograms: Spectrograms,
) -> None:
    tracks = spectrograms.tracks
    vectors = np.eye(4, dtype=np.float32)[:2]
    targets = Targets([track.path for track in tracks[:2]], 3 * vectors)
    lessons = Lessons(targets, tracks, fitted_to=tracks)
    _, labels = draw_pairs(
        spectrograms,
        tracks,
        n_tracks=4,
        rng=np.random.default_rng(0),
        lessons=lessons,
        augmentation=UNCHANGED,
    )
    for row in labels:
        number = int(row[0])
        assert row[2] == (number < 2)
        expected = vectors[number] if number < 2 else np.zeros(4)
        np.testing.assert_allclose(row[N_LABELS:], expected, atol=1e-3)


def test_a_mixed_slice_is_mostly_its_own_and_its_target_moves_with_it() -> None:
    rng = np.random.default_rng(0)
    db = np.repeat(np.array([0.0, 0.0, -40.0, -40.0], dtype="f4"), N_MELS * N_FRAMES)
    db = db.reshape(4, N_MELS, N_FRAMES)
    db[:2, : N_MELS // 2] = -100
    db[2:, N_MELS // 2 :] = -100
    before = db.copy()
    labels = np.array([[0, 0, 1, 1, 0]] * 2 + [[1, 1, 1, 0, 1]] * 2, dtype=np.float32)
    mix(db, labels, share=1.0, rng=rng)
    # The other track is heard, 3 to 15 dB below in power over the whole slice.
    added = db[0, 0, 0]
    assert -15.1 < added < -2.9
    np.testing.assert_allclose(db[0, -1], before[0, -1], atol=0.1)
    assert labels[0, 3] > labels[0, 4] > 0
    np.testing.assert_allclose(np.linalg.norm(labels[:, 3:], axis=1), 1, atol=1e-5)


def test_a_slice_mixed_with_one_that_is_not_taught_is_not_taught() -> None:
    db = np.zeros((4, N_MELS, N_FRAMES), dtype=np.float32)
    labels = np.array([[0, 0, 1, 1]] * 2 + [[1, 1, 0, 0]] * 2, dtype=np.float32)
    mix(db, labels, share=1.0, rng=np.random.default_rng(0))
    assert not labels[:, 2].any()


def test_a_lone_pair_is_mixed_with_nothing() -> None:
    db = np.zeros((2, N_MELS, N_FRAMES), dtype=np.float32)
    mix(db, np.ones((2, 4), dtype="f4"), share=1.0, rng=np.random.default_rng(0))
    assert not db.any()


def test_an_equaliser_is_constant_over_time() -> None:
    flat = np.zeros((3, N_MELS, N_FRAMES), dtype=np.float32)
    coloured = equalise(flat, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(coloured, coloured[:, :, :1].repeat(N_FRAMES, 2))
    assert coloured.std(axis=1).min() > 0.1


def test_masks_silence_at_most_their_extent() -> None:
    ones = np.ones((20, N_MELS, N_FRAMES), dtype=np.float32)
    masked = mask(ones, rng=np.random.default_rng(0), max_frames=10, max_bands=3)
    silent_frames = (masked.max(axis=1) == 0).sum(axis=1)
    silent_bands = (masked.max(axis=2) == 0).sum(axis=1)
    assert silent_frames.max() <= 10
    assert silent_bands.max() <= 3
    assert silent_frames.any()
    assert silent_bands.any()
