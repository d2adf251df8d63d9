"""The rules of lists, through the real command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle, make_album

if TYPE_CHECKING:
    from pathlib import Path

N = 30


class Library(CommandLine):
    """Tracks of 3 minutes on a quarter circle, each by an artist of its own."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))

    def change(self, number: int, **fields: object) -> None:
        self.items[number].update(fields)
        self.items[number].store()

    def numbers(self, *args: str) -> list[int]:
        """List the numbers of the tracks, whatever they are called."""
        output = self.run_with_output("deejai", *args, "-f", "$id")
        ids = [item.id for item in self.items]
        return [ids.index(int(line)) for line in output.splitlines()]


class TestVersions(Library):
    @pytest.fixture(autouse=True)
    def versions(self, tracks: None) -> None:
        """Make 1 to 3 of the same recording as 0, and 5 as 4."""
        self.change(1, artist="Artist 0 feat. Guest", title="Track 0 song (Live)")
        self.change(2, artist="artist 0", title="Track 0 Song - 2019 Remaster")
        self.change(0, title="track 0 song", mb_trackid="ab-12")
        self.change(3, mb_trackid="AB-12")
        self.change(4, title="some song")
        self.change(5, title="Some Song [Mono]", artist="artist 4", length=400.0)

    def test_similar_lists_no_version_of_a_seed_and_each_recording_once(self) -> None:
        assert self.numbers("similar", "-n", "3", "track 0 song") == [4, 6, 7]
        numbers = self.numbers("similar", "-n", "6", "track 0", "--allow-versions")
        assert numbers == [3, 4, 5, 6, 7, 8]

    def test_a_playlist_plays_each_recording_once(self) -> None:
        args = ("playlist", "title:=track 0 song", "-n", "40")
        numbers = self.numbers(*args, "--artist-gap", "0")
        assert not {1, 2, 3} & set(numbers)
        assert len({4, 5} & set(numbers)) == 1
        assert len(numbers) == N - 4
        numbers = self.numbers(*args, "--artist-gap", "0", "--allow-versions")
        assert sorted(numbers) == list(range(N))

    def test_a_journey_passes_each_recording_once(self) -> None:
        args = ("journey", "'title:=track 0 song'", "'title:=track 29'", "-n", "24")
        numbers = self.numbers(*args, "--artist-gap", "0")
        assert not {1, 2, 3} & set(numbers)
        assert len({4, 5} & set(numbers)) == 1
        assert len(numbers) == 26
        more = self.numbers(*args[:-1], "28", "--artist-gap", "0", "--allow-versions")
        assert sorted(more) == list(range(N))

    def test_what_sounds_the_same_is_the_same_whatever_its_tags(self) -> None:
        vector = self.items[10]["deejai_vector"]
        self.change(20, title="", artist="", length=180.4, deejai_vector=vector)
        assert 20 not in self.numbers("similar", "title:=track 10", "-n", "99")
        self.change(20, length=190.0)
        assert self.numbers("similar", "title:=track 10", "-n", "1") == [20]


class TestGaps(Library):
    @pytest.fixture(autouse=True)
    def repeats(self, tracks: None) -> None:
        for number in range(1, 6):
            self.change(number, artist="one and the same", album=f"album {number % 2}")

    def test_similar_has_none_unless_they_are_given(self) -> None:
        args = ("similar", "title:=track 0", "-n", "5")
        assert self.numbers(*args) == [1, 2, 3, 4, 5]
        assert self.numbers(*args, "--artist-gap", "2") == [1, 6, 7, 8, 9]
        assert self.numbers(*args, "--album-gap", "1") == [1, 2, 3, 4, 5]
        assert self.numbers(*args, "--album-gap", "2") == [1, 2, 6, 7, 8]

    def test_playlists_and_journeys_have_those_configured_unless_given(self) -> None:
        for args in (
            ("playlist", "title:=track 0", "-n", "28"),
            ("journey", "track 0", "'title:=track 29'", "-n", "25"),
        ):
            for given, gap in ((), 3), (("--artist-gap", "6"), 6):
                numbers = self.numbers(*args, *given)
                places = [
                    place for place, number in enumerate(numbers) if 1 <= number <= 5
                ]
                assert len(places) > 1
                assert min(np.diff(places)) > gap
        args = ("playlist", "title:=track 0", "-n", "5")
        assert self.numbers(*args, "--artist-gap", "0") == [0, 1, 2, 3, 4, 5]
        self.config["deejai"]["album_gap"] = 2
        assert self.numbers(*args, "--artist-gap", "0") == [0, 1, 2, 6, 3, 4]
        numbers = self.numbers(*args, "--artist-gap", "0", "--album-gap", "0")
        assert numbers == [0, 1, 2, 3, 4, 5]


class TestCandidates(Library):
    @pytest.mark.parametrize(
        "args",
        [
            ("similar", "title:=track 0"),
            ("playlist", "title:=track 0"),
            ("journey", "'title:=track 0'", "'title:=track 29'"),
        ],
    )
    def test_queries_exclude_beside_those_configured(
        self, args: tuple[str, ...]
    ) -> None:
        self.config["deejai"]["exclude"] = "'title::^track [12]$'"
        numbers = self.numbers(
            *args,
            *("-n", "9", "--exclude", "'title:=track 3'"),
            *("--exclude", "'title::^track 1[0-9]$'", "--from", "'title::[0-8]$'"),
        )
        assert not {1, 2, 3, 9, *range(10, 20)} & set(numbers)
        assert len(numbers) >= 9

    def test_a_longest_length_can_be_given(self) -> None:
        self.change(1, length=900.0)
        self.change(2, length=100.0)
        args = ("similar", "title:=track 0", "-n", "1")
        assert self.numbers(*args) == [2]
        assert self.numbers(*args, "--max-length", "15m") == [1]
        assert self.numbers(*args, "--max-length", "2m") == [2]

    def test_a_time_too_short_for_any_track_lists_none(self) -> None:
        assert self.numbers("similar", "title:=track 0", "--length", "2m") == []


class TestMistakes(Library):
    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["--artist-gap", "-1"], "--artist-gap"),
            (["--album-gap", "few"], "invalid integer"),
            (["--max-length", "long"], "--max-length"),
            (["-a", "--artist-gap", "2"], "exclude"),
        ],
    )
    def test_each_is_one_clear_line(self, args: list[str], words: str) -> None:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "similar", "track", *args)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


class TestTime(IOMixin, PluginTestHelper):
    """Five tracks of 6 s, of which one is the seed."""

    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        add_files(self.lib, make_album(self.temp_path / "music"))
        self.run_command("deejai", "scan")

    def n_listed(self, *args: str, length: str, outputs: list[Path]) -> int:
        options = [word for path in outputs for word in ("-o", str(path))]
        self.run_command(
            "deejai", *args, "--length", length, "--crossfade", "2s", *options
        )
        (playlist,) = (path for path in outputs if path.suffix == ".m3u8")
        lines = playlist.read_text().splitlines()
        return sum(not line.startswith("#") for line in lines)

    def test_crossfades_are_counted_when_a_mix_is_rendered(self) -> None:
        playlist, mix = self.temp_path / "a.m3u8", self.temp_path / "a.wav"
        seed = ("playlist", "title:low", "--artist-gap", "0")
        assert self.n_listed(*seed, length="12.1s", outputs=[playlist]) == 1 + 2
        n = self.n_listed(*seed, length="12.1s", outputs=[playlist, mix])
        assert n == 1 + 3
        assert 6 + 12 - 0.2 < soundfile.info(mix).duration <= 6 + 12.1

    def test_the_first_track_of_similar_overlaps_none_before(self) -> None:
        playlist, mix = self.temp_path / "a.m3u8", self.temp_path / "a.wav"
        n = self.n_listed(
            "similar", "title:low", length="14.1s", outputs=[playlist, mix]
        )
        assert n == 3
        assert 14 - 0.2 < soundfile.info(mix).duration <= 14.1
