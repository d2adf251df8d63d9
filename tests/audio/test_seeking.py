from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_sounds import make_odd_sounds
from sounds import noise, write_sound

from beetsplug.deejai.audio.decode import stream_audio
from beetsplug.deejai.audio.seeking import StereoReader, shape_of
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 8.0


def sweep(rate: int, *, noisy: bool = True) -> np.ndarray:
    """Make a rising tone with noise: every place sounds different."""
    t = np.arange(round(SECONDS * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * (150 * t + 40 * t * t))
    hiss = 0.3 * noise(seconds=SECONDS, rate=rate)
    return (tone + noisy * hiss).astype(np.float32)


def write_sweep(path: Path, rate: int, **how: str) -> Path:
    if path.suffix == ".ogg":
        # libsndfile's stack holds only so much Vorbis at once.
        with soundfile.SoundFile(path, "w", rate, 2) as file:
            for block in np.array_split(sweep(rate), 16):
                file.write(np.repeat(block[:, None], 2, axis=1))
        return path
    # Decoders of AAC replace noise by their own, which is other noise every time.
    wave = sweep(rate, noisy=path.name != "aac.m4a")
    return write_sound(path, wave, rate=rate, **{"layout": "stereo", **how})


def read(path: Path, start: int, n_samples: int) -> np.ndarray:
    reader = StereoReader(str(path), shape_of(str(path)), start=start)
    try:
        return reader.read(n_samples)
    finally:
        reader.close()


SOUNDS = {
    "mp3.mp3": (44_100, {}),
    "flac.flac": (44_100, {}),
    "vorbis.ogg": (44_100, {}),
    "opus.opus": (48_000, {}),
    "aac.m4a": (44_100, {}),
    "alac.m4a": (48_000, {"codec": "alac"}),
    "wav.wav": (44_100, {}),
    "mono.wav": (44_100, {"layout": "mono"}),
    "aiff.aiff": (48_000, {}),
    "wavpack.wv": (44_100, {}),
    "96 kHz.flac": (96_000, {}),
    "32 kHz.flac": (32_000, {}),
    "22 kHz.mp3": (22_050, {"layout": "mono"}),
    "5.1.flac": (48_000, {"layout": "5.1"}),
}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for name, (rate, how) in SOUNDS.items():
        write_sweep(folder / name, rate, **how)
    return folder


@pytest.mark.parametrize("name", SOUNDS)
def test_a_place_is_the_same_from_the_start_and_by_seeking(
    sounds: Path, name: str
) -> None:
    path = sounds / name
    shape = shape_of(str(path))
    whole = read(path, 0, shape.n_samples).astype(int)
    for start_s in (0.3, 1.0, 2.5, 5.4321, 7.6):
        start = round(start_s * shape.sample_rate)
        part = read(path, start, 5_000)
        expected = whole[start : start + 5_000]
        np.testing.assert_allclose(part, expected, rtol=0, atol=1)


@pytest.mark.parametrize("name", SOUNDS)
def test_it_is_what_decoding_the_file_gives(sounds: Path, name: str) -> None:
    path = str(sounds / name)
    shape = shape_of(path)
    blocks = list(
        stream_audio(
            path,
            sample_rate=shape.sample_rate,
            layout="stereo",
            sample_format="flt",
        )
    )
    expected = np.concatenate(blocks) * 32_768
    assert abs(len(expected) - shape.n_samples) < 0.03 * shape.sample_rate
    assert shape.duration_s == pytest.approx(SECONDS, abs=0.1)
    n_samples = min(len(expected), shape.n_samples)
    pcm = read(sounds / name, 0, n_samples)
    expected = np.clip(expected[:n_samples], -32_768, 32_767)
    np.testing.assert_allclose(pcm, np.broadcast_to(expected, pcm.shape), atol=1.01)


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(["mp3.mp3", "vorbis.ogg", "32 kHz.flac"]),
    start=st.integers(0, 350_000),
    lengths=st.lists(st.integers(1, 9_000), min_size=1, max_size=6),
)
def test_pieces_of_any_length_join(
    sounds: Path, name: str, start: int, lengths: list[int]
) -> None:
    path = str(sounds / name)
    reader = StereoReader(path, shape_of(path), start=start)
    pieces = np.concatenate([reader.read(length) for length in lengths])
    assert reader.position == start + sum(lengths)
    reader.close()
    np.testing.assert_array_equal(pieces, read(sounds / name, start, len(pieces)))


def test_time_stamps_of_milliseconds_are_right_to_milliseconds(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "sound.wma", 44_100)
    start, n_samples = 200_000, 20_000
    whole = read(path, 0, start + n_samples).astype(float)
    part = read(path, start, n_samples).astype(float)
    errors = [
        np.abs(part[:-100] - whole[start + k : start + k + len(part) - 100]).max()
        for k in range(-44, 45)
    ]
    assert min(errors) <= 1


def test_after_the_end_there_is_silence(sounds: Path) -> None:
    shape = shape_of(str(sounds / "flac.flac"))
    pcm = read(sounds / "flac.flac", shape.n_samples - 100, 1_000)
    assert pcm[:100].any()
    assert not pcm[100:].any()


def test_what_is_missing_of_a_cut_off_file_is_silent(sounds: Path) -> None:
    whole = sounds / "wavpack.wv"
    path = sounds / "half.wv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    shape = shape_of(str(path))
    assert shape.duration_s == pytest.approx(SECONDS, abs=0.1)
    pcm = read(path, 0, shape.n_samples)
    assert pcm[: shape.n_samples // 3].any()
    assert not pcm[-shape.n_samples // 3 :].any()
    assert not read(path, round(0.7 * shape.n_samples), 5_000).any()


def test_the_length_of_an_mp3_without_a_header_is_counted(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "sound.mp3", 44_100)
    data = path.read_bytes()
    # Without the first frame, which declares, and with a bit rate that changes.
    sync = data[:2]
    quiet = write_sound(tmp_path / "quiet.mp3", np.zeros(44_100 * 4, np.float32))
    frames = data[data.index(sync, 200) :]
    path.write_bytes(frames + quiet.read_bytes()[2_000:])
    n_decoded = sum(
        len(block)
        for block in stream_audio(
            str(path), sample_rate=44_100, layout="stereo", sample_format="flt"
        )
    )
    assert shape_of(str(path)).n_samples == pytest.approx(n_decoded, abs=4_000)


def test_any_file_that_can_be_played_gives_its_declared_length(tmp_path: Path) -> None:
    for odd in make_odd_sounds(tmp_path / "odd"):
        try:
            shape = shape_of(str(odd.path))
        except TrackError:
            assert not odd.playable, odd.kind
            continue
        n_samples = min(shape.n_samples, 60 * shape.sample_rate)
        pcm = read(odd.path, 0, n_samples)
        assert pcm.shape == (n_samples, 2), odd.kind
        assert not odd.playable or pcm.any(), odd.kind
        assert read(odd.path, n_samples // 2, 100).shape == (100, 2), odd.kind
