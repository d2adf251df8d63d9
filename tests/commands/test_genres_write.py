"""The verb genres write, through the real command line."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from command_line import CommandLine
from libraries import add_made_tracks, circle
from made_genres import learn_genres, slices_of, store_slices

from beetsplug.deejai.storage.genre_fields import load_heard_genres
from beetsplug.deejai.storage.genre_model import (
    OTHER,
    genre_folder,
    write_genre_model,
)

if TYPE_CHECKING:
    from beets.library import Item


class TestGenresWrite(CommandLine):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(4))
        self.model = learn_genres(self.lib)
        slices = [slices_of(3, 1), slices_of(0, 2), slices_of(2, 3, 5)]
        store_slices(self.lib, self.items[:3], slices)

    def write(self, *args: str) -> list[str]:
        return self.run_with_output("deejai", "genres", "write", *args).splitlines()

    def fields(self, number: int) -> tuple[str, float] | None:
        """Return what a track says; None where it has neither field."""
        item = self.lib.get_item(self.items[number].id)
        names = ("deejai_genre", "deejai_genre_confidence")
        if not any(name in item for name in names):
            return None
        return item[names[0]], item[names[1]]

    def found(self, *query: str) -> list[str]:
        return [item.title for item in self.lib.items(list(query))]

    def test_the_strongest_genre_and_its_probability_are_written(self) -> None:
        assert self.write() == ["3 tracks written"]
        assert self.fields(0) == ("Ambient", 0.75)
        assert self.fields(1) == ("Metal", 1.0)
        assert self.fields(2) == ("Dub", 0.5)
        assert self.fields(3) is None

    def test_they_can_be_asked_for_everywhere_in_beets(self) -> None:
        self.write()
        assert self.found("deejai_genre_confidence:0.7..") == ["track 0", "track 1"]
        assert self.found("deejai_genre_confidence:..0.6") == ["track 2"]
        assert self.found("deejai_genre:metal") == ["track 1"]
        output = self.run_with_output(
            "ls", "-f", "$deejai_genre $deejai_genre_confidence", "track 0"
        )
        assert output == "Ambient 0.750\n"

    def test_the_users_own_genre_stays(self) -> None:
        self.items[0]["genres"] = ["Noise"]
        self.items[0].store()
        self.write()
        item = self.lib.get_item(self.items[0].id)
        assert (item["genres"], item["deejai_genre"]) == (["Noise"], "Ambient")

    def test_only_what_a_query_matches_is_written(self) -> None:
        assert self.write("title:track 1") == ["1 track written"]
        assert [self.fields(number) is None for number in range(3)] == [1, 0, 1]

    def test_what_would_change_can_be_seen_before(self) -> None:
        assert self.write("--pretend") == [
            "artist 0 - - track 0: none -> Ambient 0.75",
            "artist 1 - - track 1: none -> Metal 1.0",
            "artist 2 - - track 2: none -> Dub 0.5",
            "3 tracks would be written",
        ]
        assert load_heard_genres(self.lib) == {}

    def test_what_is_unchanged_is_not_written_again(self) -> None:
        self.write()
        revision = self.lib.revision
        # Whatever else beets writes of it.
        item = self.lib.get_item(self.items[0].id)
        item["mood"] = "calm"
        item.store()
        assert self.lib.revision > revision
        revision = self.lib.revision
        assert self.write() == ["0 tracks written, 3 unchanged"]
        assert self.write("--pretend") == ["0 tracks would be written, 3 unchanged"]
        assert self.lib.revision == revision

    def test_below_the_confidence_a_genre_is_taken_away(self) -> None:
        self.write()
        least = ("--min-confidence", "0.7")
        assert self.write(*least, "--pretend") == [
            "artist 2 - - track 2: Dub 0.5 -> none",
            "0 tracks would be written, 1 would be cleared, 2 unchanged",
        ]
        assert self.write(*least) == ["0 tracks written, 1 cleared, 2 unchanged"]
        assert self.fields(2) is None
        last = self.write(*least)
        assert last == ["0 tracks written, 2 unchanged, 1 without a genre"]

    def test_what_is_learnt_anew_takes_the_place_of_the_old(self) -> None:
        self.write()
        folder = genre_folder(self.lib.path)
        assert folder is not None
        genres = ("Drone", "Metal", "Dub")
        write_genre_model(folder, replace(self.model, genres=genres))
        assert self.write() == ["1 track written, 2 unchanged"]
        assert self.fields(0) == ("Drone", 0.75)

    def test_being_none_of_the_genres_is_no_genre(self) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        genres = ("Ambient", "Metal", OTHER)
        write_genre_model(folder, replace(self.model, genres=genres))
        assert self.write() == ["2 tracks written, 1 without a genre"]
        assert self.fields(2) is None

    def test_tracks_without_slices_are_counted_and_left_as_they_are(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        kept: Item = self.items[3]
        kept["deejai_genre"] = "Kept"
        kept.store()
        with caplog.at_level("WARNING"):
            self.write()
        assert self.lib.get_item(kept.id)["deejai_genre"] == "Kept"
        assert "1 track without slices" in caplog.text
        assert "beet deejai scan" in caplog.text

    def test_while_another_program_writes_to_the_library_it_is_told(self) -> None:
        with self.lib.transaction() as tx:
            tx.query("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(self.lib.path)
        other.execute("BEGIN IMMEDIATE")
        message = self.refused("genres", "write")
        other.rollback()
        other.close()
        assert "another program is writing" in message
        assert self.write() == ["3 tracks written"]

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        self.items[0]["title"] = "red\x1b[31m\nalert"
        self.items[0]["deejai_genre"] = "Ro\x1bck"
        self.items[0].store()
        before = "artist 0 - - red [31m alert: Ro ck -> Ambient 0.75"
        assert self.write("--pretend", "title:red")[0] == before

    def test_half_a_pair_of_fields_is_made_whole(self) -> None:
        self.items[0]["deejai_genre"] = "Ambient"
        self.items[0].store()
        assert self.write("title:track 0") == ["1 track written"]
        assert self.fields(0) == ("Ambient", 0.75)

    @pytest.mark.parametrize("least", ["-0.1", "1.1", "nan", "much"])
    def test_a_confidence_that_is_none_is_refused(self, least: str) -> None:
        message = self.refused("genres", "write", f"--min-confidence={least}")
        assert "--min-confidence" in message

    def test_a_slip_is_told(self) -> None:
        assert "'nobody'" in self.refused("genres", "write", "nobody")
        for item in self.items:
            item.remove()
        assert "beet import" in self.refused("genres", "write")

    def test_nothing_learnt_yet_says_what_to_run(self) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        (folder / "genres.npz").unlink()
        assert "beet deejai genres train" in self.refused("genres", "write")
