from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest
from beets.library import Item, Library
from flask import Flask, request
from mediafile import MediaFile
from PIL import Image
from sounds import tone, write_sound

from beetsplug.deejai.web.covers import MAX_BYTES, MAX_SIDE, MISSING_S, Covers
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Response

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"


def picture(kind: str, side: int, colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, kind)
    return file.getvalue()


def track(folder: Path, *, art: bytes | None = None, name: str = "track.mp3") -> Item:
    path = write_sound(folder / name, tone(seconds=0.5))
    if art is not None:
        media = MediaFile(path)
        media.art = art
        media.save()
    return Item.from_path(os.fsencode(path))


def in_album(item: Item, art_path: Path) -> Item:
    """Put a track into an album that has art."""
    lib = Library(f"{art_path}.db")
    album = lib.add_album([item])
    album.artpath = os.fsencode(art_path)
    album.store()
    return album.items()[0]


def ask(covers: Covers, item: Item, **headers: str) -> Response:
    with Flask(__name__).test_request_context(headers=headers):
        return covers.send(item, request)


def status(covers: Covers, item: Item) -> int:
    try:
        return ask(covers, item).status_code
    except Refusal as refusal:
        return refusal.status


@pytest.mark.parametrize("name", ["track.mp3", "track.flac", "track.m4a"])
def test_the_picture_in_the_file_is_sent(tmp_path: Path, name: str) -> None:
    art = picture("PNG", 50)
    response = ask(Covers(), track(tmp_path, art=art, name=name))
    assert response.data == art
    assert response.mimetype == "image/png"
    assert "private" in response.headers["Cache-Control"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_art_of_the_album_comes_first(tmp_path: Path, kind: str) -> None:
    beside = tmp_path / "cover.txt"
    beside.write_bytes(picture(kind, 50, "red"))
    item = in_album(track(tmp_path, art=picture("PNG", 50)), beside)
    response = ask(Covers(), item)
    assert response.data == beside.read_bytes()
    assert response.mimetype == f"image/{kind.lower()}"


def test_an_album_whose_art_is_gone_has_that_of_the_file(tmp_path: Path) -> None:
    art = picture("PNG", 50)
    item = in_album(track(tmp_path, art=art), tmp_path / "gone.jpg")
    assert ask(Covers(), item).data == art


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_become_small(tmp_path: Path, kind: str) -> None:
    response = ask(Covers(), track(tmp_path, art=picture(kind, 1500)))
    assert response.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(response.data)).size == (MAX_SIDE, MAX_SIDE)
    assert len(response.data) <= MAX_BYTES


@pytest.mark.parametrize(
    "content",
    [SVG, HTML, b"", picture("GIF", 20), picture("PNG", 50)[:-60]],
    ids=["svg", "html", "empty", "gif", "half"],
)
def test_what_is_no_picture_is_never_sent(tmp_path: Path, content: bytes) -> None:
    beside = tmp_path / "cover.jpg"
    beside.write_bytes(content)
    assert status(Covers(), in_album(track(tmp_path), beside)) == 404
    assert status(Covers(), track(tmp_path, art=content or None, name="b.mp3")) == 404


def test_a_picture_that_claims_to_be_vast_is_never_opened(tmp_path: Path) -> None:
    # A PNG of 60 000 x 60 000 pixels, in its header.
    bomb = bytearray(picture("PNG", 50))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    assert status(Covers(), track(tmp_path, art=bytes(bomb))) == 404


def test_a_pipe_in_place_of_a_track_is_not_read(tmp_path: Path) -> None:
    item = track(tmp_path)
    os.unlink(item.path)
    os.mkfifo(item.path)
    assert status(Covers(), in_album(item, tmp_path / "track.mp3")) == 404


def test_who_has_it_already_gets_nothing_again(tmp_path: Path) -> None:
    covers = Covers()
    item = track(tmp_path, art=picture("PNG", 50))
    etag = ask(covers, item).headers["ETag"]
    again = ask(covers, item, If_None_Match=etag)
    assert (again.status_code, again.data) == (304, b"")
    media = MediaFile(os.fsdecode(item.path))
    media.art = picture("JPEG", 70)
    media.save()
    assert ask(covers, item, If_None_Match=etag).status_code == 200


def test_a_track_without_a_cover_is_known_as_such_for_a_while(tmp_path: Path) -> None:
    now_s = 0.0
    covers = Covers(clock=lambda: now_s)
    bare, other = track(tmp_path), track(tmp_path, name="other.mp3")
    assert covers.has_cover(bare)
    assert status(covers, bare) == 404
    assert not covers.has_cover(bare)
    assert covers.has_cover(other)
    now_s = MISSING_S
    assert covers.has_cover(bare)
