"""What the API answers about music, on made libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command_line import CommandLine
from decks import client_of, open_deck
from libraries import add_made_tracks, circle

from beetsplug.deejai.candidates import Limits
from beetsplug.deejai.output.m3u import read_m3u

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient


class Api(CommandLine):
    """A client of a deck, over 30 tracks that turn from one style into another."""

    @pytest.fixture(autouse=True)
    def _deck(self, setup: None) -> Iterator[None]:
        self.items = add_made_tracks(self.lib, circle(30))
        self.deck = open_deck(self.lib)
        self.client: FlaskClient = client_of(self.deck)
        yield
        self.deck.close()

    def get(self, path: str, **query: Any) -> Any:
        response = self.client.get(f"/api/v1/{path}", query_string=query)
        assert response.status_code == 200, response.text
        return response.json

    def post(self, path: str, **body: Any) -> Any:
        response = self.client.post(f"/api/v1/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json

    def refused_with(self, status: int, path: str, **body: Any) -> str:
        response = self.client.post(f"/api/v1/{path}", json=body)
        assert response.status_code == status, response.text
        return str(response.json["error"])

    def ref(self, number: int) -> str:
        return str(self.items[number].id)


def titles(answer: Any) -> list[str]:
    return [track["title"] for track in answer["tracks"]]


class TestStatus(Api):
    def test_tells_what_the_deck_plays_from(self) -> None:
        status = self.get("status")
        assert (status["n_items"], status["n_tracks"]) == (30, 30)
        assert (status["keep_on"], status["demo_s"], status["reason"]) == (3, None, "")
        assert {"mp3", "flac"} <= set(status["mix_formats"])


class TestSearch(Api):
    def test_a_query_of_beets_finds_its_matches(self) -> None:
        found = self.get("search", q="title:'track 7'")
        assert (found["total"], titles(found)) == (1, ["track 7"])
        assert found["tracks"][0]["is_heard"]

    def test_the_same_title_comes_before_longer_ones(self) -> None:
        assert titles(self.get("search", q="track 2"))[0] == "track 2"

    def test_an_empty_query_shows_the_library_page_by_page(self) -> None:
        pages = [self.get("search", limit=20, offset=offset) for offset in (0, 20)]
        shown = [title for page in pages for title in titles(page)]
        assert sorted(shown) == sorted(item.title for item in self.items)

    def test_nothing_found_is_no_error(self) -> None:
        assert self.get("search", q="nothing like it") == {"total": 0, "tracks": []}


class TestSimilar(Api):
    def test_lists_the_same_tracks_as_the_command(self) -> None:
        by_command = self.titles("similar", "track 12", "-n", "4")
        found = self.get("similar", seed=self.ref(12), n=4)
        assert titles(found) == by_command
        assert found["tracks"][0]["similarity"] > 0.99

    def test_what_is_not_wanted_is_steered_away_from(self) -> None:
        away = self.get("similar", **{"seed": self.ref(12), "not": self.ref(20)})
        numbers = [int(title.split()[1]) for title in titles(away)]
        assert np.mean(numbers) < 12

    def test_a_track_that_is_not_there_is_not_found(self) -> None:
        response = self.client.get("/api/v1/similar?seed=999999")
        assert response.status_code == 404


class TestPlaylist(Api):
    def test_goes_on_as_the_command_does(self) -> None:
        by_command = self.titles("playlist", "title:track 4", "-n", "6")[1:]
        assert titles(self.post("playlist", seeds=[self.ref(4)], n=6)) == by_command

    def test_only_the_last_ones_count(self) -> None:
        seeds = [self.ref(number) for number in (29, 28, 2, 3, 4)]
        found = self.post("playlist", seeds=seeds, n=1, keep_on=3)
        assert titles(found)[0] in ("track 1", "track 5")

    def test_tells_which_of_the_last_ones_it_is_like(self) -> None:
        found = self.post("playlist", seeds=[self.ref(0), self.ref(10)], n=1)
        why = found["tracks"][0]["why"]
        assert {reason["title"] for reason in why} == {"track 0", "track 10"}
        assert why[0]["similarity"] >= why[1]["similarity"]

    def test_what_was_played_or_banned_is_never_proposed(self) -> None:
        refs = [self.ref(number) for number in range(30)]
        found = self.post(
            "playlist",
            **{"seeds": refs[:1], "played": refs[1:15], "not": refs[20:], "n": 30},
        )
        assert {int(title.split()[1]) for title in titles(found)} == {*range(15, 20)}
        assert found["notices"]

    def test_likes_pull_the_choice_towards_them(self) -> None:
        def numbers(**more: Any) -> list[int]:
            found = self.post("playlist", seeds=[self.ref(10)], n=5, **more)
            return [int(title.split()[1]) for title in titles(found)]

        assert np.mean(numbers(like=[self.ref(29)])) > np.mean(numbers())

    def test_chance_has_a_say_only_when_asked_and_can_be_repeated(self) -> None:
        def drawn(**more: Any) -> list[str]:
            return titles(self.post("playlist", seeds=[self.ref(9)], n=8, **more))

        assert drawn(seed=1) == drawn(seed=2)
        assert drawn(seed=1, drunk=0.8) == drawn(seed=1, drunk=0.8)
        assert len({tuple(drawn(seed=seed, drunk=0.8)) for seed in range(5)}) > 1

    def test_likes_and_bans_of_removed_tracks_are_passed_over(self) -> None:
        found = self.post(
            "playlist",
            **{"seeds": [self.ref(4)], "not": ["99999"], "like": ["88888"]},
        )
        assert len(found["tracks"]) == 1

    def test_tracks_that_are_gone_do_not_stop_the_music(self) -> None:
        seeds = [self.ref(number) for number in (10, 11, 12)]
        self.items[11].remove()
        found = self.post("playlist", seeds=seeds)
        why = [reason["title"] for reason in found["tracks"][0]["why"]]
        assert sorted(why) == ["track 10", "track 12"]

    def test_an_error_is_one_line_whatever_a_title_holds(self) -> None:
        item = self.add_item(title="a\r\nb\tc")
        message = self.refused_with(409, "playlist", seeds=[str(item.id)])
        assert message.startswith("a b c has no vector yet")

    def test_when_none_of_the_seeds_is_left_it_says_so(self) -> None:
        self.items[3].remove()
        message = self.refused_with(404, "playlist", seeds=[self.ref(3)])
        assert message == f"there is no track {self.ref(3)}"

    def test_without_seeds_any_track_begins(self) -> None:
        found = [self.post("playlist", seeds=[], seed=seed) for seed in range(8)]
        assert len({titles(each)[0] for each in found}) > 1
        assert found[0]["tracks"][0]["similarity"] is None
        banned = [self.ref(number) for number in range(29)]
        left = self.post("playlist", **{"seeds": [], "not": banned})
        assert titles(left) == ["track 29"]

    def test_music_goes_on_when_only_one_artist_is_left(self) -> None:
        for item in self.items:
            item.artist = item.albumartist = "Wansti"
            item.store()
        deck = open_deck(self.lib)
        body = {"seeds": [self.ref(4)]}
        found = client_of(deck).post("/api/v1/playlist", json=body).json
        deck.close()
        assert titles(found)[0] in ("track 3", "track 5")
        assert found["notices"] == []

    def test_when_all_is_played_it_says_so(self) -> None:
        refs = [self.ref(number) for number in range(30)]
        found = self.post("playlist", seeds=refs[:1], played=refs)
        assert found["tracks"] == []
        assert found["notices"] == ["0 of 1 tracks: no other candidates are left"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"seeds": ["0"]},
            {"seeds": ["../1"]},
            {"seeds": [1]},
            {"seeds": ["1"], "n": -1},
            {"seeds": ["1"], "n": 10**9},
            {"seeds": ["1"], "keep_on": 0},
            {"seeds": ["1"], "drunk": 1.5},
            {"seeds": ["1"], "unknown": 1},
        ],
    )
    def test_wrong_values_are_refused_in_one_line(self, body: dict[str, Any]) -> None:
        message = self.refused_with(422, "playlist", **body)
        assert message
        assert "\n" not in message


class TestJourney(Api):
    def test_leads_the_same_way_as_the_command(self) -> None:
        ends = ("title:track 0", "title:track 29")
        by_command = self.titles("journey", *ends, "-n", "5")
        found = self.post("journey", waypoints=[self.ref(0), self.ref(29)], n=5)
        assert titles(found) == by_command
        flags = [track["is_waypoint"] for track in found["tracks"]]
        assert flags == [True, *[False] * 5, True]
        assert found["title"] == "track 0 -> track 29 in 5 steps"

    def test_tells_the_similarity_of_each_hop(self) -> None:
        found = self.post("journey", waypoints=[self.ref(0), self.ref(29)], n=5)
        first, *others = [track["similarity"] for track in found["tracks"]]
        assert first is None
        assert all(0.9 < similarity <= 1.0 for similarity in others)

    def test_fills_a_time(self) -> None:
        ends = [self.ref(0), self.ref(29)]
        found = self.post("journey", waypoints=ends, length_s=4 * 180)
        assert len(found["tracks"]) == 2 + 4

    def test_number_and_time_exclude_each_other(self) -> None:
        ends = [self.ref(0), self.ref(29)]
        message = self.refused_with(422, "journey", waypoints=ends, n=1, length_s=60)
        assert "exclude each other" in message

    def test_banned_tracks_are_not_on_the_way(self) -> None:
        banned = [self.ref(number) for number in range(10, 20)]
        found = self.post(
            "journey", **{"waypoints": [self.ref(0), self.ref(29)], "not": banned}
        )
        assert not {f"track {number}" for number in range(10, 20)} & {*titles(found)}


class TestSavedPlaylist(Api):
    def test_leaves_out_what_is_gone(self) -> None:
        refs = [self.ref(number) for number in (3, 1, 2)]
        self.items[1].remove()
        response = self.client.post("/api/v1/playlists.m3u8", json={"tracks": refs})
        assert b"/nowhere/3.mp3" in response.data
        assert b"/nowhere/1.mp3" not in response.data

    def test_names_the_files_in_order(self, tmp_path: Path) -> None:
        refs = [self.ref(number) for number in (3, 1, 2)]
        response = self.client.post(
            "/api/v1/playlists.m3u8", json={"tracks": refs, "title": "a\nb"}
        )
        saved = tmp_path / "saved.m3u8"
        saved.write_bytes(response.data)
        assert [entry.path for entry in read_m3u(bytes(saved))] == [
            b"/nowhere/3.mp3",
            b"/nowhere/1.mp3",
            b"/nowhere/2.mp3",
        ]
        assert b"# a b\n" in response.data
        assert "attachment" in response.headers["Content-Disposition"]


class TestLimits(CommandLine):
    def test_only_what_the_deck_may_play_is_proposed(self) -> None:
        items = add_made_tracks(self.lib, circle(12))
        deck = open_deck(self.lib, limits=Limits(excluded=("title:'track 1'",)))
        client = client_of(deck)
        body = {"seeds": [str(items[0].id)], "n": 20}
        found = client.post("/api/v1/playlist", json=body).json
        deck.close()
        assert "track 1" not in titles(found)

    def test_a_deck_begins_with_what_it_may_play(self) -> None:
        add_made_tracks(self.lib, circle(12))
        deck = open_deck(self.lib, limits=Limits(from_query="title:'track 7'"))
        client = client_of(deck)
        found = client.post("/api/v1/playlist", json={"seeds": []}).json
        deck.close()
        assert titles(found) == ["track 7"]

    def test_without_vectors_it_says_what_to_do(self) -> None:
        deck = open_deck(self.lib)
        client = client_of(deck)
        status = client.get("/api/v1/status").json
        response = client.post("/api/v1/playlist", json={"seeds": ["1"]})
        deck.close()
        assert "beet import" in status["reason"]
        assert response.status_code == 409
        assert "beet import" in response.json["error"]

    def test_music_that_was_not_heard_wants_a_scan(self) -> None:
        self.add_item(title="unheard")
        deck = open_deck(self.lib)
        reason = client_of(deck).get("/api/v1/status").json["reason"]
        deck.close()
        assert "beet deejai scan" in reason
