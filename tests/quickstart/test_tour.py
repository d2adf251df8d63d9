"""The quick start, by the real ``beet`` in processes of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from beetsplug.deejai.quickstart.__main__ import main
from beetsplug.deejai.quickstart.synthesis import STYLES
from beetsplug.deejai.quickstart.tour import (
    Heard,
    configuration,
    unlike_pair,
    write_pieces,
)

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A finished run of the quick start on a folder of pieces."""

    output: str
    home: Path
    scratch: Path
    before: dict[Path, tuple[int, bytes]]
    after: dict[Path, tuple[int, bytes]]

    def shown(self, command: str) -> list[str]:
        """Return what a command printed."""
        part = re.split(r"^\$ beet ", self.output, flags=re.MULTILINE)
        return next(p for p in part if p.startswith(command)).splitlines()[1:]


def content(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    base = tmp_path_factory.mktemp("tour")
    # Names that mean something to YAML, to beets' queries and to its templates.
    music, home, temporary = base / "# Músic: $1, 'x'", base / "home", base / "tmp"
    for folder in (music, home, temporary):
        folder.mkdir()
    write_pieces(music)
    before = content(music)
    result = subprocess.run(
        [sys.executable, "-m", "beetsplug.deejai.quickstart", str(music)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "TMPDIR": str(temporary),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    (scratch,) = temporary.glob("deejai-*")
    return Run(result.stdout, home, scratch, before, content(music))


def test_the_music_is_left_as_it_was(run: Run) -> None:
    assert run.after == run.before


def test_nothing_is_written_at_home(run: Run) -> None:
    assert list(run.home.iterdir()) == []


def test_every_piece_is_heard(run: Run) -> None:
    assert "  fresh   12" in run.shown("deejai status")


def test_the_most_similar_pieces_are_of_the_same_style(run: Run) -> None:
    title = re.search(r"^\$ beet deejai similar '?([\w ]+)'? -n", run.output, re.M)
    assert title
    style = next(s for s, (_, titles) in STYLES.items() if title[1].strip() in titles)
    shown = run.shown("deejai similar")
    # Why each is alike stands below it.
    lines = [line for line in shown if re.match(r" ?-?\d\.\d{3}  ", line)][:5]
    assert [style in line for line in lines] == [True, True, False, False, False]


def test_the_playlist_and_the_mix_hold_the_journey(run: Run) -> None:
    journey = [line for line in run.shown("deejai journey") if " - " in line]
    assert len(journey) == 4
    lines = (run.scratch / "journey.m3u8").read_text(encoding="utf-8").splitlines()
    paths = [run.scratch / line for line in lines if not line.startswith("#")]
    assert len(paths) == len(journey)
    assert all(path.is_file() for path in paths)
    with av.open(str(run.scratch / "mix.mp3")) as mix:
        assert mix.duration is not None
        assert mix.duration / 1e6 == pytest.approx(4 * 24 - 3 * 2, abs=1)


def test_what_was_made_is_named_at_the_end(run: Run) -> None:
    made = run.output.partition("Made:")[2]
    assert str(run.scratch / "journey.m3u8") in made
    assert "1:30 of music" in made


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "is not a folder"),
        (lambda path: path.write_text("a file"), "is not a folder"),
        (lambda path: path.mkdir(), "holds no music"),
        (lambda path: (path.mkdir(), (path / "a.txt").touch()), "holds no music"),
    ],
    ids=["missing", "file", "empty", "no music"],
)
def test_a_folder_that_cannot_be_used_gives_one_line(
    make, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "music")
    assert main([str(tmp_path / "music")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert complaint in err


@pytest.mark.parametrize("name", ["plain", "a: b # c", 'a "quote"', "Gämes"])
def test_the_configuration_survives_any_folder(name: str, tmp_path: Path) -> None:
    config = yaml.safe_load(configuration(tmp_path / name))
    assert config["library"] == str(tmp_path / name / "library.db")
    assert config["deejai"]["playlist_dir"] == str(tmp_path / name)
    assert config["import"]["copy"] is False
    assert config["import"]["write"] is False


def track(item_id: str, angle: float, *, length_s: float = 60.0) -> Heard:
    vector = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)
    return Heard(item_id, length_s, vector, path="", title="")


def test_the_ends_of_the_journey_are_far_apart() -> None:
    tracks = [track(str(angle), angle) for angle in (0.0, 0.1, 1.0, 2.0, 2.1)]
    assert [end.item_id for end in unlike_pair(tracks)] == ["0.0", "2.1"]


def test_a_track_that_nothing_is_like_is_no_end() -> None:
    tracks = [track(str(angle), angle) for angle in (0.0, 0.1, 0.2, 0.3, 3.0)]
    assert "3.0" not in {end.item_id for end in unlike_pair(tracks)}


def test_any_two_tracks_have_ends() -> None:
    for other in (0.0, 1.0, np.pi):
        one, two = unlike_pair([track("one", 0.0), track("two", other)])
        assert {one.item_id, two.item_id} == {"one", "two"}


def test_jingles_are_no_ends_unless_there_is_nothing_else() -> None:
    jingle = track("jingle", 3.0, length_s=2.0)
    songs = [track("a", 0.0), track("b", 0.5)]
    assert jingle not in unlike_pair([jingle, *songs])
    assert jingle in unlike_pair([jingle, songs[0]])
