"""Who may ask a deck, from where and for what; tried on an application of one line."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from beets.library import Item
from command_line import CommandLine
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from beetsplug.deejai.web.bodies import JSON, MAX_JSON_DEPTH, check_json
from beetsplug.deejai.web.deck import DeckOptions
from beetsplug.deejai.web.gate import MAX_WRONG, PERIOD_S, Gate
from beetsplug.deejai.web.mix_routes import file_name
from beetsplug.deejai.web.queries import MAX_QUERY, safe_query
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.safety import Guard, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.test import TestResponse

TOKEN = "a-token-of-some-length"


def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]


class Visitor:
    """Asks a guarded application, from the deck's own page unless told otherwise."""

    def __init__(self, gate: Gate | None = None, **options: Any) -> None:
        gate = gate or Gate(options.get("token"))
        self.client = Client(Guard(serve, DeckOptions(**options), gate))

    def ask(
        self,
        path: str = "/api/v1/status",
        method: str = "GET",
        *,
        host: str = "127.0.0.1:8050",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        return self.client.open(
            path,
            method=method,
            base_url="http://127.0.0.1:8050",
            headers={"Host": host, **(headers or {})},
            **more,
        )

    def status(self, *args: Any, **more: Any) -> int:
        return self.ask(*args, **more).status_code

    def post(self, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.status("/api/v1/map", "POST", headers=named)


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


class TestHost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8050", "localhost:8050", "LOCALHOST:8050", "[::1]:8050"]
    )
    def test_its_own_names_are_served(self, visitor: Visitor, host: str) -> None:
        assert visitor.status(host=host) == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example:8050",
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:8051",
            "127.0.0.1:",
            "127.0.0.1:8050, evil.example",
            "127.0.0.1.evil.example:8050",
            "user@127.0.0.1:8050",
            "[::1]",
            "::1:8050",
            "2130706433:8050",
            ":8050",
        ],
    )
    def test_other_names_are_not(self, visitor: Visitor, host: str) -> None:
        answer = visitor.ask(host=host)
        assert answer.status_code == 421
        assert "--allow-host" in answer.json["error"]

    def test_names_that_were_allowed_are_served(self) -> None:
        visitor = Visitor(hosts=("deck.example", "Other.example:443"))
        assert visitor.status(host="deck.example") == 200
        assert visitor.status(host="deck.example:8443") == 200
        assert visitor.status(host="other.example:443") == 200
        assert visitor.status(host="other.example:444") == 421
        assert visitor.status(host="a.deck.example") == 421

    def test_a_deck_on_all_addresses_answers_to_any_address_and_no_name(self) -> None:
        visitor = Visitor(host="0.0.0.0")
        assert visitor.status(host="192.168.1.7:8050") == 200
        assert visitor.status(host="[fe80::1]:8050") == 200
        assert visitor.status(host="deck.local:8050") == 421


class TestOrigin:
    def test_its_own_page_may_post(self, visitor: Visitor) -> None:
        own = "http://127.0.0.1:8050"
        assert visitor.post(X_Deejai="1") == 200
        assert visitor.post(X_Deejai="1", Origin=own) == 200
        assert visitor.post(X_Deejai="1", Referer=f"{own}/#map") == 200
        assert visitor.post(X_Deejai="1", Sec_Fetch_Site="same-origin") == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X_Deejai": "0"},
            {"X_Deejai": "1", "Origin": "http://evil.example"},
            {"X_Deejai": "1", "Origin": "http://127.0.0.1:9999"},
            {"X_Deejai": "1", "Origin": "null"},
            {"X_Deejai": "1", "Origin": ""},
            {"X_Deejai": "1", "Origin": "http://[broken"},
            {"X_Deejai": "1", "Referer": "http://evil.example/127.0.0.1:8050"},
            {"X_Deejai": "1", "Sec_Fetch_Site": "cross-site"},
            {"X_Deejai": "1", "Sec_Fetch_Site": "same-site"},
        ],
    )
    def test_others_may_not(self, visitor: Visitor, headers: dict[str, str]) -> None:
        assert visitor.post(**headers) == 403

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "?"])
    def test_no_other_page_can_embed_what_is_served(
        self, visitor: Visitor, site: str
    ) -> None:
        headers = {"Sec-Fetch-Site": site}
        for path in ("/api/v1/tracks/1/stream", "/rest/ping", "/static/deck.css", "/"):
            assert visitor.status(path, headers=headers) == 403
        assert visitor.status(headers={"Origin": "http://evil.example"}) == 403

    def test_a_link_from_anywhere_leads_to_the_page_and_nowhere_else(
        self, visitor: Visitor
    ) -> None:
        headers = {
            "Sec-Fetch-Site": "cross-site",
            "Sec-Fetch-Mode": "navigate",
            "Referer": "http://elsewhere.example/",
        }
        assert visitor.status("/", headers=headers) == 200
        assert visitor.status("/api/v1/status", headers=headers) == 403


class TestAnswers:
    def test_every_answer_has_the_safe_headers(self, visitor: Visitor) -> None:
        for answer in (visitor.ask(), visitor.ask(host="evil.example")):
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "microphone=(self)" in answer.headers["Permissions-Policy"]
            assert "Server" not in answer.headers

    def test_a_refusal_is_json_for_programs_and_a_page_for_people(
        self, visitor: Visitor
    ) -> None:
        answer = visitor.ask("/api/v1/status", host="evil.example")
        assert list(answer.json) == ["error"]
        answer = visitor.ask("/", host="evil.example")
        assert answer.mimetype == "text/html"
        assert answer.text.startswith("<!doctype html>")

    def test_head_gets_no_body(self, visitor: Visitor) -> None:
        answer = visitor.ask("/", "HEAD", host="evil.example")
        assert (answer.status_code, answer.data) == (421, b"")


class TestToken:
    def test_nothing_is_served_without_it(self) -> None:
        visitor = Visitor(token=TOKEN)
        for path in ("/", "/api/v1/status", "/static/deck.css"):
            assert visitor.status(path) == 401
        assert visitor.status(headers={"Authorization": "Bearer wrong"}) == 401
        assert visitor.status(headers={"Authorization": f"Basic {TOKEN}"}) == 401
        assert visitor.status("/?token=") == 401
        assert visitor.status(f"/api/v1/status?token={TOKEN}") == 401

    def test_programs_send_it_in_a_header(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert Visitor(token=TOKEN).status(headers=headers) == 200

    def test_the_page_keeps_it_in_a_cookie(self) -> None:
        visitor = Visitor(token=TOKEN)
        answer = visitor.ask(f"/?token={TOKEN}")
        assert answer.status_code == 200
        # After a link in a mail, a redirect would not bring the cookie along.
        assert answer.headers["Refresh"] == "0; url=/"
        cookie = answer.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert TOKEN not in answer.text
        assert visitor.status("/") == 200
        assert visitor.status() == 200

    def test_other_decks_of_the_machine_keep_theirs_beside(self) -> None:
        cookies = {"HTTP_COOKIE": f"deejai-9000=another; deejai-8050={TOKEN}"}
        visitor = Visitor(token=TOKEN)
        visitor.client = Client(visitor.client.application, use_cookies=False)
        assert visitor.status(environ_overrides=cookies) == 200

    def test_guessing_is_slowed_down(self) -> None:
        time = SimpleNamespace(now=0.0)
        visitor = Visitor(Gate(TOKEN, clock=lambda: time.now), token=TOKEN)
        right, wrong = (
            {"Authorization": f"Bearer {token}"} for token in (TOKEN, "wrong")
        )
        for _ in range(MAX_WRONG):
            assert visitor.status(headers=wrong) == 401
        answer = visitor.ask(headers=wrong)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= PERIOD_S + 1
        # A guess that is right tells nothing either; elsewhere the token still opens.
        assert visitor.status(headers=right) == 429
        elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
        assert visitor.status(headers=right, environ_overrides=elsewhere) == 200
        time.now += PERIOD_S
        assert visitor.status(headers=right) == 200

    def test_a_token_that_nobody_can_guess_opens_all_the_same(self) -> None:
        # Behind a proxy all have one address.
        long = "k" * 32
        gate = Gate(long)
        for _ in range(2 * MAX_WRONG):
            with pytest.raises(Refusal):
                gate.admit_any("192.0.2.7", ["wrong"])
        gate.admit_any("192.0.2.7", [long])

    def test_no_number_of_guessers_fills_the_memory(self) -> None:
        gate = Gate(TOKEN)
        for number in range(3000):
            with pytest.raises(Refusal):
                gate.admit(str(number), is_right=False)
        assert len(gate._wrong) <= 1000


class TestAddresses:
    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "BREW"])
    def test_methods_that_nothing_takes_are_refused(
        self, visitor: Visitor, method: str
    ) -> None:
        answer = visitor.ask(method=method)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]

    @pytest.mark.parametrize(
        "path",
        ["/a%00b", "/?q=a%00b", "/?q=%0a", "/?q=%7f", "/?q=%ed%a0%80", "/%1b"],
    )
    def test_what_is_no_text_is_refused(self, visitor: Visitor, path: str) -> None:
        assert visitor.status(path) == 400

    def test_long_addresses_are_refused(self, visitor: Visitor) -> None:
        assert visitor.status("/?q=" + "a" * 9000) == 414

    def test_other_letters_are_served(self, visitor: Visitor) -> None:
        assert visitor.status("/api/v1/search?q=Sigur+R%C3%B3s+%F0%9F%8E%B5") == 200


class TestBodies:
    def post(self, visitor: Visitor, data: bytes, mime: str = JSON) -> int:
        return visitor.status(
            "/api/v1/playlist",
            "POST",
            data=data,
            headers={"X-Deejai": "1", "Content-Type": mime},
        )

    def test_json_passes(self, visitor: Visitor) -> None:
        assert self.post(visitor, b'{"n": 1}') == 200
        assert self.post(visitor, b'{"n": 1}', "application/json; charset=utf-8") == 200

    @pytest.mark.parametrize(
        "mime", ["text/plain", "", "text/json", "multipart/form-data"]
    )
    def test_other_kinds_do_not(self, visitor: Visitor, mime: str) -> None:
        assert self.post(visitor, b'{"n": 1}', mime) == 415

    def test_large_bodies_do_not(self, visitor: Visitor) -> None:
        assert self.post(visitor, b"x" * 1_000_001) == 413

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "{",
            "[1]",
            '"{}"',
            "1",
            "null",
            '{"a": NaN}',
            '{"a": -Infinity}',
            '{"a": 1e400}',
            '{"a": "\\ud800"}',
            '{"a\\u0000": 1}',
            '{"a": "\\u0000"}',
            '{"a": ' + "9" * 5000 + "}",
            "[" * 100_000,
            '{"a":' * 30 + "1" + "}" * 30,
            '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
            "\xff",
        ],
    )
    def test_json_with_traps_is_refused(self, text: str) -> None:
        with pytest.raises(Refusal) as caught:
            check_json(text.encode("latin-1"))
        assert caught.value.status == 400

    @given(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(
                    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
                ),
                st.lists,
                max_leaves=MAX_JSON_DEPTH - 4,
            ),
        )
    )
    def test_all_plain_json_passes(self, value: dict[str, Any]) -> None:
        text = json.dumps(value)
        if text.count("[") < MAX_JSON_DEPTH - 2:
            check_json(text.encode())


class TestQueries(CommandLine):
    def asked(self, text: str, *, is_shared: bool = False) -> list[str]:
        options = DeckOptions(token=TOKEN if is_shared else None)
        deck: Any = SimpleNamespace(
            session=SimpleNamespace(lib=self.lib), options=options
        )
        return [item.title for item in self.lib.items(safe_query(deck, text))]

    def refused(self, text: str, *, is_shared: bool = False) -> str:
        with pytest.raises(Refusal) as caught:
            self.asked(text, is_shared=is_shared)
        assert caught.value.status == 400
        assert "\n" not in caught.value.message
        return caught.value.message

    def test_queries_of_beets_find_their_matches(self) -> None:
        for number in range(12):
            Item(title=f"track {number}", path=f"/x/{number}".encode()).add(self.lib)
        assert self.asked("title:'track 7'") == ["track 7"]
        assert self.asked("don't") == []
        assert len(self.asked("track ^title:1")) == 9
        assert len(self.asked("title::^track.1$ , title:7 year+")) == 2
        assert len(self.asked("path:/x")) == 12

    @pytest.mark.parametrize(
        "text", ["similar:/etc/passwd", "^similar:x", "a , -similar:b", "SIMILAR:a"]
    )
    def test_queries_that_may_read_files_are_refused(self, text: str) -> None:
        assert "similar: is for the command line" in self.refused(text)

    def test_what_beets_cannot_read_is_told(self) -> None:
        assert "regular expression" in self.refused("title::(")
        assert self.refused("added:yesterday-ish")
        assert str(MAX_QUERY) in self.refused("a" * (MAX_QUERY + 1))

    @pytest.mark.parametrize("text", [":(a+)+$", "title::a", "path:/x", "/etc/passwd"])
    def test_a_shared_deck_takes_neither_expressions_nor_paths(self, text: str) -> None:
        assert "shared" in self.refused(text, is_shared=True)
        self.asked(text)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("soul -> techno", "soul - techno.mp3"),
        ("../../etc/passwd", "etc passwd.mp3"),
        ('a"; filename="b.exe', "a ; filename= b.exe.mp3"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie b.mp3"),
        ("  ...  ", "mix.mp3"),
        ("", "mix.mp3"),
        ("Sigur Rós", "Sigur Rós.mp3"),
        ("abc\u202egpj", "abc gpj.mp3"),
        ("x" * 300, "x" * 100 + ".mp3"),
    ],
)
def test_a_title_becomes_a_name_of_a_file(title: str, name: str) -> None:
    assert file_name(title, ".mp3") == name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("deck.local", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected
