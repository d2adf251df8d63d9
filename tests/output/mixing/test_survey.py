from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from sounds import RATE, noise, tone

from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.mixing.survey import (
    EXCERPT_S,
    WINDOW_S,
    Survey,
    decode_stereo,
    survey,
)

if TYPE_CHECKING:
    from pathlib import Path


def surveyed(
    folder: Path, wave: npt.NDArray[np.floating], *, subtype: str = "FLOAT"
) -> Survey:
    path = folder / "sound.wav"
    soundfile.write(path, wave, RATE, subtype=subtype)
    return survey(str(path), sample_rate=RATE, measure_loudness=True)


def silence(seconds: float) -> npt.NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def test_it_tells_where_sound_begins_and_ends_to_the_sample(tmp_path: Path) -> None:
    sound = np.full(3 * RATE, 0.25, np.float32)
    sound[::2] *= -1
    found = surveyed(tmp_path, np.concatenate([silence(1.5), sound, silence(2)]))
    assert found.n_samples == 6.5 * RATE
    assert (found.first, found.last) == (1.5 * RATE, 4.5 * RATE)
    assert found.peak == pytest.approx(0.25)


def test_the_levels_are_those_of_the_windows(tmp_path: Path) -> None:
    wave = np.concatenate([noise(seconds=2), 0.1 * noise(seconds=1.01)])
    found = surveyed(tmp_path, wave)
    assert len(found.levels) == np.ceil(3.01 / WINDOW_S)
    first, last = found.levels[:100], found.levels[100:]
    assert np.sqrt(np.mean(first**2)) == pytest.approx(0.12, rel=0.02)
    assert np.sqrt(np.mean(last**2)) == pytest.approx(0.012, rel=0.02)


def test_a_mono_track_is_as_loud_as_it_is_heard_from_two_speakers(
    tmp_path: Path,
) -> None:
    mono = surveyed(tmp_path, tone())
    stereo = surveyed(tmp_path, np.repeat(tone()[:, None], 2, axis=1))
    assert mono.loudness == pytest.approx(stereo.loudness, abs=0.01)
    assert mono.loudness is not None
    assert mono.loudness < 0


def test_the_loudness_is_measured_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, tone(), RATE)
    found = survey(str(path), sample_rate=RATE, measure_loudness=False)
    assert found.loudness is None


def test_an_offset_is_told_and_not_taken_for_sound(tmp_path: Path) -> None:
    wave = np.concatenate([silence(3), 0.1 * tone(seconds=12), silence(3)])
    inside = np.concatenate([silence(3), np.ones(12 * RATE, np.float32), silence(3)])
    found = surveyed(tmp_path, np.stack([wave + 0.2 * inside, wave], axis=1))
    assert found.offset == pytest.approx([0.2, 0.0], abs=1e-3)
    assert found.offset[1] == 0
    plain = surveyed(tmp_path, np.stack([wave, wave], axis=1))
    assert found.levels == pytest.approx(plain.levels, abs=5e-3)


@pytest.mark.parametrize("value", [0.0, 0.0005, 0.3])
def test_a_track_in_which_nothing_moves_is_silence(
    tmp_path: Path, value: float
) -> None:
    with pytest.raises(TrackError, match="only silence"):
        surveyed(tmp_path, silence(2) + value)


def test_the_excerpts_are_the_ends_of_what_is_heard(tmp_path: Path) -> None:
    first, last = tone(300, seconds=40), tone(500, seconds=40)
    wave = np.concatenate([silence(40), first, last, silence(50)])
    found = surveyed(tmp_path, wave)
    n_samples = round(EXCERPT_S * RATE)
    assert len(found.head) == n_samples
    assert found.head_start == pytest.approx(40 * RATE, abs=2 * RATE)
    start = found.head_start
    np.testing.assert_allclose(found.head, wave[start : start + n_samples], atol=1e-6)
    start, end = found.tail_start, found.tail_start + len(found.tail)
    np.testing.assert_allclose(found.tail, wave[start:end], atol=1e-6)
    assert end == pytest.approx(120 * RATE, abs=2 * RATE)
    assert n_samples <= len(found.tail) + 2 * RATE


def test_what_stops_a_survey_comes_out_of_it(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    soundfile.write(path, noise(seconds=30), RATE)

    def check(n_samples: int) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        survey(str(path), sample_rate=RATE, measure_loudness=True, check=check)


def test_sixteen_bits_come_through_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    samples = np.arange(-32_768, 32_768, dtype=np.int16)
    soundfile.write(path, samples, RATE)
    blocks = list(decode_stereo(str(path), sample_rate=RATE))
    heard = np.concatenate(blocks) * 32_768
    assert np.array_equal(heard, np.repeat(samples[:, None], 2, axis=1))
