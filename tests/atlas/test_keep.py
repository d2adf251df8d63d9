from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets.test.helper import PluginTestHelper
from libraries import add_made_tracks, circle, current_model

from beetsplug.deejai.atlas import keep
from beetsplug.deejai.atlas.keep import Update, count_unplaced, update_places
from beetsplug.deejai.atlas.places import places_path
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from pathlib import Path

N = 30


class TestKeeping(PluginTestHelper):
    """Thirty tracks on a quarter circle, and those that come and go."""

    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N))
        self.model = current_model()

    def update(self, **options: object) -> Update:
        return update_places(self.lib, self.model, **options)  # type: ignore[arg-type]

    def positions(self, update: Update) -> dict[int, list[float]]:
        places = update.places
        return dict(
            zip(places.item_ids.tolist(), places.layout.positions.tolist(), strict=True)
        )

    @property
    def path(self) -> Path:
        path = places_path(self.lib.path)
        assert path is not None
        return path

    def test_the_first_map_holds_all_tracks(self) -> None:
        update = self.update()
        assert (update.is_new, update.n_placed, update.notices) == (True, N, ())
        assert set(self.positions(update)) == {item.id for item in self.items}
        assert self.path.exists()

    def test_nothing_is_done_twice(self) -> None:
        first = self.update()
        written = self.path.stat().st_mtime_ns
        second = self.update()
        assert (second.is_new, second.n_placed) == (False, 0)
        assert self.positions(second) == self.positions(first)
        assert self.path.stat().st_mtime_ns == written

    def test_new_tracks_find_a_place_and_no_other_one_moves(self) -> None:
        before = self.positions(self.update())
        new = add_made_tracks(self.lib, circle(N)[10:12] + 0.01)
        update = self.update()
        after = self.positions(update)
        assert (update.is_new, update.n_placed, update.places.n_added) == (False, 2, 2)
        assert {i: after[i] for i in before} == before
        place = np.array(after[new[0].id])
        old = np.array([before[item.id] for item in self.items])
        assert abs(np.linalg.norm(old - place, axis=1).argmin() - 10) <= 2

    def test_removed_tracks_vanish_and_no_other_one_moves(self) -> None:
        before = self.positions(self.update())
        gone = self.items[4].id
        self.items[4].remove()
        update = self.update()
        assert update.n_placed == 0
        assert self.positions(update) == {i: before[i] for i in before if i != gone}

    def test_a_track_that_was_heard_anew_is_placed_anew(self) -> None:
        before = self.positions(self.update())
        item = self.items[0]
        item["deejai_vector"] = circle(N)[-1]
        item["deejai_signature"] = "other audio"
        item.store()
        assert count_unplaced(self.lib, self.update_nothing()) == 1
        update = self.update()
        after = self.positions(update)
        assert update.n_placed == 1
        moved = {i for i in before if after[i] != before[i]}
        assert moved == {item.id}
        assert count_unplaced(self.lib, update.places) == 0

    def update_nothing(self) -> keep.Places:
        places, _ = keep.kept_places(self.lib, self.model)
        assert places is not None
        return places

    def test_vectors_that_are_pooled_anew_stay_where_they_are(self) -> None:
        before = self.positions(self.update())
        self.items[0]["deejai_vector"] = circle(N)[1]
        self.items[0].store()
        assert self.positions(self.update()) == before

    def test_remaking_lays_everything_out(self) -> None:
        first = self.positions(self.update())
        add_made_tracks(self.lib, circle(N)[5:10] + 0.01)
        self.update()
        again = self.update(remake=True)
        assert again.is_new
        assert again.places.n_added == 0
        assert len(self.positions(again)) == N + 5
        assert {i: self.positions(again)[i] for i in first} != first

    def test_many_additions_are_told(self) -> None:
        self.update()
        add_made_tracks(self.lib, circle(N)[::4] + 0.01)
        assert self.update().notices == ()
        add_made_tracks(self.lib, circle(N)[::3] + 0.02)
        [notice] = self.update().notices
        assert "18 of 48 tracks" in notice
        assert "--remake" in notice
        # Once is enough.
        assert self.update().notices == ()

    @pytest.mark.parametrize("content", [b"", b"nonsense"])
    def test_a_broken_file_is_made_anew_and_that_is_said(self, content: bytes) -> None:
        first = self.positions(self.update())
        self.path.write_bytes(content)
        update = self.update()
        [notice] = update.notices
        assert "made anew" in notice
        assert update.is_new
        assert self.positions(update) == first

    def test_the_map_of_another_encoder_is_made_anew(self) -> None:
        self.update()
        for item in self.items:
            item["deejai_model"] = "another-123"
            item.store()
        update = update_places(self.lib, "another-123")
        [notice] = update.notices
        assert "another-123" in notice
        assert update.is_new

    def test_from_too_few_tracks_a_map_is_made_anew(self) -> None:
        for item in self.items[2:]:
            item.remove()
        assert len(self.update().places) == 2
        add_made_tracks(self.lib, circle(8))
        update = self.update()
        assert update.is_new
        assert len(update.places) == 10

    def test_without_vectors_there_is_no_map_and_no_file(self) -> None:
        for item in self.items:
            item.remove()
        assert len(self.update().places) == 0
        assert not self.path.exists()

    def test_interrupted_work_leaves_the_file_as_it_was(self) -> None:
        self.update()
        content = self.path.read_bytes()

        def interrupt(part: float) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.update(remake=True, on_progress=interrupt)
        assert self.path.read_bytes() == content
        assert [
            each for each in self.path.parent.iterdir() if ".tmp" in each.name
        ] == []

    def test_a_file_that_cannot_be_written_is_one_clear_line(self) -> None:
        self.path.mkdir()
        with pytest.raises(FatalError, match="it is a folder"):
            self.update()
