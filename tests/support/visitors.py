"""Visitors of a deck who speak HTTP by hand, well or badly."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import beets
import pytest
from beets.library import Library
from libraries import add_files, circle, current_model, make_album

from beetsplug.deejai.settings import DEFAULTS
from beetsplug.deejai.storage.library import Stored, item_id, write_vectors
from beetsplug.deejai.web.app import create_app
from beetsplug.deejai.web.server import start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from beetsplug.deejai.web.deck import Deck


@dataclass(frozen=True)
class Heard:
    """An answer: its status, 0 if the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, raw: bytes) -> Heard:
        """Send bytes as they are, and read one answer."""
        with self.connect() as sock:
            # Whoever refuses early closes early.
            with suppress(ConnectionError):
                sock.sendall(raw)
            return read_answer(sock)

    def ask(
        self,
        address: str,
        method: str = "GET",
        *,
        body: bytes = b"",
        **headers: str | None,
    ) -> Heard:
        """Send a request as the deck's own page would; None leaves a header out."""
        usual = {"Host": self.host, "Connection": "close"}
        if method == "POST":
            usual |= {
                "X-Deejai": "1",
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {address} HTTP/1.1"]
        for name, value in {**usual, **named}.items():
            if value is not None:
                lines.append(f"{name}: {value}")
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def post(self, address: str, body: Any, **headers: str | None) -> Heard:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(address, "POST", body=data, **headers)


def read_answer(sock: socket.socket) -> Heard:
    """Read until the other side closes."""
    received = b""
    with suppress(ConnectionError):
        while piece := sock.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Heard(0, {}, b"")
    pairs = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _, value in pairs}
    return Heard(int(first.split()[1]), headers, body)


@contextmanager
def served(deck: Deck, **options: Any) -> Iterator[Address]:
    """Serve a deck on a port that is free."""
    port, stop = start_server(
        create_app(deck), "127.0.0.1", 0, gate=deck.gate, **options
    )
    try:
        yield Address(port)
    finally:
        stop()


@contextmanager
def library_of_sounds(folder: Path) -> Iterator[Library]:
    """Make a library of five sounds with vectors, for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEETSDIR", str(folder))
        beets.config.clear()
        beets.config.read(user=False)
        beets.config["deejai"].add(DEFAULTS)
        lib = Library(folder / "library.db", str(folder))
        ids = [item_id(item) for item in add_files(lib, make_album(folder / "sounds"))]
        stored = Stored(current_model(), "s")
        vectors = circle(len(ids))
        write_vectors(lib, [(i, vectors[n], stored) for n, i in enumerate(ids)])
        yield lib
        lib._close()
    beets.config.clear()
    beets.config.read(user=False)
