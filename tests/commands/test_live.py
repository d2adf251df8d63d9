"""``beet deejai live``, on music that was made and heard for real."""

from __future__ import annotations

import io
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle
from sounds import write_sound

from beetsplug.deejai.output.m3u import read_m3u
from beetsplug.deejai.quickstart.synthesis import RATE, STYLES

TITLES = ["pads", "beat", "chips", "strings"]


@cache
def pieces() -> list[np.ndarray]:
    """Make a piece of each style."""
    return [
        make(np.random.default_rng(number))
        for number, (make, _) in enumerate(STYLES.values())
    ]


def as_bytes(wave: np.ndarray) -> bytes:
    return np.round(32767 * wave).astype("<i2").tobytes()


class Music(CommandLine):
    @pytest.fixture(autouse=True)
    def _music(self, setup: None, tmp_path: Path) -> None:
        self.waves = dict(zip(TITLES, pieces(), strict=True))
        self.paths = {
            title: write_sound(tmp_path / f"{title}.flac", wave)
            for title, wave in self.waves.items()
        }
        for item in add_files(self.lib, list(self.paths.values())):
            item["title"] = Path(os.fsdecode(item.path)).stem
            item["artist"] = f"artist {item['title']}"
            item.store()
        self.run_command("deejai", "scan")

    def heard(self, *args: str) -> list[tuple[str, float, str]]:
        """Return time, similarity and title of each line."""
        output = self.run_with_output("deejai", "live", *args, "-f", "$title")
        lines = re.findall(r"^ *(\d+:\d\d) +(\S+)  (.*)", output, re.MULTILINE)
        return [(clock, float(number), title) for clock, number, title in lines]


class TestFile(Music):
    def test_a_track_of_the_library_is_known_by_its_beginning(self) -> None:
        for title in TITLES:
            lines = self.heard("--input", str(self.paths[title]), "--for", "9s")
            assert lines[0][0] == "0:05"
            assert lines[0][2] == title
            assert lines[0][1] > 0.8
            assert len(lines) % 4 == 0

    def test_lines_come_when_proposals_change_and_the_playlist_holds_them(
        self, tmp_path: Path
    ) -> None:
        both = np.concatenate([self.waves["chips"][: 18 * RATE], self.waves["pads"]])
        music = write_sound(tmp_path / "both.wav", both)
        saved = tmp_path / "saved.m3u8"
        lines = self.heard("--input", str(music), "-n", "1", "-o", str(saved))
        assert lines[0][2] == "chips"
        assert lines[-1][2] == "pads"
        titles = [title for _, _, title in lines]
        assert all(a != b for a, b in itertools.pairwise(titles))
        names = [Path(os.fsdecode(n.path)).stem for n in read_m3u(os.fsencode(saved))]
        assert names[0] == "chips"
        assert names[-1] == "pads"
        assert len(set(names)) == len(names)

    def test_only_what_may_be_proposed_is(self) -> None:
        args = ("--input", str(self.paths["beat"]), "--for", "6s")
        limited = self.heard(*args, "--from", "title::^(pads|chips)$")
        assert {title for _, _, title in limited} == {"pads", "chips"}
        excluded = self.heard(*args, "--exclude", "title:beat")
        assert "beat" not in {title for _, _, title in excluded}
        assert len({title for _, _, title in excluded}) == 3

    def test_a_short_sound_is_heard_at_its_end(self, tmp_path: Path) -> None:
        short = write_sound(tmp_path / "short.wav", self.waves["chips"][: 2 * RATE])
        assert self.heard("--input", str(short), "-n", "1") == [
            ("0:02", pytest.approx(0.8, abs=0.2), "chips")
        ]


class TestPipe(Music):
    def pipe(self, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    @pytest.fixture(autouse=True)
    def _patching(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def test_raw_audio_is_heard_as_the_file_is(self) -> None:
        for rest in (b"", b"\0"):
            self.pipe(self.monkeypatch, as_bytes(self.waves["strings"]) + rest)
            lines = self.heard("--input", "-", "-n", "1", "--for", "10s")
            assert [title for _, _, title in lines] == ["strings"]

    def test_the_rate_counts(self) -> None:
        half = self.waves["chips"][::2]
        self.pipe(self.monkeypatch, as_bytes(half))
        lines = self.heard("--input", "-", "--rate", "22050", "-n", "1", "--for", "6s")
        assert lines[0][2] == "chips"

    @pytest.mark.parametrize("data", [b"", b"x"])
    def test_an_empty_pipe_is_told(self, data: bytes) -> None:
        self.pipe(self.monkeypatch, data)
        assert "nothing came" in self.refused("live", "--input", "-")

    def test_silence_is_told_and_no_playlist_is_written(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.pipe(self.monkeypatch, bytes(2 * 20 * RATE))
        saved = tmp_path / "saved.m3u8"
        output = self.run_with_output(
            "deejai", "live", "--input", "-", "-o", str(saved)
        )
        silence = [line for line in output.splitlines() if "silence" in line]
        assert silence == ["  0:05  silence: is the sound on, and not muted?"]
        assert "nothing was proposed" in caplog.text
        assert not saved.exists()


class TestRefusals(CommandLine):
    @pytest.fixture(autouse=True)
    def _tracks(self, setup: None) -> None:
        add_made_tracks(self.lib, circle(3))

    @pytest.mark.parametrize(
        ("args", "reason"),
        [
            (["song.mp3"], "--input song.mp3"),
            (["-n", "0"], "-n takes"),
            (["--every", "0.2"], "--every takes a time from 1 s"),
            (["--every", "soon"], "--every: 'soon' is no duration"),
            (["--for", "0"], "--for takes a time from 1 s"),
            (["--rate", "48000"], "--rate is that of raw audio"),
            (["--device", "1", "--input", "-"], "exclude each other"),
            (["--input", "/nowhere.mp3"], "there is no file /nowhere.mp3"),
            (["-o", "mix.mp3"], "a name ends in one of .m3u, .m3u8"),
            (["-o", "/no/such/folder/x.m3u"], "does not exist"),
            (["-o", "x.m3u", "-o", "./x.m3u"], "would be written twice"),
            (["--from", "nothing like it"], "leaves no track"),
        ],
    )
    def test_a_mistake_is_one_line(self, args: list[str], reason: str) -> None:
        assert reason in self.refused("live", *args)

    def test_a_file_that_cannot_be_heard_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.mp3"
        path.write_text("no music")
        message = self.refused("live", "--input", str(path))
        assert message.startswith(f"cannot be heard: {path}: ")

    def test_a_rate_out_of_range_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\0\0")))
        message = self.refused("live", "--input", "-", "--rate", "96")
        assert "8000 to 192000 Hz" in message

    def test_an_empty_library_is_told(self) -> None:
        for item in self.lib.items():
            item.remove()
        assert "beet import" in self.refused("live", "--input", "-")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestEnds(Music):
    """A process of its own that listens to an endless pipe."""

    def start(self, saved: Path) -> subprocess.Popen[str]:
        folder = saved.parent
        config = folder / "live.yaml"
        config.write_text(
            f"directory: {os.fsdecode(self.lib.directory)}\n"
            f"library: {os.fsdecode(self.lib.path)}\nplugins: deejai\n"
        )
        loop = as_bytes(self.waves["beat"])
        feeder = (
            "import sys, time\nloop = sys.stdin.buffer.read()\n"
            "try:\n    while True:\n        sys.stdout.buffer.write(loop)\n"
            "        time.sleep(0.2)\n"
            "except BrokenPipeError:\n    sys.stdout = None\n"
        )
        self.feeder = subprocess.Popen(
            [sys.executable, "-c", feeder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.feeder.stdin is not None
        self.feeder.stdin.write(loop)
        self.feeder.stdin.close()
        command = ["-c", str(config), "deejai", "live", "--input", "-", "-f", "$title"]
        return subprocess.Popen(
            [sys.executable, "-m", "beets", *command, "-o", str(saved)],
            env=os.environ | {"BEETSDIR": str(folder)},
            stdin=self.feeder.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @pytest.fixture(autouse=True)
    def _stop_feeding(self, _music: None) -> object:
        yield
        self.feeder.kill()
        self.feeder.wait()
        assert self.feeder.stdout is not None
        self.feeder.stdout.close()

    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)]
    )
    def test_a_signal_ends_it_with_the_playlist_written(
        self, number: signal.Signals, code: int, tmp_path: Path
    ) -> None:
        saved = tmp_path / "saved.m3u8"
        with self.start(saved) as process:
            assert process.stdout is not None
            assert re.search(r"0:05 +\S+ +beat", process.stdout.readline())
            time.sleep(0.5)
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
        assert process.returncode == code
        assert f"1 track in {saved}" in output
        assert "Traceback" not in errors
        assert len(read_m3u(os.fsencode(saved))) == 1

    def test_a_closed_pipe_ends_it_with_the_playlist_written(
        self, tmp_path: Path
    ) -> None:
        saved = tmp_path / "saved.m3u8"
        with self.start(saved) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr is not None
            errors = process.stderr.read()
            process.wait(timeout=20)
        assert "Traceback" not in errors
        assert len(read_m3u(os.fsencode(saved))) == 1
