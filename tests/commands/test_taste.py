"""playlist --taste, through the real command line."""

from __future__ import annotations

import json
import logging
import re
import zipfile

import numpy as np
import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_made_tracks

from beetsplug.deejai.vectors import unit

DAY_S = 86_400
NOW_S = 1_800_000_000


def styles(n_styles: int = 5, n_tracks: int = 20) -> np.ndarray:
    rng = np.random.default_rng(1)
    centres = np.repeat(rng.standard_normal((n_styles, 100)), n_tracks, axis=0)
    return unit(centres + 0.3 * rng.standard_normal(centres.shape))


class Listener(IOMixin, PluginTestHelper):
    """Tracks of five styles, twenty of each; style 0 is played now, 1 was long ago."""

    plugins = ("deejai",)
    preload_plugin = False
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.config["listenbrainz"].set({"token": "none", "username": "nobody"})
        self.load_plugins(*self.plugins)
        self.items = add_made_tracks(self.lib, styles())

    def listen(self, *numbers: int, **fields: float) -> None:
        for number in numbers:
            self.items[number].update(fields)
            self.items[number].store()

    def numbers(self, *args: str) -> list[int]:
        output = self.run_with_output(
            "deejai", "playlist", "--taste", *args, "-f", "$title"
        )
        return [int(line.split()[1]) for line in output.splitlines()]

    def style(self, *args: str) -> int:
        """Tell the style that a short playlist is of."""
        (style,) = {number // 20 for number in self.numbers("-n", "5", *args)}
        return style

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "playlist", *args)
        message = str(caught.value)
        assert "\n" not in message
        return message


class TestTaste(Listener):
    def test_it_plays_more_of_what_is_played_and_prints_no_seed(self) -> None:
        self.listen(7, play_count=5, last_played=NOW_S)
        numbers = self.numbers("-n", "10")
        assert len(numbers) == 10
        assert {number // 20 for number in numbers} == {0}
        assert 7 not in numbers

    def test_twenty_is_the_default_and_the_first_has_no_similarity(self) -> None:
        self.listen(0, play_count=5)
        lines = self.run_with_output("deejai", "playlist", "--taste", "--explain")
        first, *others = lines.splitlines()
        assert len(others) == 19
        assert first.split()[0] == "artist"
        assert all(-1 <= float(line.split()[0]) <= 1 for line in others)

    def test_the_half_life_says_how_long_old_plays_count(self) -> None:
        self.listen(*range(3), play_count=4, last_played=NOW_S)
        self.listen(*range(20, 40), play_count=4, last_played=NOW_S - 400 * DAY_S)
        seeds = [("--seed", str(number)) for number in range(12)]
        assert {self.style(*seed) for seed in seeds} == {0}
        long_ago = [self.style("--half-life", "4000", *seed) for seed in seeds]
        assert set(long_ago) == {0, 1}
        self.config["deejai"]["half_life"] = 4000
        assert [self.style(*seed) for seed in seeds] == long_ago

    def test_skips_and_bad_ratings_speak_against_a_track(self) -> None:
        self.listen(*range(3), play_count=4, rating=0.9)
        self.listen(*range(20, 23), play_count=4, rating=0.0)
        self.listen(*range(40, 43), skip_count=8)
        assert {self.style("--seed", str(number)) for number in range(9)} == {0}

    def test_one_seed_number_one_list(self) -> None:
        self.listen(*range(0, 100, 7), play_count=1)
        lists = [self.numbers("--seed", str(number)) for number in (0, 1, 2, 3)]
        assert lists == [self.numbers("--seed", str(number)) for number in (0, 1, 2, 3)]
        assert lists[0] == self.numbers()
        assert len({tuple(one) for one in lists}) > 1

    def test_a_query_says_which_liked_tracks_are_seeds(self) -> None:
        self.listen(0, 1, 20, play_count=5)
        assert self.style("title:=track 20") == 1
        assert self.style("title::^track .$", "title:track") == 0

    def test_the_other_options_hold(self) -> None:
        self.listen(0, play_count=5)
        args = ("--from", "'title::^track 2.$'", "--length", "15m", "--drunk", "0.5")
        numbers = self.numbers(*args)
        assert len(numbers) == 5
        assert {number // 10 for number in numbers} == {2}
        assert 1 not in self.numbers("--not", "'title:=track 1'")

    def test_no_gap_is_kept_from_a_seed_that_is_not_heard(self) -> None:
        self.listen(0, play_count=5)
        nearest = self.numbers("-n", "1")[0]
        self.items[nearest]["artist"] = self.items[0]["artist"]
        self.items[nearest].store()
        assert self.numbers("-n", "1") == [nearest]

    def test_the_seeds_are_named(self, caplog: pytest.LogCaptureFixture) -> None:
        self.listen(*range(20), play_count=5)
        with caplog.at_level(logging.INFO, logger="beets"):
            self.numbers()
        assert re.search(
            "seeds: artist .+; artist .+; artist .+ and 7 more", caplog.text
        )

    def test_nothing_played_is_one_line(self) -> None:
        assert "has been played yet" in self.refused("--taste")
        self.listen(0, play_count=5)
        message = self.refused("--taste", "title:=track 3")
        assert "matches 'title:=track 3'" in message

    def test_what_makes_no_sense_is_refused(self) -> None:
        self.listen(0, play_count=5)
        assert "--also" in self.refused("--taste", "--also", "track")
        assert "no file" in self.refused("--taste", __file__)
        assert "name a seed" in self.refused()
        assert "--taste" in self.refused("track", "--half-life", "3")
        for days in ("0", "-1", "nan", "inf"):
            assert "above 0" in self.refused("--taste", "--half-life", days)
        self.config["deejai"]["half_life"] = 0
        assert "deejai.half_life" in self.refused("--taste")


class TestListenBrainz(Listener):
    plugins = ("deejai", "listenbrainz")

    def test_listens_that_the_real_plugin_imported_are_plays(self) -> None:
        listens = [
            {
                "listened_at": NOW_S,
                "track_metadata": {
                    "artist_name": f"artist {number}",
                    "track_name": f"track {number}",
                    "release_name": "an album",
                },
            }
            for number in (60, 61, 61, 62)
        ]
        export = self.temp_path / "listens.zip"
        with zipfile.ZipFile(export, "w") as file:
            file.writestr("listens/2026/1.jsonl", "\n".join(map(json.dumps, listens)))
        self.run_command("lbimport", "--export-file", str(export))
        assert self.style() == 3
