"""--also and --not with weights, through the real command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from libraries import add_made_tracks, circle

N = 31


class TestWeights(CommandLine):
    """Tracks on a quarter circle: what lies between two seeds is near both."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))

    def numbers(self, *args: str) -> list[int]:
        output = self.run_with_output("deejai", *args, "-f", "$title")
        return [int(line.split()[1]) for line in output.splitlines()]

    def place(self, *args: str) -> float:
        """Where on the circle the nearest tracks are."""
        return float(np.mean(self.numbers("similar", *args, "-n", "3")))

    def test_also_goes_between(self) -> None:
        assert self.place("title:=track 10", "--also", "'title:=track 20'") == 15

    def test_the_heavier_seed_is_nearer(self) -> None:
        places = [
            self.place("title:=track 10", "--also", f"{weight}*'title:=track 20'")
            for weight in ("0.1", ".5", "1", "2", "9.5", "1000")
        ]
        assert places == sorted(places)
        assert len(set(places)) >= 5
        assert places[2] == 15

    def test_a_query_of_many_tracks_counts_as_one_of_a_single_track(self) -> None:
        for args in (
            ("title:=track 0", "--also", "'title::^track (28|29|30)$'"),
            ("title::^track (0|1|2)$", "--also", "'title:=track 30'"),
        ):
            assert 13 <= self.place(*args) <= 17

    def test_all_seeds_are_left_out_of_similar_and_begin_a_playlist(self) -> None:
        args = ("title:=track 10", "--also", "2*'title:=track 11'", "-n", "3")
        assert not {10, 11} & set(self.numbers("similar", *args))
        assert self.numbers("playlist", *args)[:2] == [10, 11]

    def test_a_playlist_begins_nearer_to_the_heavier_seed(self) -> None:
        first = [
            self.numbers(
                *("playlist", "title:=track 0", "-n", "1"),
                *("--also", f"{weight}*'title:=track 30'"),
            )[-1]
            for weight in (0.2, 1, 5)
        ]
        assert first == sorted(set(first))
        assert first[1] == 15

    def test_not_leads_away_the_more_the_heavier(self) -> None:
        places = [
            self.place("title:=track 15", *args)
            for args in (
                (),
                ("--not", "0.2*'title:=track 0'"),
                ("--not", "'title:=track 0'"),
            )
        ]
        assert places == sorted(set(places))
        assert places[2] == self.place("title:=track 15", "--not", "1*'title:=track 0'")

    def test_a_playlist_keeps_away_the_more_the_heavier(self) -> None:
        light, heavy = (
            self.numbers(
                *("playlist", "title:=track 15", "-n", "1"),
                *("--not", f"{weight}*'title:=track 0'"),
            )[-1]
            for weight in (0.3, 1)
        )
        assert 15 < light < heavy

    def test_several_nots_count_alike_however_much_they_match(self) -> None:
        place = self.place(
            "title:=track 15",
            *("--not", "'title::^track (28|29|30)$'", "--not", "'title:=track 0'"),
        )
        assert 13 <= place <= 17

    def test_a_file_may_have_a_weight(self, tmp_path: Path) -> None:
        path = tmp_path / "twenty.mp3"
        path.touch()
        self.items[20].path = bytes(path)
        self.items[20].store()
        args = ("title:=track 10", "--also")
        assert self.place(*args, f"9*{path}") > self.place(*args, str(path)) == 15

    @pytest.mark.parametrize("title", ["2*track", "2*3", "1.5*track 3"])
    def test_a_title_that_looks_like_a_weight_is_a_title(self, title: str) -> None:
        self.items[20]["title"] = title
        self.items[20].store()
        numbers = self.run_with_output(
            *("deejai", "playlist", "title:=track 10", "-n", "0"),
            *("--also", title, "-f", "$id"),
        )
        assert numbers.split() == [str(self.items[n].id) for n in (10, 20)]

    def test_a_file_that_looks_like_a_weight_is_a_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("2*x.mp3").touch()
        self.items[20].path = bytes(tmp_path / "2*x.mp3")
        self.items[20].store()
        assert self.place("title:=track 10", "--also", "2*x.mp3") == 15

    @pytest.mark.parametrize("weight", ["0", "-1", "+0.0", "1001", "9" * 400])
    @pytest.mark.parametrize("option", ["--also", "--not"])
    def test_a_weight_out_of_range_is_refused(self, option: str, weight: str) -> None:
        assert "a weight is above 0" in self.refused(
            "similar", "title:=track 10", option, f"{weight}*track 3"
        )

    @pytest.mark.parametrize("text", ["2*", "2* "])
    def test_a_weight_of_nothing_is_refused(self, text: str) -> None:
        assert "name a seed" in self.refused(
            "similar", "title:=track 10", "--also", text
        )

    @pytest.mark.parametrize("text", ["x*track 3", "*track 3", "nan*track 3", "1e3*t"])
    def test_what_is_no_number_is_part_of_the_query(self, text: str) -> None:
        assert f"nothing in the library matches '{text}'" in self.refused(
            "similar", "title:=track 10", "--also", text
        )

    def test_an_empty_seed_is_refused(self) -> None:
        assert "name a seed" in self.refused("similar", "title:=track 10", "--also", "")
