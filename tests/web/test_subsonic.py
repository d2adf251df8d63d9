"""OpenSubsonic's sonicSimilarity, as its specification has it."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from command_line import CommandLine
from decks import client_of, open_deck
from libraries import add_files, add_made_tracks, circle, make_album

from beetsplug.deejai.web.subsonic import as_xml, similarity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

TOKEN = "a-token-of-some-length"
NAMESPACE = "{http://subsonic.org/restapi}"


class Subsonic(CommandLine):
    token: str | None = None

    @pytest.fixture(autouse=True)
    def _deck(self, setup: None) -> Iterator[None]:
        self.items = add_made_tracks(self.lib, circle(30))
        self.deck = open_deck(self.lib, token=self.token)
        self.client: FlaskClient = client_of(self.deck)
        del self.client.environ_base["HTTP_X_DEEJAI"]
        yield
        self.deck.close()

    def ask(self, name: str, **given: Any) -> Any:
        given = {"f": "json", "v": "1.16.1", "c": "test", **given}
        given = {key: value for key, value in given.items() if value is not None}
        response = self.client.get(f"/rest/{name}", query_string=given)
        # Failures, too, come with the status of success.
        assert response.status_code == 200
        assert response.mimetype == "application/json"
        answer = response.json["subsonic-response"]
        assert answer["version"] == "1.16.1"
        assert answer["openSubsonic"] is True
        assert {"type", "serverVersion"} <= set(answer)
        return answer

    def failed(self, name: str, **given: Any) -> int:
        answer = self.ask(name, **given)
        assert answer["status"] == "failed"
        assert answer["error"]["message"]
        return int(answer["error"]["code"])

    def ref(self, number: int) -> str:
        return str(self.items[number].id)


class TestOpen(Subsonic):
    """On a deck that asks for no token."""

    def test_ping(self) -> None:
        for name in ("ping", "ping.view"):
            assert self.ask(name)["status"] == "ok"

    def test_what_is_offered_is_told(self) -> None:
        answer = self.ask("getOpenSubsonicExtensions")
        assert answer["openSubsonicExtensions"] == [
            {"name": "formPost", "versions": [1]},
            {"name": "sonicSimilarity", "versions": [1]},
        ]

    def test_similar_tracks_come_nearest_first(self) -> None:
        answer = self.ask("getSonicSimilarTracks", id=self.ref(0))
        matches = answer["sonicMatch"]
        assert len(matches) == 10
        titles = [match["entry"]["title"] for match in matches]
        assert titles == [f"track {number}" for number in range(1, 11)]
        similarities = [match["similarity"] for match in matches]
        assert similarities == sorted(similarities, reverse=True)
        assert all(0.0 <= each <= 1.0 for each in similarities)

    def test_as_many_as_asked_for(self) -> None:
        for count in (0, 1, 29, 1000):
            answer = self.ask("getSonicSimilarTracks", id=self.ref(0), count=count)
            assert len(answer["sonicMatch"]) == min(count, 29)

    def test_a_path_leads_from_the_first_to_the_last(self) -> None:
        answer = self.ask(
            "findSonicPath", startSongId=self.ref(2), endSongId=self.ref(20), count=7
        )
        matches = answer["sonicMatch"]
        ids = [match["entry"]["id"] for match in matches]
        assert (ids[0], ids[-1], len(ids)) == (self.ref(2), self.ref(20), 7)
        assert len(set(ids)) == 7
        # As alike to the start as they are, not to the one before.
        assert matches[0]["similarity"] == 1.0
        similarities = [match["similarity"] for match in matches]
        assert similarities == sorted(similarities, reverse=True)
        assert similarities[-1] < similarities[-2]

    def test_a_path_may_be_of_its_ends_only(self) -> None:
        ends = {"startSongId": self.ref(2), "endSongId": self.ref(20)}
        assert len(self.ask("findSonicPath", **ends, count=2)["sonicMatch"]) == 2
        assert len(self.ask("findSonicPath", **ends)["sonicMatch"]) == 25
        assert self.failed("findSonicPath", **ends, count=1) == 0

    def test_mistakes_have_the_codes_of_the_specification(self) -> None:
        assert self.failed("getSonicSimilarTracks") == 10
        assert self.failed("getSonicSimilarTracks", id="") == 10
        assert self.failed("findSonicPath", startSongId="1") == 10
        assert self.failed("ping", v=None) == 10
        assert self.failed("ping", c=None) == 10
        assert self.failed("getSonicSimilarTracks", id="999") == 70
        assert self.failed("getSonicSimilarTracks", id="../1") == 70
        assert self.failed("findSonicPath", startSongId="1", endSongId="x") == 70
        assert self.failed("getSonicSimilarTracks", id="1", count="-1") == 0
        assert self.failed("getSonicSimilarTracks", id="1", count="1e3") == 0
        assert self.failed("getSonicSimilarTracks", id="1", count="9" * 40) == 0
        assert self.failed("getArtists") == 0
        assert self.failed("__class__") == 0

    def test_xml_is_the_default(self) -> None:
        query = {"v": "1.16.1", "c": "test", "id": self.ref(0), "count": 2}
        response = self.client.get("/rest/getSonicSimilarTracks", query_string=query)
        assert response.mimetype == "text/xml"
        root = ElementTree.fromstring(response.data)
        assert root.tag == f"{NAMESPACE}subsonic-response"
        assert root.get("status") == "ok"
        assert root.get("openSubsonic") == "true"
        matches = root.findall(f"{NAMESPACE}sonicMatch")
        assert len(matches) == 2
        assert 0.9 < float(matches[0].get("similarity", "")) <= 1.0
        entry = matches[0].find(f"{NAMESPACE}entry")
        assert entry is not None
        assert entry.get("title") == "track 1"
        assert entry.get("isDir") == "false"

    def test_a_program_of_another_page_cannot_be_fed(self) -> None:
        response = self.client.get(
            "/rest/ping", query_string={"f": "jsonp", "callback": "x", "v": 1, "c": 1}
        )
        assert response.mimetype == "text/xml"
        assert b'status="failed"' in response.data
        response = self.client.get(
            "/rest/ping", headers={"Sec-Fetch-Site": "same-site"}
        )
        assert response.status_code == 403

    def test_arguments_may_come_in_a_form(self) -> None:
        form = {"v": "1.16.1", "c": "test", "f": "json", "id": self.ref(0), "count": 3}
        response = self.client.post("/rest/getSonicSimilarTracks.view", data=form)
        assert len(response.json["subsonic-response"]["sonicMatch"]) == 3


class TestMedia(CommandLine):
    def test_what_was_found_can_be_played(self, tmp_path: Path) -> None:
        add_files(self.lib, make_album(tmp_path, genre="Chip; Tune", year=1999))
        deck = open_deck(self.lib)
        client = client_of(deck)
        query = {"v": "1.16.1", "c": "test", "id": "1"}
        path = tmp_path / "low.flac"
        response = client.get("/rest/stream", query_string=query, buffered=True)
        assert response.data == path.read_bytes()
        headers = {"Range": "bytes=0-3"}
        response = client.get(
            "/rest/stream.view", query_string=query, headers=headers, buffered=True
        )
        assert (response.status_code, response.data) == (206, b"fLaC")
        headers = {"Range": "bytes=999999999-"}
        response = client.get("/rest/stream", query_string=query, headers=headers)
        assert response.status_code == 416
        response = client.get("/rest/getCoverArt", query_string=query)
        assert (response.status_code, response.mimetype) == (200, "text/xml")
        assert b'code="70"' in response.data
        deck.close()


class TestShared(Subsonic):
    """On a deck that asks for a token."""

    token = TOKEN

    def test_the_token_is_the_key_or_anybodys_password(self) -> None:
        digest = md5(f"{TOKEN}salt".encode()).hexdigest()
        for given in (
            {"apiKey": TOKEN},
            {"u": "anybody", "p": TOKEN},
            {"u": "anybody", "p": f"enc:{TOKEN.encode().hex()}"},
            {"u": "anybody", "t": digest, "s": "salt"},
        ):
            assert self.ask("ping", **given)["status"] == "ok"
        answer = self.ask("tokenInfo", apiKey=TOKEN)
        assert answer["tokenInfo"]["username"]

    def test_nothing_else_opens(self) -> None:
        assert self.failed("ping") == 10
        assert self.failed("ping", u="anybody") == 10
        assert self.failed("ping", apiKey="wrong") == 44
        assert self.failed("ping", u="anybody", p="wrong") == 40
        assert self.failed("ping", u="anybody", p="enc:zz") == 40
        assert self.failed("ping", u="anybody", p="enc:ff") == 40
        assert self.failed("ping", u="anybody", t="0" * 32, s="salt") == 40
        assert self.failed("ping", u="anybody", apiKey=TOKEN) == 43
        assert self.failed("stream", id=self.ref(0)) == 10
        assert self.failed("getSonicSimilarTracks", id=self.ref(0)) == 10

    def test_how_to_come_in_is_told_to_anybody(self) -> None:
        answer = self.ask("getOpenSubsonicExtensions", v=None, c=None)
        names = [each["name"] for each in answer["openSubsonicExtensions"]]
        assert names == ["formPost", "sonicSimilarity", "apiKeyAuthentication"]

    def test_guessing_is_slowed_down(self) -> None:
        for _ in range(10):
            self.failed("ping", apiKey="wrong")
        answer = self.ask("ping", apiKey=TOKEN)
        assert "wait" in answer["error"]["message"]


def test_xml_holds_whatever_tags_hold() -> None:
    text = as_xml({"entry": {"title": 'a <b> & "c"\x00\x1b\ud800 é 🎵', "year": 1999}})
    entry = ElementTree.fromstring(text)[0]
    assert entry.attrib == {"title": 'a <b> & "c" é 🎵', "year": "1999"}


def test_similarity_keeps_to_its_bounds() -> None:
    assert [similarity_of(cosine) for cosine in (-1.0000001, -1.0, 0.0, 1.0, 1.1)] == [
        0.0,
        0.0,
        0.5,
        1.0,
        1.0,
    ]
