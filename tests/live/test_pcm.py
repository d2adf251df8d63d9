from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import tone

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.errors import FatalError, TrackError
from beetsplug.deejai.live.pcm import stream_pcm, waveform_of
from beetsplug.deejai.live.sources import from_file, from_pipe


def as_bytes(wave: np.ndarray) -> bytes:
    return np.round(32767 * wave).astype("<i2").tobytes()


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 192_000])
def test_samples_of_any_rate_become_the_same_sound(rate: int) -> None:
    wave = waveform_of(as_bytes(tone(440, seconds=1, rate=rate)), rate=rate)
    expected = tone(440, seconds=1, rate=SAMPLE_RATE)
    assert wave.dtype == np.float32
    assert abs(wave.size - expected.size) < 100
    inner = slice(1000, 20_000)
    np.testing.assert_allclose(wave[inner], expected[inner], atol=0.01)


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=99), max_size=20), st.sampled_from([8000, 48_000]))
def test_how_the_bytes_are_cut_does_not_matter(chunks: list[bytes], rate: int) -> None:
    blocks = list(stream_pcm(chunks, rate=rate))
    streamed = np.concatenate(blocks) if blocks else np.zeros(0)
    np.testing.assert_allclose(
        streamed, waveform_of(b"".join(chunks), rate=rate), atol=1e-6
    )


@pytest.mark.parametrize("data", [b"", b"\x01"])
def test_without_a_whole_sample_there_is_no_sound(data: bytes) -> None:
    assert waveform_of(data, rate=44_100).size == 0


def test_half_a_sample_at_the_end_is_dropped() -> None:
    data = as_bytes(tone(seconds=0.5, rate=SAMPLE_RATE))
    np.testing.assert_array_equal(
        waveform_of(data + b"\x7f", rate=SAMPLE_RATE),
        waveform_of(data, rate=SAMPLE_RATE),
    )


@pytest.mark.parametrize("rate", [0, -1, 7999, 192_001])
def test_a_rate_that_no_microphone_has_is_refused(rate: int) -> None:
    with pytest.raises(FatalError, match="8000 to 192000 Hz are taken"):
        next(from_pipe(io.BytesIO(b"\0\0"), rate=rate))


def test_an_endless_pipe_is_read_as_it_is_needed() -> None:
    class Endless(io.RawIOBase):
        n_read = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            self.n_read += len(buffer)
            return len(buffer)

    endless = Endless()
    blocks = from_pipe(io.BufferedReader(endless), rate=SAMPLE_RATE)
    n_samples = 0
    while n_samples < 10 * SAMPLE_RATE:
        n_samples += next(blocks).size
    assert endless.n_read < 30 * SAMPLE_RATE


def test_a_file_that_is_none_is_told() -> None:
    with pytest.raises(TrackError):
        next(from_file("/nowhere/at/all.flac"))
