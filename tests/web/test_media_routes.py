"""Streams, covers and uploads as a page asks for them."""

from __future__ import annotations

import io
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

import pytest
from command_line import CommandLine
from decks import client_of, open_deck
from libraries import add_files, make_album
from mediafile import MediaFile
from odd_sounds import PNG
from sounds import tone, write_sound

from beetsplug.deejai.web.uploads import UploadLimits, Uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


class Media(CommandLine):
    """A client of a deck over five sounds."""

    @pytest.fixture(autouse=True)
    def _deck(
        self, setup: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        self.temporary = tmp_path / "temporary"
        self.temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        self.paths = make_album(tmp_path / "album")
        self.items = add_files(self.lib, self.paths)
        self.deck = open_deck(self.lib)
        self.client: FlaskClient = client_of(self.deck)
        yield
        self.deck.close()

    def get(self, path: str, **headers: str) -> TestResponse:
        response = self.client.get(f"/api/v1/{path}", headers=headers)
        _ = response.data
        response.close()
        return response

    def post(self, data: dict[str, Any] | bytes, **how: Any) -> TestResponse:
        return self.client.post("/api/v1/uploads", data=data, **how)

    def send(self, content: bytes, name: str = "sound.flac") -> TestResponse:
        return self.post({"file": (io.BytesIO(content), name)})

    def refused(self, response: TestResponse, *statuses: int) -> str:
        assert response.status_code in statuses, response.text
        error = response.json["error"]
        assert error
        assert "\n" not in error
        return str(error)


class TestStreams(Media):
    def test_a_track_of_the_library_is_sent(self) -> None:
        response = self.get(f"tracks/{self.items[0].id}/stream")
        assert response.status_code == 200
        assert response.data == self.paths[0].read_bytes()
        assert response.headers["Content-Type"] == "audio/flac"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        part = self.get(f"tracks/{self.items[0].id}/stream", Range="bytes=2-9")
        assert (part.status_code, part.data) == (206, response.data[2:10])

    def test_it_can_be_converted(self) -> None:
        response = self.get(f"tracks/{self.items[0].id}/stream?as=wav")
        assert response.data[:4] == b"RIFF"
        part = self.get(
            f"tracks/{self.items[0].id}/stream?as=wav", Range="bytes=90000-90999"
        )
        assert part.data == response.data[90_000:91_000]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("tracks/999/stream", 404),
            ("tracks/999999999999999999999/stream", 422),
            ("tracks/0/stream", 422),
            ("tracks/-1/stream", 422),
            ("tracks/u" + "a" * 22 + "/stream", 404),
            ("tracks/u" + "a" * 21 + "/stream", 422),
            ("tracks/..%2F..%2Fetc%2Fpasswd/stream", 404),
            ("tracks/1%00/stream", 422),
            ("tracks/1/stream?as=mp3", 422),
            ("tracks/1/stream?path=/etc/passwd", 422),
            ("tracks/999/cover", 404),
            ("uploads/u" + "a" * 22, 404),
            ("uploads/1", 422),
        ],
    )
    def test_what_is_not_there_is_refused_in_one_line(
        self, path: str, status: int
    ) -> None:
        # The guard may refuse earlier what no page asks for.
        self.refused(self.get(path), status, 400)

    def test_a_file_that_is_gone_is_told(self) -> None:
        self.paths[0].unlink()
        for path in ("stream", "stream?as=wav"):
            error = self.refused(self.get(f"tracks/{self.items[0].id}/{path}"), 404)
            assert str(self.paths[0].parent) not in error

    def test_a_range_outside_is_refused(self) -> None:
        response = self.get(f"tracks/{self.items[0].id}/stream", Range="bytes=9999999-")
        self.refused(response, 416)
        assert response.headers["Content-Range"].startswith("bytes */")


class TestCovers(Media):
    def test_the_picture_in_a_file_is_sent(self) -> None:
        media = MediaFile(self.paths[0])
        media.art = PNG
        media.save()
        response = self.get(f"tracks/{self.items[0].id}/cover")
        assert response.data == PNG
        assert response.headers["Content-Type"] == "image/png"
        etag = response.headers["ETag"]
        again = self.client.get(
            f"/api/v1/tracks/{self.items[0].id}/cover",
            headers={"If-None-Match": etag},
        )
        assert again.status_code == 304

    def test_where_there_is_none_lists_say_so_from_then_on(self) -> None:
        path = f"tracks/{self.items[0].id}"
        assert self.get(path).json["has_cover"] is True
        self.refused(self.get(f"{path}/cover"), 404)
        assert self.get(path).json["has_cover"] is False


class TestUploads(Media):
    def test_a_dropped_file_is_played_at_once_and_heard(self, tmp_path: Path) -> None:
        path = write_sound(tmp_path / "dropped.mp3", tone(330, seconds=30))
        response = self.send(path.read_bytes(), "My song.mp3")
        assert response.status_code == 202
        ref = response.json["ref"]
        assert response.json["state"] == "listening"
        assert response.json["name"] == "My song.mp3"
        track = response.json["track"]
        assert (track["ref"], track["title"]) == (ref, "My song")
        assert track["mime"] == "audio/mpeg"
        assert self.get(f"tracks/{ref}/stream").data == path.read_bytes()
        assert self.get(f"tracks/{ref}/stream?as=wav").data[:4] == b"RIFF"
        self.refused(self.get(f"tracks/{ref}/cover"), 404)
        state = self.wait(ref)
        assert (state["state"], state["progress"]) == ("ready", 1)
        assert state["track"]["is_heard"] is True
        kept = self.deck.uploads.get(ref).item.path
        assert self.client.delete(f"/api/v1/uploads/{ref}").status_code == 204
        assert not os.path.exists(kept)
        self.refused(self.get(f"uploads/{ref}"), 404)
        self.refused(self.get(f"tracks/{ref}/stream"), 404)
        self.refused(self.client.delete(f"/api/v1/uploads/{ref}"), 404)

    def wait(self, ref: str) -> Any:
        for _ in range(600):
            state = self.get(f"uploads/{ref}").json
            if state["state"] != "listening":
                return state
            time.sleep(0.05)
        raise AssertionError("it was not heard within 30 s")

    def test_what_is_silent_is_told(self, tmp_path: Path) -> None:
        path = write_sound(tmp_path / "silence.flac", 0 * tone(seconds=6))
        state = self.wait(self.send(path.read_bytes()).json["ref"])
        assert state["state"] == "failed"
        assert state["error"] == "cannot be heard: the track is silent"

    def test_bad_uploads_are_refused_in_one_line(self) -> None:
        sound = self.paths[0].read_bytes()
        form = "multipart/form-data"
        bad = [
            (self.post({}, content_type=form), 422),
            (self.post({"other": (io.BytesIO(sound), "a.flac")}), 422),
            (self.post({"file": "text"}, content_type=form), 422),
            (self.post({"file": (io.BytesIO(b""), "")}), 422),
            (self.send(b""), 422),
            (self.send(b"<html></html>", "page.mp3"), 415),
            (self.post(b"no form", content_type=form), 422),
            (self.post(b"--x\r\nbad", content_type=f"{form}; boundary=x"), 422),
            (self.post(sound, content_type="audio/flac"), 415),
            (self.post(b"{}", content_type="application/json"), 415),
            (self.post(b""), 422),
        ]
        for response, status in bad:
            self.refused(response, status, 400)
        assert list(self.temporary.glob("deejai-*/u*")) == []

    def test_a_name_with_a_nul_is_refused(self) -> None:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a%sb.mp3"'
            b"\r\n\r\nsound\r\n--x--\r\n"
        )
        for nul in (b"\0", b"%00"):
            response = self.post(
                body % nul, content_type="multipart/form-data; boundary=x"
            )
            self.refused(response, 400, 415, 422)

    def test_what_is_too_large_is_refused(self) -> None:
        self.deck.uploads.close()
        self.deck.uploads = Uploads(
            self.deck.session.hear, limits=UploadLimits(file_bytes=1000)
        )
        self.refused(self.send(self.paths[0].read_bytes()), 413)

    def test_only_pages_of_the_deck_may_send(self) -> None:
        form = {"file": (io.BytesIO(self.paths[0].read_bytes()), "a.flac")}
        self.client.environ_base.pop("HTTP_X_DEEJAI")
        self.refused(self.post(form), 403)
