from __future__ import annotations

import numpy as np
import pytest
from beets.test.helper import PluginTestHelper
from libraries import add_made_tracks, circle

from beetsplug.deejai.storage.plays import load_plays

NAN = float("nan")


class TestPlays(PluginTestHelper):
    plugin = "deejai"

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(3))
        self.ids = np.array([item.id for item in self.items])

    def set(self, number: int, **values: object) -> None:
        self.items[number].update(values)
        self.items[number].store()

    def test_nothing_is_known_of_a_new_library(self) -> None:
        plays = load_plays(self.lib, self.ids)
        for column in (plays.counts, plays.skips, plays.ratings, plays.last_played_s):
            np.testing.assert_array_equal(column, [NAN] * 3)

    def test_rows_are_those_that_are_asked_for(self) -> None:
        self.set(0, play_count=4, skip_count=1, rating=0.75, last_played=1.7e9)
        self.set(2, play_count=2)
        plays = load_plays(self.lib, self.ids[::-1])
        np.testing.assert_array_equal(plays.counts, [2, NAN, 4])
        np.testing.assert_array_equal(plays.skips, [NAN, NAN, 1])
        np.testing.assert_array_equal(plays.ratings, [NAN, NAN, 0.75])
        np.testing.assert_array_equal(plays.last_played_s, [NAN, NAN, 1.7e9])
        assert load_plays(self.lib, self.ids[:0]).counts.shape == (0,)

    def test_one_play_that_two_have_seen_is_one(self) -> None:
        self.set(0, play_count=4, lastfm_play_count=9)
        self.set(1, listenbrainz_play_count=7, lastfm_play_count=0)
        self.set(2, lastfm_play_count=2)
        counts = load_plays(self.lib, self.ids).counts
        np.testing.assert_array_equal(counts, [9, 7, 2])

    def test_values_edited_by_hand_are_brought_into_range(self) -> None:
        self.set(0, play_count="many", rating="4.5", last_played="2024-01-01")
        self.set(1, play_count="-3", rating="-1", skip_count="inf", last_played="nan")
        plays = load_plays(self.lib, self.ids)
        np.testing.assert_array_equal(plays.counts, [NAN, 0, NAN])
        np.testing.assert_array_equal(plays.ratings, [1, 0, NAN])
        np.testing.assert_array_equal(plays.skips, [NAN] * 3)
        np.testing.assert_array_equal(plays.last_played_s, [NAN] * 3)
