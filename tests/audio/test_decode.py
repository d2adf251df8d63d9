from __future__ import annotations

import os
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import pytest
from mutagen.flac import FLAC, Picture
from odd_sounds import put_tag_that_is_not_utf8
from sounds import noise, tone, write_sound

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.audio.decode import audio_signature, stream_waveform
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from pathlib import Path


def decode(path: Path | str) -> np.ndarray:
    return np.concatenate(list(stream_waveform(str(path))))


def peak_frequency(y: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(y * np.hanning(y.size)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / y.size)


@pytest.mark.parametrize(
    "suffix",
    [".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff", ".wma", ".wv"],
)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_every_format_becomes_mono_22050(
    tmp_path: Path, suffix: str, layout: str
) -> None:
    rate = 48_000 if suffix == ".opus" else 44_100
    path = write_sound(
        tmp_path / f"a{suffix}",
        tone(440, seconds=3, rate=rate),
        rate=rate,
        layout=layout,
    )
    y = decode(path)
    assert y.dtype == np.float32
    assert y.ndim == 1
    assert abs(y.size / SAMPLE_RATE - 3) < 0.15
    assert abs(peak_frequency(y) - 440) < 2


def test_alac_in_m4a_is_decoded(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.m4a", tone(seconds=3), codec="alac")
    assert abs(decode(path).size / SAMPLE_RATE - 3) < 0.05


@pytest.mark.parametrize(
    ("rate", "layout"), [(8_000, "mono"), (96_000, "5.1"), (11_025, "stereo")]
)
def test_any_rate_and_layout(tmp_path: Path, rate: int, layout: str) -> None:
    path = write_sound(
        tmp_path / "a.flac", tone(500, seconds=3, rate=rate), rate=rate, layout=layout
    )
    y = decode(path)
    assert abs(y.size / SAMPLE_RATE - 3) < 0.05
    assert abs(peak_frequency(y) - 500) < 2


def test_an_extension_that_lies_does_not_matter(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.ogg", tone(seconds=3))
    liar = path.rename(tmp_path / "a.flac")
    assert abs(decode(liar).size / SAMPLE_RATE - 3) < 0.05


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.wav", b"two\nlines.wav", b"'quotes\" [x];,:=\\.wav", b"%41 b#c.wav"],
)
def test_any_file_name_is_opened(tmp_path: Path, name: bytes) -> None:
    plain = write_sound(tmp_path / "plain.wav", tone(seconds=3))
    path = os.path.join(os.fsencode(tmp_path), name)
    os.rename(plain, path)
    assert abs(decode(os.fsdecode(path)).size / SAMPLE_RATE - 3) < 0.05
    assert len(audio_signature(os.fsdecode(path))) == 32


def test_tags_that_are_not_utf8_do_not_matter(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.ogg", tone(seconds=3))
    put_tag_that_is_not_utf8(path)
    assert b"caf\xe9" in path.read_bytes()
    assert abs(decode(path).size / SAMPLE_RATE - 3) < 0.05
    assert len(audio_signature(str(path))) == 32


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"these are words, and no music\n" * 200, "no audio"),
        (bytes(range(256)) * 400, "no audio"),
        (b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "no audio"),
    ],
    ids=["empty", "text", "bytes", "a playlist that points at the network"],
)
def test_what_is_no_music_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(TrackError, match=reason) as caught:
        decode(path)
    assert "\n" not in str(caught.value)


def test_missing_dangling_and_special_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "link.mp3").symlink_to(tmp_path / "gone.mp3")
    os.mkfifo(tmp_path / "fifo.mp3")
    for name, reason in [
        ("gone.mp3", "does not exist"),
        ("link.mp3", "target"),
        ("fifo.mp3", "not a regular file"),
        (".", "not a regular file"),
    ]:
        with pytest.raises(TrackError, match=reason):
            decode(tmp_path / name)


def test_a_file_with_pictures_but_no_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(TrackError, match="no audio"):
        decode(path)


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".flac", ".opus"])
def test_half_a_file_is_still_music(tmp_path: Path, suffix: str) -> None:
    rate = 48_000 if suffix == ".opus" else 44_100
    sound = noise(seconds=8, rate=rate)
    path = write_sound(tmp_path / f"a{suffix}", sound, rate=rate)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 2.5 < decode(path).size / SAMPLE_RATE < 5.5


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg"])
def test_damage_in_the_middle_costs_only_what_is_damaged(
    tmp_path: Path, suffix: str
) -> None:
    path = write_sound(tmp_path / f"a{suffix}", noise(seconds=12))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    path.write_bytes(data)
    y = decode(path)
    assert y.size / SAMPLE_RATE > 8
    assert np.isfinite(y).all()


def test_numbers_that_are_not_finite_become_silence(tmp_path: Path) -> None:
    wave = tone(seconds=2)
    wave[1000:1100] = np.nan
    wave[5000] = np.inf
    path = write_sound(tmp_path / "a.wav", wave, codec="pcm_f32le")
    assert np.isfinite(decode(path)).all()


def test_a_cover_in_the_file_is_not_heard(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", tone(seconds=3))
    before, signature = decode(path), audio_signature(str(path))
    _add_cover_and_lyrics(path)
    assert np.array_equal(decode(path), before)
    assert audio_signature(str(path)) == signature


def _add_cover_and_lyrics(path: Path) -> None:
    tags = FLAC(path)
    picture = Picture()
    picture.mime, picture.data, picture.type = "image/png", b"\x89PNG" * 90_000, 3
    tags.add_picture(picture)
    tags["lyrics"] = "la " * 5000
    tags.save()


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus", ".m4a", ".wv"])
def test_the_signature_ignores_tags(tmp_path: Path, suffix: str) -> None:
    rate = 48_000 if suffix == ".opus" else 44_100
    path = write_sound(tmp_path / f"a{suffix}", tone(rate=rate), rate=rate)
    before = audio_signature(str(path))
    tags = mutagen.File(path, easy=True)
    if tags.tags is None:
        tags.add_tags()
    tags["title"] = "a long title " * 500
    tags.save()
    assert audio_signature(str(path)) == before


def test_the_signature_tells_audio_of_the_same_length_and_format_apart(
    tmp_path: Path,
) -> None:
    signatures = {
        audio_signature(str(write_sound(tmp_path / f"{f}.wav", tone(f))))
        for f in (220, 330, 440)
    }
    assert len(signatures) == 3


def test_decoding_a_long_file_keeps_memory_bounded(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", tone(seconds=300, rate=8000), rate=8000)
    assert max(block.size for block in stream_waveform(str(path))) <= 1 << 16
