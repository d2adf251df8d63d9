from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import APIC, ID3
from sounds import noise, tone, write_sound

from beetsplug.deejai.audio.decode import stream_audio
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path

RATE = 48_000


def decode(path: Path, max_loss_s: float | None = 0.5) -> tuple[np.ndarray, str]:
    """What is heard of a file, and why no more of it."""
    blocks: list[np.ndarray[Any, Any]] = []
    try:
        blocks.extend(
            stream_audio(
                str(path),
                sample_rate=RATE,
                layout="stereo",
                sample_format="flt",
                max_loss_s=max_loss_s,
            )
        )
    except TrackError as error:
        return np.concatenate(blocks or [np.zeros((0, 1), np.float32)]), str(error)
    return np.concatenate(blocks), ""


def write_noise(path: Path, *, seconds: float = 8) -> Path:
    return write_sound(path, noise(seconds=seconds, rate=RATE), rate=RATE)


def overwrite(path: Path, *, start: float, share: float, seed: int | None = 0) -> None:
    """Replace a part of a file by random bytes, or by zeros where there is no seed."""
    data = bytearray(path.read_bytes())
    begin, n_bytes = int(start * len(data)), int(share * len(data))
    end = min(len(data), begin + n_bytes)
    data[begin:end] = (
        bytes(end - begin)
        if seed is None
        else np.random.default_rng(seed).bytes(end - begin)
    )
    path.write_bytes(data)


def assert_whole(path: Path) -> None:
    heard, reason = decode(path)
    assert reason == ""
    assert np.array_equal(heard, decode(path, None)[0])


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".mp3"])
def test_an_end_before_the_declared_one_is_reported_after_all_the_audio(
    tmp_path: Path, suffix: str
) -> None:
    path = write_noise(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    heard, reason = decode(path)
    assert reason == "ends at 0:04 of 0:08 (truncated?)"
    assert np.array_equal(heard, decode(path, None)[0])


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_what_declares_no_duration_may_end_anywhere(
    tmp_path: Path, suffix: str
) -> None:
    path = write_noise(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_whole(path)


@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".opus", ".m4a", ".wv"])
def test_damage_in_the_middle_is_reported_after_the_audio_before_it(
    tmp_path: Path, suffix: str, seed: int | None
) -> None:
    path = write_noise(tmp_path / f"a{suffix}")
    overwrite(path, start=0.5, share=0.3, seed=seed)
    heard, reason = decode(path)
    whole, _ = decode(path, None)
    assert reason in ("damaged at 0:03", "damaged at 0:04")
    assert 2.5 < len(heard) / RATE < 4.6
    assert np.array_equal(heard, whole[: len(heard)])


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".m4a"])
def test_no_more_than_the_allowed_loss_is_no_damage(
    tmp_path: Path, suffix: str
) -> None:
    path = write_noise(tmp_path / f"a{suffix}")
    overwrite(path, start=0.5, share=0.15)
    whole, _ = decode(path, None)
    assert "damaged" in decode(path, 0.3)[1]
    heard, reason = decode(path, 4.0)
    assert reason == ""
    assert np.array_equal(heard, whole)


def test_one_broken_frame_of_an_mp3_is_no_damage(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.mp3")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    assert_whole(path)


def test_tags_and_junk_around_and_between_are_no_damage(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.mp3")
    audio = path.read_bytes()
    cover = np.random.default_rng(0).bytes(300_000)
    tags = ID3()
    tags.add(APIC(3, "image/jpeg", 3, "cover", cover))
    tags.save(path)
    tagged = path.read_bytes()
    header = struct.pack("<8sIII8x", b"APETAGEX", 2000, len(cover) + 32, 1)
    ape = header + cover + header
    lyrics = b"LYRICSBEGIN" + b"la la " * 900 + b"005400LYRICS200"
    id3v1 = b"TAG" + bytes(125)
    half = len(audio) // 2
    for content in [
        tagged + ape + lyrics + id3v1,
        tagged + id3v1 + tagged,
        audio + ape + id3v1 + audio,
        audio[:half] + tagged[: -len(audio)] + audio[half:],
        cover[:5_000] + audio + cover[:5_000],
    ]:
        path.write_bytes(content)
        assert_whole(path)


def test_streams_joined_together_are_no_damage(tmp_path: Path) -> None:
    mono = write_sound(tmp_path / "mono.ogg", tone(seconds=3))
    stereo = write_sound(tmp_path / "b.ogg", noise(seconds=2), layout="stereo")
    for links in ([mono, mono], [stereo, stereo, stereo]):
        path = tmp_path / "joined.ogg"
        path.write_bytes(b"".join(link.read_bytes() for link in links))
        assert_whole(path)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_is_no_damage(tmp_path: Path, size: int) -> None:
    path = write_noise(tmp_path / "a.wav", seconds=2)
    data = bytearray(path.read_bytes())
    start = data.index(b"data") + 4
    data[4:8] = data[start : start + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    assert_whole(path)


def test_an_aiff_written_to_a_pipe_is_no_damage(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.aiff", seconds=2)
    data = bytearray(path.read_bytes())
    start = data.index(b"COMM") + 10
    data[start : start + 4] = struct.pack(">I", 0x7F000000 // 2)
    path.write_bytes(data)
    assert_whole(path)


def test_a_flac_of_unknown_length_is_no_damage(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.flac", seconds=2)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert_whole(path)


def test_an_mp3_without_a_frame_count_is_not_held_to_a_guess(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.mp3")
    audio = path.read_bytes()
    # FFmpeg divides the size by the bit rate: 25 s too much for the bytes that follow.
    path.write_bytes(audio[2_000:] + bytes(400_000))
    assert_whole(path)


@settings(max_examples=25, deadline=None)
@given(
    start=st.floats(0.1, 0.95),
    share=st.floats(0, 0.5),
    seed=st.none() | st.integers(0, 99),
    suffix=st.sampled_from([".mp3", ".flac", ".ogg"]),
)
def test_with_any_damage_what_is_heard_begins_as_without_a_limit(
    tmp_path_factory: pytest.TempPathFactory,
    start: float,
    share: float,
    seed: int | None,
    suffix: str,
) -> None:
    path = write_noise(tmp_path_factory.mktemp("any") / f"a{suffix}", seconds=2)
    overwrite(path, start=start, share=share, seed=seed)
    whole, _ = decode(path, None)
    heard, reason = decode(path, 0.2)
    again, reason_again = decode(path, 0.2)
    # Looked at packet by packet, a damaged FLAC may yield one frame more.
    both = min(len(heard), len(whole))
    assert np.array_equal(heard[:both], whole[:both])
    assert reason or len(heard) >= len(whole)
    assert np.array_equal(heard, again)
    assert reason == reason_again
