from __future__ import annotations

import numpy as np
from beets.library import Item
from beets.test.helper import PluginTestHelper
from libraries import add_made_tracks, current_model

from beetsplug.deejai.evaluation.overrepresented import Tag
from beetsplug.deejai.storage.facts import load_versions
from beetsplug.deejai.storage.track_tags import (
    KINDS,
    load_recording_tags,
    load_track_tags,
)


class TestTrackTags(PluginTestHelper):
    plugin = "deejai"

    def add(self, **fields: object) -> int:
        item = Item(path=b"/music/x.mp3", **fields)
        item.add(self.lib)
        assert item.id is not None
        return item.id

    def test_everything_that_is_tagged_is_told_with_its_kind(self) -> None:
        item_id = self.add(
            genres=["Jazz", "Modal"],
            style="Cool; Bop",
            mood="calm, late",
            grouping="night",
            language="eng",
            year=1999,
            original_year=1959,
            artist="Miles",
            album="Kind of Blue",
        )
        (tags,) = load_track_tags(self.lib, [item_id])
        assert {(tag.kind, tag.value) for tag in tags} == {
            ("genre", "Jazz"),
            ("genre", "Modal"),
            ("style", "Cool"),
            ("style", "Bop"),
            ("mood", "calm"),
            ("mood", "late"),
            ("grouping", "night"),
            ("language", "eng"),
            ("decade", "1950s"),
            ("artist", "Miles"),
            ("album", "Kind of Blue"),
        }
        assert {tag.kind for tag in tags} == set(KINDS)

    def test_only_the_kinds_that_are_asked_for_are_told(self) -> None:
        item_id = self.add(genres=["Jazz"], artist="Miles", mood="calm")
        tags = load_track_tags(self.lib, [item_id], kinds=("genre", "mood"))
        assert tags == [(Tag("genre", "Jazz"), Tag("mood", "calm"))]

    def test_rows_are_those_that_are_asked_for_in_their_order(self) -> None:
        first, second = self.add(genres=["A"]), self.add(genres=["B"])
        tags = load_track_tags(self.lib, [second, 99, first], kinds=("genre",))
        assert tags == [(Tag("genre", "B"),), (), (Tag("genre", "A"),)]

    def test_spellings_that_differ_in_case_are_one_tag(self) -> None:
        ids = [self.add(genres=[name]) for name in ("rock", "Rock", "ROCK", "Rock")]
        assert set(load_track_tags(self.lib, ids, kinds=("genre",))) == {
            (Tag("genre", "Rock"),)
        }

    def test_a_track_without_tags_has_none(self) -> None:
        assert load_track_tags(self.lib, [self.add(year=0)]) == [()]

    def test_broken_and_long_values_are_one_short_line(self) -> None:
        item_id = self.add(genres=["a\nb\x00c", "", "x" * 5000], artist="\n")
        (tags,) = load_track_tags(self.lib, [item_id])
        values = [tag.value for tag in tags]
        assert values[0] == "a b c"
        assert len(values) == 2
        assert len(values[1].encode()) <= 255

    def test_a_recording_has_the_tags_of_all_its_versions(self) -> None:
        *tracks, copy = add_made_tracks(self.lib, np.eye(4, 100)[[0, 1, 2, 3, 1]])
        # One has the name of another, one its sound; the last is not heard yet.
        copy["title"], tracks[0]["title"] = "another name", "Such a Tune"
        for item, genre in zip([*tracks, copy], ["A", "B", "C", "", "D"], strict=True):
            item["genres"] = [genre] if genre else []
            item.store()
        ids = [item.id or 0 for item in [*tracks, copy]]
        name = {"title": "Such a Tune (Live)", "artist": tracks[0].artist}
        ids.append(self.add(genres=["E"], **name))
        versions = load_versions(self.lib, np.array(ids), model=current_model())
        tags, recordings = load_recording_tags(
            self.lib, np.array(ids), versions, kinds=("genre",)
        )
        found = [{tag.value for tag in tags[row]} for row in recordings.tolist()]
        assert found == [{"A", "E"}, {"B", "D"}, {"C"}, set(), {"B", "D"}, {"A", "E"}]
        assert len(tags) == 4
