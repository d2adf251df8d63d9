from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.cue import CueTrack, check_audio_name, write_cue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# What a player reads: the parts of a sheet, one line each.
LINE = re.compile(
    r'(?P<indent> *)(?:(?:TITLE|PERFORMER) "[^"]+"|FILE "[^"]+" (?:MP3|WAVE)'
    r"|TRACK \d\d+ AUDIO|INDEX 01 \d\d+:[0-5]\d:(?:[0-6]\d|7[0-4]))"
)


def write(
    folder: Path,
    tracks: Sequence[CueTrack],
    *,
    audio_name: str = "mix.mp3",
    title: str = "Mix",
    performer: str = "Various Artists",
) -> bytes:
    path = folder / "mix.cue"
    write_cue(
        str(path),
        audio_name=audio_name,
        title=title,
        performer=performer,
        tracks=tracks,
    )
    return path.read_bytes()


def positions_s(sheet: bytes) -> list[float]:
    found = re.findall(rb"INDEX 01 (\d+):(\d+):(\d+)\n", sheet)
    return [60 * int(m) + int(s) + int(f) / 75 for m, s, f in found]


def test_a_sheet_is_what_players_expect(tmp_path: Path) -> None:
    tracks = [CueTrack("One", "A", 0.0), CueTrack("Zwölf", "", 6192.5)]
    assert write(tmp_path, tracks).decode() == (
        'TITLE "Mix"\n'
        'PERFORMER "Various Artists"\n'
        'FILE "mix.mp3" MP3\n'
        "  TRACK 01 AUDIO\n"
        '    TITLE "One"\n'
        '    PERFORMER "A"\n'
        "    INDEX 01 00:00:00\n"
        "  TRACK 02 AUDIO\n"
        '    TITLE "Zwölf"\n'
        "    INDEX 01 103:12:38\n"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1e6), max_size=5).map(sorted))
def test_every_start_is_within_a_frame(tmp_path: Path, starts_s: list[float]) -> None:
    sheet = write(tmp_path, [CueTrack("x", "y", start_s) for start_s in starts_s])
    assert positions_s(sheet) == pytest.approx(starts_s, abs=0.5 / 75 + 1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=st.text(st.characters(codec=None, categories=None)),
    name=st.text(st.characters(codec=None, categories=None)),
)
def test_no_title_breaks_the_syntax(tmp_path: Path, title: str, name: str) -> None:
    sheet = write(
        tmp_path, [CueTrack(title, name, 0), CueTrack(name, title, 1)], title=title
    )
    # Only a newline is one: others that Python knows are not.
    for line in sheet.decode().removesuffix("\n").split("\n"):
        assert LINE.fullmatch(line), line
    assert positions_s(sheet) == [0, 1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.mp3", "MP3"), ("x.MP3", "MP3"), ("x.flac", "WAVE"), ("x.wav", "WAVE")],
)
def test_the_kind_of_file_is_mp3_or_wave(tmp_path: Path, name: str, kind: str) -> None:
    sheet = write(tmp_path, [], audio_name=name).decode()
    assert f'FILE "{name}" {kind}\n' in sheet


def test_more_than_99_tracks_go_on_with_three_digits(tmp_path: Path) -> None:
    tracks = [CueTrack(f"Title {number}", "", 240.0 * number) for number in range(300)]
    sheet = write(tmp_path, tracks)
    numbers = re.findall(rb"TRACK (\d+) AUDIO", sheet)
    assert [int(number) for number in numbers] == list(range(1, 301))
    assert (numbers[0], numbers[299]) == (b"01", b"300")
    assert positions_s(sheet) == [240.0 * number for number in range(300)]


def test_a_name_that_is_not_text_keeps_its_bytes(tmp_path: Path) -> None:
    sheet = write(tmp_path, [], audio_name=os.fsdecode(b"caf\xe9.mp3"))
    assert b'FILE "caf\xe9.mp3" MP3\n' in sheet


@pytest.mark.parametrize("name", ['the "best" mix.mp3', "two\nlines.mp3", "nul\0.mp3"])
def test_a_name_that_the_format_cannot_say_is_an_error(
    tmp_path: Path, name: str
) -> None:
    for refuse in (check_audio_name, lambda name: write(tmp_path, [], audio_name=name)):
        with pytest.raises(FatalError, match="a cue sheet cannot name") as raised:
            refuse(name)
        assert "\n" not in str(raised.value)
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="does not exist"):
        write(tmp_path / "nowhere", [])
