from __future__ import annotations

import os
from typing import Any

import pytest

from beetsplug.deejai.training.matching import Entry, Matcher, fold
from beetsplug.deejai.training.tags import TaggedTrack


def track(path: str, artist: str = "", title: str = "", **others: Any) -> TaggedTrack:
    return TaggedTrack(
        item_id=0,
        path=path,
        title=title,
        artist=artist,
        artists=others.get("artists", (artist,) if artist else ()),
        genres=(),
        album_id=None,
    )


LIBRARY = Matcher(
    [
        track("/m/Nina/Blues/Sinnerman.mp3", "Nina Simone", "Sinnerman"),
        track("/m/A/One/01 Intro.mp3", "A", "Intro"),
        track("/m/B/Two/01 Intro.mp3", "B", "Intro"),
        track("/m/B/Live/07 Song.flac", "B", "Song"),
        track("/m/C/Best/07 Song.mp3", "C", "Song"),
        track("/m/Lone/Track 01.mp3", "Lone", "Opening"),
        track("/m/Caf\xe9/\xc9t\xe9.mp3", "Caf\xe9", "\xc9t\xe9"),
        track("/m/D/first.mp3", "D", "Same"),
        track("/m/D/second.mp3", "D", "Same"),
        track("/m/duo.mp3", "X & Y", "Duet", artists=("X", "Y")),
        track("/m/dash.mp3", "Jay - Z", "99 - Problems"),
        track("/m/untagged.mp3"),
    ]
)


def match(line: str | bytes, title: str = "", path: str = "") -> Any:
    raw = line if isinstance(line, bytes) else line.encode()
    return LIBRARY.match(Entry(path or os.path.join("/lists", "?"), raw, title))


def test_the_path_comes_first() -> None:
    path = "/m/Nina/Blues/Sinnerman.mp3"
    assert match("whatever", "B - Song", path) == (path, "path")


@pytest.mark.parametrize(
    "line",
    [
        "Sinnerman.mp3",
        "/other/sinnerman.MP3",
        "C:\\Music\\Sinnerman.mp3",
        "..\\Sinnerman.mp3",
        "file:///C:/My%20Music/Sinnerman.mp3",
        "file://nas/share/Sinnerman.mp3",
    ],
)
def test_a_name_that_is_unique_matches_wherever_the_file_lay(line: str) -> None:
    assert match(line) == ("/m/Nina/Blues/Sinnerman.mp3", "name")


@pytest.mark.parametrize("line", ["D:\\x\\B\\Two\\01 Intro.mp3", "two/01 intro.mp3"])
def test_folders_tell_files_of_one_name_apart(line: str) -> None:
    assert match(line) == ("/m/B/Two/01 Intro.mp3", "name")


def test_tags_tell_files_of_one_name_apart() -> None:
    assert match("/x/01 Intro.mp3", "A - Intro") == ("/m/A/One/01 Intro.mp3", "tags")


def test_names_in_other_encodings_and_compositions_match() -> None:
    path = "/m/Caf\xe9/\xc9t\xe9.mp3"
    for line in ("\xc9t\xe9.mp3".encode("latin-1"), "E\u0301te\u0301.mp3".encode()):
        assert match(line) == (path, "name")


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("gone.mp3", "b - SONG"),
        ("B - Song.mp3", ""),
        ("x\\03. B - Song.ogg", ""),
        ("1-03 - B - Song.ogg", ""),
    ],
)
def test_artist_and_title_match_when_the_name_does_not(line: str, title: str) -> None:
    assert match(line, title) == ("/m/B/Live/07 Song.flac", "tags")


def test_each_artist_of_a_track_will_do_and_dashes_may_be_in_names() -> None:
    for artist in ("X", "Y", "X & Y"):
        assert match("-", f"{artist} - Duet") == ("/m/duo.mp3", "tags")
    assert match("-", "Jay - Z - 99 - Problems") == ("/m/dash.mp3", "tags")


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("01 Intro.mp3", ""),
        ("/x/01 Intro.mp3", "Somebody - Else"),
        ("gone.mp3", "D - Same"),
        ("gone.mp3", "Nobody - Nothing"),
        ("gone.mp3", ""),
        ("http://radio.example/Sinnerman.mp3", "Nina Simone - Sinnerman"),
        ("/", ""),
        ("...", ""),
    ],
)
def test_when_unsure_nothing_matches(line: str, title: str) -> None:
    assert match(line, title) is None


def test_a_name_that_any_file_may_have_is_not_enough() -> None:
    assert match("/x/Track 01.mp3") is None
    assert match("/x/Track 01.mp3", "Lone - Opening") == (
        "/m/Lone/Track 01.mp3",
        "tags",
    )
    assert match("/x/lone/Track 01.mp3") == ("/m/Lone/Track 01.mp3", "name")


def test_a_title_that_contradicts_the_tags_outweighs_the_name() -> None:
    assert match("Sinnerman.mp3", "The Wailers - Stir It Up") is None
    assert match("Sinnerman.mp3", "B - Song") == ("/m/B/Live/07 Song.flac", "tags")
    for title in ("Nina Simone - Sinnerman (Live)", "Sinnerman", ""):
        assert match("Sinnerman.mp3", title) == ("/m/Nina/Blues/Sinnerman.mp3", "name")
    assert match("untagged.mp3", "Any - Thing") == ("/m/untagged.mp3", "name")


def test_folding_keeps_letters_and_digits_of_any_script() -> None:
    assert fold("  Beyonc\xe9's 1+1! ") == "beyonces11"
    assert fold("\u4e2d\u6587 \u6b4c") == "\u4e2d\u6587\u6b4c"
    assert fold("!!!") == "!!!"
