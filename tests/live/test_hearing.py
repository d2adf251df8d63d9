"""What is heard of a stream, with an encoder whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import noise, tone

from beetsplug.deejai.audio.constants import SAMPLE_RATE, SLICE_S, SLICE_SAMPLES
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.live.hearing import (
    QUIET_DB,
    SILENCE_DB,
    WINDOW_SAMPLES,
    hear,
    level_db,
    windows,
)


class BandEncoder:
    """Tells of each slice how much of every mel band is in it."""

    model_id = "bands"
    vector_size = 96

    def __init__(self, value: float = 1.0) -> None:
        self.value = value
        self.n_heard = 0

    def encode(self, slices: np.ndarray) -> np.ndarray:
        self.n_heard += len(slices)
        return self.value * slices.mean(axis=2)


def wave(frequency: float, seconds: float) -> np.ndarray:
    return tone(frequency, seconds=seconds, rate=SAMPLE_RATE)


def direction_of(*parts: np.ndarray) -> np.ndarray:
    direction = hear(np.concatenate(parts), BandEncoder()).direction
    assert direction is not None
    return direction


def test_what_is_heard_is_the_direction_of_the_last_three_slices() -> None:
    window = np.concatenate([wave(220, 6), wave(880, 11)])[-WINDOW_SAMPLES:]
    vectors = log_mel_slices(window).mean(axis=2)
    expected = sum(v / np.linalg.norm(v) for v in vectors)
    np.testing.assert_allclose(
        direction_of(window), expected / np.linalg.norm(expected), atol=1e-5
    )


def test_only_the_end_of_what_is_longer_counts() -> None:
    end = wave(440, WINDOW_SAMPLES / SAMPLE_RATE)
    np.testing.assert_array_equal(direction_of(wave(110, 9), end), direction_of(end))


def test_what_is_shorter_than_a_slice_is_heard_too() -> None:
    short, long = direction_of(wave(440, 2)), direction_of(wave(440, 10))
    assert short @ long > 0.99


def test_loudness_does_not_change_what_is_heard() -> None:
    loud = wave(440, 10)
    assert direction_of(loud) @ direction_of(loud / 100) > 0.9999


@pytest.mark.parametrize(
    ("sound", "complaint"),
    [
        (np.zeros(3 * SLICE_SAMPLES), "silence: is the sound on, and not muted?"),
        (np.zeros(0), "silence: is the sound on, and not muted?"),
        (1e-3 * noise(seconds=9, rate=SAMPLE_RATE), "too quiet: -78 dB"),
        # A cheap microphone in a quiet room.
        (0.3 + 1e-3 * noise(seconds=9, rate=SAMPLE_RATE), "too quiet: -78 dB"),
    ],
)
def test_what_is_too_quiet_says_so(sound: np.ndarray, complaint: str) -> None:
    encoder = BandEncoder()
    heard = hear(sound.astype(np.float32), encoder)
    assert heard.direction is None
    assert heard.complaint == complaint
    assert encoder.n_heard == 0


def test_music_after_silence_is_heard_without_the_silence() -> None:
    music = wave(440, SLICE_S + 0.01)[:SLICE_SAMPLES]
    silence = np.zeros(2 * SLICE_SAMPLES, dtype=np.float32)
    assert direction_of(silence, music) @ direction_of(music) > 0.999


def test_silence_after_music_is_silence() -> None:
    silence = np.zeros(SLICE_SAMPLES, dtype=np.float32)
    heard = hear(np.concatenate([wave(440, 11), silence]), BandEncoder())
    assert heard.direction is None
    assert heard.level_db == SILENCE_DB


def test_an_encoder_that_gives_no_numbers_is_told() -> None:
    with pytest.raises(FatalError, match="no finite numbers"):
        hear(wave(440, 6), BandEncoder(math.nan))


@given(st.floats(-90, 0))
def test_levels_are_relative_to_full_scale(db: float) -> None:
    square = np.resize([1.0, -1.0], 1000).astype(np.float32) * 10 ** (db / 20)
    assert level_db(square) == pytest.approx(db, abs=1e-3)
    assert QUIET_DB > SILENCE_DB


@given(
    sizes=st.lists(st.integers(0, 4 * SAMPLE_RATE), max_size=15),
    every_s=st.floats(1.0, 9.0),
    limit_s=st.one_of(st.just(math.inf), st.floats(1.0, 60.0)),
)
def test_windows_come_on_time_however_the_stream_is_cut(
    sizes: list[int], every_s: float, limit_s: float
) -> None:
    whole = np.arange(sum(sizes), dtype=np.float32)
    blocks = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(windows(blocks, every_s=every_s, limit_s=limit_s))
    times = [time_s for time_s, _ in found]
    n_heard = min(len(whole), round(min(limit_s, 1e6) * SAMPLE_RATE))
    if not n_heard:
        assert not found
        return
    assert times[-1] == n_heard / SAMPLE_RATE
    assert times[0] == pytest.approx(min(SLICE_S, times[-1]))
    np.testing.assert_allclose(np.diff(times)[:-1], every_s, atol=1e-4)
    for time_s, window in found:
        end = round(time_s * SAMPLE_RATE)
        np.testing.assert_array_equal(window, whole[max(0, end - WINDOW_SAMPLES) : end])
