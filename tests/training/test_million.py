from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.million import find_previews, read_million

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def previews(tmp_path: Path) -> dict[str, str]:
    for name in ("previews/a.mp3", "previews/x/b.OGG", "previews/x/y/c.m4a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "previews" / "d.json").touch()
    return find_previews(str(tmp_path / "previews"))


def playlist(name: str, *ids: str) -> dict[str, Any]:
    tracks = [
        {"pos": i, "track_uri": f"spotify:track:{one}", "track_name": one.upper()}
        for i, one in enumerate(ids)
    ]
    return {"name": name, "pid": 0, "tracks": tracks}


def write_slice(folder: Path, start: int, *playlists: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"mpd.slice.{start}-{start + 999}.json"
    path.write_text(json.dumps({"info": {}, "playlists": playlists}))
    return path


def test_previews_are_found_by_track_id_in_folders_below(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    folder = tmp_path / "previews"
    assert previews == {
        "a": str(folder / "a.mp3"),
        "b": str(folder / "x" / "b.OGG"),
        "c": str(folder / "x" / "y" / "c.m4a"),
    }
    with pytest.raises(FatalError, match="named by track id"):
        find_previews(str(tmp_path / "nowhere"))


def test_slices_are_read_in_order_and_tracks_without_a_preview_counted(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    write_slice(tmp_path / "mpd", 10_000, playlist("last", "c", "b"))
    write_slice(tmp_path / "mpd", 2_000, playlist("second", "b", "unheard", "a"))
    write_slice(tmp_path / "mpd", 0, playlist("first", "a", "b", "a"))
    playlists, report = read_million(str(tmp_path / "mpd"), previews=previews)
    assert [p.name for p in playlists] == ["first", "second", "last"]
    assert playlists[1].tracks == (previews["b"], previews["a"])
    assert playlists[0].tracks == (previews["a"], previews["b"])
    assert (report.n_files, report.n_matched, report.n_unmatched) == (3, 7, 1)
    assert report.lines() == [
        "slices: 3; entries with a preview: 7, without: 1; playlists kept: 3"
    ]


def test_slices_may_lie_in_the_folder_data(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    write_slice(tmp_path / "data", 0, playlist("first", "a", "b"))
    assert len(read_million(str(tmp_path), previews=previews)[0]) == 1


def test_playlists_of_fewer_than_two_previews_are_dropped_and_counted(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    write_slice(
        tmp_path,
        0,
        playlist("empty"),
        playlist("one", "a"),
        playlist("one twice", "a", "a"),
        playlist("unheard", "x", "y"),
        playlist("two", "a", "b"),
    )
    playlists, report = read_million(str(tmp_path), previews=previews)
    assert [p.name for p in playlists] == ["two"]
    assert report.n_too_short == 4
    assert "no two previews: 4" in report.lines()[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"playlists": [',
        b"\xff\xfe not text",
        b"[]",
        b'{"playlists": 7}',
        b"[" * 100_000,
    ],
)
def test_a_slice_that_cannot_be_read_is_reported_and_skipped(
    tmp_path: Path, previews: dict[str, str], content: bytes
) -> None:
    write_slice(tmp_path, 0).write_bytes(content)
    write_slice(tmp_path, 1000, playlist("good", "a", "b"))
    playlists, report = read_million(str(tmp_path), previews=previews)
    assert [p.name for p in playlists] == ["good"]
    assert report.n_files == 1
    assert report.unreadable[0][0] == str(tmp_path / "mpd.slice.0-999.json")
    assert "not read" in report.lines()[-1]


def test_malformed_playlists_and_tracks_are_skipped_and_counted(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    good = playlist("good", "a", "b")
    good["tracks"] += [None, 3, {}, {"track_uri": None}, {"track_uri": ["a"]}]
    write_slice(tmp_path, 0, None, "text", {}, {"tracks": "a"}, {"tracks": None}, good)
    playlists, report = read_million(str(tmp_path), previews=previews)
    assert [p.name for p in playlists] == ["good"]
    assert report.n_malformed == 5
    assert report.n_unmatched == 5
    assert "malformed: 5" in report.lines()[1]


def test_a_folder_without_slices_is_told(
    tmp_path: Path, previews: dict[str, str]
) -> None:
    with pytest.raises(FatalError, match=r"no mpd\.slice"):
        read_million(str(tmp_path), previews=previews)
