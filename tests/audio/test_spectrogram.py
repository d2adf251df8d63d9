from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import clicks, noise, tone

from beetsplug.deejai.audio.constants import (
    HOP_LENGTH,
    N_FFT,
    N_FRAMES,
    N_MELS,
    SAMPLE_RATE,
    SLICE_SAMPLES,
)
from beetsplug.deejai.audio.spectrogram import (
    log_mel_slices,
    mel_filterbank,
    stream_slices,
)


def librosa_slices(y: np.ndarray) -> np.ndarray:
    """The definition, written with librosa, slowly."""
    mel = librosa.feature.melspectrogram(
        y=y,
        sr=SAMPLE_RATE,
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        n_mels=N_MELS,
        fmax=SAMPLE_RATE / 2,
    )
    slices = []
    for k in range(mel.shape[1] // N_FRAMES):
        power = mel[:, k * N_FRAMES : (k + 1) * N_FRAMES]
        db = librosa.power_to_db(power, ref=np.max)
        span = db.max() - db.min()
        slices.append((db - db.min()) / span if span > 0 else np.zeros_like(db))
    return np.array(slices)


def music(seconds: float = 16.0) -> np.ndarray:
    parts = [
        tone(330, seconds=seconds, rate=SAMPLE_RATE),
        noise(seconds=seconds, rate=SAMPLE_RATE),
        clicks(seconds=seconds, rate=SAMPLE_RATE),
    ]
    return np.sum(parts, axis=0).astype(np.float32)


@pytest.mark.parametrize(
    "y",
    [
        music(),
        tone(220, seconds=11, rate=SAMPLE_RATE),
        noise(seconds=7, rate=SAMPLE_RATE) * 1e-3,
        clicks(seconds=12, rate=SAMPLE_RATE) + 0.3,
    ],
    ids=["music", "tone", "quiet noise", "clicks with DC offset"],
)
def test_slices_equal_the_librosa_definition(y: np.ndarray) -> None:
    ours, theirs = log_mel_slices(y), librosa_slices(y)
    assert ours.shape == theirs.shape
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-4


def test_mel_filterbank_equals_librosa() -> None:
    theirs = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS)
    assert np.abs(mel_filterbank() - theirs).max() < 1e-7


@settings(max_examples=20, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 16 * SAMPLE_RATE), max_size=8),
    max_slices=st.integers(1, 4),
)
def test_blocks_of_any_length_give_the_same_slices(
    cuts: list[int], max_slices: int
) -> None:
    y = music()
    blocks = np.split(y, sorted(cuts))
    chunks = list(stream_slices(blocks, max_slices=max_slices))
    assert all(1 <= len(chunk) <= max_slices for chunk in chunks)
    assert np.array_equal(np.concatenate(chunks), log_mel_slices(y))


@pytest.mark.parametrize("n_slices", [1, 2, 3])
def test_an_incomplete_last_slice_is_dropped(n_slices: int) -> None:
    # librosa gives 1 + n // hop frames, so this many samples just make the last one.
    enough = n_slices * SLICE_SAMPLES - HOP_LENGTH
    y = noise(seconds=20, rate=SAMPLE_RATE)
    assert len(log_mel_slices(y[:enough])) == n_slices
    if n_slices > 1:
        assert len(log_mel_slices(y[: enough - 1])) == n_slices - 1


@pytest.mark.parametrize("seconds", [0.0001, 0.1, 2.0, 4.9])
def test_a_track_shorter_than_one_slice_is_repeated_to_fill_it(seconds: float) -> None:
    slices = log_mel_slices(tone(seconds=seconds, rate=SAMPLE_RATE))
    assert slices.shape == (1, N_MELS, N_FRAMES)
    assert np.isfinite(slices).all()


def test_silence_becomes_zeros_not_nan() -> None:
    slices = log_mel_slices(np.zeros(11 * SAMPLE_RATE, dtype=np.float32))
    assert slices.shape == (2, N_MELS, N_FRAMES)
    assert not slices.any()


def test_nothing_gives_no_slices() -> None:
    assert log_mel_slices(np.zeros(0, dtype=np.float32)).shape == (0, N_MELS, N_FRAMES)


def test_every_slice_is_scaled_to_its_own_range() -> None:
    loud_then_quiet = music()
    loud_then_quiet[8 * SAMPLE_RATE :] *= 1e-3
    slices = log_mel_slices(loud_then_quiet)
    assert np.allclose(slices.min(axis=(1, 2)), 0)
    assert np.allclose(slices.max(axis=(1, 2)), 1)
