"""Mixes made in the background for those who ask over HTTP."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from beets import logging
from beets.library import Item
from command_line import CommandLine
from decks import client_of, open_deck
from libraries import add_files, make_album
from listening import heard
from sounds import noise, write_sound

from beetsplug.deejai.output.mixing.model import MixOptions
from beetsplug.deejai.web.mixes import KEPT_S, MAX_MIXES, Mixes
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient

OPTIONS = MixOptions(crossfade_s=1.0)


def wait_until(
    condition: Callable[[], Any], *, every_s: float = 0.05, within_s: float = 30.0
) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {within_s} s"
        time.sleep(every_s)


class TestMixRoutes(CommandLine):
    @pytest.fixture(autouse=True)
    def _deck(self, setup: None, tmp_path: Path) -> Iterator[None]:
        self.items = add_files(self.lib, make_album(tmp_path / "sounds"))
        self.deck = open_deck(self.lib)
        self.client: FlaskClient = client_of(self.deck)
        yield
        self.deck.close()

    def refs(self) -> list[str]:
        return [str(item.id) for item in self.items]

    def make(self, **body: Any) -> Any:
        body = {"tracks": self.refs(), "format": "wav", **body}
        response = self.client.post("/api/v1/mixes", json=body)
        assert response.status_code == 202, response.text
        return response.json

    def refused(self, status: int, **body: Any) -> str:
        body = {"tracks": self.refs(), **body}
        response = self.client.post("/api/v1/mixes", json=body)
        assert response.status_code == status, response.text
        return str(response.json["error"])

    def look(self, mix: Any) -> Any:
        return self.client.get(f"/api/v1/mixes/{mix['id']}").json

    def finished(self, mix: Any) -> Any:
        wait_until(lambda: self.look(mix)["state"] in ("ready", "failed"))
        return self.look(mix)

    def test_a_mix_is_made_and_downloaded(self, tmp_path: Path) -> None:
        mix = self.make(title="Näh/hören", crossfade_s=0, loudness=None)
        assert mix["state"] in ("waiting", "rendering")
        mix = self.finished(mix)
        assert (mix["state"], mix["error"], mix["left_out"]) == ("ready", None, [])
        assert mix["n_tracks"] == 5
        assert mix["done_s"] == mix["total_s"] == mix["duration_s"]
        path = f"/api/v1/mixes/{mix['id']}/file"
        response = self.client.get(path, buffered=True)
        assert response.status_code == 200
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith("attachment; ")
        assert "filename*=UTF-8''N%C3%A4h%20h%C3%B6ren.wav" in disposition
        copy = tmp_path / "mix.wav"
        copy.write_bytes(response.data)
        wave, rate = heard(copy)
        assert len(wave) / rate == pytest.approx(mix["duration_s"], abs=0.05)

    def test_a_part_of_it_can_be_asked_for(self) -> None:
        mix = self.finished(self.make())
        path = f"/api/v1/mixes/{mix['id']}/file"
        response = self.client.get(path, headers={"Range": "bytes=0-3"}, buffered=True)
        assert (response.status_code, response.data) == (206, b"RIFF")
        response = self.client.get(path, headers={"Range": "bytes=999999999-"})
        assert response.status_code == 416

    def test_it_is_named_after_its_first_and_last_track(self) -> None:
        mix = self.finished(self.make())
        assert mix["title"] == "artist low - low -> artist beat - beat"

    def test_what_cannot_be_played_is_left_out_without_telling_where_it_lay(
        self,
    ) -> None:
        Path(os.fsdecode(self.items[1].path)).unlink()
        mix = self.finished(self.make())
        assert mix["state"] == "ready"
        assert [left["title"] for left in mix["left_out"]] == ["artist middle - middle"]
        assert os.sep not in str(mix["left_out"])

    def test_a_mix_of_nothing_that_plays_fails_with_one_line(self) -> None:
        for item in self.items:
            Path(os.fsdecode(item.path)).unlink()
        mix = self.finished(self.make())
        assert mix["state"] == "failed"
        assert "no track can be mixed" in mix["error"]
        assert os.sep not in mix["error"]
        response = self.client.get(f"/api/v1/mixes/{mix['id']}/file")
        assert response.status_code == 409

    def test_what_was_deleted_is_gone(self) -> None:
        mix = self.finished(self.make())
        folder = Path(self.deck.mixes.path(self.deck.mixes.get(mix["id"]))).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        n_files = len(list(folder.glob("*.wav")))
        path = f"/api/v1/mixes/{mix['id']}"
        assert self.client.delete(path).status_code == 204
        assert self.client.delete(path).status_code == 404
        assert self.client.get(f"{path}/file").status_code == 404
        assert len(list(folder.glob("*.wav"))) == n_files - 1
        self.deck.close()
        assert not folder.exists()

    def test_an_upload_may_be_in_it(self) -> None:
        self.deck.uploads.close()
        self.deck.uploads = Uploads(
            lambda names, progress: ({}, [(names[0], "not now")])
        )
        with open(os.fsdecode(self.items[0].path), "rb") as file:
            upload = self.deck.uploads.add(file, "mine.flac")
        mix = self.finished(self.make(tracks=["1", upload.ref, "2"]))
        assert (mix["state"], mix["left_out"], mix["n_tracks"]) == ("ready", [], 3)

    def test_what_cannot_be_mixed_is_refused(self) -> None:
        assert "no track 999" in self.refused(404, tracks=["1", "999"])
        assert "none of mp3" in self.refused(400, format="exe")
        assert self.refused(422, tracks=[])
        assert self.refused(422, tracks=["1"] * 501)
        assert self.refused(422, tracks=["../1"])
        assert self.refused(422, crossfade_s=61)
        assert self.refused(422, crossfade_s=-1)
        assert self.refused(422, loudness=0)
        assert self.refused(422, path="/tmp/x")

    def test_a_mix_of_too_many_hours_is_refused(self) -> None:
        with self.lib.transaction() as tx:
            tx.mutate("UPDATE items SET length = 7200")
        assert "6 hours" in self.refused(400)


class TestMixes:
    """The queue itself, on long noises."""

    @pytest.fixture
    def clock(self) -> SimpleNamespace:
        return SimpleNamespace(now=0.0)

    @pytest.fixture
    def mixes(self, clock: SimpleNamespace) -> Iterator[Mixes]:
        mixes = Mixes(logging.getLogger("mixes"), clock=lambda: clock.now)
        yield mixes
        mixes.close()

    @pytest.fixture
    def items(self, tmp_path: Path) -> list[Item]:
        path = write_sound(tmp_path / "noise.flac", noise(seconds=30.0))
        return [Item.from_path(os.fsencode(path))] * 20

    def start(self, mixes: Mixes, items: list[Item], **more: Any) -> Any:
        options = {"suffix": ".wav", "title": "", "options": OPTIONS, **more}
        return mixes.start(items, **options)

    def test_a_mix_that_is_deleted_stops_at_once(
        self, mixes: Mixes, items: list[Item]
    ) -> None:
        mix = self.start(mixes, items)
        wait_until(lambda: mix.done_s > 0)
        mixes.remove(mix.id)
        after = self.start(mixes, items[:1])
        wait_until(lambda: after.state == "ready")
        # They are made one after the other: the first one was left unfinished.
        assert mix.done_s < mix.total_s
        folder = Path(mixes.path(after)).parent
        assert [path.name for path in folder.glob("*.wav")] == [f"{after.id}.wav"]
        assert not list(folder.glob("*.tmp"))

    def test_closing_stops_and_deletes_everything(
        self, mixes: Mixes, items: list[Item]
    ) -> None:
        mix = self.start(mixes, items)
        self.start(mixes, items)
        wait_until(lambda: mix.done_s > 0)
        folder = Path(mixes._path(mix)).parent
        mixes.close()
        assert not folder.exists()
        with pytest.raises(Refusal) as caught:
            self.start(mixes, items)
        assert caught.value.status == 503

    def test_progress_grows_to_the_end(self, mixes: Mixes, items: list[Item]) -> None:
        mix = self.start(mixes, items)
        seen = []

        def is_over() -> bool:
            seen.append(mix.done_s)
            assert mix.done_s <= mix.total_s
            return mix.state in ("ready", "failed")

        wait_until(is_over, every_s=0.01, within_s=60.0)
        assert mix.state == "ready", mix.error
        assert seen == sorted(seen)
        assert len(set(seen)) > 5

    def test_a_file_is_kept_for_hours_and_not_longer(
        self, mixes: Mixes, items: list[Item], clock: SimpleNamespace
    ) -> None:
        mix = self.start(mixes, items[:1])
        wait_until(lambda: mix.state == "ready")
        path = mixes.path(mix)
        clock.now = KEPT_S - 1
        assert mixes.get(mix.id) is mix
        clock.now = KEPT_S + 1
        with pytest.raises(Refusal) as caught:
            mixes.get(mix.id)
        assert caught.value.status == 404
        assert not os.path.exists(path)

    def test_the_oldest_that_is_done_makes_place(
        self, mixes: Mixes, items: list[Item]
    ) -> None:
        kept = [self.start(mixes, items[:1]) for _ in range(MAX_MIXES)]
        wait_until(lambda: kept[-1].state == "ready")
        first = mixes.path(kept[0])
        self.start(mixes, items[:1])
        assert not os.path.exists(first)
        assert mixes.get(kept[1].id) is kept[1]

    def test_too_many_at_a_time_are_refused(
        self, mixes: Mixes, items: list[Item]
    ) -> None:
        for _ in range(MAX_MIXES):
            self.start(mixes, items)
        with pytest.raises(Refusal) as caught:
            self.start(mixes, items)
        assert caught.value.status == 429
