from __future__ import annotations

from beets.library import Item
from beets.test.helper import PluginTestHelper

from beetsplug.deejai.atlas.columns import MAX_TEXT, Columns, group, load_columns


def test_groups_are_counted_across_spellings_and_the_unknown_come_last() -> None:
    groups = group(["Jazz", "jazz", "", "", "", "Rock", "jazz", "Blues"])
    assert groups.names == ["jazz", "Blues", "Rock", ""]
    assert groups.codes.tolist() == [0, 0, 3, 3, 3, 2, 0, 1]


def test_no_tracks_are_no_groups() -> None:
    assert group([]).names == []


class TestColumns(PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def load(self, **fields: object) -> Columns:
        item = Item(path=b"/music/some%20where/file name.mp3", **fields)
        item.add(self.lib)
        return load_columns(self.lib, [item.id, 99])

    def test_tags_are_read(self) -> None:
        columns = self.load(
            title="Naima",
            artist="Coltrane",
            album="Giant",
            year=1960,
            genres=["A", "B"],
        )
        assert (columns.titles, columns.albums) == (["Naima"], ["Giant"])
        assert columns.artists.names == ["Coltrane"]
        assert columns.genres.names == ["A"]
        assert columns.years.tolist() == [1960]
        assert columns.name(0) == "Coltrane - Naima"

    def test_what_is_not_tagged_is_empty_but_for_the_title(self) -> None:
        columns = self.load()
        assert columns.titles == ["file name"]
        assert columns.genres.names == columns.artists.names == [""]
        assert columns.years.tolist() == [0]
        assert columns.name(0) == "file name"

    def test_long_and_broken_text_is_one_short_line(self) -> None:
        columns = self.load(title="a\nb\x00 " * 500, genres=["", " x\n"])
        assert len(columns.titles[0]) <= MAX_TEXT
        assert "\n" not in columns.titles[0]
        assert columns.genres.names == ["x"]

    def test_paths_in_the_music_directory_are_relative(self) -> None:
        inside = Item(path=self.lib.directory + b"/a/b.mp3")
        inside.add(self.lib)
        assert load_columns(self.lib, [inside.id]).paths == ["a/b.mp3"]
        assert self.load().paths == ["/music/some%20where/file name.mp3"]
