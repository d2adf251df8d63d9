from __future__ import annotations

import io
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import soundfile
from beets.library import Item
from flask import Flask, Response, request
from hypothesis import given, settings
from hypothesis import strategies as st
from mediafile import TYPES
from sounds import noise, tone, write_sound

from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.server import N_THREADS, start_server
from beetsplug.deejai.web.streams import (
    MAX_WHOLE_WAVES,
    WAVE_PART_BYTES,
    WaveSender,
    kind_of,
    mime_of,
    send_file,
)
from beetsplug.deejai.web.waves import HEADER_BYTES, Waves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


def app_of(folder: Path, waves: Waves) -> Flask:
    """Make an application that sends what is in a folder."""
    app = Flask(__name__)
    sender = WaveSender(waves)

    @app.route("/file/<name>")
    def file(name: str) -> Response:
        return send_file(str(folder / name), request)

    @app.route("/wav/<name>")
    def wav(name: str) -> Response:
        return sender.send(str(folder / name), request)

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> tuple[str, int, dict[str, str]]:
        return error.message, error.status, error.headers

    return app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for suffix in (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".wma"):
        rate = 48_000 if suffix == ".opus" else 44_100
        wave = noise(seconds=2, seed=1, rate=rate)
        write_sound(folder / f"two{suffix}", wave, rate=rate, layout="stereo")
    # Longer than two parts.
    write_sound(folder / "long.flac", tone(seconds=30), layout="mono")
    return folder


@pytest.fixture
def waves() -> Iterator[Waves]:
    waves = Waves(patience_s=0.05)
    yield waves
    waves.close()


@pytest.fixture
def client(folder: Path, waves: Waves) -> FlaskClient:
    return app_of(folder, waves).test_client()


def ask(
    client: FlaskClient, path: str, range_: str = "", **headers: str
) -> TestResponse:
    if range_:
        headers["Range"] = range_
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    response = client.get(path, headers=headers)
    _ = response.data
    response.close()
    return response


# ---- Files ----


def test_a_file_is_sent_as_it_is(client: FlaskClient, folder: Path) -> None:
    response = ask(client, "/file/two.mp3")
    assert response.status_code == 200
    assert response.data == (folder / "two.mp3").read_bytes()
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Type"] == "audio/mpeg"
    assert response.content_length == len(response.data)


@pytest.mark.parametrize(
    ("range_", "start", "stop"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, None),
        ("bytes=-100", -100, None),
        ("bytes=5-99999999999999999999", 5, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_a_range_is_sent_alone(
    client: FlaskClient, folder: Path, range_: str, start: int, stop: int | None
) -> None:
    whole = (folder / "two.mp3").read_bytes()
    response = ask(client, "/file/two.mp3", range_)
    assert response.status_code == 206
    assert response.data == whole[start:stop]
    part, size = response.content_range, len(whole)
    assert part.length == size
    assert part.start == (start if start >= 0 else size + start)
    assert part.stop - part.start == len(response.data) == response.content_length


@pytest.mark.parametrize("range_", ["bytes=999999999-", "bytes=999999999-1000000000"])
def test_a_range_outside_is_refused(
    client: FlaskClient, folder: Path, range_: str
) -> None:
    response = ask(client, "/file/two.mp3", range_)
    size = (folder / "two.mp3").stat().st_size
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "range_",
    [
        "bytes=2-1",
        "bytes=abc",
        "bytes=",
        "bytes=--1",
        "bytes=-0",
        "lines=0-5",
        "bytes=0-1,5-6",
        "bytes=" + ",".join(f"{k}-{k}" for k in range(1000)),
        "bytes=\u0663-",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_a_range_that_is_none_or_several_is_ignored(
    client: FlaskClient, folder: Path, range_: str
) -> None:
    response = ask(client, "/file/two.mp3", range_.encode().decode("latin-1"))
    assert response.status_code in (200, 416)
    if response.status_code == 200:
        assert response.data == (folder / "two.mp3").read_bytes()


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_no_range_breaks_it(folder: Path, text: str) -> None:
    waves = Waves()
    client = app_of(folder, waves).test_client()
    for path in ("/file/two.wav", "/wav/two.wav"):
        assert ask(client, path, f"bytes={text}").status_code in (200, 206, 416)
    waves.close()


def test_who_has_it_already_gets_nothing_again(
    client: FlaskClient, folder: Path
) -> None:
    first = ask(client, "/file/two.flac")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If_None_Match": etag},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
    ):
        response = ask(client, "/file/two.flac", **headers)
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == etag
    response = ask(client, "/file/two.flac", If_None_Match='"other"')
    assert response.status_code == 200


def test_a_range_of_another_version_is_not_sent(client: FlaskClient) -> None:
    first = ask(client, "/file/two.flac", "bytes=0-9")
    for name in ("ETag", "Last-Modified"):
        same = ask(client, "/file/two.flac", "bytes=0-9", If_Range=first.headers[name])
        assert same.status_code == 206
    for other in ('"other"', "Mon, 01 Jan 2001 00:00:00 GMT", "nonsense"):
        response = ask(client, "/file/two.flac", "bytes=0-9", If_Range=other)
        assert response.status_code == 200
    kinds = [
        ask(client, f"/{kind}/two.flac").headers["ETag"] for kind in ("file", "wav")
    ]
    assert kinds[0] != kinds[1]


@pytest.mark.parametrize("kind", ["file", "wav"])
def test_head_tells_the_size_alone(client: FlaskClient, kind: str) -> None:
    whole = ask(client, f"/{kind}/two.flac")
    head = client.head(f"/{kind}/two.flac")
    assert head.status_code == 200
    assert head.data == b""
    assert head.content_length == len(whole.data)
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]


@pytest.mark.parametrize("kind", ["file", "wav"])
def test_what_is_no_file_is_not_there(
    client: FlaskClient, folder: Path, kind: str
) -> None:
    (folder / "directory").mkdir(exist_ok=True)
    for name, target in (("dangling", "gone"), ("device", "/dev/zero")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    for name in ("gone", "directory", "dangling", "device", "pipe", "a\0b"):
        response = ask(client, f"/{kind}/{name}")
        assert response.status_code == 404, name
        assert "\n" not in response.text
        assert str(folder) not in response.text


def test_a_file_that_is_cut_off_meanwhile_ends_in_an_error(
    client: FlaskClient, folder: Path
) -> None:
    path = folder / "shrinks.wav"
    path.write_bytes(bytes(200_000))
    with client.get("/file/shrinks.wav") as response:
        parts = response.iter_encoded()
        assert next(parts)
        os.truncate(path, 20_000)
        with pytest.raises(OSError, match="cut off"):
            list(parts)


# ---- Types ----


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("two.mp3", "audio/mpeg"),
        ("two.flac", "audio/flac"),
        ("two.ogg", 'audio/ogg; codecs="vorbis"'),
        ("two.opus", 'audio/ogg; codecs="opus"'),
        ("two.m4a", "audio/mp4"),
        ("two.wav", "audio/wav"),
        ("two.wma", "audio/x-ms-wma"),
    ],
)
def test_the_type_is_that_of_the_content(
    folder: Path, tmp_path: Path, name: str, mime: str
) -> None:
    item = Item.from_path(os.fsencode(folder / name))
    assert mime_of(item) == mime
    (tmp_path / "wrong.html").write_bytes((folder / name).read_bytes())
    client = app_of(tmp_path, Waves()).test_client()
    assert ask(client, "/file/wrong.html").headers["Content-Type"] == mime


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.MP3", "audio/mpeg"),
        ("a.m4a", "audio/mp4"),
        ("a.mka", "audio/x-matroska"),
        ("a", "application/octet-stream"),
        ("a.html", "application/octet-stream"),
    ],
)
def test_a_track_of_unknown_format_is_guessed_by_its_name(name: str, mime: str) -> None:
    assert mime_of(Item(path=b"/" + name.encode())) == mime


def test_every_format_of_beets_has_a_type() -> None:
    for name in TYPES.values():
        assert mime_of(Item(path=b"/a", format=name)).startswith("audio/"), name


def test_what_is_no_audio_has_no_type_that_a_browser_would_show(
    client: FlaskClient, folder: Path
) -> None:
    (folder / "page.mp3").write_text("<html><script>alert(1)</script></html>")
    response = ask(client, "/file/page.mp3")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert ask(client, "/wav/page.mp3").status_code == 422


def test_a_file_that_was_replaced_has_its_new_type(
    tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "track"
    path.write_bytes((folder / "two.mp3").read_bytes())
    assert kind_of(str(path)).mime == "audio/mpeg"
    path.write_bytes((folder / "two.flac").read_bytes())
    assert kind_of(str(path)).mime == "audio/flac"


# ---- WAV ----


def decoded(data: bytes) -> np.ndarray:
    pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    assert rate in (44_100, 48_000)
    assert pcm.shape[1] == 2
    return pcm


@pytest.mark.parametrize(
    "suffix", [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".wma"]
)
def test_ranges_of_a_wav_put_together_are_the_whole(
    client: FlaskClient, waves: Waves, suffix: str
) -> None:
    whole = ask(client, f"/wav/two{suffix}")
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "audio/wav"
    assert len(decoded(whole.data)) == (len(whole.data) - HEADER_BYTES) // 4
    assert len(decoded(whole.data)) > 1.8 * 44_100
    parts, start, size = b"", 0, len(whole.data)
    for n_bytes in [1, 43, 2, 100_000, 50_002, 2 << 20]:
        range_ = f"bytes={start}-{start + n_bytes - 1}"
        response = ask(client, f"/wav/two{suffix}", range_)
        assert response.status_code == 206
        assert response.content_range.start == start
        assert response.content_range.length == size
        parts += response.data
        start = len(parts)
    assert parts == whole.data


def test_a_part_holds_no_more_than_is_quickly_made(client: FlaskClient) -> None:
    whole = ask(client, "/wav/long.flac").data
    assert len(whole) > 2 * WAVE_PART_BYTES
    parts = b""
    while len(parts) < len(whole):
        response = ask(client, "/wav/long.flac", f"bytes={len(parts)}-")
        assert response.status_code == 206
        assert 0 < len(response.data) <= WAVE_PART_BYTES
        parts += response.data
    assert parts == whole


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, 5_292_043), n_bytes=st.integers(1, 70_000))
def test_any_range_of_a_wav_is_that_of_the_whole(
    folder: Path, start: int, n_bytes: int
) -> None:
    waves = Waves()
    client = app_of(folder, waves).test_client()
    part = ask(client, "/wav/long.flac", f"bytes={start}-{start + n_bytes - 1}")
    assert part.status_code == 206
    wave = waves.open(str(folder / "long.flac"))
    assert part.data == waves.read(wave, 0, wave.n_bytes)[start : start + n_bytes]
    waves.close()


def test_readers_that_come_back_get_the_same_decoder(folder: Path) -> None:
    waves = Waves()
    wave = waves.open(str(folder / "two.m4a"))
    # Noise differs with every decoder of AAC: only the same one goes on seamlessly.
    whole = Waves().read(wave, 0, wave.n_bytes)
    n_bytes = 100_000
    first = waves.read(wave, 0, n_bytes)
    other = waves.read(wave, 200_000, 200_100)
    assert len(other) == 100
    assert first + waves.read(wave, n_bytes, wave.n_bytes) == whole
    waves.close()


def test_a_closed_maker_of_waves_keeps_no_file_open(folder: Path) -> None:
    waves = Waves()
    wave = waves.open(str(folder / "long.flac"))
    waves.read(wave, 0, 1_000)
    opened = [os.readlink(f"/proc/self/fd/{n}") for n in _open_files()]
    assert str(folder / "long.flac") in opened
    waves.close()
    opened = [os.readlink(f"/proc/self/fd/{n}") for n in _open_files()]
    assert str(folder / "long.flac") not in opened


def _open_files() -> list[str]:
    return [
        n for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")
    ]


def test_who_comes_when_too_much_is_converted_is_told_when_to_come_again(
    folder: Path,
) -> None:
    waves = Waves(max_decoders=1, patience_s=0.01)
    client = app_of(folder, waves).test_client()
    ask(client, "/wav/two.flac", "bytes=0-99")
    with waves._turn():
        response = ask(client, "/wav/two.flac", "bytes=100-199")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert ask(client, "/wav/two.flac", "bytes=100-199").status_code == 206
    waves.close()


def test_few_get_a_whole_wav_at_a_time(client: FlaskClient) -> None:
    begun = [client.get("/wav/long.flac") for _ in range(MAX_WHOLE_WAVES)]
    assert {response.status_code for response in begun} == {200}
    assert ask(client, "/wav/long.flac").status_code == 503
    assert ask(client, "/wav/long.flac", "bytes=0-").status_code == 206
    for response in begun:
        response.close()
    assert ask(client, "/wav/long.flac").status_code == 200


def test_a_file_that_goes_away_leaves_silence(
    client: FlaskClient, folder: Path, waves: Waves
) -> None:
    path = folder / "goes.flac"
    path.write_bytes((folder / "long.flac").read_bytes())
    with client.get("/wav/goes.flac") as response:
        parts = response.iter_encoded()
        begin = next(parts)
        path.unlink()
        waves.close()
        rest = b"".join(parts)
    assert any(begin)
    assert len(begin) + len(rest) == response.content_length
    assert not any(rest)


def test_many_at_once_get_what_each_wants(folder: Path) -> None:
    waves = Waves(max_decoders=2)
    app = app_of(folder, waves)
    wave = waves.open(str(folder / "long.flac"))
    whole = waves.read(wave, 0, wave.n_bytes)

    def part(start: int) -> bool:
        range_ = f"bytes={start}-{start + 50_000}"
        response = ask(app.test_client(), "/wav/long.flac", range_)
        return response.data == whole[start : start + 50_001]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(part, range(0, 2_000_000, 50_001)))
    waves.close()


# ---- The server ----


def test_slow_clients_keep_nobody_waiting(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "large.wav").write_bytes(bytes(40_000_000))
    (tmp_path / "two.flac").write_bytes((folder / "two.flac").read_bytes())
    waves = Waves()
    port, stop = start_server(app_of(tmp_path, waves), "127.0.0.1", 0)
    slow = []
    try:
        for _ in range(N_THREADS + 6):
            sock = socket.create_connection(("127.0.0.1", port), timeout=5)
            sock.sendall(b"GET /file/large.wav HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(4).startswith(b"HTTP")
            slow.append(sock)
        sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        slow.append(sock)
        sock.sendall(
            b"GET /wav/two.flac HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\n\r\n"
        )
        assert sock.recv(4096).startswith(b"HTTP/1.1 206")
        n_received = len(slow[0].recv(1 << 20))
        while n_received < 5_000_000:
            n_received += len(slow[0].recv(1 << 20))
    finally:
        for sock in slow:
            sock.close()
        stop()
        waves.close()
