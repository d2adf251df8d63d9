"""The loudness that tags tell, from beets' own fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from beets.library import Item
from beets.test.helper import TestHelper
from mediafile import MediaFile
from mutagen.oggopus import OggOpus
from sounds import tone, write_sound

from beetsplug.deejai.commands.levels import tagged_loudness

if TYPE_CHECKING:
    from pathlib import Path


def stereo(**fields: Any) -> Item:
    return Item(**{"channels": 2, **fields})


class TestTags(TestHelper):
    @pytest.mark.parametrize(
        ("fields", "lufs"),
        [
            ({"rg_track_gain": -6.5}, -11.5),
            ({"rg_track_gain": 3.0}, -21),
            ({"r128_track_gain": 4.0}, -27),
            ({"r128_track_gain": -9.0}, -14),
            ({"r128_track_gain": -9.0, "rg_track_gain": -6.5}, -14),
            # The album's gain says nothing of the track.
            ({"rg_album_gain": -6.5, "r128_album_gain": 1.0}, None),
            ({}, None),
        ],
    )
    def test_gains_are_relative_to_their_standard(
        self, fields: dict[str, float], lufs: float | None
    ) -> None:
        assert tagged_loudness(stereo(**fields)) == lufs

    @pytest.mark.parametrize("key", ["rg_track_gain", "r128_track_gain"])
    @pytest.mark.parametrize(
        "gain", [0.0, math.nan, math.inf, -math.inf, 40.1, -60.0, -25.0, 1e300]
    )
    def test_nonsense_is_not_believed(self, key: str, gain: float) -> None:
        assert tagged_loudness(stereo(**{key: gain})) is None

    def test_another_field_is_taken_where_one_is_nonsense(self) -> None:
        item = stereo(r128_track_gain=-120.0, rg_track_gain=-6.5)
        assert tagged_loudness(item) == -11.5

    def test_the_levels_of_beets_own_plugin_hold(self) -> None:
        self.config["replaygain"].set({"targetlevel": 95, "r128_targetlevel": 89})
        assert tagged_loudness(stereo(rg_track_gain=-1.0)) == -11
        assert tagged_loudness(stereo(r128_track_gain=-1.0)) == -17

    @pytest.mark.parametrize(
        "section", [None, {}, {"targetlevel": "loud"}, {"targetlevel": [1]}, "yes"]
    )
    def test_a_configuration_that_tells_no_level_is_passed_over(
        self, section: Any
    ) -> None:
        self.config["replaygain"].set(section)
        assert tagged_loudness(stereo(rg_track_gain=-6.5)) == -11.5

    def test_a_mono_track_is_played_on_both_sides(self) -> None:
        item = Item(channels=1, r128_track_gain=-5.0)
        assert tagged_loudness(item) == pytest.approx(-15, abs=0.02)

    def test_what_tools_do_not_agree_on_is_measured(self) -> None:
        assert tagged_loudness(Item(channels=1, rg_track_gain=-5.0)) is None
        for channels in (0, 3, 6):
            item = Item(channels=channels, rg_track_gain=-5.0, r128_track_gain=-5.0)
            assert tagged_loudness(item) is None

    @pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".m4a"])
    def test_files_tell_their_loudness(self, tmp_path: Path, suffix: str) -> None:
        path = write_sound(tmp_path / f"x{suffix}", tone(seconds=1), layout="stereo")
        assert tagged_loudness(Item.from_path(path)) is None
        media = MediaFile(path)
        media.rg_track_gain = -7.25
        media.save()
        assert tagged_loudness(Item.from_path(path)) == pytest.approx(-10.75)

    def test_an_opus_file_tells_its_loudness(self, tmp_path: Path) -> None:
        path = write_sound(
            tmp_path / "x.opus",
            tone(seconds=1, rate=48_000),
            rate=48_000,
            layout="stereo",
        )
        tags = OggOpus(path)
        # In 256ths of a dB, relative to -23 LUFS (RFC 7845).
        tags["R128_TRACK_GAIN"] = "-2048"
        tags.save()
        assert tagged_loudness(Item.from_path(path)) == -15
        tags["R128_TRACK_GAIN"] = "loud"
        tags.save()
        assert tagged_loudness(Item.from_path(path)) is None
