from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

import pytest
from beets.util.m3u import M3UFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.m3u import (
    MAX_PLAYLIST_BYTES,
    Entry,
    read_m3u,
    write_m3u,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ODD_NAMES = [
    b"plain.mp3",
    b"caf\xc3\xa9.mp3",
    b"caf\xe9.mp3",
    b"#1 hit.mp3",
    b" leading.mp3",
    b"trailing.mp3 ",
    b"two\nlines.mp3",
    b"re\rturn.mp3",
    b"back\\slash.mp3",
    b"100%41.mp3",
    b"AC: DC.mp3",
    b"file:x.mp3",
    b"http:x.mp3",
    b"q'uo[te];,\"?.mp3",
    b"\xef\xbb\xbfbom.mp3",
]


@pytest.fixture
def music(tmp_path: Path) -> bytes:
    folder = os.path.join(os.fsencode(tmp_path), b"music")
    os.mkdir(folder)
    for name in ODD_NAMES:
        with open(os.path.join(folder, name), "wb"):
            pass
    return folder


@pytest.fixture
def playlist(tmp_path: Path) -> bytes:
    return os.fsencode(tmp_path / "list.m3u8")


def entries(folder: bytes, names: list[bytes]) -> list[Entry]:
    return [Entry(os.path.join(folder, name), "Artist - Title", 61.4) for name in names]


def read_paths(path: bytes, bases: Sequence[bytes] = ()) -> list[bytes]:
    return [named.path for named in read_m3u(path, bases=bases)]


def content(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_an_entry_is_its_duration_artist_title_and_path(playlist: bytes) -> None:
    track = Entry("/music/soul/ü.mp3".encode(), "Nina Ü. - Sinnerman", 613.6)
    write_m3u(playlist, [track], base=None)
    assert content(playlist).decode() == (
        "#EXTM3U\n#EXTINF:614,Nina Ü. - Sinnerman\n/music/soul/ü.mp3\n"
    )


@pytest.mark.parametrize(
    ("base", "line"),
    [
        (None, b"/music/soul/a.mp3"),
        (b"/music", b"soul/a.mp3"),
        (b"/music/soul", b"a.mp3"),
        (b"/music/lists/mine", b"../../soul/a.mp3"),
    ],
)
def test_paths_are_relative_to_the_base(
    playlist: bytes, base: bytes | None, line: bytes
) -> None:
    write_m3u(playlist, [Entry(b"/music/soul/a.mp3", "a", 1)], base=base)
    assert content(playlist).splitlines()[-1] == line


def test_a_title_stays_on_one_line_and_a_duration_may_be_unknown(
    playlist: bytes,
) -> None:
    tracks = [Entry(b"/a", " A\r\n#B \t -\x0b C\udce9", length) for length in (0, -2.0)]
    tracks.append(Entry(b"/b", "", float("nan")))
    write_m3u(playlist, tracks, base=None)
    assert content(playlist).splitlines() == [
        b"#EXTM3U",
        b"#EXTINF:-1,A #B - C?",
        b"/a",
        b"#EXTINF:-1,A #B - C?",
        b"/a",
        b"#EXTINF:-1,",
        b"/b",
    ]


def test_a_comment_is_one_line_that_players_skip(playlist: bytes) -> None:
    write_m3u(playlist, [], base=None, comment="EXTINF:1,no\nentry")
    assert content(playlist) == b"#EXTM3U\n# EXTINF:1,no entry\n"
    assert read_m3u(playlist) == []


def test_a_comment_keeps_its_bytes_but_for_control_characters(playlist: bytes) -> None:
    comment = "beet deejai similar 'two  words' \x1b[31m\x85\u2028caf\udce9"
    write_m3u(playlist, [], base=None, comment=comment)
    assert content(playlist) == (
        b"#EXTM3U\n# beet deejai similar 'two  words'  [31m  caf\xe9\n"
    )


def test_on_systems_with_slashes_a_backslash_is_part_of_the_name(
    music: bytes, playlist: bytes
) -> None:
    tracks = entries(music, [b"back\\slash.mp3"])
    write_m3u(playlist, tracks, base=music, forward_slash=True)
    assert content(playlist).splitlines()[-1] == b"back\\slash.mp3"


@pytest.mark.parametrize("relative", [True, False])
def test_what_was_written_is_read(
    music: bytes, playlist: bytes, relative: bool
) -> None:
    tracks = entries(music, ODD_NAMES)
    base = os.path.dirname(playlist) if relative else None
    write_m3u(playlist, tracks, base=base)
    assert read_paths(playlist) == [track.path for track in tracks]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.binary(min_size=1, max_size=40).map(
            lambda name: name.replace(b"/", b"_").replace(b"\0", b"_")
        ).filter(lambda name: name not in (b".", b"..")),
        max_size=5,
    )
)  # fmt: skip
def test_any_name_that_a_file_can_have_survives(
    tmp_path: Path, names: list[bytes]
) -> None:
    folder = os.path.join(os.fsencode(tmp_path), b"any")
    os.makedirs(folder, exist_ok=True)
    for name in names:
        with open(os.path.join(folder, name), "wb"):
            pass
    tracks = entries(folder, names)
    path = os.path.join(os.fsencode(tmp_path), b"any.m3u8")
    write_m3u(path, tracks, base=folder)
    assert read_paths(path, bases=[folder]) == [track.path for track in tracks]


@pytest.mark.parametrize("relative", [True, False])
def test_beets_reads_the_same_files(
    music: bytes, playlist: bytes, relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # beets' own reader knows no URIs, and takes relative paths from where it runs.
    names = [
        name for name in ODD_NAMES if name == name.strip() and not {*b"\n\r"} & {*name}
    ]
    tracks = entries(music, names)
    base = os.path.dirname(playlist) if relative else None
    write_m3u(playlist, tracks, base=base)
    monkeypatch.chdir(os.path.dirname(os.fsdecode(playlist)))
    foreign = M3UFile(playlist)
    foreign.load()
    assert foreign.extm3u
    assert foreign.media_list == [track.path for track in tracks]


def test_no_line_of_a_relative_playlist_looks_like_a_comment_or_uri(
    music: bytes, playlist: bytes
) -> None:
    write_m3u(playlist, entries(music, ODD_NAMES), base=music)
    lines = content(playlist).splitlines()[2::2]
    assert b"./#1 hit.mp3" in lines
    assert b"./AC: DC.mp3" in lines
    uri = b"file://" + quote_from_bytes(music + b"/two\nlines.mp3").encode()
    assert uri in lines
    assert len(lines) == len(ODD_NAMES)


def test_paths_from_a_linked_folder_lead_to_the_files(tmp_path: Path) -> None:
    real = tmp_path / "disk" / "deep" / "lists"
    real.mkdir(parents=True)
    (tmp_path / "lists").symlink_to(real)
    (tmp_path / "a.mp3").touch()
    base = os.fsencode(tmp_path / "lists")
    path = os.path.join(base, b"list.m3u8")
    track = Entry(os.fsencode(tmp_path / "a.mp3"), "a", 1)
    write_m3u(path, [track], base=base)
    line = content(path).splitlines()[-1]
    # The system's own reading of the path, not ours.
    assert os.path.samefile(os.path.join(base, line), track.path)
    assert [os.path.realpath(read) for read in read_paths(path)] == [
        os.path.realpath(track.path)
    ]


def foreign_playlists(folder: bytes) -> dict[str, bytes]:
    absolute = os.path.join(folder, b"caf\xc3\xa9.mp3")
    quoted = quote_from_bytes(absolute).encode()
    return {
        "no header": b"music/caf\xc3\xa9.mp3",
        "byte-order mark": b"\xef\xbb\xbf#EXTM3U\nmusic/caf\xc3\xa9.mp3\n",
        "mark without header": b"\xef\xbb\xbfmusic/caf\xc3\xa9.mp3\n",
        "Windows": b"#EXTM3U\r\n\r\n#EXTINF:1,x\r\nmusic\\caf\xc3\xa9.mp3\r\n",
        "old Mac": b"#EXTM3U\rmusic/caf\xc3\xa9.mp3\r",
        "Latin-1": b"#EXTINF:1,caf\xe9\nmusic/caf\xe9 2.mp3\n",
        "Latin-1 Windows": b"music\\caf\xe9 2.mp3\r\n",
        "white space": b"  music/caf\xc3\xa9.mp3 \t\n",
        "up and down": b"music/../music/./caf\xc3\xa9.mp3\n",
        "URI": b"file://" + quoted + b"\n",
        "URI with host": b"FILE://localhost" + quoted + b"\n",
        "short URI": b"file:" + quoted + b"\n",
        "absolute": absolute + b"\n",
    }


@pytest.mark.parametrize("kind", foreign_playlists(b""))
def test_playlists_of_other_programs_are_read(
    music: bytes, playlist: bytes, kind: str
) -> None:
    latin = os.path.join(music, b"caf\xc3\xa9 2.mp3")
    with open(latin, "wb"):
        pass
    with open(playlist, "wb") as file:
        file.write(foreign_playlists(music)[kind])
    expected = latin if "Latin" in kind else os.path.join(music, b"caf\xc3\xa9.mp3")
    assert read_paths(playlist) == [expected]


def test_entries_are_looked_for_in_the_library_too(
    music: bytes, tmp_path: Path
) -> None:
    (tmp_path / "lists").mkdir()
    path = os.fsencode(tmp_path / "lists" / "list.m3u")
    write_m3u(path, entries(music, [b"plain.mp3"]), base=music)
    assert read_paths(path, bases=[music]) == [os.path.join(music, b"plain.mp3")]


a_line = st.binary(min_size=1, max_size=30).filter(
    lambda line: line.strip() and not {*b"\0\r\n"} & {*line}
)
a_note = st.one_of(
    st.sampled_from([b"#EXTINF:9,A - B", b"#extinf:-1,", b"#EXTM3U", b"#EXTENC:x"]),
    a_line.map(lambda line: b"#" + line),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(st.one_of(a_line, a_note, st.just(b" ")), max_size=12),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_whatever_was_read_is_written_as_it_was(
    playlist: bytes, lines: list[bytes], end: bytes, mark: bytes
) -> None:
    with open(playlist, "wb") as file:
        file.write(mark + end.join(lines))
    read = read_m3u(playlist)
    origins = {named.origin for named in read}
    write_m3u(playlist, read, base=None, origins=origins, comment="beet")
    again = read_m3u(playlist)
    kept = [(named.line, named.notes, named.path) for named in read]
    assert [(named.line, named.notes, named.path) for named in again] == kept
    for origin, other in zip(origins, {named.origin for named in again}, strict=True):
        assert (*origin.header, b"# beet") == other.header
        assert origin.footer == other.footer
    for named in read:
        assert b"\n".join([b"", *named.notes, named.line, b""]) in content(playlist)


def test_in_another_folder_a_line_means_the_same_file(
    music: bytes, tmp_path: Path, playlist: bytes
) -> None:
    lines = [
        b"#EXTINF:1,here",
        b"music/plain.mp3",
        b"music/AC: DC.mp3",
        b"gone/x.mp3",
        b"/far/y.mp3",
        b"http://radio.example/z",
        b"C:\\music\\w.mp3",
        b"file:///far/v.mp3",
    ]
    with open(playlist, "wb") as file:
        file.write(b"\n".join(lines))
    read = read_m3u(playlist)
    (tmp_path / "deep").mkdir()
    copy = os.fsencode(tmp_path / "deep" / "copy.m3u8")
    folder = os.path.dirname(copy)

    def written(base: bytes | None) -> list[bytes]:
        write_m3u(copy, read, base=base)
        return content(copy).splitlines()[1:]

    moved = [b"../music/plain.mp3", b"../music/AC: DC.mp3", b"../gone/x.mp3"]
    assert written(folder) == [lines[0], *moved, *lines[4:]]
    assert read_paths(copy)[:4] == [named.path for named in read[:4]]
    # Where lists are relative to a folder of their own, what is missing was, too.
    assert written(b"/library")[3:] == lines[3:]
    full = os.path.join(os.path.dirname(playlist), b"gone/x.mp3")
    assert written(None)[3:] == [full, *lines[4:]]


def test_what_stood_before_a_track_stays_there(playlist: bytes) -> None:
    track = Entry(b"/a.mp3", "A", 1, notes=(b"#EXTVLCOPT:start-time=5",))
    write_m3u(playlist, [track], base=None)
    assert content(playlist) == (
        b"#EXTM3U\n#EXTINF:1,A\n#EXTVLCOPT:start-time=5\n/a.mp3\n"
    )
    (named,) = read_m3u(playlist)
    assert named.title == "A"
    assert named.other_notes == track.notes


def test_titles_are_utf8_or_else_latin1(playlist: bytes) -> None:
    with open(playlist, "wb") as file:
        file.write(b"#EXTINF:1,caf\xe9\na\n#EXTINF:1, caf\xc3\xa9 \nb\nc\n")
    assert [named.title for named in read_m3u(playlist)] == ["café", "café", ""]


def test_missing_files_are_listed_where_they_should_be(playlist: bytes) -> None:
    with open(playlist, "wb") as file:
        file.write(b"gone/../gone.mp3\n/far/away.mp3\nfile:///%00\n")
    folder = os.path.dirname(playlist)
    assert read_paths(playlist) == [
        os.path.join(folder, b"gone.mp3"),
        b"/far/away.mp3",
        b"/\0",
    ]


def test_an_empty_playlist_has_no_entries(playlist: bytes) -> None:
    with open(playlist, "wb"):
        pass
    assert read_m3u(playlist) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "cannot read the playlist .*No such file"),
        (b"ID3\x00\x00", "not text"),
        ("x".encode("utf-16"), "not text"),
        (b"x" * (MAX_PLAYLIST_BYTES + 1), "too big"),
    ],
    ids=["missing", "audio", "UTF-16", "huge"],
)
def test_what_is_no_playlist_is_told(
    playlist: bytes, wrong: bytes | None, message: str
) -> None:
    if wrong is not None:
        with open(playlist, "wb") as file:
            file.write(wrong)
    with pytest.raises(FatalError, match=message):
        read_m3u(playlist)


def test_a_playlist_in_a_missing_folder_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="does not exist") as caught:
        write_m3u(os.fsencode(tmp_path / "no" / "list.m3u"), [], base=None)
    assert "\n" not in str(caught.value)
