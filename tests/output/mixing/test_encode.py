from __future__ import annotations

import os
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sounds import noise, tone

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.mixing.encode import FORMATS, format_of, open_encoder
from beetsplug.deejai.output.mixing.model import Chapter
from beetsplug.deejai.output.mixing.tags import MixTags

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

LOSSLESS = (".wav", ".flac")
LOSSY = (".mp3", ".ogg", ".opus", ".m4a")
# FFmpeg reads the last frame of AAC to its end.
FRAME = 1024
TAGS = MixTags("Title", "Artist", "2026", "comment", [Chapter(0, 1, "One")], None)


def stereo(wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.repeat(wave[:, None], 2, axis=1)


def encode(
    path: Path,
    samples: npt.NDArray[np.float32],
    *,
    n_block: int = 1 << 16,
    **wanted: float,
) -> Path:
    target = format_of(str(path), **wanted)
    with (
        open(path, "wb") as file,
        open_encoder(file, target, destination=str(path)) as write,
    ):
        for start in range(0, len(samples), n_block):
            write(samples[start : start + n_block])
    return path


def decode(path: Path) -> npt.NDArray[np.float32]:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "stereo")
        frames = [
            resampled
            for frame in [*container.decode(container.streams.audio[0]), None]
            for resampled in resampler.resample(frame)
        ]
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames])


def level_db(wave: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64))))


@pytest.mark.parametrize("suffix", LOSSLESS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=arrays(np.int16, st.tuples(st.integers(1, 500), st.just(2))),
    n_block=st.integers(1, 200),
)
def test_sixteen_bits_come_out_as_they_went_in(
    tmp_path: Path, suffix: str, samples: npt.NDArray[np.int16], n_block: int
) -> None:
    as_float = samples.astype(np.float32) / 32_768
    path = encode(tmp_path / f"mix{suffix}", as_float, n_block=n_block)
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], samples)


def test_every_sixteen_bit_value_comes_out_as_it_went_in(tmp_path: Path) -> None:
    values = np.arange(-32_768, 32_768).reshape(-1, 2).astype(np.int16)
    path = encode(tmp_path / "mix.wav", values.astype(np.float32) / 32_768)
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], values)


@pytest.mark.parametrize("suffix", LOSSLESS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=arrays(
        np.float32,
        st.tuples(st.integers(1, 100), st.just(2)),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_between_the_steps_is_rounded_and_beyond_full_scale_clipped(
    tmp_path: Path, suffix: str, samples: npt.NDArray[np.float32]
) -> None:
    path = encode(tmp_path / f"mix{suffix}", samples)
    got, _ = soundfile.read(path, dtype="int16")
    exact = np.clip(samples.astype(np.float64) * 32_768, -32_768, 32_767)
    assert np.abs(got - exact).max() <= 0.5


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("n_block", [777, 1 << 16])
def test_any_blocks_give_the_same_duration_and_level(
    tmp_path: Path, suffix: str, n_block: int
) -> None:
    rate = FORMATS[suffix].sample_rate
    samples = stereo(tone(seconds=2, rate=rate))
    wave = decode(encode(tmp_path / f"mix{suffix}", samples, n_block=n_block))
    assert len(wave) == pytest.approx(len(samples), abs=FRAME)
    assert level_db(wave) == pytest.approx(level_db(samples), abs=0.5)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_keep_what_is_quieter_than_a_step_of_sixteen_bits(
    tmp_path: Path, suffix: str
) -> None:
    rate = FORMATS[suffix].sample_rate
    faint = stereo(tone(seconds=2, rate=rate)) * np.float32(2e-5)
    assert np.abs(faint).max() < 0.5 / 32_768
    wave = decode(encode(tmp_path / f"mix{suffix}", faint))
    # So close to nothing, codecs save what they can; 16 bits would have left silence.
    assert level_db(wave) == pytest.approx(level_db(faint), abs=3)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_keep_what_is_beyond_full_scale(
    tmp_path: Path, suffix: str
) -> None:
    rate = FORMATS[suffix].sample_rate
    loud = stereo(tone(seconds=2, rate=rate)) * 3
    wave = decode(encode(tmp_path / f"mix{suffix}", loud))
    assert np.abs(wave).max() == pytest.approx(1.5, abs=0.2)


@pytest.mark.parametrize(
    ("suffix", "kbps", "tolerance"),
    [
        (".mp3", 128, 0.02),
        (".mp3", 320, 0.02),
        (".m4a", 96, 0.1),
        (".m4a", 256, 0.1),
        (".ogg", 64, 0.25),
        (".ogg", 140, 0.25),
        (".ogg", 500, 0.25),
        (".opus", 48, 0.25),
        (".opus", 256, 0.25),
    ],
)
def test_a_bit_rate_is_met(
    tmp_path: Path, suffix: str, kbps: int, tolerance: float
) -> None:
    seconds = 4.0
    samples = stereo(noise(seconds=seconds, rate=FORMATS[suffix].sample_rate))
    samples[:, 1] = samples[::-1, 1]
    path = encode(tmp_path / f"mix{suffix}", samples, bitrate_kbps=kbps)
    got = 8 * path.stat().st_size / seconds / 1000
    assert got == pytest.approx(kbps, rel=tolerance)


def test_an_mp3_of_a_bit_rate_is_constant_and_one_of_a_quality_variable(
    tmp_path: Path,
) -> None:
    samples = stereo(noise(seconds=1))
    constant = encode(tmp_path / "constant.mp3", samples, bitrate_kbps=192)
    sizes = []
    for quality in (0, 2, 9):
        path = encode(tmp_path / f"{quality}.mp3", samples, quality=quality)
        assert str(mutagen.File(path).info.bitrate_mode).endswith("VBR")
        sizes.append(path.stat().st_size)
    assert str(mutagen.File(constant).info.bitrate_mode).endswith("CBR")
    assert mutagen.File(constant).info.bitrate == pytest.approx(192_000, rel=0.001)
    assert sizes == sorted(sizes, reverse=True)
    usual = encode(tmp_path / "usual.mp3", samples)
    assert usual.stat().st_size == sizes[1]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_sample_rate_is_that_of_the_file(tmp_path: Path, suffix: str) -> None:
    samples = stereo(tone(seconds=1, rate=48_000))
    path = encode(tmp_path / f"mix{suffix}", samples, sample_rate=48_000)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].rate == 48_000
    assert len(decode(path)) == pytest.approx(48_000, abs=FRAME)


def test_without_wishes_a_format_is_the_usual_one() -> None:
    for suffix, target in FORMATS.items():
        assert format_of(f"mix{suffix.upper()}") == target
        assert target.suffix == suffix


@pytest.mark.parametrize(
    ("name", "wanted", "complaint"),
    [
        ("x.flac", {"bitrate_kbps": 320}, "--bitrate 320: .flac keeps every sample"),
        ("x.wav", {"bitrate_kbps": 320}, "--bitrate 320: .wav keeps every sample"),
        ("x.mp3", {"bitrate_kbps": 100}, "--bitrate 100: .mp3 takes one of 32 40 "),
        ("x.mp3", {"bitrate_kbps": 0}, "--bitrate 0: "),
        ("x.m4a", {"bitrate_kbps": 31}, "--bitrate 31: .m4a takes 32 to 320 "),
        ("x.ogg", {"bitrate_kbps": 501}, "--bitrate 501: .ogg takes 64 to 500 "),
        ("x.opus", {"bitrate_kbps": -6}, "--bitrate -6: .opus takes 6 to 510 "),
        ("x.ogg", {"quality": 2}, "--quality 2: it is for .mp3, not for .ogg"),
        ("x.flac", {"quality": 2}, "--quality 2: it is for .mp3, not for .flac"),
        ("x.mp3", {"quality": 10}, "--quality 10: .mp3 takes 0 (best) to 9"),
        ("x.mp3", {"quality": float("nan")}, "--quality nan: "),
        ("x.mp3", {"quality": 2, "bitrate_kbps": 128}, "give only one of them"),
        ("x.mp3", {"sample_rate": 96_000}, "--sample-rate 96000: a mix takes 44100 or"),
        ("x.opus", {"sample_rate": 44_100}, "--sample-rate 44100: .opus is always"),
        ("x.wma", {}, "a mix ends in one of .mp3 .flac .ogg .opus .m4a .wav"),
    ],
)
def test_what_a_format_cannot_be_is_told_in_one_line(
    name: str, wanted: dict[str, float], complaint: str
) -> None:
    with pytest.raises(FatalError) as raised:
        format_of(name, **wanted)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("suffix", LOSSY)
def test_every_bit_rate_that_is_taken_is_encoded(tmp_path: Path, suffix: str) -> None:
    samples = stereo(noise(seconds=0.3, rate=FORMATS[suffix].sample_rate))
    taken = []
    for kbps in (6, 8, 32, 64, 320, 500, 510):
        try:
            format_of(f"mix{suffix}", bitrate_kbps=kbps)
        except FatalError:
            continue
        encode(tmp_path / f"mix{suffix}", samples, bitrate_kbps=kbps)
        taken.append(kbps)
    assert {64, 320} <= set(taken)


@pytest.mark.parametrize("suffix", FORMATS)
def test_tags_are_asked_for_when_all_is_encoded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mix{suffix}"
    asked = []

    def tags() -> MixTags:
        asked.append("tags")
        return TAGS

    with (
        open(path, "wb") as file,
        open_encoder(
            file, format_of(str(path)), destination=str(path), tags=tags
        ) as write,
    ):
        write(stereo(tone(seconds=1)))
        assert not asked
    assert asked == ["tags"]
    with av.open(str(path)) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["One"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, FatalError])
def test_an_interruption_asks_for_no_tags(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def tags() -> MixTags:
        raise AssertionError

    def interrupt() -> None:
        with (
            open(tmp_path / "mix.m4a", "wb") as file,
            open_encoder(
                file, FORMATS[".m4a"], destination="mix.m4a", tags=tags
            ) as write,
        ):
            write(stereo(tone(seconds=1)))
            raise error

    with pytest.raises(error):
        interrupt()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_told_at_any_byte(tmp_path: Path, suffix: str) -> None:
    resource = pytest.importorskip("resource")
    samples = stereo(noise(seconds=1, rate=FORMATS[suffix].sample_rate))
    size = encode(tmp_path / f"whole{suffix}", samples).stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (1, size // 2, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(FatalError, match=f"cannot write .*mix{suffix}"):
                encode(tmp_path / f"mix{suffix}", samples)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_m4a_has_its_index_before_the_music(tmp_path: Path) -> None:
    path = encode(tmp_path / "mix.m4a", stereo(tone(seconds=1)))
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert sorted(os.listdir(tmp_path)) == ["mix.m4a"]


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".ogg", ".opus"])
def test_low_bit_rates_get_more_room_below_the_ceiling(suffix: str) -> None:
    usual = format_of(f"mix{suffix}")
    assert usual.ceiling_db < -1
    assert format_of(f"mix{suffix}", bitrate_kbps=64).ceiling_db < usual.ceiling_db
    assert format_of(f"mix{suffix}", bitrate_kbps=320).ceiling_db == usual.ceiling_db
