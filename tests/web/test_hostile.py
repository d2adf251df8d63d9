"""What a deck is sent by those who mean it no good, over real connections."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from beets.library import Item
from decks import open_deck
from libraries import add_files
from sounds import tone, write_sound
from visitors import Address, library_of_sounds, read_answer, served

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.web.server import N_THREADS, Patience, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from beets.library import Library

    from beetsplug.deejai.web.deck import Deck

TOKEN = "a-token-of-some-length"
FORM = 'multipart/form-data; boundary="b"'


@pytest.fixture(scope="module")
def lib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "secret.txt").write_text("secret")
    with library_of_sounds(folder) as lib:
        yield lib


@pytest.fixture(scope="module")
def deck(lib: Library) -> Iterator[Deck]:
    deck = open_deck(lib, port=0)
    yield deck
    deck.close()


@pytest.fixture(scope="module")
def address(deck: Deck) -> Iterator[Address]:
    with served(deck) as address:
        yield address


@pytest.fixture
def shared_deck(lib: Library) -> Iterator[Deck]:
    deck = open_deck(lib, port=0, token=TOKEN)
    yield deck
    deck.close()


@pytest.fixture(autouse=True)
def _goes_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever was sent, the deck answers the next one, and tells nothing of itself."""
    yield
    if "address" in request.fixturenames:
        answer = request.getfixturevalue("address").ask("/api/v1/status")
        assert (answer.status, answer.json["n_tracks"]) == (200, 5)


def check_refused(answer: Any, *expected: int) -> None:
    assert answer.status in expected, (answer.status, answer.body[:300])
    text = answer.body.decode()
    assert "secret" not in text
    for word in ("Traceback", "waitress", "Werkzeug", "Python/", os.sep + "hostile"):
        assert word.lower() not in (text + str(answer.headers)).lower()
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


ADDRESSES = {
    "/static/../../../secret.txt": 404,
    "/static/%2e%2e/%2e%2e/secret.txt": 404,
    "/static/..%2f..%2fsecret.txt": 404,
    "/static/..%5c..%5csecret.txt": 404,
    "/static/%252e%252e%252fsecret.txt": 404,
    "/static//etc/passwd": 404,
    "/static/....//secret.txt": 404,
    "/static/%c0%ae%c0%ae/secret.txt": 400,
    "/../secret.txt": 404,
    "//etc/passwd": 404,
    "/%ff": 400,
    "/a%00.txt": 400,
    "/api/v1/tracks/../../secret.txt/stream": 404,
    "/api/v1/tracks/..%2fsecret.txt/stream": 404,
    "/api/v1/tracks/secret.txt/stream": 422,
    "/api/v1/tracks/1%00/stream": 400,
    "/api/v1/tracks/-1/stream": 422,
    "/api/v1/tracks/0/stream": 422,
    "/api/v1/tracks/1e3/stream": 422,
    "/api/v1/tracks/%D9%A1/stream": 422,
    "/api/v1/tracks/999999999/stream": 404,
    "/api/v1/tracks/9999999999999999999/stream": 404,
    "/api/v1/tracks/99999999999999999999999/stream": 422,
    "/api/v1/tracks/uAAAAAAAAAAAAAAAAAAAAAA/stream": 404,
    "/api/v1/tracks/1/stream?as=exe": 422,
    "/api/v1/tracks/999/cover": 404,
    "/api/v1/mixes/AAAAAAAAAAAAAAAAAAAAAA/file": 404,
    "/api/v1/mixes/..%2f..%2fsecret/file": 404,
    "/api/v1/uploads/1": 422,
    "/api/v1/search?q=title::(": 400,
    "/api/v1/search?q=a%00": 400,
    "/api/v1/search?q=a&limit=1000000000": 422,
    "/api/v1/search?q=a&offset=-1": 422,
    "/api/v1/search?q=" + "a" * 600: 422,
    "/api/v1/search?q=" + "a" * 9000: 414,
    "/api/v1/search?path=/etc": 422,
    "/api/v1/similar?seed=1&n=1000000000": 422,
    "/api/v1/similar?seed=1&n=NaN": 422,
    "/api/v1/similar": 422,
    "/api/v1/nothing": 404,
    "/api/v2/status": 404,
    "/api/v1/playlist": 405,
    "/openapi/swagger": 404,
    "/console": 404,
    "http://127.0.0.1/api/v1/status": 400,
    "http://evil.example/": 400,
    "*": 400,
}


@pytest.mark.parametrize("target", ADDRESSES, ids=lambda target: target[:60])
def test_addresses_that_lead_astray(address: Address, target: str) -> None:
    check_refused(address.ask(target), ADDRESSES[target])


@pytest.mark.parametrize(
    ("ranges", "status"),
    [
        ("bytes=999999999999-", 416),
        ("bytes=-0", 416),
        ("bytes=99999999999999999999999999-", 416),
        ("bytes=0-1,999999999-", 416),
        ("bytes=" + ",".join(["0-0"] * 2000), 416),
        ("bytes=" + ",".join(["999999999-"] * 1000), 416),
    ],
    ids=["far", "none", "very far", "second far", "many", "many far"],
)
def test_ranges_that_are_none(address: Address, ranges: str, status: int) -> None:
    answer = address.ask("/api/v1/tracks/1/stream", Range=ranges)
    assert answer.status in (status, 200)
    assert len(answer.body) < 2_000_000


@pytest.mark.parametrize("ranges", ["bytes=5-2", "bytes=a-b", "bytes=--1", "lines=1-2"])
def test_ranges_that_make_no_sense_are_ignored(address: Address, ranges: str) -> None:
    whole = address.ask("/api/v1/tracks/1/stream")
    answer = address.ask("/api/v1/tracks/1/stream", Range=ranges)
    assert answer.status == 416 or answer.body == whole.body


POSTS: dict[str, tuple[int, bytes, dict[str, str | None]]] = {
    "from another page": (403, b"{}", {"Origin": "http://evil.example"}),
    "from a page of no origin": (403, b"{}", {"Origin": "null"}),
    "from another port": (403, b"{}", {"Origin": "http://127.0.0.1:1"}),
    "by a form": (403, b"a=b", {"X_Deejai": None}),
    "as a form": (415, b"a=b", {"Content_Type": "application/x-www-form-urlencoded"}),
    "as text": (415, b'{"seeds": ["1"]}', {"Content_Type": "text/plain"}),
    "without a type": (415, b'{"seeds": ["1"]}', {"Content_Type": None}),
    "nothing": (422, b"", {}),
    "no JSON": (400, b"{", {}),
    "a list": (400, b"[]", {}),
    "JSON in JSON": (400, b'"{\\"seeds\\": [\\"1\\"]}"', {}),
    "not a number": (400, b'{"seeds": ["1"], "drunk": NaN}', {}),
    "infinity": (400, b'{"seeds": ["1"], "drunk": Infinity}', {}),
    "too large a number": (400, b'{"seeds": ["1"], "drunk": 1e400}', {}),
    "a billion": (422, b'{"seeds": ["1"], "n": 1000000000}', {}),
    "minus one": (422, b'{"seeds": ["1"], "n": -1}', {}),
    "a huge seed": (422, b'{"seeds": ["1"], "seed": 1' + b"0" * 400 + b"}", {}),
    "a number too long to read": (400, b'{"seed": 1' + b"0" * 9000 + b"}", {}),
    "too many": (422, b'{"seeds": [' + b'"1",' * 50_000 + b'"1"]}', {}),
    "a deep list": (400, b'{"seeds": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", {}),
    "a deep object": (400, b'{"a":' * 1000 + b"1" + b"}" * 1000, {}),
    "half a letter": (400, b'{"seeds": ["\\ud800"]}', {}),
    "NUL": (400, b'{"seeds": ["1\\u0000"]}', {}),
    "no UTF-8": (400, b'{"seeds": ["\xff"]}', {}),
    "what is not asked for": (422, b'{"seeds": ["1"], "__class__": {}}', {}),
    "too much": (413, b" " * 1_000_001, {}),
    "much too much": (413, b"", {"Content_Length": "999999999999999"}),
}


@pytest.mark.parametrize("name", POSTS)
def test_posts_of_what_is_not_asked_for(address: Address, name: str) -> None:
    status, body, headers = POSTS[name]
    check_refused(address.post("/api/v1/playlist", body, **headers), status)


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        (b"", FORM),
        (b"--b\r\n", FORM),
        (b"--b--\r\n", FORM),
        (b"garbage", FORM),
        (b"garbage", "multipart/form-data"),
        (b"garbage", 'multipart/form-data; boundary="' + "b" * 300 + '"'),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
            FORM,
        ),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", FORM),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; '
            b'filename="../../secret.txt"\r\n\r\nno audio\r\n--b--\r\n',
            FORM,
        ),
        (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 3000, FORM),
        (b"--b\r\n" + b"A: " + b"b" * 500_000 + b"\r\n\r\nx\r\n--b--\r\n", FORM),
    ],
    ids=range(11),
)
def test_uploads_that_are_none(address: Address, body: bytes, mime: str) -> None:
    answer = address.post("/api/v1/uploads", body, Content_Type=mime)
    check_refused(answer, 400, 413, 415, 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/live?rate=48000", b""),
        ("/api/v1/live?rate=48000", b"odd"),
        ("/api/v1/live?rate=1000000000", b"\0" * 100_000),
        ("/api/v1/live?rate=-1", b"\0" * 100_000),
    ],
)
def test_sound_that_is_none(address: Address, path: str, body: bytes) -> None:
    answer = address.post(path, body, Content_Type="application/octet-stream")
    check_refused(answer, 400, 413, 422)


def test_sound_without_end_is_cut_off(address: Address) -> None:
    answer = address.post(
        "/api/v1/live?rate=8000",
        b"\0" * 13_000_000,
        Content_Type="application/octet-stream",
    )
    # A connection that is closed in the middle may lose the answer.
    assert answer.status in (413, 0)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("TRACE", "/", 405),
        ("CONNECT", "evil.example:443", 405),
        ("PUT", "/api/v1/mixes", 405),
        ("PATCH", "/", 405),
        ("PROPFIND", "/", 405),
        ("GARBAGE", "/", 405),
        ("POST", "/", 405),
        ("POST", "/static/deck.css", 405),
        ("DELETE", "/api/v1/tracks/1", 403),
        ("get", "/", 400),
        ("G\xa0T", "/", 400),
    ],
)
def test_methods(address: Address, method: str, target: str, status: int) -> None:
    check_refused(address.ask(target, method), status)


RAW: dict[str, tuple[int, str]] = {
    "another host": (421, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    "this host at no port": (421, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    "two hosts": (421, "GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n"),
    "no host": (400, "GET / HTTP/1.1\r\n\r\n"),
    "no host, long ago": (400, "GET / HTTP/1.0\r\n\r\n"),
    "a forwarded host": (
        421,
        "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: {host}\r\n\r\n",
    ),
    "a host with a line feed": (400, "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    "two lengths": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ),
    "two different lengths": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n"
        "Content-Length: 5\r\n\r\nabcde",
    ),
    "a negative length": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    ),
    "a length in words": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0x10\r\n\r\n",
    ),
    "an unknown coding": (
        501,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\n"
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    "a coding with a strange letter": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\n"
        "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    "chunks before there were any": (
        400,
        "POST /api/v1/map HTTP/1.0\r\nHost: {host}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a chunk of no size": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nX-Deejai: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ),
    "a chunk of another size": (
        400,
        "POST /api/v1/map HTTP/1.1\r\nHost: {host}\r\nX-Deejai: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n",
    ),
    "a space before the colon": (
        400,
        "GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length : 4\r\n\r\n",
    ),
    "a folded header": (400, "GET / HTTP/1.1\r\n Host: {host}\r\n\r\n"),
    "NUL in a header": (400, "GET / HTTP/1.1\r\nHost: {host}\r\nX: a\x00b\r\n\r\n"),
    "no HTTP": (405, "HELO evil.example\r\n\r\n"),
    "a long header": (
        431,
        "GET / HTTP/1.1\r\nHost: {host}\r\nX: " + "a" * 40_000 + "\r\n\r\n",
    ),
    "many headers": (
        431,
        "GET / HTTP/1.1\r\nHost: {host}\r\n" + "X: a\r\n" * 10_000 + "\r\n",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_requests_that_are_no_http(address: Address, name: str) -> None:
    status, text = RAW[name]
    raw = text.replace("{host}", address.host).replace(
        "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1
    )
    check_refused(address.send(raw.encode("latin-1")), status)


def test_one_request_is_not_taken_for_two(address: Address) -> None:
    with address.connect() as sock:
        sock.sendall(
            (
                f"POST /api/v1/map HTTP/1.1\r\nHost: {address.host}\r\n"
                "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                f"0\r\n\r\nGET /api/v1/status HTTP/1.1\r\nHost: {address.host}\r\n\r\n"
            ).encode()
        )
        answer = read_answer(sock)
    assert answer.status == 400
    assert b"n_tracks" not in answer.body


def test_tags_never_become_html(address: Address, lib: Library) -> None:
    item = lib.get_item(1)
    assert isinstance(item, Item)
    before = item.title
    item["title"] = "<script>alert(1)</script>"
    item.store()
    try:
        for path in ("/api/v1/tracks/1", "/api/v1/search?q=script"):
            answer = address.ask(path)
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
    finally:
        item["title"] = before
        item.store()
    answer = address.ask("/<script>alert(1)</script>")
    assert answer.status == 404
    assert b"<script>" not in answer.body


def test_no_request_writes_to_the_library(address: Address, lib: Library) -> None:
    def state() -> tuple[str, list[Path]]:
        digest = hashlib.sha256(lib.path.read_bytes()).hexdigest()
        return digest, sorted(lib.path.parent.glob("library.db*"))

    before = state()
    for target in ("status", "search?q=low", "tracks/1", "similar?seed=1", "map"):
        assert address.ask(f"/api/v1/{target}").status == 200
    assert address.ask("/api/v1/tracks/1/stream").status == 200
    seeds = {"seeds": ["1"], "n": 2}
    assert address.post("/api/v1/playlist", seeds).status == 200
    waypoints = {"waypoints": ["1", "5"], "n": 2}
    assert address.post("/api/v1/journey", waypoints).status == 200
    tracks = {"tracks": ["1", "2"]}
    assert address.post("/api/v1/playlists.m3u8", tracks).status == 200
    mix = address.post("/api/v1/mixes", tracks)
    assert mix.status == 202
    removed = address.ask(f"/api/v1/mixes/{mix.json['id']}", "DELETE", X_Deejai="1")
    assert removed.status == 204
    for address_of in ADDRESSES:
        address.ask(address_of)
    assert state() == before


def crowd(address: Address) -> list[socket.socket]:
    """Connect a hundred visitors; half of them begin a request and never end it."""
    visitors = [address.connect() for _ in range(100)]
    begun = f"GET / HTTP/1.1\r\nHost: {address.host}\r\nX: ".encode()
    for sock in visitors[:50]:
        sock.sendall(begun)
    return visitors


def is_connected(sock: socket.socket) -> bool:
    """Tell whether the other side has neither answered nor gone."""
    sock.setblocking(False)
    try:
        sock.recv(1)
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False


def test_others_are_served_while_slow_visitors_stay(deck: Deck) -> None:
    patience = Patience(header_s=600.0, idle_s=600.0)
    with served(deck, patience=patience) as address:
        slow = crowd(address)
        assert address.ask("/api/v1/status").status == 200
        assert all(map(is_connected, slow))
        for sock in slow:
            sock.close()


def test_slow_visitors_are_shown_out(deck: Deck) -> None:
    with served(deck, patience=Patience(header_s=1.0, idle_s=1.0)) as address:
        slow = crowd(address)
        dripping, deadline = slow[:50], time.monotonic() + 20.0
        while dripping:
            assert time.monotonic() < deadline, f"{len(dripping)} are still there"
            for sock in list(dripping):
                try:
                    sock.sendall(b"a")
                except ConnectionError:
                    dripping.remove(sock)
            time.sleep(0.2)
        assert all(read_answer(sock).status == 0 for sock in slow)
        for sock in slow:
            sock.close()


@pytest.fixture
def long_track(lib: Library, tmp_path: Path) -> Iterator[Item]:
    """A track whose WAV is larger than what the server keeps of an answer."""
    path = write_sound(tmp_path / "long.flac", tone(seconds=150))
    (item,) = add_files(lib, [path])
    yield item
    item.remove()


def test_who_takes_nothing_of_an_answer_does_not_keep_all_threads(
    deck: Deck, long_track: Item
) -> None:
    with served(deck) as address:
        request = (
            f"GET /api/v1/tracks/{long_track.id}/stream?as=wav HTTP/1.1\r\n"
            f"Host: {address.host}\r\n\r\n"
        )
        stuck = [address.connect() for _ in range(2 * N_THREADS)]
        for sock in stuck:
            sock.sendall(request.encode())
        # Every one has the beginning of its answer, and some a whole one.
        statuses = [int(sock.recv(12).split()[1]) for sock in stuck]
        assert set(statuses) == {200, 503}
        # Whoever waits for them waits for minutes, and this gives up before.
        assert address.ask("/api/v1/status").status == 200
        for sock in stuck:
            sock.close()


def test_many_at_once_are_all_answered(address: Address) -> None:
    def ask(number: int) -> int:
        body = {"seeds": [str(number % 5 + 1)], "n": 2}
        return address.post("/api/v1/playlist", body).status

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(ask, range(200))) == {200}


class TestShared:
    """A deck that other machines can reach."""

    def test_nothing_is_told_without_the_token(self, shared_deck: Deck) -> None:
        with served(shared_deck) as address:
            for path in ("/", "/api/v1/status", "/static/deck.css", "/none"):
                check_refused(address.ask(path), 401)
            bearer = f"Bearer {TOKEN}"
            assert address.ask("/api/v1/status", Authorization=bearer).status == 200
            answer = address.ask(f"/?token={TOKEN}")
            cookie = answer.headers["set-cookie"].partition(";")[0]
            assert address.ask("/api/v1/status", Cookie=cookie).status == 200

    def test_large_bodies_are_not_taken_from_strangers(self, shared_deck: Deck) -> None:
        with served(shared_deck) as address:
            head = (
                f"POST /api/v1/uploads HTTP/1.1\r\nHost: {address.host}\r\n"
                f"Content-Length: 100000000\r\nContent-Type: {FORM}\r\n\r\n"
            )
            # The answer comes before the body.
            check_refused(address.send(head.encode()), 401)

    def test_guessing_is_slowed_down(self, shared_deck: Deck) -> None:
        with served(shared_deck) as address:
            statuses = [
                address.ask("/", Authorization=f"Bearer guess{n}").status
                for n in range(15)
            ]
            assert statuses == [401] * 10 + [429] * 5


def test_the_newer_internet_is_served_too() -> None:
    def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    try:
        port, stop = start_server(hello, "::1", 0)
    except FatalError:
        pytest.skip("this machine has no IPv6")
    try:
        with socket.create_connection(("::1", port)) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert read_answer(sock).body == b"hello"
    finally:
        stop()


def test_a_port_that_is_taken_is_told_with_a_remedy(address: Address) -> None:
    with pytest.raises(FatalError, match=f"port {address.port} is in use.*--port"):
        start_server(None, "127.0.0.1", address.port)


def test_a_host_that_is_none_is_told_with_a_remedy() -> None:
    with pytest.raises(FatalError, match="--host"):
        start_server(None, "192.0.2.1", 0)
    with pytest.raises(FatalError, match="--host 'nowhere"):
        start_server(None, "nowhere.invalid", 0)
