"""A deck that streams and answers while its library is scanned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from decks import open_deck
from libraries import add_files, current_model
from sounds import noise, write_sound
from visitors import library_of_sounds, served

from beetsplug.deejai.storage.library import load_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from beets.library import Item, Library
    from visitors import Address

N_STREAMS = 10
N_SLOW = 5
N_FAST = 3
BLOCK_BYTES = 65_536
PART_BYTES = 300_000

LONGEST_S = 15.0
"""Within this an answer comes, on a machine that has much else to do."""

MIN_ANSWERS = 6
"""So many come during a scan, which takes seconds to load the encoder alone."""

SCAN_S = 300.0


@pytest.fixture
def lib(tmp_path: Path) -> Iterator[Library]:
    options = {"library": tmp_path / "library.db", "directory": tmp_path}
    lines = [f"{name}: {json.dumps(str(path))}\n" for name, path in options.items()]
    (tmp_path / "config.yaml").write_text("".join([*lines, "plugins: deejai\n"]))
    with library_of_sounds(tmp_path) as lib:
        yield lib


@pytest.fixture
def long_track(lib: Library, tmp_path: Path) -> Item:
    """A track that takes long to send: 8 MB."""
    path = write_sound(tmp_path / "long.wav", noise(seconds=90))
    (item,) = add_files(lib, [path])
    return item


def scan(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "beets", "deejai", "scan", "--force"],
        env=os.environ | {"BEETSDIR": str(folder), "KERAS_HOME": str(folder / "keras")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Visitors:
    """Each does something over and over, at least once, until the scan is over."""

    def __init__(self, address: Address, track: Item) -> None:
        self.is_over = threading.Event()
        self._address = address
        self._stream = f"/api/v1/tracks/{track.id}/stream"
        with open(os.fsdecode(track.path), "rb") as file:
            self._content = file.read()
        self._wave = address.ask(f"{self._stream}?as=wav").body
        assert self._wave.startswith(b"RIFF")

    def stream(self, pause_s: float) -> int:
        """Take the file whole, in small blocks; return how often."""
        request = (
            f"GET {self._stream} HTTP/1.1\r\nHost: {self._address.host}\r\n"
            "Connection: close\r\n\r\n"
        )
        n_times = 0
        while n_times == 0 or not self.is_over.is_set():
            received = bytearray()
            with self._address.connect() as sock:
                sock.sendall(request.encode())
                while block := sock.recv(BLOCK_BYTES):
                    received += block
                    self.is_over.wait(pause_s)
            head, _, body = bytes(received).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert body == self._content
            n_times += 1
        return n_times

    def stream_converted(self) -> int:
        """Take it as WAV, part by part as a browser does; return how often."""
        n_times = 0
        while n_times == 0 or not self.is_over.is_set():
            body, size = b"", 1
            while len(body) < size:
                span = f"bytes={len(body)}-{len(body) + PART_BYTES - 1}"
                answer = self._address.ask(f"{self._stream}?as=wav", Range=span)
                assert answer.status == 206, answer.body
                assert len(answer.body) == int(answer.headers["content-length"]) > 0
                body += answer.body
                size = int(answer.headers["content-range"].rpartition("/")[2])
                self.is_over.wait(0.1)
            assert body == self._wave
            n_times += 1
        return n_times

    def ask(self) -> list[float]:
        """Search, and ask what comes next; return how long each answer took, in s."""
        taken_s = []
        while not taken_s or not self.is_over.is_set():
            start = time.monotonic()
            found = self._address.ask("/api/v1/search?q=artist:low")
            assert [track["title"] for track in found.json["tracks"]] == ["low"]
            between = time.monotonic()
            body = {"seeds": ["1"], "n": 2}
            coming = self._address.post("/api/v1/playlist", body)
            assert coming.status == 200, coming.body
            assert len(coming.json["tracks"]) == 2
            taken_s += [between - start, time.monotonic() - between]
            self.is_over.wait(0.2)
        return taken_s


def wait_for_tracks(address: Address, n_tracks: int) -> None:
    """Wait until the deck has taken note of what the scan has found."""
    deadline = time.monotonic() + 60.0
    while (seen := address.ask("/api/v1/status").json["n_tracks"]) != n_tracks:
        assert time.monotonic() < deadline, f"{seen} tracks"
        time.sleep(0.2)


def test_streams_searches_and_a_scan_do_not_block_each_other(
    lib: Library, long_track: Item, tmp_path: Path
) -> None:
    before = load_vectors(lib, current_model())
    assert long_track.id not in before.item_ids
    deck = open_deck(lib, port=0)
    with served(deck) as address, ThreadPoolExecutor(N_STREAMS + 1) as pool:
        visitors = Visitors(address, long_track)
        # The first are so slow that one stream lasts for some seconds.
        pauses_s = [0.05] * N_SLOW + [0.002] * N_FAST
        streams = [pool.submit(visitors.stream, pause_s) for pause_s in pauses_s]
        streams += [
            pool.submit(visitors.stream_converted)
            for _ in range(N_STREAMS - len(streams))
        ]
        asking = pool.submit(visitors.ask)
        try:
            with scan(tmp_path) as process:
                output, _ = process.communicate(timeout=SCAN_S)
        finally:
            visitors.is_over.set()
        assert process.returncode == 0, output
        assert all(stream.result(timeout=60) > 0 for stream in streams)
        taken_s = asking.result(timeout=60)
        wait_for_tracks(address, 6)
    deck.close()
    assert "6 new, 0 fresh, 0 failed" in output
    assert len(taken_s) >= MIN_ANSWERS
    assert max(taken_s) < LONGEST_S
    after = load_vectors(lib, current_model())
    assert len(after.item_ids) == 6
    # Those that were there have been made anew.
    assert (
        not np.isclose(after.vectors[:5], before.vectors, atol=0.01).all(axis=1).any()
    )
