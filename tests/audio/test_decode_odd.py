from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from odd_sounds import OddSound, make_odd_sounds
from sounds import tone

from beetsplug.deejai.audio.decode import LOUDEST, stream_audio, stream_waveform
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def odd_sounds(tmp_path_factory: pytest.TempPathFactory) -> list[OddSound]:
    return make_odd_sounds(tmp_path_factory.mktemp("odd"))


def decode(
    path: Path, *, sample_format: str = "flt", max_loss_s: float | None = None
) -> tuple[np.ndarray, str]:
    """What is heard of a file, in stereo or mono, and why no more of it."""
    blocks: list[np.ndarray[Any, Any]] = []
    try:
        blocks.extend(
            stream_audio(
                str(path),
                sample_rate=44_100,
                layout="stereo",
                sample_format=sample_format,
                max_loss_s=max_loss_s,
            )
        )
    except TrackError as error:
        return np.concatenate(blocks or [np.zeros((0, 2), np.float32)]), str(error)
    return np.concatenate(blocks), ""


def test_the_odd_sounds_are_many_and_each_is_odd_in_its_own_way(
    odd_sounds: list[OddSound],
) -> None:
    assert len(odd_sounds) > 30
    assert len({sound.kind for sound in odd_sounds}) == len(odd_sounds)
    assert len({sound.path for sound in odd_sounds}) == len(odd_sounds)


@pytest.mark.parametrize("max_loss_s", [None, 0.5])
def test_whatever_is_odd_is_decoded_or_refused_in_one_line(
    odd_sounds: list[OddSound], max_loss_s: float | None
) -> None:
    for sound in odd_sounds:
        y, reason = decode(sound.path, max_loss_s=max_loss_s)
        assert y.dtype == np.float32, sound.kind
        assert y.shape[1] in (1, 2), sound.kind
        assert np.isfinite(y).all(), sound.kind
        assert np.abs(y).max(initial=0) <= LOUDEST, sound.kind
        assert len(y) or reason, sound.kind
        assert "\n" not in reason, sound.kind


def test_what_is_playable_has_a_sound_that_moves(odd_sounds: list[OddSound]) -> None:
    for sound in odd_sounds:
        y, _ = decode(sound.path)
        moves = len(y) > 1 and float(np.std(y, axis=0).max()) > 10 ** (-60 / 20)
        assert moves == sound.playable, sound.kind


def test_only_what_lacks_something_is_reported(odd_sounds: list[OddSound]) -> None:
    for sound in odd_sounds:
        whole, refused = decode(sound.path)
        heard, reason = decode(sound.path, max_loss_s=0.5)
        is_damaged = any(
            word in sound.kind for word in ("truncated", "damaged", "zeros")
        )
        # An Ogg does not declare how long it should be.
        is_known = sound.kind not in ("truncated ogg", "truncated opus")
        if refused:
            assert reason == refused, sound.kind
        elif is_damaged and is_known:
            assert reason, sound.kind
        else:
            assert not reason, sound.kind
            assert np.array_equal(heard, whole), sound.kind


def test_odd_sounds_become_a_finite_mono_waveform(odd_sounds: list[OddSound]) -> None:
    for sound in odd_sounds:
        if not sound.playable:
            continue
        y = np.concatenate(list(stream_waveform(str(sound.path))))
        assert y.ndim == 1
        assert np.isfinite(y).all(), sound.kind
        assert np.abs(y).max() <= LOUDEST, sound.kind


def test_floats_over_full_scale_are_kept_as_far_as_they_can_be_music(
    tmp_path: Path,
) -> None:
    wave = tone(seconds=1)
    wave[1_000:1_003] = 5, -5, 1e30
    soundfile.write(tmp_path / "a.wav", wave, 44_100, subtype="FLOAT")
    y, _ = decode(tmp_path / "a.wav")
    assert y[1_000:1_003, 0].tolist() == [5, -5, LOUDEST]


def test_six_channels_at_full_scale_are_mixed_down_without_clipping(
    tmp_path: Path,
) -> None:
    wave = 2 * tone(997, seconds=1, rate=48_000)
    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(wave[:, None], 6, axis=1), 48_000)
    y, _ = decode(path)
    # Front + 0.707 centre + 0.707 surround; the low-frequency channel is left out.
    assert np.abs(y).max(axis=0) == pytest.approx(2.414, abs=0.03)
    whole_numbers, _ = decode(path, sample_format="s16")
    assert np.abs(whole_numbers.astype(int)).max() == pytest.approx(32_767, abs=400)
