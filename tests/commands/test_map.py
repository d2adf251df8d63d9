"""The verb map, through the real command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from beets import config
from command_line import CommandLine
from libraries import add_made_tracks, circle
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

N = 30
HOSTILE = "</script><img src=x onerror=alert(1)>"


class TestMap(CommandLine):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None, tmp_path: Path) -> None:
        self.items = add_made_tracks(self.lib, circle(N), n_artists=6)
        self.folder = tmp_path
        config["deejai"]["playlist_dir"] = str(tmp_path)

    def map(self, *args: str, name: str = "map.html") -> dict[str, Any]:
        """Draw a map, and read what is on it."""
        self.run_command("deejai", "map", *args, "-o", name)
        html = (self.folder / name).read_text()
        found = re.search(r'id="map-data">(.*?)</script>', html)
        assert found
        data: dict[str, Any] = json.loads(found[1])
        return data

    def places(self, data: dict[str, Any]) -> dict[str, tuple[float, float]]:
        coordinates = zip(data["x"], data["y"], strict=True)
        return dict(zip(data["title"], coordinates, strict=True))

    def playlist(self, *numbers: int, name: str = "way.m3u8") -> str:
        path = self.folder / name
        path.write_text("".join(f"/nowhere/{number}.mp3\n" for number in numbers))
        return str(path)

    def test_without_an_output_it_says_what_to_give(self) -> None:
        assert "-o map.html" in self.refused("map")

    @pytest.mark.parametrize("name", ["map.svg", "map", "map.html.mp3"])
    def test_other_kinds_of_files_are_refused(self, name: str) -> None:
        assert ".html or .png" in self.refused("map", "-o", name)

    def test_one_file_is_not_written_twice(self) -> None:
        path = str(self.folder / "map.png")
        assert "twice" in self.refused("map", "-o", "map.png", "-o", path)

    def test_what_cannot_be_written_is_refused_before_any_work(self) -> None:
        assert "does not exist" in self.refused("map", "-o", "none/map.html")
        assert not list(self.folder.iterdir())

    def test_outputs_lie_under_the_playlist_folder(self) -> None:
        output = self.run_with_output(
            "deejai", "map", "-o", "a.html", "-o", "B.PNG", "--color", "year"
        )
        assert output.splitlines() == [
            f"30 tracks in {self.folder / 'a.html'}",
            f"30 tracks in {self.folder / 'B.PNG'}",
        ]
        with Image.open(self.folder / "B.PNG") as image:
            assert image.size == (2400, 1600)

    def test_all_tracks_that_have_a_vector_are_on_it(self) -> None:
        data = self.map()
        assert data["title"] == [f"track {number}" for number in range(N)]
        assert set(data["artists"]) == {f"artist {number}" for number in range(6)}
        assert data["by"] == "genre"
        assert data["way"] == []

    @pytest.mark.parametrize("option", ["--color", "--colour"])
    def test_colours_are_chosen_in_either_spelling(self, option: str) -> None:
        assert self.map(option, "artist")["by"] == "artist"
        assert "genre" in self.refused("map", option, "mood", "-o", "m.html")

    def test_a_query_limits_what_is_shown_and_moves_nothing(self) -> None:
        whole = self.places(self.map())
        some = self.places(self.map("artist:=artist 2"))
        assert len(some) == 5
        assert some == {title: whole[title] for title in some}

    def test_a_query_that_matches_nothing_is_refused(self) -> None:
        message = self.refused("map", "artist:nobody", "-o", "m.html")
        assert "artist:nobody" in message

    def test_later_tracks_find_a_place_and_no_other_one_moves(self) -> None:
        before = self.places(self.map())
        for item in add_made_tracks(self.lib, circle(N)[3:4] + 0.01):
            item["title"] = "new"
            item.store()
        after = self.places(self.map())
        assert {title: after[title] for title in before} == before
        assert "new" in after

    def test_remake_makes_it_anew(self) -> None:
        before = self.places(self.map())
        add_made_tracks(self.lib, circle(N)[3:8] + 0.01)
        kept = self.places(self.map())
        assert kept["track 20"] == before["track 20"]
        assert self.places(self.map("--remake"))["track 20"] != before["track 20"]

    def test_the_way_of_a_playlist_is_drawn(self) -> None:
        data = self.map("--journey", self.playlist(3, 17, 8))
        assert [data["title"][row] for row in data["way"]] == [
            "track 3",
            "track 17",
            "track 8",
        ]
        self.run_command(
            *("deejai", "map", "-o", "m.png", "--journey", self.playlist(3, 17))
        )

    def test_what_the_way_leads_over_is_shown_too(self) -> None:
        data = self.map("artist:=artist 2", "--journey", self.playlist(3, 17))
        assert len(data["title"]) == 7
        assert [data["title"][row] for row in data["way"]] == ["track 3", "track 17"]

    def test_a_playlist_of_strangers_is_refused(self) -> None:
        missing = self.refused("map", "-o", "m.html", "--journey", "none.m3u8")
        assert "no such playlist" in missing
        path = self.playlist(777)
        stranger = self.refused("map", "-o", "m.html", "--journey", path)
        assert "on the map" in stranger

    def test_hostile_tags_stay_text(self) -> None:
        self.items[0]["title"] = HOSTILE
        self.items[0]["genres"] = [HOSTILE]
        self.items[0].store()
        data = self.map(f"title:{HOSTILE}")
        assert data["title"] == [HOSTILE]
        for item in self.items[:12]:
            item["genres"] = [HOSTILE]
            item.store()
        regions = self.map()["regions"]
        assert HOSTILE[:31] + "…" in [region["name"] for region in regions]
        html = (self.folder / "map.html").read_text()
        assert "<img" not in html

    def add_genres(self) -> None:
        """Have the lower half of the tracks be jazz, and the upper one rock."""
        with self.lib.transaction():
            for number, item in enumerate(self.items):
                item.genres = ["Jazz" if number < N // 2 else "Rock"]
                item.store()

    def test_regions_are_called_by_their_genres(self) -> None:
        self.add_genres()
        data = self.map()
        names = [region["name"] for region in data["regions"]]
        assert set(names) == {"Jazz", "Rock"}
        fits = [
            names[place] == ("Jazz" if number < N // 2 else "Rock")
            for number, place in enumerate(data["region"])
            if place >= 0
        ]
        assert sum(fits) > 0.8 * len(fits)
        assert "tracks here" in data["regions"][0]["evidence"]

    def test_what_a_query_shows_is_compared_with_itself(self) -> None:
        self.add_genres()
        assert self.map("genres:Jazz")["regions"] == []

    def test_tracks_without_tags_have_no_regions(self) -> None:
        with self.lib.transaction():
            for item in self.items:
                item.artist = ""
                item.store()
        data = self.map()
        assert data["regions"] == []
        assert set(data["region"]) == {-1}

    def test_the_page_says_how_faithful_the_map_is(self) -> None:
        data = self.map()
        assert data["faithfulness"]["n_neighbours"] == (N - 1) // 2
        assert 0.9 < data["faithfulness"]["trustworthiness"] <= 1
        assert "Trustworthiness" in data["caption"]
        few = self.map("artist:=artist 2")
        assert few["faithfulness"] is None
        assert few["caption"] == ""

    def test_without_vectors_it_says_what_to_do(self) -> None:
        for item in self.items:
            item.remove()
        assert "beet import" in self.refused("map", "-o", "m.html")

    def test_a_single_track_has_a_map(self) -> None:
        for item in self.items[1:]:
            item.remove()
        data = self.map()
        assert (data["x"], data["y"]) == ([0.5], [0.5])
        self.run_command("deejai", "map", "-o", "m.png")
