"""similar, playlist and journey on stored vectors, through the real command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from beets.util.m3u import M3UFile
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle, make_album

N = 30


class Library(CommandLine):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))


class TestSimilar(Library):
    def test_the_nearest_come_first_and_the_seed_never(self) -> None:
        titles = self.titles("similar", "-n", "4", "title:=track 0")
        assert titles == ["track 1", "track 2", "track 3", "track 4"]

    def test_ten_is_the_default(self) -> None:
        assert len(self.titles("similar", "title:=track 0")) == 10

    def test_all_matches_are_seeds(self) -> None:
        titles = self.titles("similar", "-n", "3", "title::^track (10|12)$")
        assert titles[0] == "track 11"
        assert not {"track 10", "track 12"} & set(titles)

    def test_several_terms_are_one_query(self) -> None:
        titles = self.titles("similar", "-n", "1", "artist:=artist 5", "title:track")
        assert titles[0] in ("track 4", "track 6")

    def test_not_leads_away(self) -> None:
        plain = self.titles("similar", "-n", "5", "title:=track 10")
        away = self.titles(
            "similar", "-n", "5", "title:=track 10", "--not", "'title:=track 0'"
        )
        numbers = [int(title.split()[1]) for title in away]
        assert np.mean(numbers) > np.mean([int(t.split()[1]) for t in plain])

    def test_from_and_exclude_limit_the_candidates(self) -> None:
        self.config["deejai"]["exclude"] = "'title:=track 20'"
        titles = self.titles(
            "similar", "title:=track 0", "--from", "'title::^track 2[0-9]$'"
        )
        assert titles[:2] == ["track 21", "track 22"]

    def test_long_tracks_are_not_proposed(self) -> None:
        self.items[1]["length"] = 601.0
        self.items[1].store()
        assert self.titles("similar", "-n", "1", "title:=track 0") == ["track 2"]

    def test_length_fills_that_much_time(self) -> None:
        assert len(self.titles("similar", "--length", "10m", "title:=track 0")) == 3

    def test_explain_prints_the_similarity(self) -> None:
        line = self.run_with_output(
            "deejai", "similar", "-n", "1", "--explain", "title:=track 0"
        )
        assert line.split()[0] == f"{np.cos(np.pi / 2 / (N - 1)):.3f}"

    def test_paths_can_be_printed(self) -> None:
        output = self.run_with_output(
            "deejai", "similar", "-p", "-n", "1", "title:=track 0"
        )
        assert output == "/nowhere/1.mp3\n"

    def test_fewer_are_listed_when_there_are_no_more(self) -> None:
        assert len(self.titles("similar", "-n", "99", "title:=track 0")) == N - 1


class TestPlaylist(Library):
    def test_seeds_come_first_and_nothing_twice(self) -> None:
        titles = self.titles("playlist", "title:=track 7")
        assert titles[0] == "track 7"
        assert len(titles) == 21
        assert len(set(titles)) == 21

    def test_a_seed_that_is_named_twice_is_printed_once(self) -> None:
        titles = self.titles(
            "playlist", "title:=track 7", "--also", "'title:=track 7'", "-n", "2"
        )
        assert titles.count("track 7") == 1
        assert len(titles) == 3

    def test_the_same_seed_number_gives_the_same_list(self) -> None:
        args = ("playlist", "title:=track 7", "--drunk", "0.8", "--seed")
        assert self.titles(*args, "1") == self.titles(*args, "1")
        assert self.titles(*args, "1") != self.titles(*args, "2")

    def test_one_artist_is_kept_apart(self) -> None:
        for item in self.items[:10]:
            item["artist"] = "one and the same"
            item.store()
        output = self.run_with_output(
            "deejai", "playlist", "title:=track 0", "-n", "25", "-f", "$artist"
        )
        rows = [
            row
            for row, artist in enumerate(output.splitlines())
            if artist == "one and the same"
        ]
        assert len(rows) > 1
        assert min(np.diff(rows)) > 3

    def test_what_is_not_wanted_is_not_played(self) -> None:
        titles = self.titles(
            "playlist", "title:=track 7", "-n", "29", "--not", "'title:=track 8'"
        )
        assert "track 8" not in titles
        assert len(titles) == N - 1

    def test_keep_on_and_length(self) -> None:
        titles = self.titles(
            "playlist", "title:=track 7", "--keep-on", "1", "--length", "30m"
        )
        assert len(titles) == 1 + 10


class TestJourney(Library):
    def test_it_goes_evenly_from_waypoint_to_waypoint(self) -> None:
        titles = self.titles(
            "journey", *(f"'title:=track {n}'" for n in (0, 10, 29)), "-n", "4"
        )
        assert titles[0] == "track 0"
        assert titles[5] == "track 10"
        assert titles[10] == "track 29"
        assert len(titles) == len(set(titles)) == 11
        assert titles[1:5] == ["track 2", "track 4", "track 6", "track 8"]

    def test_nine_is_the_default_between_each_two(self) -> None:
        assert len(self.titles("journey", "track 0", "track 29")) == 11

    def test_an_ambiguous_waypoint_takes_the_best_title(
        self, capteesys: pytest.CaptureFixture[str]
    ) -> None:
        titles = self.titles("journey", "track 2", "track 3", "-n", "0")
        assert titles == ["track 2", "track 3"]

    def test_an_apostrophe_is_a_letter(self) -> None:
        self.items[5]["title"] = "don't stop"
        self.items[5].store()
        titles = self.titles("journey", "don't stop", "track 9", "-n", "0")
        assert titles == ["don't stop", "track 9"]

    def test_explain_names_every_hop(self) -> None:
        output = self.run_with_output(
            "deejai", "journey", "track 0", "track 29", "-n", "2", "--explain"
        )
        lines = output.splitlines()
        assert lines[0].startswith("        ")
        assert all(0 < float(line.split()[0]) <= 1 for line in lines[1:])

    def test_a_shorter_leg_is_a_warning_that_names_the_rule(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for item in self.items[1:29]:
            item["artist"] = "one and the same"
            item.store()
        args = ("journey", "'title:=track 0'", "'title:=track 29'", "-n", "5")
        with caplog.at_level("WARNING"):
            titles = self.titles(*args)
        assert len(titles) == 3
        assert (
            "1 of 5 tracks between waypoints 1 and 2: "
            "no other candidate keeps 3 tracks between two of one artist"
        ) in caplog.text
        assert len(self.titles(*args, "--artist-gap", "0")) == 7

    def test_drunk_varies_with_the_seed_and_comes_again(self) -> None:
        args = ("journey", "'title:=track 0'", "'title:=track 29'", "--drunk", "1")
        nights = [self.titles(*args, "--seed", seed) for seed in ("1", "2", "1")]
        assert nights[0] == nights[2] != nights[1]
        assert {len(titles) for titles in nights} == {11}

    def test_length_is_the_time_between_the_waypoints(self) -> None:
        titles = self.titles(
            "journey", "'title:=track 0'", "'title:=track 29'", "--length", "20m"
        )
        # Tracks of three minutes.
        assert len(titles) == 2 + 6


class TestOutputs(Library):
    def test_a_playlist_is_written_and_read_by_another_parser(self) -> None:
        path = self.temp_path / "mine.m3u8"
        self.run_command("deejai", "similar", "track 0", "-n", "3", "-o", str(path))
        playlist = M3UFile(str(path))
        playlist.load()
        assert [os.path.basename(entry) for entry in playlist.media_list] == [
            b"1.mp3",
            b"2.mp3",
            b"3.mp3",
        ]
        assert "#EXTINF:180,artist 1 - track 1" in path.read_text()

    def test_an_untagged_track_is_named_by_its_file(self) -> None:
        self.items[1].update({"title": "", "artist": "", "length": 190.0})
        self.items[1].store()
        path = self.temp_path / "mine.m3u8"
        self.run_command("deejai", "similar", "track 0", "-n", "1", "-o", str(path))
        assert "#EXTINF:190,1\n" in path.read_text()

    @pytest.mark.parametrize(
        ("relative_to", "line"),
        [
            ("absolute", "/nowhere/1.mp3"),
            ("/nowhere", "1.mp3"),
            ("/nowhere/deep", "../1.mp3"),
        ],
    )
    def test_paths_are_relative_as_configured(
        self, relative_to: str, line: str
    ) -> None:
        self.config["deejai"]["relative_to"] = relative_to
        self.config["deejai"]["playlist_dir"] = str(self.temp_path)
        self.run_command("deejai", "similar", "track 0", "-n", "1", "-o", "a.m3u")
        assert (self.temp_path / "a.m3u").read_text().splitlines()[-1] == line

    def test_relative_to_the_playlist_or_the_library(self) -> None:
        path = self.temp_path / "a.m3u"
        for relative_to, base in [
            ("playlist", self.temp_path),
            ("library", Path(os.fsdecode(self.lib.directory))),
        ]:
            self.config["deejai"]["relative_to"] = relative_to
            self.run_command("deejai", "similar", "track 0", "-n", "1", "-o", str(path))
            line = path.read_text().splitlines()[-1]
            assert line == os.path.relpath("/nowhere/1.mp3", base)

    def test_a_mix_of_files_that_are_gone_is_refused_and_leaves_nothing(self) -> None:
        path = self.temp_path / "a.mp3"
        assert self.refused("similar", "track 0", "-o", str(path))
        assert not path.exists()


class TestMistakes(Library):
    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["similar"], "name a seed"),
            (["similar", "nothing like it"], "nothing in the library matches"),
            (["similar", "./no/such/file.mp3"], "no such file"),
            (["similar", "track", "-n", "many"], "invalid integer"),
            (["similar", "track", "-n", "-1"], "-n"),
            (["similar", "track", "--length", "soon"], "--length"),
            (["similar", "track", "-n", "1", "--length", "5m"], "exclude"),
            (["similar", "track", "--from", "nothing like it"], "--from"),
            (["similar", "track", "--from", "year:soon"], "soon"),
            (["similar", "year:soon"], "soon"),
            (["similar", "track", "--from", "year:soon"], "--from: "),
            (["similar", "track", "--exclude", "year:soon"], "--exclude: "),
            (["similar", ""], "name a seed"),
            (["similar", "track", "--not", "track"], "--not"),
            (["playlist", "track", "--not", "track"], "--not"),
            (["journey", "", "track 1"], "empty waypoint"),
            (["similar", "track", "-o", "list.txt"], ".m3u8"),
            (["similar", "track", "--crossfade", "long"], "--crossfade"),
            (["similar", "track", "--not", "nothing like it"], "matches"),
            (["similar", "--nosuch", "track"], "--nosuch"),
            (["playlist", "track", "--drunk", "2"], "--drunk"),
            (["playlist", "track", "--keep-on", "0"], "--keep-on"),
            (["playlist", "track", "--seed", "-4"], "--seed"),
            (["journey", "track 1"], "two or more"),
            (["journey"], "two or more"),
            (["journey", "track 1", "nothing like it"], "matches"),
            (["mix", "track 1"], "-o"),
            (["mix", "nothing like it", "-o", "a.mp3"], "matches"),
            (["mix", "-o", "a.mp3"], "name what to mix"),
            (["pool", "title:a"], "no query"),
            (["pool", "--epsilon", "3"], "--epsilon"),
            (["pool", "--pooling", "median"], "median"),
            (["scan", "--jobs", "-2"], "--jobs"),
            (["listen"], "no verb"),
        ],
    )
    def test_each_is_one_clear_line(self, args: list[str], words: str) -> None:
        assert words in self.refused(*args)

    def test_a_wrong_setting_names_its_key(self) -> None:
        self.config["deejai"]["keep_on"] = "three"
        assert "deejai.keep_on" in self.refused("playlist", "track")

    def test_a_wrong_query_in_the_configuration_names_its_key(self) -> None:
        self.config["deejai"]["exclude"] = "year:soon"
        assert "deejai.exclude" in self.refused("similar", "track")

    def test_a_model_that_is_gone_is_named_with_the_remedy(self) -> None:
        self.config["deejai"]["model"] = "/nowhere/model.keras"
        assert "deejai.model" in self.refused("similar", "track")


class TestEmptyLibrary(IOMixin, PluginTestHelper):
    plugin = "deejai"

    @pytest.mark.parametrize(
        "args", [["similar", "a"], ["playlist", "a"], ["journey", "a", "b"]]
    )
    def test_an_import_is_advised_and_then_a_scan(self, args: list[str]) -> None:
        with pytest.raises(UserError, match="beet import"):
            self.run_command("deejai", *args)
        self.add_item(title="a")
        with pytest.raises(UserError, match="beet deejai scan"):
            self.run_command("deejai", *args)


class TestFilesAsSeeds(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True
    titles: ClassVar[list[str]]

    def test_a_file_outside_the_library_is_heard_on_the_fly(self) -> None:
        paths = make_album(self.temp_path / "music")
        add_files(self.lib, paths[:4])
        self.run_command("deejai", "scan")
        outside = str(paths[4])
        output = self.run_with_output(
            "deejai", "journey", outside, "title:low", "-n", "1", "-f", "$title"
        )
        assert output.splitlines()[0] == "beat"
        assert len(output.splitlines()) == 3
        assert len(self.lib.items()) == 4

    def test_a_file_of_the_library_is_that_item(self) -> None:
        paths = make_album(self.temp_path / "music")
        add_files(self.lib, paths)
        self.run_command("deejai", "scan")
        output = self.run_with_output(
            "deejai", "similar", str(paths[0]), "-f", "$title"
        )
        assert "low" not in output.splitlines()
        assert len(output.splitlines()) == 4

    def test_a_copy_sounds_like_its_original_and_is_no_other_track(self) -> None:
        paths = make_album(self.temp_path / "music")
        copies = make_album(self.temp_path / "copies", suffix=".mp3")
        add_files(self.lib, paths)
        self.run_command("deejai", "scan")
        for copy in copies:
            args = "deejai", "similar", str(copy), "-f", "$title"
            output = self.run_with_output(*args, "-n", "1", "--allow-versions")
            assert output.strip() == copy.stem
            assert copy.stem not in self.run_with_output(*args).splitlines()

    def test_a_mix_can_hold_a_file_from_outside(self) -> None:
        paths = make_album(self.temp_path / "music")
        add_files(self.lib, paths[:4])
        self.run_command("deejai", "scan")
        out = self.temp_path / "mix.mp3"
        self.run_command(
            "deejai", "journey", str(paths[4]), "title:low", "-n", "2", "-o", str(out)
        )
        assert out.stat().st_size > 20_000

    def test_what_is_no_audio_is_refused(self) -> None:
        add_made_tracks(self.lib, circle(3))
        path = self.temp_path / "words.mp3"
        path.write_text("no music at all\n" * 100)
        with pytest.raises(UserError, match=r"words\.mp3"):
            self.run_command("deejai", "similar", str(path))
