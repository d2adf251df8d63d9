from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import mutagen
import numpy as np
import pyloudnorm
import pytest
import soundfile
from listening import integrated_lufs, true_peak_db
from sounds import RATE, clicks, noise, tone, write_sound

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.output.mixing.model import MixOptions, MixTrack
from beetsplug.deejai.output.mixing.render import render_mix

ROOT = Path(__file__).parents[3]

LOSSLESS = (".wav", ".flac")


def track(path: Path | str, **attributes: float) -> MixTrack:
    return MixTrack(str(path), Path(path).stem, "Artist", **attributes)


def write_stereo(path: Path, wave: np.ndarray, *, rate: int = RATE) -> MixTrack:
    soundfile.write(path, np.repeat(wave[:, None], 2, axis=1), rate)
    return track(path)


@pytest.fixture
def tracks(tmp_path: Path) -> list[MixTrack]:
    return [
        write_stereo(tmp_path / f"{seed}.wav", noise(seconds=seconds, seed=seed))
        for seed, seconds in enumerate((4.0, 3.0, 5.0))
    ]


def level_db(wave: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(wave))))


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".tmp")]


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_a_lossless_mix_is_as_long_as_its_tracks_without_their_overlaps(
    tracks: list[MixTrack], tmp_path: Path, suffix: str
) -> None:
    destination = tmp_path / f"mix{suffix}"
    result = render_mix(tracks, str(destination), MixOptions(crossfade_s=0.5))
    assert result.duration_s == 11.0
    assert [each.start_s for each in result.placed] == [0.0, 3.5, 6.0]
    assert [each.end_s for each in result.placed] == [4.0, 6.5, 11.0]
    info = soundfile.info(destination)
    assert info.frames == 11 * RATE
    assert (info.samplerate, info.channels, info.subtype) == (RATE, 2, "PCM_16")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_opens_elsewhere_with_the_right_duration_and_sound(
    tracks: list[MixTrack], tmp_path: Path, suffix: str
) -> None:
    destination = tmp_path / f"mix{suffix.upper()}"
    result = render_mix(tracks, str(destination), MixOptions(crossfade_s=0.5))
    assert result.duration_s == pytest.approx(11.0)
    opened = mutagen.File(destination)
    assert opened is not None
    assert opened.info.length == pytest.approx(11.0, abs=0.08)
    assert opened.info.channels == 2
    # libsndfile reads no AAC.
    if suffix != ".m4a":
        wave, rate = soundfile.read(destination)
        assert len(wave) / rate == pytest.approx(11.0, abs=0.06)
        assert integrated_lufs(destination) == pytest.approx(-14, abs=0.7)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".ogg", "OggVorbis"), (".opus", "OggOpus"), (".m4a", "MP4")]
)
def test_a_suffix_means_the_codec_that_players_expect(
    tracks: list[MixTrack], tmp_path: Path, suffix: str, codec: str
) -> None:
    destination = tmp_path / f"mix{suffix}"
    render_mix(tracks, str(destination))
    assert type(mutagen.File(destination)).__name__ == codec


@pytest.mark.parametrize(
    ("suffix", "key"),
    [(".mp3", "TIT2"), (".flac", "title"), (".ogg", "title"), (".m4a", "\xa9nam")],
)
def test_the_title_names_the_first_and_the_last_track_that_sound(
    tracks: list[MixTrack], tmp_path: Path, suffix: str, key: str
) -> None:
    gone = track(tmp_path / "gone.mp3")
    odd = MixTrack(tracks[1].path, "Mü\0\udce9sic")
    destination = tmp_path / f"mix{suffix}"
    render_mix([gone, tracks[0], odd, gone], str(destination))
    title = mutagen.File(destination)[key]
    text = title.text if suffix == ".mp3" else title
    assert list(text) == ["Artist - 0 -> Mü ?sic"]


def test_the_level_stays_the_same_across_a_join(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    destination = tmp_path / "mix.wav"
    result = render_mix(tracks, str(destination), MixOptions(crossfade_s=1))
    wave, _ = soundfile.read(destination)
    usual = level_db(wave[:RATE])
    for start in [each.start_s for each in result.placed[1:]]:
        join = wave[int(start * RATE) : int((start + 1) * RATE)]
        levels = [level_db(part) for part in np.array_split(join, 4)]
        assert levels == pytest.approx([usual] * 4, abs=0.5)


def test_without_a_crossfade_the_samples_are_those_of_the_tracks(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    destination = tmp_path / "mix.flac"
    render_mix(tracks, str(destination), MixOptions(crossfade_s=0, loudness=None))
    mix, _ = soundfile.read(destination, dtype="int16")
    parts = [soundfile.read(track.path, dtype="int16")[0] for track in tracks]
    assert np.array_equal(mix, np.concatenate(parts))


def test_one_track_is_a_mix(tracks: list[MixTrack], tmp_path: Path) -> None:
    destination = tmp_path / "mix.flac"
    assert render_mix(tracks[:1], str(destination)).duration_s == 4.0
    assert mutagen.File(destination)["title"] == ["Artist - 0"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_tracks_of_a_tenth_of_a_second_are_joined(tmp_path: Path, suffix: str) -> None:
    short = write_stereo(tmp_path / "short.wav", tone(seconds=0.1))
    destination = tmp_path / f"mix{suffix}"
    result = render_mix([short] * 3, str(destination), MixOptions(crossfade_s=6))
    # Each overlaps by a third of a tenth.
    assert result.duration_s == pytest.approx(0.7 / 3, abs=1e-3)
    assert mutagen.File(destination).info.length == pytest.approx(0.24, abs=0.08)


@pytest.mark.parametrize(
    ("layout", "rate"), [("mono", 8000), ("stereo", 22_050), ("5.1", 96_000)]
)
def test_any_layout_and_rate_becomes_stereo_of_the_same_loudness(
    tmp_path: Path, layout: str, rate: int
) -> None:
    source = write_sound(
        tmp_path / "source.flac", tone(rate=rate, seconds=3), rate=rate, layout=layout
    )
    destination = tmp_path / "mix.wav"
    result = render_mix([track(source)], str(destination))
    assert result.duration_s == pytest.approx(3.0, abs=0.05)
    wave, got_rate = soundfile.read(destination)
    assert (got_rate, wave.shape[1]) == (RATE, 2)
    assert np.array_equal(wave[:, 0], wave[:, 1])
    # FFmpeg alone would make mono files 3 dB quieter.
    assert integrated_lufs(destination) == pytest.approx(-14, abs=0.3)


def test_silence_is_left_out(tracks: list[MixTrack], tmp_path: Path) -> None:
    silence = write_stereo(tmp_path / "silence.wav", np.zeros(2 * RATE))
    result = render_mix([tracks[0], silence], str(tmp_path / "mix.wav"))
    assert result.left_out == ((silence.path, "only silence"),)
    assert [each.number for each in result.placed] == [0]


def quiet_and_loud(folder: Path) -> list[MixTrack]:
    return [
        write_stereo(folder / f"{level}.wav", level * noise(seconds=12, seed=number))
        for number, level in enumerate((0.2, 1.0, 0.4))
    ]


@pytest.mark.parametrize("target", [-14.0, -20.0])
def test_every_track_is_brought_to_the_loudness(tmp_path: Path, target: float) -> None:
    destination = tmp_path / "mix.flac"
    options = MixOptions(loudness=target)
    result = render_mix(quiet_and_loud(tmp_path), str(destination), options)
    assert integrated_lufs(destination) == pytest.approx(target, abs=0.5)
    wave, rate = soundfile.read(destination)
    meter = pyloudnorm.Meter(rate)
    for each in result.placed:
        inside = wave[round((each.start_s + 3) * rate) : round((each.end_s - 3) * rate)]
        assert meter.integrated_loudness(inside) == pytest.approx(target, abs=0.7)


def test_a_known_loudness_is_believed(tmp_path: Path) -> None:
    quiet, *_ = quiet_and_loud(tmp_path)
    destination = tmp_path / "mix.flac"
    measured = integrated_lufs(Path(quiet.path))
    known = replace(quiet, loudness=measured - 3)
    render_mix([known], str(destination), MixOptions(loudness=-14))
    assert integrated_lufs(destination) == pytest.approx(-11, abs=0.3)


def test_levels_stay_as_they_are_when_loudness_is_off(tmp_path: Path) -> None:
    track, *_ = quiet_and_loud(tmp_path)
    destination = tmp_path / "mix.wav"
    render_mix([track], str(destination), MixOptions(loudness=None))
    mix, before = (
        soundfile.read(p, dtype="int16")[0] for p in (destination, track.path)
    )
    assert np.array_equal(mix, before)


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_true_peak_is_above_the_ceiling(tmp_path: Path, suffix: str) -> None:
    # Between the samples of a tone at a quarter of the rate its peak is 3 dB higher.
    phase = np.pi / 2 * np.arange(8 * RATE) + np.pi / 4
    loud = [
        write_stereo(tmp_path / "loud.wav", np.sin(phase)),
        write_stereo(tmp_path / "clipped.wav", np.clip(5 * tone(seconds=8), -1, 1)),
        write_stereo(tmp_path / "click.wav", clicks(seconds=8, per_second=1)),
    ]
    destination = tmp_path / f"mix{suffix}"
    render_mix(loud, str(destination))
    assert true_peak_db(destination) <= -1


def test_what_cannot_be_decoded_is_left_out_and_its_neighbours_join(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    text, empty = tmp_path / "text.mp3", tmp_path / "empty.mp3"
    text.write_text("no music " * 1000)
    empty.touch()
    bad = [track(text), track(empty), track(tmp_path / "gone.mp3")]
    destination = tmp_path / "mix.wav"
    result = render_mix(
        [bad[0], tracks[0], bad[1], tracks[1], bad[2]],
        str(destination),
        MixOptions(crossfade_s=0.5),
    )
    assert result.duration_s == 6.5
    assert [(each.number, each.start_s) for each in result.placed] == [(1, 0), (3, 3.5)]
    assert [path for path, _ in result.left_out] == [each.path for each in bad]
    assert all(reason and "\n" not in reason for _, reason in result.left_out)
    assert soundfile.info(destination).frames == 6.5 * RATE


def test_half_a_file_is_told_faded_and_left(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    whole = write_sound(tmp_path / "whole.flac", noise(seconds=30)).read_bytes()
    half = tmp_path / "half.flac"
    half.write_bytes(whole[: len(whole) // 2])
    destination = tmp_path / "mix.wav"
    result = render_mix([track(half), tracks[0]], str(destination))
    ((path, reason),) = result.cut_short
    assert path == str(half)
    assert "0:15" in reason
    assert result.left_out == ()
    assert result.placed[0].end_s == pytest.approx(15, abs=0.3)
    overlap_s = result.placed[0].end_s - result.placed[1].start_s
    assert overlap_s == pytest.approx(4 / 3, abs=0.02)


def test_half_a_file_at_the_end_is_faded_out(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.flac", noise(seconds=30)).read_bytes()
    half = tmp_path / "half.flac"
    half.write_bytes(whole[: len(whole) // 2])
    destination = tmp_path / "mix.wav"
    render_mix([track(half)], str(destination))
    wave, _ = soundfile.read(destination)
    levels = [level_db(part) for part in np.array_split(wave[-2 * RATE :], 4)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < levels[0] - 10


def test_names_that_are_not_text_are_read_and_written(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    source = os.fsencode(tmp_path) + b"/caf\xe9 'x'[1];,:=\n.wav"
    shutil.copy(tracks[0].path, source)
    for suffix in FORMATS:
        destination = os.fsencode(tmp_path) + b"/mix\xe9 %d:=" + suffix.encode()
        result = render_mix(
            [MixTrack(os.fsdecode(source), "")], os.fsdecode(destination)
        )
        assert result.duration_s == pytest.approx(4.0)
        assert os.path.getsize(destination) > 1000


def test_progress_comes_to_its_end(tracks: list[MixTrack], tmp_path: Path) -> None:
    known = [MixTrack(each.path, each.title, length_s=4) for each in tracks]
    calls: list[tuple[float, float]] = []
    render_mix(
        known,
        str(tmp_path / "mix.wav"),
        MixOptions(crossfade_s=0.5),
        progress=lambda done_s, total_s: calls.append((done_s, total_s)),
    )
    assert calls[0][1] == 11.0
    assert calls[-1] == (11.0, 11.0)
    assert calls == sorted(calls)
    assert all(done_s <= total_s for done_s, total_s in calls)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError])
def test_an_interruption_leaves_the_old_file_and_no_thread(
    tracks: list[MixTrack], tmp_path: Path, error: type[BaseException], suffix: str
) -> None:
    destination = tmp_path / f"mix{suffix}"
    destination.write_bytes(b"old")
    n_threads = threading.active_count()

    def interrupt(done_s: float, total_s: float) -> None:
        raise error

    with pytest.raises(error):
        render_mix(tracks, str(destination), progress=interrupt)
    assert destination.read_bytes() == b"old"
    assert not leftovers(tmp_path)
    assert threading.active_count() == n_threads


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_ctrl_c_is_heard_while_the_encoder_works(tmp_path: Path, suffix: str) -> None:
    source = write_stereo(tmp_path / "source.wav", noise(seconds=60))
    destination = tmp_path / f"mix{suffix}"
    code = (
        "import signal, sys\n"
        # Of a job in the background Python would ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from beetsplug.deejai.output.mixing.model import MixTrack\n"
        "from beetsplug.deejai.output.mixing.render import render_mix\n"
        "tracks = [MixTrack(sys.argv[1], 'x')] * 100\n"
        "render_mix(tracks, sys.argv[2], progress=lambda *a: print(*a, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, source.path, str(destination)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert errors.strip().endswith("KeyboardInterrupt")
    assert "ignored" not in errors
    assert os.listdir(tmp_path) == ["source.wav"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_told_and_leaves_nothing(
    tracks: list[MixTrack], tmp_path: Path, suffix: str
) -> None:
    resource = pytest.importorskip("resource")
    whole = tmp_path / f"whole{suffix}"
    render_mix(tracks, str(whole))
    size = whole.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # At the header, half way, and at the very last byte.
    for limit in (1, size // 2, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(FatalError, match="cannot write"):
                render_mix(tracks, str(tmp_path / f"mix{suffix}"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert not (tmp_path / f"mix{suffix}").exists()
        assert not leftovers(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".wma", ".mp3.txt"])
def test_an_unknown_format_is_an_error_that_names_the_known_ones(
    tracks: list[MixTrack], tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(FatalError, match=r"\.mp3 \.flac \.ogg \.opus \.m4a \.wav"):
        render_mix(tracks, str(tmp_path / f"mix{suffix}"))


def test_when_nothing_decodes_there_is_an_error_and_no_file(tmp_path: Path) -> None:
    for bad in ([], [track(tmp_path / "gone.mp3")]):
        with pytest.raises(FatalError, match="no track can be mixed"):
            render_mix(bad, str(tmp_path / "mix.mp3"))
    assert os.listdir(tmp_path) == []


def test_a_mix_never_overwrites_one_of_its_tracks(
    tracks: list[MixTrack], tmp_path: Path
) -> None:
    before = Path(tracks[1].path).read_bytes()
    (tmp_path / "link.wav").symlink_to(tracks[1].path)
    for destination in (tracks[1].path, str(tmp_path / "link.wav")):
        with pytest.raises(FatalError, match="one of the tracks"):
            render_mix(tracks, destination)
    assert Path(tracks[1].path).read_bytes() == before


def test_a_missing_folder_is_an_error(tracks: list[MixTrack], tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="does not exist"):
        render_mix(tracks, str(tmp_path / "no" / "mix.mp3"))


def test_progress_goes_on_while_the_first_tracks_are_heard(tmp_path: Path) -> None:
    long = write_stereo(tmp_path / "long.flac", noise(seconds=120))
    known = replace(long, length_s=120.0)
    calls: list[float] = []
    render_mix(
        [known, known],
        str(tmp_path / "mix.wav"),
        progress=lambda done_s, total_s: calls.append(done_s),
    )
    assert calls == sorted(calls)
    assert calls[0] < 130
