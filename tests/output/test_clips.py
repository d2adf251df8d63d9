from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sounds import noise, tone, write_sound

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.clips import (
    CLIP_FRAMES,
    CLIP_S,
    clip_mp3,
    clip_spectrogram,
    read_clip,
)

if TYPE_CHECKING:
    from pathlib import Path


def with_burst(at_s: float, *, seconds: float = 12.0, rate: int = 44_100) -> np.ndarray:
    wave = 0.1 * tone(300, seconds=seconds, rate=rate)
    start = round(at_s * rate)
    burst = noise(seconds=0.1, rate=rate)
    wave[start : start + burst.size] += 3 * burst
    return wave


@pytest.mark.parametrize(("suffix", "rate"), [(".flac", 44_100), (".opus", 48_000)])
@pytest.mark.parametrize("at_s", [0.3, 5.0, 11.8])
def test_the_moment_is_in_the_middle(
    tmp_path: Path, suffix: str, rate: int, at_s: float
) -> None:
    wave = with_burst(at_s, rate=rate)
    path = write_sound(tmp_path / f"burst{suffix}", wave, rate=rate)
    clip = read_clip(str(path), at_s + 0.05)
    assert clip.dtype == np.float32
    assert abs(clip.size / SAMPLE_RATE - CLIP_S) < 0.1
    energy = np.convolve(clip**2, np.ones(2205), mode="same")
    assert abs(energy.argmax() - clip.size / 2) < 0.06 * SAMPLE_RATE
    drawing = clip_spectrogram(clip)
    assert drawing.shape == (96, CLIP_FRAMES)
    assert 0 <= drawing.min() <= drawing.max() <= 1
    assert abs(drawing[60:].mean(axis=0).argmax() - CLIP_FRAMES / 2) < 5


def test_beyond_the_track_there_is_silence(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "short.wav", tone(seconds=1))
    clip = read_clip(str(path), 0.5)
    quarter = clip.size // 4
    assert np.abs(clip[: quarter // 2]).max() < 1e-3
    assert np.abs(clip[-quarter // 2 :]).max() < 1e-3
    assert np.abs(clip).max() > 0.3
    assert not read_clip(str(path), 60.0).any()


def test_a_clip_is_a_small_mp3(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "burst.flac", with_burst(5.0))
    encoded = clip_mp3(read_clip(str(path), 5.05))
    assert len(encoded) < 20_000
    written = tmp_path / "clip.mp3"
    written.write_bytes(encoded)
    decoded = np.concatenate(list(stream_waveform(str(written))))
    assert abs(decoded.size / SAMPLE_RATE - CLIP_S) < 0.2
    energy = np.convolve(decoded**2, np.ones(2205), mode="same")
    assert abs(energy.argmax() / SAMPLE_RATE - CLIP_S / 2) < 0.15


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrackError):
        read_clip(str(tmp_path / "gone.flac"), 1.0)
