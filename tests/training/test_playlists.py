from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from beets.library import Item, Library

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.playlists import (
    MatchReport,
    Playlist,
    album_playlists,
    artist_playlists,
    drop_short,
    genre_playlists,
    query_playlist,
    read_playlists,
)
from beetsplug.deejai.training.tags import load_play_counts, load_tagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def lib(tmp_path: Path, music: Path) -> Iterator[Library]:
    library = Library(str(tmp_path / "library.db"), str(music))
    yield library
    library._close()


def add(lib: Library, name: str, **fields: Any) -> str:
    path = os.path.join(os.fsdecode(lib.directory), name)
    Item(path=os.fsencode(path), **fields).add(lib)
    return path


def read(lib: Library, *places: Path) -> tuple[list[Playlist], MatchReport]:
    return read_playlists(
        [str(place) for place in places],
        tracks=load_tagged(lib),
        music_dir=lib.directory,
    )


def tracks_of(playlists: Sequence[Playlist]) -> list[tuple[str, ...]]:
    return [playlist.tracks for playlist in playlists]


def test_entries_of_all_kinds_are_matched_and_the_rest_is_reported(
    lib: Library, music: Path, tmp_path: Path
) -> None:
    paths = [add(lib, f"{name}.mp3", title=name, artist="A") for name in "abcde"]
    (music / "b.mp3").touch()
    (tmp_path / "list.m3u8").write_text(
        "\ufeff#EXTM3U\r\n"
        f"{paths[0]}\r\n"
        "b.mp3\r\n"
        "#EXTINF:10,A - c\r\nC:\\Elsewhere\\c.mp3\r\n"
        "#EXTINF:-1,A - d\r\n99 other name.ogg\r\n"
        f"{Path(paths[4]).as_uri()}\r\n"
        "lost.mp3\r\nhttp://radio/live\r\n"
    )
    playlists, report = read(lib, tmp_path)
    assert tracks_of(playlists) == [tuple(paths)]
    (file,) = report.files
    assert (file.n_by_path, file.n_by_name, file.n_by_tags) == (3, 1, 1)
    assert file.unmatched == ("lost.mp3", "http://radio/live")
    assert file.n_entries == 7
    lines = report.lines()
    assert lines[0] == (
        "playlist files: 1; entries matched by path: 3, by name: 1, by tags: 1, "
        "not matched: 2"
    )
    assert "2 of 7 not matched: lost.mp3, http://radio/live" in lines[1]


def test_a_title_belongs_to_the_entry_below_it_only(
    lib: Library, tmp_path: Path
) -> None:
    a, b = (add(lib, f"{name}.mp3", title=name, artist="A") for name in "ab")
    (tmp_path / "list.m3u").write_text(
        "#EXTINF:1,A - a\n#EXTVLCOPT:x=1\n\nx.mp3\ny.mp3\n#EXTINF:1,A - b\nz.mp3\n"
    )
    playlists, report = read(lib, tmp_path)
    assert tracks_of(playlists) == [(a, b)]
    assert report.files[0].unmatched == ("y.mp3",)


def test_playlists_with_fewer_than_two_tracks_are_dropped_and_counted(
    lib: Library, tmp_path: Path
) -> None:
    a, b = (add(lib, f"{name}.mp3") for name in "ab")
    for name, lines in {
        "empty": [],
        "one": [a],
        "one thrice": [a, a, a],
        "nothing known": ["x.mp3", "y.mp3"],
        "two": [b, a, b],
    }.items():
        (tmp_path / f"{name}.m3u").write_text("\n".join(lines))
    playlists, report = read(lib, tmp_path)
    assert tracks_of(playlists) == [(b, a)]
    assert report.n_too_short == 4
    assert "dropped, with no two tracks of the library: 4" in report.lines()[-1]


def test_files_are_found_in_folders_below_and_each_is_read_once(
    lib: Library, tmp_path: Path
) -> None:
    a, b = (add(lib, f"{name}.mp3") for name in "ab")
    below = tmp_path / "lists" / "below"
    below.mkdir(parents=True)
    for path in (below / "one.M3U", below.parent / "two.m3u8", below / "notes.txt"):
        path.write_text(f"{a}\n{b}\n")
    playlists, report = read(lib, tmp_path / "lists", below / "one.M3U")
    assert [Path(playlist.name).name for playlist in playlists] == [
        "one.M3U",
        "two.m3u8",
    ]
    assert len(report.files) == 2
    # A file that is named is read whatever its suffix, and is no folder to look in.
    playlists, report = read(lib, below / "notes.txt")
    assert len(playlists) == 1
    assert report.unreadable == ()


def test_unreadable_playlists_are_reported_and_the_others_read(
    lib: Library, tmp_path: Path
) -> None:
    a, b = (add(lib, f"{name}.mp3") for name in "ab")
    (tmp_path / "binary.m3u").write_bytes(b"\0\1\2")
    (tmp_path / "dangling.m3u").symlink_to("nowhere")
    (tmp_path / "good.m3u").write_text(f"{a}\n{b}\n")
    playlists, report = read(lib, tmp_path)
    assert tracks_of(playlists) == [(a, b)]
    assert [Path(name).name for name, _ in report.unreadable] == [
        "binary.m3u",
        "dangling.m3u",
    ]
    assert sum("not read" in line for line in report.lines()) == 2


def test_a_place_that_is_not_there_is_told(lib: Library, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="no folder"):
        read(lib, tmp_path / "nowhere")


def test_the_summary_stays_short(lib: Library, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.m3u").write_text("".join(f"{i}\n" for i in range(50)))
    lines = read(lib, tmp_path)[1].lines()
    assert len(lines) < 10
    assert max(map(len, lines)) < 200
    assert any("15 more such files" in line for line in lines)


def test_names_that_are_not_utf8_are_matched(lib: Library, tmp_path: Path) -> None:
    odd = add(lib, os.fsdecode(b"caf\xe9.mp3"))
    b = add(lib, "b.mp3")
    (tmp_path / "list.m3u").write_bytes(os.fsencode(f"{odd}\n{b}\n"))
    playlists, report = read(lib, tmp_path)
    assert tracks_of(playlists) == [(odd, b)]
    assert report.files[0].n_by_path == 2


def test_albums_keep_the_order_of_their_tracks(lib: Library) -> None:
    fields = {"album": "X", "albumartist": "A"}
    numbers = [(1, 2), (2, 1), (1, 1)]
    paths = [
        add(lib, f"{disc}{track}.mp3", disc=disc, track=track, **fields)
        for disc, track in numbers
    ]
    lib.add_album(list(lib.items()))
    add(lib, "single.mp3", album="X")
    assert tracks_of(album_playlists(load_tagged(lib))) == [
        (paths[2], paths[0], paths[1])
    ]


def test_a_track_of_several_artists_or_genres_is_in_several_playlists(
    lib: Library,
) -> None:
    a = add(lib, "a.mp3", artist="X & Y", artists=["X", "Y"], genres=["Rock", "Pop"])
    b = add(lib, "b.mp3", artist="x", genres=["rock"])
    c = add(lib, "c.mp3", artist="Various Artists")
    add(lib, "d.mp3")
    tracks = load_tagged(lib)
    artists = {p.name: set(p.tracks) for p in artist_playlists(tracks)}
    assert artists == {"X": {a, b}, "Y": {a}}
    genres = {p.name: set(p.tracks) for p in genre_playlists(tracks)}
    assert genres == {"Rock": {a, b}, "Pop": {a}}
    assert c not in set().union(*artists.values())


def test_a_query_is_a_playlist(lib: Library) -> None:
    a = add(lib, "a.mp3", year=1999, title="hit", mood="calm")
    b = add(lib, "b.mp3", year=1999)
    add(lib, "c.mp3", year=2000)
    tracks = load_tagged(lib)
    assert set(query_playlist(lib, "year:1999", tracks=tracks).tracks) == {a, b}
    assert query_playlist(lib, "mood:calm", tracks=tracks).tracks == (a,)


def test_short_ones_are_dropped_and_counted() -> None:
    long, short = Playlist("", ("/a", "/b")), Playlist("", ("/a", "/a"))
    assert drop_short([long, short, Playlist("", ())]) == ([long], 2)


def test_everything_that_is_asked_about_a_track_is_read_in_bulk(lib: Library) -> None:
    path = add(lib, "a.mp3", artist="A", title=" t ", genres=["g"], play_count=3)
    add(lib, "b.mp3", play_count=0)
    add(lib, "c.mp3", play_count="often")
    item = lib.items("a.mp3").get() or lib.items().get()
    assert item is not None
    (track,) = [t for t in load_tagged(lib) if t.path == path]
    assert (track.title, track.artists, track.genres) == ("t", ("A",), ("g",))
    assert track.album_id is None
    assert load_play_counts(lib) == {track.item_id: 3}
