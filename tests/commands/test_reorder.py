"""reorder, playlists that are continued, and what a saved list tells of itself."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from command_line import CommandLine
from hypothesis import given, settings
from hypothesis import strategies as st
from libraries import add_files, add_made_tracks, circle, make_album

from beetsplug.deejai.commands import DeejaiCommand
from beetsplug.deejai.commands.command_line import command_line

if TYPE_CHECKING:
    from pathlib import Path

N = 30
SHUFFLED = [3, 1, 4, 15, 9, 2, 6, 5, 8, 7]


class Library(CommandLine):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))
        self.config["deejai"]["relative_to"] = "absolute"
        self.config["deejai"]["playlist_dir"] = str(self.temp_path)
        self.list = self.temp_path / "list.m3u"
        self.out = self.temp_path / "out.m3u8"

    def write(self, *lines: str) -> None:
        self.list.write_text("\n".join(lines) + "\n")

    def write_tracks(self, numbers: list[int]) -> None:
        self.write(*(f"/nowhere/{number}.mp3" for number in numbers))

    def numbers(self, *args: str) -> list[int]:
        return [int(title.removeprefix("track ")) for title in self.titles(*args)]

    def content(self, path: Path | None = None) -> list[str]:
        return (path or self.out).read_text().splitlines()


class TestReorder(Library):
    def test_the_tracks_come_in_a_smooth_order(self) -> None:
        self.write_tracks(SHUFFLED)
        numbers = self.numbers("reorder", str(self.list))
        assert numbers in (sorted(SHUFFLED), sorted(SHUFFLED, reverse=True))

    def test_the_ends_can_be_kept(self) -> None:
        self.write_tracks(SHUFFLED)
        numbers = self.numbers("reorder", str(self.list), "--keep-ends")
        assert (numbers[0], numbers[-1]) == (3, 7)
        assert sorted(numbers) == sorted(SHUFFLED)
        assert np.abs(np.diff(numbers)).sum() < np.abs(np.diff(SHUFFLED)).sum()

    def test_total_and_worst_hop_are_told_before_and_after(self) -> None:
        self.write_tracks([0, 29, 10])
        output = self.run_with_output(
            "deejai", "reorder", str(self.list), "-o", str(self.out)
        )
        lines = output.splitlines()
        assert len(lines) == 2
        hops = 1 - np.cos(np.array([29, 19, 10]) / 29 * np.pi / 2)
        figures = [float(word) for word in re.findall(r"\d\.\d+", lines[0])]
        expected = [hops[0] + hops[1], hops[1] + hops[2], hops[0], hops[1]]
        assert figures == pytest.approx(expected, abs=1e-3)

    def test_without_an_output_only_the_list_is_on_the_standard_output(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.write_tracks([0, 29, 10])
        assert len(self.numbers("reorder", str(self.list))) == 3
        assert "worst hop" in caplog.text

    def test_explain_tells_each_hop(self) -> None:
        self.write_tracks([0, 29, 10])
        output = self.run_with_output(
            "deejai", "reorder", str(self.list), "--explain", "--keep-ends"
        )
        hop = f"{np.cos(19 / 29 * np.pi / 2):.3f}"
        assert [line[:6].strip() for line in output.splitlines()] == ["", "0.000", hop]

    def test_what_cannot_be_heard_stays_behind_what_it_stood_behind(self) -> None:
        self.write(
            "first gone.mp3",
            "/nowhere/9.mp3",
            "http://radio.example/nine",
            "/nowhere/1.mp3",
            "#EXTINF:7,Gone - One",
            "gone one.mp3",
            "gone two.mp3",
            "/nowhere/5.mp3",
            "/nowhere/1.mp3",
        )
        titles = self.titles("reorder", str(self.list))
        assert titles[0] == "first gone.mp3"
        others = ["track 9", "nine", "track 1", "Gone - One", "gone two.mp3"]
        assert sorted(titles[1:]) == sorted([*others, "track 5", "track 1"])
        assert titles[titles.index("track 9") + 1] == "nine"
        one = titles.index("Gone - One")
        assert titles[one - 1] == "track 1"
        assert titles[one + 1] == "gone two.mp3"

    def test_a_track_that_is_there_twice_stays_so_but_apart(self) -> None:
        self.write_tracks([4, 4, 10, 7])
        numbers = self.numbers("reorder", str(self.list))
        assert sorted(numbers) == [4, 4, 7, 10]
        assert 0 not in np.diff(numbers)

    def test_versions_of_one_recording_stand_apart(self) -> None:
        for number in (4, 5):
            self.items[number]["mb_trackid"] = "one"
            self.items[number]["artist"] = "one and the same"
            self.items[number].store()
        self.write_tracks([4, 5, 10, 7])
        numbers = self.numbers("reorder", str(self.list))
        assert abs(numbers.index(4) - numbers.index(5)) > 1

    def test_the_playlist_itself_can_be_replaced(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = self.temp_path / "elsewhere"
        elsewhere.mkdir()
        self.config["deejai"]["playlist_dir"] = str(elsewhere)
        self.write_tracks(SHUFFLED)
        monkeypatch.chdir(self.temp_path)
        self.run_command("deejai", "reorder", "list.m3u", "-o", "list.m3u")
        assert self.content(self.list)[1] == "# beet deejai reorder list.m3u"
        assert len(self.content(self.list)) == 2 + 2 * len(SHUFFLED)
        assert not any(elsewhere.iterdir())

    def test_the_same_seed_gives_the_same_order(self) -> None:
        rng = np.random.default_rng(0)
        add_made_tracks(self.lib, rng.standard_normal((40, 100)))
        self.write_tracks(list(range(30)))
        args = ("reorder", str(self.list), "--seed")
        assert self.titles(*args, "1") == self.titles(*args, "1")

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            ([], "name one playlist"),
            (["a.m3u", "b.m3u"], "name one playlist"),
            (["track 1"], "name one playlist"),
            (["./nosuch.m3u"], "there is no file ./nosuch.m3u"),
            (["{list}", "-o", "a.txt"], ".m3u8"),
            (["{list}", "--seed", "soon"], "--seed"),
        ],
    )
    def test_a_mistake_is_one_clear_line(self, args: list[str], words: str) -> None:
        self.write_tracks([1, 2])
        assert words in self.refused(
            "reorder", *(arg.format(list=self.list) for arg in args)
        )


class TestContinuing(Library):
    def test_the_list_comes_first_and_goes_on_from_its_end(self) -> None:
        self.write_tracks([20, 2, 3, 4])
        numbers = self.numbers("playlist", str(self.list), "-n", "3")
        assert numbers[:4] == [20, 2, 3, 4]
        # 20 is too long ago to count.
        assert set(numbers[4:]) <= {0, 1, 5, 6, 7}

    def test_nothing_of_the_list_is_repeated(self) -> None:
        self.write_tracks(list(range(0, N, 2)))
        numbers = self.numbers("playlist", str(self.list), "-n", "15")
        assert sorted(numbers) == list(range(N))

    def test_entries_that_nobody_knows_stay_in_place_as_they_are(self) -> None:
        unknown = [
            "#EXTINF:12,Gone - Lost",
            "gone/lost.mp3",
            "#EXTINF:-1,Radio",
            "http://radio.example/x",
        ]
        self.write(*unknown[:2], "/nowhere/2.mp3", *unknown[2:])
        self.run_command(
            "deejai", "playlist", str(self.list), "-n", "1", "-o", str(self.list)
        )
        assert self.content(self.list) == [
            "#EXTM3U",
            f"# beet deejai playlist {shlex.quote(str(self.list))} -n 1",
            *unknown[:2],
            "#EXTINF:180,artist 2 - track 2",
            "/nowhere/2.mp3",
            *unknown[2:],
            "#EXTINF:180,artist 1 - track 1",
            "/nowhere/1.mp3",
        ]

    @pytest.mark.parametrize("relative_to", ["library", "playlist", "{tmp}/lists"])
    def test_a_written_list_is_understood_wherever_it_lies(
        self, relative_to: str
    ) -> None:
        relative_to = relative_to.format(tmp=self.temp_path)
        self.config["deejai"]["relative_to"] = relative_to
        args = ("playlist", "title:=track 3", "-n", "4", "-o", str(self.out))
        self.run_command("deejai", *args)
        lines = self.content()[2:]
        assert ".." in lines[1]
        self.run_command("deejai", "mix", str(self.out), "-o", str(self.out))
        assert self.content()[3:] == lines

    def test_more_seeds_go_with_a_playlist(self) -> None:
        self.write_tracks([20, 2, 3, 4])
        numbers = self.numbers(
            "playlist", str(self.list), "--also", "10*'title:=track 25'", "-n", "2"
        )
        assert numbers[:5] == [20, 2, 3, 4, 25]
        assert set(numbers[5:]) <= {21, 22, 23, 24, 26, 27}

    def test_similar_takes_every_entry_as_a_seed(self) -> None:
        self.write_tracks([10, 12, 14])
        numbers = self.numbers("similar", str(self.list), "-n", "2")
        assert set(numbers) == {11, 13}

    @pytest.mark.parametrize("verb", ["playlist", "similar", "reorder"])
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", "has no entries"),
            ("#EXTM3U\n# nothing\n", "has no entries"),
            ("gone.mp3\nhttp://x.example/y\n", "no such file, nor 1 more"),
            ("\0", "not a playlist"),
        ],
    )
    def test_a_playlist_of_nothing_is_one_clear_line(
        self, verb: str, content: str, words: str
    ) -> None:
        self.list.write_text(content)
        assert words in self.refused(verb, str(self.list))

    def test_a_playlist_of_one_track_is_continued(self) -> None:
        self.write_tracks([0])
        assert self.numbers("playlist", str(self.list), "-n", "2") == [0, 1, 2]
        assert self.numbers("reorder", str(self.list)) == [0]

    def test_a_missing_playlist_is_told(self) -> None:
        assert "no such file" in self.refused("playlist", str(self.list))

    def test_a_playlist_is_no_waypoint(self) -> None:
        self.write_tracks([1])
        assert "playlist" in self.refused("journey", str(self.list), "track 2")

    def test_a_written_list_keeps_what_it_was_made_by_before(self) -> None:
        self.write_tracks([0, 1])
        for _ in range(2):
            self.run_command(
                "deejai", "playlist", str(self.list), "-n", "1", "-o", str(self.list)
            )
        lines = self.content(self.list)
        assert [line.startswith("# beet") for line in lines[:4]] == [0, 1, 1, 0]
        assert [line for line in lines if not line.startswith("#")] == [
            f"/nowhere/{number}.mp3" for number in range(4)
        ]


class TestSeedOfChance(Library):
    def test_a_random_seed_is_told_and_repeats_the_list(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        args = ("playlist", "title:=track 7", "--drunk", "0.9")
        titles = self.titles(*args, "--seed", "random")
        seed = re.findall(r"--seed (\d+)", caplog.text)[-1]
        assert self.titles(*args, "--seed", seed) == titles

    def test_without_a_seed_the_list_is_always_the_same_and_its_seed_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        args = ("playlist", "title:=track 7", "--drunk", "0.9")
        assert self.titles(*args) == self.titles(*args, "--seed", "0")
        assert "--seed 0 makes this list again" in caplog.text

    def test_without_chance_there_is_no_seed_to_tell(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.titles("playlist", "title:=track 7", "--seed", "5")
        assert "makes this list again" not in caplog.text

    @pytest.mark.parametrize("seed", ["-1", "1.5", "soon", "", "9" * 30])
    def test_what_is_no_seed_is_refused(self, seed: str) -> None:
        assert "--seed" in self.refused("playlist", "track", f"--seed={seed}")


class TestTheCommandInAList(Library):
    def command(self) -> list[str]:
        (line,) = [one for one in self.content() if one.startswith("# ")]
        words = shlex.split(line.removeprefix("# "))
        assert words[:2] == ["beet", "deejai"]
        return words[2:]

    def entries(self) -> list[str]:
        return [line for line in self.content() if not line.startswith("#")]

    def test_pasting_it_repeats_the_list(self) -> None:
        self.config["deejai"]["drunk"] = 0.7
        self.run_command(
            "deejai",
            "playlist",
            "title::^track (7|8)$",
            "--seed",
            "random",
            "--not",
            "'title:=track 0'",
            "-o",
            str(self.out),
        )
        self.config["deejai"]["drunk"] = 0.0
        command = self.command()
        assert "--drunk" in command
        assert command[command.index("--seed") + 1].isdecimal()
        output = self.run_with_output("deejai", *command, "-p")
        assert output.splitlines() == self.entries()

    def test_a_journey_tells_it_too(self) -> None:
        waypoints = ["'title:=track 0'", "'title:=track 9'"]
        self.run_command(
            "deejai", "journey", *waypoints, "-n", "2", "--explain", "-o", str(self.out)
        )
        assert self.command() == ["journey", *waypoints, "-n", "2"]

    def test_the_same_list_is_written_by_mix_and_its_unknown_entries_kept(self) -> None:
        self.write("#EXTINF:3,x", "gone.mp3", "/nowhere/1.mp3")
        self.run_command("deejai", "mix", str(self.list), "-o", str(self.out))
        assert self.command() == ["mix", str(self.list)]
        assert self.content()[2:] == [
            "#EXTINF:3,x",
            "gone.mp3",
            "#EXTINF:180,artist 1 - track 1",
            "/nowhere/1.mp3",
        ]


parser_options = st.fixed_dictionaries(
    {},
    optional={
        "-n": st.integers(0, 10**6).map(str),
        "--drunk": st.floats(0, 1).map(str),
        "--seed": st.integers(0, 10**9).map(str),
        "--from": st.text(),
        "--not": st.text(),
        "--keep-on": st.integers(-5, 5).map(str),
    },
)


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1), parser_options)
def test_a_command_survives_being_written(
    args: list[str], given_options: dict[str, str]
) -> None:
    words = [word for pair in given_options.items() for word in pair]
    command = DeejaiCommand(None, None)
    options, rest = command.parse_args(["playlist", *words, "--", *args])
    assert rest == args
    written = shlex.split(command_line(options))
    again, others = command.parse_args(written[2:])
    assert others == args
    for name in ("number", "drunk", "seed", "from_query", "negatives", "keep_on"):
        assert getattr(again, name) == getattr(options, name)


class TestHearing(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def test_files_outside_the_library_are_heard_and_keep_their_lines(self) -> None:
        paths = make_album(self.temp_path / "music")
        add_files(self.lib, paths[:3])
        self.run_command("deejai", "scan")
        broken = self.temp_path / "broken.mp3"
        broken.write_text("no music at all\n" * 100)
        names = [os.path.relpath(path, self.temp_path) for path in paths]
        lines = [names[4], names[0], "#EXTINF:1,own words", names[3], "broken.mp3"]
        (self.temp_path / "list.m3u").write_text("\n".join([*lines, names[1]]) + "\n")
        out = self.temp_path / "out.m3u"
        self.run_command(
            "deejai", "reorder", str(self.temp_path / "list.m3u"), "-o", str(out)
        )
        written = out.read_text().splitlines()
        assert {*lines, names[1]} <= {*written}
        at = written.index("#EXTINF:1,own words")
        assert written[at : at + 3] == lines[2:]
        self.run_command("deejai", "playlist", str(out), "-n", "1", "-o", str(out))
        again = out.read_text().splitlines()
        assert again[-1] == names[2]
        assert [line for line in again if line in written] == [
            line for line in written if line in again
        ]
