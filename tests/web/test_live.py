"""What the API makes of sound, on music that was made and heard for real."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command_line import CommandLine
from decks import client_of, open_deck
from libraries import add_files, add_made_tracks, circle
from sounds import write_sound

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.quickstart.synthesis import RATE, STYLES
from beetsplug.deejai.web.live import Listener
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLES = ["pads", "beat", "chips", "strings"]


def as_bytes(wave: np.ndarray) -> bytes:
    return np.round(32767 * wave).astype("<i2").tobytes()


class Api(CommandLine):
    def open(self) -> None:
        self.deck = open_deck(self.lib)
        self.client = client_of(self.deck)

    def post(self, data: bytes, **query: Any) -> Any:
        return self.client.post(
            "/api/v1/live",
            data=data,
            query_string={"rate": RATE, **query},
            content_type="application/octet-stream",
        )

    def refusal(self, status: int, data: bytes, **query: Any) -> str:
        response = self.post(data, **query)
        assert response.status_code == status, response.text
        message = str(response.json["error"])
        assert "\n" not in message
        return message


class TestHearing(Api):
    @pytest.fixture(autouse=True)
    def _deck(self, setup: None, tmp_path: Path) -> Iterator[None]:
        self.waves = {
            title: make(np.random.default_rng(number))
            for number, (title, (make, _)) in enumerate(
                zip(TITLES, STYLES.values(), strict=True)
            )
        }
        paths = [
            write_sound(tmp_path / f"{title}.flac", wave)
            for title, wave in self.waves.items()
        ]
        for item in add_files(self.lib, paths):
            item["title"] = Path(os.fsdecode(item.path)).stem
            item["artist"] = f"artist {item['title']}"
            item.store()
        self.run_command("deejai", "scan")
        self.open()
        yield
        self.deck.close()

    def hear(self, wave: np.ndarray, **query: Any) -> Any:
        """Ask until the encoder is there, as the page does."""
        until = time.monotonic() + 60
        while True:
            response = self.post(as_bytes(wave), **query)
            assert response.status_code == 200, response.text
            if response.json["state"] != "loading" or time.monotonic() > until:
                return response.json
            assert response.json["notices"] == [
                "loading the encoder: some seconds more"
            ]
            time.sleep(0.05)

    def test_what_plays_is_named_first_and_what_was_played_is_left_out(self) -> None:
        for title, wave in self.waves.items():
            answer = self.hear(wave[RATE : 16 * RATE])
            assert answer["state"] == "heard"
            assert answer["tracks"][0]["title"] == title
            assert 0.9 < answer["tracks"][0]["similarity"] <= 1.0
            assert -40 < answer["level_db"] < 0
            assert len(answer["tracks"]) == 4
        played = answer["tracks"][0]["ref"]
        others = self.hear(wave[: 10 * RATE], n=2, played=[played, "999"])["tracks"]
        assert len(others) == 2
        assert played not in {track["ref"] for track in others}
        half = self.hear(self.waves["chips"][: 16 * RATE : 2], rate=RATE // 2)
        assert half["tracks"][0]["title"] == "chips"
        assert self.client.get("/api/v1/live").json == {"state": "ready"}

    def test_silence_is_told(self) -> None:
        answer = self.hear(np.zeros(6 * RATE))
        assert (answer["state"], answer["tracks"]) == ("quiet", [])
        assert answer["notices"] == ["silence: is the sound on, and not muted?"]
        assert answer["level_db"] == -120.0

    def test_a_track_that_was_just_scanned_is_proposed_too(self) -> None:
        first = self.hear(self.waves["beat"][: 10 * RATE])["tracks"]
        candidates = self.deck.candidates()
        index = self.deck.listener.index(candidates)
        assert self.deck.listener.index(candidates) is index
        assert index.beginnings is not None
        self.deck.shelf._read()
        assert self.deck.listener.index(self.deck.candidates()) is not index
        again = self.hear(self.waves["beat"][: 10 * RATE])["tracks"]
        assert [track["ref"] for track in again] == [track["ref"] for track in first]


class TestRefusals(Api):
    @pytest.fixture(autouse=True)
    def _deck(self, setup: None) -> Iterator[None]:
        add_made_tracks(self.lib, circle(3))
        self.open()
        yield
        self.deck.close()

    @pytest.mark.parametrize(
        ("data", "rate", "status", "reason"),
        [
            (b"", 44_100, 400, "0.0 s of sound: at least 5 s"),
            (bytes(2 * 4 * 8000), 8000, 400, "4.0 s of sound: at least 5 s"),
            (bytes(2 * 31 * 8000), 8000, 413, "31.0 s of sound: at most 30 s"),
            (bytes(2 * 6 * 8000 + 1), 8000, 400, "half a sample"),
            (bytes(96_000), 7999, 422, "rate"),
            (bytes(96_000), 192_001, 422, "rate"),
            (bytes(96_000), 0, 422, "rate"),
            (bytes(96_000), "fast", 422, "rate"),
            (bytes(12_000_002), 192_000, 413, ""),
        ],
    )
    def test_what_is_no_sound_is_refused(
        self, data: bytes, rate: Any, status: int, reason: str
    ) -> None:
        assert reason in self.refusal(status, data, rate=rate)

    @pytest.mark.parametrize(
        "query", [{"n": 0}, {"n": 51}, {"played": "../x"}, {"more": 1}]
    )
    def test_a_wrong_query_is_refused(self, query: dict[str, Any]) -> None:
        self.refusal(422, bytes(96_000), **{"rate": 8000, **query})

    def test_another_kind_of_body_is_refused(self) -> None:
        response = self.client.post("/api/v1/live?rate=8000", json={})
        assert response.status_code == 415


def test_requests_are_answered_while_the_encoder_is_being_loaded() -> None:
    go = threading.Event()

    class SlowSession:
        n_loads = 0

        def load_encoder(self) -> str:
            self.n_loads += 1
            go.wait(10)
            return "the encoder"

    session = SlowSession()
    listener = Listener(session)  # type: ignore[arg-type]
    assert [listener.encoder() for _ in range(3)] == [None] * 3
    go.set()
    listener.close()
    assert listener.encoder() == "the encoder"
    assert session.n_loads == 1


def test_an_encoder_that_cannot_be_loaded_is_told_and_tried_again() -> None:
    class BrokenSession:
        n_loads = 0

        def load_encoder(self) -> str:
            self.n_loads += 1
            raise FatalError("the model is gone; import it again")

    session = BrokenSession()
    listener = Listener(session)  # type: ignore[arg-type]
    for n_loads in (1, 2):
        assert listener.encoder() is None
        listener.close()
        with pytest.raises(Refusal, match="the model is gone") as caught:
            listener.encoder()
        assert caught.value.status == 503
        assert session.n_loads == n_loads
