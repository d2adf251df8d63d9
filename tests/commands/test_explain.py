"""similar --explain, through the real command line."""

from __future__ import annotations

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle, make_album
from made_genres import learn_genres, store_slices

from beetsplug.deejai.storage.genre_model import FILE, genre_folder
from beetsplug.deejai.storage.library import matching_ids
from beetsplug.deejai.storage.slices import SliceStore, store_path

N = 60
INDENT = " " * 10


class Library(CommandLine):
    """Tracks on a quarter circle; their slices are noise but where tests change it."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))
        rng = np.random.default_rng(0)
        self.slices = [rng.standard_normal((20, 100)) for _ in range(N)]

    def store(self) -> None:
        store_slices(self.lib, self.items, self.slices)

    def explained(self, *args: str) -> list[str]:
        args = ("deejai", "similar", *args, "--explain", "-f", "$title")
        return self.run_with_output(*args).splitlines()


class TestSlices(Library):
    def test_the_stretches_that_sound_alike_are_told(self) -> None:
        self.slices[1][13:15] = self.slices[0][7:9]
        self.slices[1][2] = self.slices[0][19]
        self.store()
        lines = self.explained("title:=track 0", "-n", "1")
        assert lines[0].endswith("  track 1")
        assert set(lines[1:]) == {
            f"{INDENT}1:05 - 1:15 sounds like 0:35 - 0:45 (1.00)",
            f"{INDENT}0:10 - 0:15 sounds like 1:35 - 1:40 (1.00)",
        }

    def test_of_several_seeds_it_is_told_which(self) -> None:
        self.slices[1][0] = self.slices[2][3]
        self.store()
        lines = self.explained("title::^track [023]$", "-n", "1")
        assert lines[1] == (
            f"{INDENT}0:00 - 0:05 sounds like 0:15 - 0:20 of artist 2 - track 2 (1.00)"
        )

    def test_what_is_not_stored_is_left_out(self) -> None:
        self.slices[2][3] = self.slices[0][4]
        self.store()
        store = SliceStore(store_path(self.lib.path))
        store.remove([self.items[1].id])
        store.close()
        lines = self.explained("title:=track 0", "-n", "2")
        assert [line[-7:] for line in lines[:2]] == ["track 1", "track 2"]
        assert lines[2].startswith(f"{INDENT}")

    def test_without_a_store_there_is_just_the_list(self) -> None:
        lines = self.explained("title:=track 0", "-n", "3")
        assert [line[8:] for line in lines] == ["track 1", "track 2", "track 3"]

    def test_slices_of_other_audio_than_was_heard_do_not_count(self) -> None:
        self.store()
        self.items[1]["deejai_signature"] = "another"
        self.items[1].store()
        assert len(self.explained("title:=track 0", "-n", "1")) == 1

    def test_as_what_could_follow_only_the_ends_that_meet_are_compared(self) -> None:
        self.slices[1][10] = self.slices[0][10]
        self.slices[1][2] = self.slices[0][18]
        self.store()
        lines = self.explained(
            "title:=track 0", "--segue", "-n", "1", "--from", "'title:=track 1'"
        )
        assert lines[1:] == [f"{INDENT}0:10 - 0:15 sounds like 1:30 - 1:35 (1.00)"]

    def test_what_only_shares_noise_does_not_sound_alike(self) -> None:
        self.store()
        lines = self.explained("title:=track 0", "-n", "3")
        assert not any("sounds like" in line for line in lines[1:])

    def test_an_empty_list_has_nothing_to_explain(self) -> None:
        for item in self.items[:30]:
            item["genres"] = ["Ambient"]
            item.store()
        assert self.explained("title:=track 0", "-n", "0") == []

    def test_it_is_printed_beside_what_is_written(self) -> None:
        self.slices[1][0] = self.slices[0][0]
        self.store()
        path = self.temp_path / "a.m3u8"
        lines = self.explained("title:=track 0", "-n", "1", "-o", str(path))
        assert "sounds like" in lines[1]
        assert "sounds like" not in path.read_text()

    def test_without_explain_nothing_is(self) -> None:
        self.store()
        assert self.titles("similar", "title:=track 0", "-n", "1") == ["track 1"]


class TestGenres(Library):
    def test_the_genres_that_agree_are_told(self) -> None:
        mixed = np.eye(2, 100)[[0] * 15 + [1] * 5]
        self.slices[0], self.slices[1] = mixed, mixed[[0] * 10 + [19] * 10]
        self.store()
        learn_genres(self.lib)
        lines = self.explained("title:=track 0", "-n", "1")
        assert (
            lines[-1] == f"{INDENT}genres agree: Ambient 50 % / 75 %, Metal 50 % / 25 %"
        )

    def test_genres_that_have_nothing_in_common_are_not(self) -> None:
        self.slices[0], self.slices[1] = np.eye(2, 100)
        self.slices[0], self.slices[1] = self.slices[0][None], self.slices[1][None]
        self.store()
        learn_genres(self.lib)
        lines = self.explained("title:=track 0", "-n", "1")
        assert not any("genres agree" in line for line in lines)

    def test_the_shares_are_those_of_the_seeds_as_they_weigh(self) -> None:
        axes = np.eye(3, 100)
        for number, parts in {0: [0, 0, 1, 1], 1: [0, 1], 2: [1], 3: [0]}.items():
            self.slices[number] = axes[parts]
        self.store()
        learn_genres(self.lib)
        seeds = ("title:=track 0", "--also", "2*'title:=track 2'")
        for space in ("sound", "genre"):
            lines = self.explained(
                *(*seeds, "--not", "'title:=track 3'", "--space", space),
                *("-n", "1", "--from", "'title:=track 1'"),
            )
            agree = "genres agree: Metal 50 % / 83 %, Ambient 50 % / 17 %"
            assert lines[-1] == INDENT + agree

    def test_a_damaged_model_of_genres_is_told_once_and_left_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.slices[1][0] = self.slices[0][0]
        self.store()
        learn_genres(self.lib)
        folder = genre_folder(self.lib.path)
        assert folder is not None
        (folder / FILE).write_text("junk")
        with caplog.at_level("WARNING"):
            lines = self.explained("title:=track 0", "-n", "2")
        assert "sounds like" in lines[1]
        assert caplog.text.count("genres are left out") == 1
        assert "genres train" in caplog.text


class TestTags(Library):
    def tag(self) -> None:
        for number, item in enumerate(self.items):
            is_ambient = number < 20 or number == 50
            item["genres"] = ["Ambient"] if is_ambient else ["Rock"]
            item["year"] = 1994
            item.store()

    def test_what_is_commoner_around_than_elsewhere_is_told_at_the_end(self) -> None:
        self.tag()
        lines = self.explained("title:=track 0", "-n", "2")
        assert lines[2:] == ["around it: Ambient (19 of 30; 1 of 29 elsewhere)"]
        lines = self.explained("title::^track [01]$", "-n", "2")
        assert lines[2:] == ["around them: Ambient (18 of 30; 1 of 28 elsewhere)"]

    def test_what_is_only_there_is_said_to_be(self) -> None:
        self.tag()
        self.items[50]["genres"] = ["Rock"]
        self.items[50].store()
        self.items[0]["genres"] = ["Rock"]
        self.items[0].store()
        lines = self.explained("title:=track 0", "-n", "1")
        assert lines[-1] == "around it: Ambient (19 of 30; none elsewhere)"

    @pytest.mark.parametrize("more", [(), ("--allow-versions",)])
    def test_versions_are_no_evidence_and_those_of_the_seed_no_neighbours(
        self, more: tuple[str, ...]
    ) -> None:
        self.tag()
        self.items[35]["genres"] = ["Ambient"]
        for number, item in enumerate(self.items[:40]):
            item["mb_trackid"] = f"recording {min(number // 10, 2)}"
            item.store()
        # Of 41 recordings left two are Ambient: that of 10 to 19, and 50.
        assert len(self.explained("title:=track 0", "-n", "2", *more)) == 2

    def test_where_nothing_stands_out_nothing_is_said(self) -> None:
        for item in self.items:
            item["genres"] = ["Ambient"]
            item.store()
        assert len(self.explained("title:=track 0", "-n", "2")) == 2

    def test_a_library_of_three_tracks_has_no_surroundings(self) -> None:
        self.tag()
        for item in self.items[3:]:
            item.remove()
        assert len(self.explained("title:=track 0")) == 2


class TestFiles(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def test_a_file_outside_the_library_is_compared_slice_by_slice(self) -> None:
        paths = make_album(self.temp_path / "music")
        copies = make_album(self.temp_path / "copies", suffix=".mp3")
        add_files(self.lib, paths)
        self.run_command("deejai", "scan")
        learn_genres(self.lib, sharpness=0.0)
        lines = self.run_with_output(
            *("deejai", "similar", str(copies[0]), "-n", "1", "--allow-versions"),
            *("--explain", "-f", "$title"),
        ).splitlines()
        assert lines[0].endswith("  low")
        assert lines[1].startswith(f"{INDENT}0:00 - 0:05 sounds like 0:00 - 0:05 (")
        assert lines[2].startswith(f"{INDENT}genres agree: Ambient 33 % / 33 %")
        assert len(matching_ids(self.lib, "")) == 5
