"""The map of the deck: made in the background, and told."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from beets.test.helper import PluginTestHelper
from decks import client_of, open_deck
from libraries import add_made_tracks, circle

from beetsplug.deejai.atlas.keep import kept_places
from beetsplug.deejai.atlas.places import places_path
from beetsplug.deejai.atlas.shown import load_shown
from beetsplug.deejai.web.map_routes import MapInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

N = 30
PATIENCE_S = 30


class TestMaps(PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def deck(self, setup: None) -> Iterator[None]:
        self.items = add_made_tracks(self.lib, circle(N))
        self.deck = open_deck(self.lib)
        self.client = client_of(self.deck)
        yield
        self.deck.close()

    def get(self) -> dict[str, Any]:
        answer = self.client.get("/api/v1/map")
        assert answer.status_code == 200
        return dict(answer.get_json())

    def made(self) -> dict[str, Any]:
        assert self.client.post("/api/v1/map").status_code == 202
        return self.finished()

    def finished(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            answer = self.get()
            if answer["state"] != "making":
                return answer
            time.sleep(0.02)
        pytest.fail("the map is still being made")

    def reopened(self) -> dict[str, Any]:
        """Return the map as a deck that has read the library just now tells it."""
        self.deck.close()
        self.deck = open_deck(self.lib)
        self.client = client_of(self.deck)
        return self.get()

    def test_at_first_there_is_none(self) -> None:
        answer = self.get()
        assert (answer["state"], answer["error"], answer["refs"]) == ("none", None, [])

    def test_it_is_made_when_asked_for_and_kept(self) -> None:
        answer = self.made()
        assert answer["state"] == "ready"
        assert answer["n_unplaced"] == 0
        assert answer["refs"] == [str(item.id) for item in self.items]
        for name in ("refs", "x", "y", "title", "artist", "genre", "year"):
            assert len(answer[name]) == N
        assert all(0 <= value <= 1 for value in answer["x"] + answer["y"])
        assert answer["artists"][answer["artist"][3]] == "artist 3"
        assert self.reopened() == answer

    def test_new_tracks_are_counted_and_placed(self) -> None:
        before = self.made()
        add_made_tracks(self.lib, circle(N)[3:5] + 0.01)
        assert self.reopened()["n_unplaced"] == 2
        after = self.made()
        assert after["n_unplaced"] == 0
        assert after["x"][:N] == before["x"]
        assert len(after["x"]) == N + 2

    def test_two_are_never_made_at_once(self) -> None:
        maps = self.deck.maps
        maps.start()
        thread = maps._thread
        maps.start()
        assert maps._thread is thread
        self.finished()

    def test_closing_stops_what_is_being_made(self) -> None:
        self.deck.maps.start()
        began = time.monotonic()
        self.deck.maps.close()
        assert time.monotonic() - began < PATIENCE_S
        assert self.deck.maps.start().state != "making"

    def test_what_cannot_be_kept_is_told_without_folders(self) -> None:
        path = places_path(self.lib.path)
        assert path is not None
        path.mkdir()
        answer = self.made()
        assert answer["state"] == "none"
        assert "it is a folder" in answer["error"]
        assert str(path.parent) not in answer["error"]

    def test_it_is_packed_for_who_understands_and_known_by_its_tag(self) -> None:
        plain = self.made()
        packed = self.client.get("/api/v1/map", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed.data)) == plain
        tag = packed.headers["ETag"]
        again = self.client.get(
            "/api/v1/map", headers={"Accept-Encoding": "gzip", "If-None-Match": tag}
        )
        assert (again.status_code, again.data) == (304, b"")
        other = self.client.get("/api/v1/map", headers={"If-None-Match": tag})
        assert other.status_code == 200

    def test_a_map_is_prepared_once_for_many_requests(self) -> None:
        self.made()
        assert self.deck.maps.answer() is self.deck.maps.answer()

    def test_a_map_that_the_command_line_remakes_is_shown(self) -> None:
        self.made()
        add_made_tracks(self.lib, circle(N)[3:4] + 0.01)
        self.run_command(
            "deejai", "map", "--remake", "-o", str(self.temp_path / "map.html")
        )
        assert len(self.get()["x"]) == N + 1

    def test_it_is_what_its_description_says(self) -> None:
        for item, year, genre in zip(
            self.items, (0, 1960, 1999), ("", "Jazz", "Rock"), strict=False
        ):
            item.year, item.genres = year, [genre]
            item.store()
        self.made()
        body = self.client.get("/api/v1/map").data
        info = MapInfo.model_validate_json(body)
        # What the model does not know would be missing.
        assert info.model_dump(mode="json", exclude_unset=True) == json.loads(body)
        assert info.faithfulness is not None
        assert f"continuity {info.faithfulness.continuity:.2f}" in info.caption
        assert info.colourings is not None
        assert info.colourings.year.ramp is not None

    def test_its_regions_are_named_and_named_anew_when_tags_change(self) -> None:
        for number, item in enumerate(self.items):
            item.genres = [("Jazz", "Rock")[2 * number // N]]
            item.store()
        answer = self.made()
        assert {region["name"] for region in answer["regions"]} == {"Jazz", "Rock"}
        assert len(answer["region"]) == N
        info = MapInfo.model_validate(answer)
        assert sum(region.n_tracks for region in info.regions) <= N
        for item in self.items[: N // 2]:
            item.genres = ["Blues"]
            item.store()
        again = self.reopened()
        assert {region["name"] for region in again["regions"]} == {"Blues", "Rock"}

    def test_what_is_said_of_the_map_is_worked_out_anew_only_when_it_may_differ(
        self,
    ) -> None:
        self.made()
        places, _ = kept_places(self.lib, self.deck.session.model_id)
        assert places is not None
        shown = load_shown(self.lib, places)
        self.items[0].title = "another title"
        self.items[0].store()
        again = load_shown(self.lib, places, earlier=shown)
        assert again.columns.titles[0] == "another title"
        assert again.faithfulness is shown.faithfulness is not None
        self.items[0].genres = ["Jazz"]
        self.items[0].store()
        tagged = load_shown(self.lib, places, earlier=shown)
        assert tagged.faithfulness is not shown.faithfulness
        assert tagged.faithfulness == shown.faithfulness
        part = load_shown(self.lib, places, places.item_ids[:20], earlier=shown)
        assert part.faithfulness != shown.faithfulness

    def ordered(self, numbers: Sequence[int]) -> list[int]:
        """Have tracks ordered; tracks and answer as numbers on the circle."""
        refs = [str(self.items[number].id) for number in numbers]
        answer = self.client.post("/api/v1/map/tracks", json={"tracks": refs})
        number_of = {str(item.id): number for number, item in enumerate(self.items)}
        return [number_of[track["ref"]] for track in answer.get_json()["tracks"]]

    def test_tracks_are_told_so_ordered_that_neighbours_sound_alike(self) -> None:
        numbers = list(np.random.default_rng(0).permutation(N))
        order = self.ordered(numbers)
        assert order in (list(range(N)), list(range(N))[::-1])
        assert self.ordered(numbers) == order

    def test_tracks_without_a_vector_come_last(self) -> None:
        del self.items[4]["deejai_vector"]
        self.items[4].store()
        self.reopened()
        assert self.ordered([4, 9, 3, 6]) in ([3, 6, 9, 4], [9, 6, 3, 4])

    def test_500_tracks_are_ordered_while_one_waits(self) -> None:
        vectors = np.random.default_rng(0).standard_normal((500 - N, 100))
        self.items += add_made_tracks(self.lib, vectors)
        self.reopened()
        began = time.monotonic()
        assert sorted(self.ordered(range(500))) == list(range(500))
        # Near 1 s, on a machine that is not busy.
        assert time.monotonic() - began < PATIENCE_S

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"tracks": []}, 422),
            ({"tracks": ["../etc"]}, 422),
            ({"tracks": ["1"] * 501}, 422),
            ({"tracks": ["999999"]}, 404),
            ({}, 422),
        ],
    )
    def test_unknown_tracks_are_refused(
        self, body: dict[str, Any], status: int
    ) -> None:
        answer = self.client.post("/api/v1/map/tracks", json=body)
        assert answer.status_code == status
        assert set(answer.get_json()) == {"error"}

    def test_without_vectors_there_is_a_reason(self) -> None:
        for item in self.items:
            item.remove()
        answer = self.reopened()
        assert answer["state"] == "none"
        assert "beet import" in answer["reason"]
        assert self.client.post("/api/v1/map").status_code == 409
