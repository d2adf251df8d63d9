"""similar -a, through the real command line."""

from __future__ import annotations

import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_made_tracks, circle

N = 30


class TestAlbums(IOMixin, PluginTestHelper):
    """Albums of five, in the order of a quarter circle."""

    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))
        for number in range(0, N - 5, 5):
            items = self.items[number : number + 5]
            for track, item in enumerate(items, 1):
                item["album"] = f"album {number // 5}"
                item["albumartist"] = "various"
                # The other way round than the artists' names.
                item["track"] = 6 - track
            self.lib.add_album(items)

    def albums(self, *args: str) -> list[str]:
        output = self.run_with_output("deejai", "similar", "-a", "-f", "$album", *args)
        return output.splitlines()

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "similar", "-a", *args)
        return str(caught.value)

    def test_the_nearest_come_first_without_the_seeds_own(self) -> None:
        assert self.albums("title:=track 0") == [f"album {n}" for n in range(1, 5)]
        # A singleton has no album to leave out.
        assert self.albums("title:=track 29")[0] == "album 4"

    def test_n_counts_albums(self) -> None:
        assert self.albums("title:=track 0", "-n", "2") == ["album 1", "album 2"]
        assert self.albums("title:=track 0", "-n", "0") == []

    def test_they_are_printed_as_beets_prints_albums(self) -> None:
        args = ("deejai", "similar", "-a", "-n", "1", "title:=track 0")
        assert self.run_with_output(*args) == "various - album 1\n"
        assert self.run_with_output(*args, "-f", "$album!") == "album 1!\n"
        assert self.run_with_output(*args, "-p") == "/nowhere\n"

    def test_explain_prints_the_similarity(self) -> None:
        line = self.run_with_output(
            *("deejai", "similar", "-a", "-n", "1", "--explain", "title:=track 0")
        )
        assert 0.9 < float(line.split()[0]) < 1

    def test_from_says_which_tracks_stand_for_an_album(self) -> None:
        chosen = self.albums("title:=track 0", "--from", "'title::^track (9|15)$'")
        assert chosen == ["album 1", "album 3"]

    def test_not_and_also_hold(self) -> None:
        between = self.albums("title:=track 0", "--also", "'title:=track 24'")
        assert between[0] == "album 2"
        assert "album 4" not in between
        away = self.albums("title:=track 12", "--not", "'title:=track 0'")
        assert away == ["album 4", "album 3", "album 1"]

    def test_an_output_gets_the_tracks_in_the_order_of_the_albums(self) -> None:
        path = self.temp_path / "albums.m3u8"
        self.run_command(
            *("deejai", "similar", "-a", "-n", "2", "title:=track 0", "-o", str(path))
        )
        names = [line for line in path.read_text().splitlines() if line[:1] != "#"]
        assert [name.rpartition("/")[2] for name in names] == [
            f"{n}.mp3" for n in (9, 8, 7, 6, 5, 14, 13, 12, 11, 10)
        ]

    def test_what_makes_no_sense_is_refused(self) -> None:
        assert "--length" in self.refused("title:=track 0", "--length", "10m")
        assert "--segue" in self.refused("title:=track 0", "--segue")

    def test_a_library_of_singletons_has_no_albums(self) -> None:
        for album in self.lib.albums():
            for item in album.items():
                item.album_id = None
                item.store()
            album.remove(with_items=False)
        assert self.albums("title:=track 0") == []
