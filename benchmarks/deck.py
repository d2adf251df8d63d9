"""What the deck bears: 50 clients for a minute, in a library of 20 000 tracks.

    python benchmarks/deck.py [--tracks N] [--clients N] [--seconds S] [--pause S]

A deck is opened by ``beet deejai web`` on made vectors. One client alone asks what
comes next; then many do at once, search, list what is similar, and fetch parts of a
file. Each pauses between two requests, as pages do.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
from common import machine, make_home
from library import make_library

if TYPE_CHECKING:
    from collections.abc import Iterator

N_ALONE = 100
HEADERS = {"X-Deejai": "1", "Content-Type": "application/json"}


class Client:
    """Asks one deck over one connection, and notes how long each answer took."""

    def __init__(self, port: int, n_tracks: int, seed: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._random = random.Random(seed)
        self._n_tracks = n_tracks
        self._played = [self._ref()]
        self.times_s: dict[str, list[float]] = defaultdict(list)
        self.failures: Counter[str] = Counter()

    def _ref(self) -> str:
        return str(self._random.randint(1, self._n_tracks))

    def ask(self, kind: str, method: str, path: str, **more: Any) -> bytes:
        """Send one request; anything but success is noted."""
        start = time.perf_counter()
        try:
            self._http.request(method, path, **more)
            answer = self._http.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            self.failures[f"{kind}: {type(error).__name__}"] += 1
            return b""
        if answer.status not in (200, 206):
            self.failures[f"{kind}: {answer.status}"] += 1
            return b""
        self.times_s[kind].append(time.perf_counter() - start)
        return body

    def play_on(self) -> None:
        """Ask what comes next, as the page does after each track."""
        body = {
            "seeds": self._played[-3:],
            "drunk": 0.2,
            "seed": self._random.randrange(2**31),
            "played": self._played[-100:],
        }
        answer = self.ask(
            "next track",
            "POST",
            "/api/v1/playlist",
            body=json.dumps(body),
            headers=HEADERS,
        )
        if answer:
            self._played.append(json.loads(answer)["tracks"][0]["ref"])

    def do_something(self) -> None:
        """Do one of the things that a page does."""
        choice = self._random.random()
        if choice < 0.5:
            self.play_on()
        elif choice < 0.7:
            word = self._random.randrange(400)
            self.ask("search", "GET", f"/api/v1/search?q=word{word}&limit=20")
        elif choice < 0.8:
            self.ask("similar", "GET", f"/api/v1/similar?seed={self._ref()}&n=10")
        else:
            start = self._random.randrange(7_000_000)
            headers = {"Range": f"bytes={start}-{start + 262_143}"}
            self.ask(
                "256 KiB of a file", "GET", "/api/v1/tracks/1/stream", headers=headers
            )


@contextmanager
def open_deck(home: Path) -> Iterator[tuple[int, int]]:
    """Run ``beet deejai web``; yield the numbers of its process and of its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "beets", "deejai", "web", "--port", "0"],
        env={**os.environ, "BEETSDIR": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = re.search(r":(\d+)/", process.stdout.readline())
    assert port is not None
    try:
        yield process.pid, int(port[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def memory_mb(pid: int) -> float:
    """Return the memory that a process holds; Linux only."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1000


def show(kind: str, times_s: list[float]) -> None:
    """Print how long the answers took."""
    median, high, worst = np.percentile(times_s, [50, 95, 100]) * 1000
    print(
        f"{kind:18} {len(times_s):6} answers: median {median:4.0f} ms, "
        f"95 % within {high:4.0f} ms, worst {worst:4.0f} ms"
    )


def crowd(port: int, pid: int, options: argparse.Namespace) -> None:
    """Let many clients in at once, and print what they saw."""
    clients = [Client(port, options.tracks, seed) for seed in range(options.clients)]
    end = time.monotonic() + options.seconds

    def visit(client: Client, pauses: random.Random) -> None:
        while time.monotonic() < end:
            client.do_something()
            time.sleep(pauses.uniform(0, 2 * options.pause))

    threads = [
        threading.Thread(target=visit, args=(client, random.Random(number)))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < end:
        time.sleep(options.seconds / 6)
        memory.append(memory_mb(pid))
    for thread in threads:
        thread.join()
    merged: dict[str, list[float]] = defaultdict(list)
    failures: Counter[str] = Counter()
    for client in clients:
        failures += client.failures
        for kind, times_s in client.times_s.items():
            merged[kind] += times_s
    for kind, times_s in sorted(merged.items()):
        show(kind, times_s)
    n_answers = sum(map(len, merged.values()))
    per_second = n_answers / options.seconds
    print(f"{per_second:.0f} answers a second; failures: {dict(failures)}")
    print("memory in MB, six times: " + ", ".join(f"{each:.0f}" for each in memory))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        make_library(home, options.tracks)
        # The first track is there: three minutes, 8 MB.
        (home / "music" / "music").mkdir(parents=True)
        soundfile.write(
            home / "music" / "music" / "0.mp3",
            np.zeros(180 * 22_050),
            22_050,
            format="WAV",
        )
        with open_deck(home) as (pid, port):
            alone = Client(port, options.tracks, -1)
            for _ in range(N_ALONE):
                alone.play_on()
            print(f"{machine()}\n{options.tracks} tracks\none client:")
            show("next track", alone.times_s["next track"])
            print(f"failures: {dict(alone.failures)}")
            print(f"{options.clients} clients, {options.seconds:.0f} s:")
            crowd(port, pid, options)


if __name__ == "__main__":
    main()
