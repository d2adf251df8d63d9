"""--segue, through the real command line, on stored slices."""

from __future__ import annotations

import numpy as np
import pytest
from command_line import CommandLine
from libraries import add_made_tracks, circle, current_model

from beetsplug.deejai.storage.slices import SliceRow, SliceStore, store_path

N = 12


class TestSegue(CommandLine):
    """Tracks on a quarter circle: each begins as it sounds, 0 ends as 9 sounds."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        vectors = circle(N)
        items = add_made_tracks(self.lib, vectors)
        ending = np.arange(N)
        ending[0] = 9
        rows = [SliceRow(item.id, current_model(), "s", "", True) for item in items]
        slices = [
            np.repeat([begins, ends], 4, axis=0)
            for begins, ends in zip(vectors, vectors[ending], strict=True)
        ]
        store = SliceStore(store_path(self.lib.path))
        store.put(zip(rows, slices, strict=True))
        store.close()

    def test_without_it_whole_tracks_are_compared(self) -> None:
        assert self.titles("similar", "-n", "1", "title:=track 0") == ["track 1"]

    def test_similar_lists_what_could_follow(self) -> None:
        titles = self.titles("similar", "--segue", "-n", "3", "title:=track 0")
        assert titles[0] == "track 9"
        assert set(titles[1:]) == {"track 8", "track 10"}

    def test_a_playlist_goes_on_where_the_last_track_ends(self) -> None:
        titles = self.titles("playlist", "--segue", "-n", "2", "title:=track 0")
        assert titles[:2] == ["track 0", "track 9"]
        assert titles[2] in {"track 8", "track 10"}

    def test_the_hops_explained_are_those_that_are_heard(self) -> None:
        lines = self.run_with_output(
            "deejai",
            "playlist",
            "--segue",
            "--explain",
            *("-n", "1", "title:=track 0", "-f", "$title"),
        ).splitlines()
        assert lines[1].split() == ["1.000", "track", "9"]

    def test_a_journey_avoids_a_hop_from_the_wrong_ending(self) -> None:
        args = ("journey", "'title:=track 0'", "'title:=track 4'", "-n", "1")
        whole = self.run_with_output(
            "deejai", *args, "--explain", "-f", "$title"
        ).splitlines()
        assert whole[1].split()[1:] == ["track", "2"]
        segue = self.run_with_output(
            "deejai", *args, "--segue", "--explain", "-f", "$title"
        ).splitlines()

        # From 9 back to 4 a track between them is the way; 2 would be far from 9.
        assert segue[1].split()[1:] != ["track", "2"]
        assert min(float(line.split()[0]) for line in segue[1:]) > 0.85

    def test_tracks_without_stored_slices_count_as_a_whole(self) -> None:
        store = SliceStore(store_path(self.lib.path))
        store.remove(store.item_ids())
        store.close()
        titles = self.titles("similar", "--segue", "-n", "1", "title:=track 0")
        assert titles == ["track 1"]
