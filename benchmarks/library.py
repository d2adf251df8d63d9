"""What the plugin costs in a library of 20 000 tracks with vectors.

    python benchmarks/library.py [--tracks N] [--rounds N]

Times whole processes: similar and journey against ``beet version``, and ``beet ls``
with the plugin against without.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
from common import Run, beet, machine, made_vectors, make_home, open_library

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.storage.library import Stored, write_vectors

N_WORDS = 400


def make_library(home: Path, n_tracks: int) -> None:
    """Fill a library with made tracks: 2 000 artists, albums of ten, random vectors."""
    rng = np.random.default_rng(0)
    lib = open_library(home)
    words = [f"word{number}" for number in range(N_WORDS)]
    columns = "path, title, artist, album, albumartist, length, bitrate, format, added"
    rows = [
        (
            f"music/{number}.mp3".encode(),
            f"track {number} {words[number % N_WORDS]}",
            f"artist {number // 10}",
            f"album {number // 10}",
            f"artist {number // 10}",
            float(rng.uniform(120, 400)),
            192_000,
            "MP3",
            0.0,
        )
        for number in range(n_tracks)
    ]
    vectors = made_vectors(n_tracks)
    stored = Stored(model_id(model_path("default")), "0" * 32)
    with lib.transaction() as tx:
        marks = ", ".join("?" * len(rows[0]))
        tx.mutate_many(f"INSERT INTO items ({columns}) VALUES ({marks})", rows)
    ids = range(1, n_tracks + 1)
    write_vectors(lib, [(item_id, vectors[item_id - 1], stored) for item_id in ids])
    lib._close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with_plugin = make_home(Path(folder) / "with")
        make_library(with_plugin, options.tracks)
        without = Path(folder) / "without"
        make_home(without, plugins="")
        (without / "config.yaml").write_text(
            f"directory: {with_plugin / 'music'}\nplugins: ''\n"
            f"library: {with_plugin / 'library.db'}\n"
        )
        commands = {
            "version": (with_plugin, ["version"]),
            "similar": (with_plugin, ["deejai", "similar", "title:track 77 word77"]),
            "journey": (
                with_plugin,
                ["deejai", "journey", "track 77 word77", "track 9999 word399"],
            ),
            "playlist": (with_plugin, ["deejai", "playlist", "title:track 77 word77"]),
            "ls of 10": (with_plugin, ["ls", "artist:=artist 77"]),
            "ls similar: (10)": (with_plugin, ["ls", "similar:'track 77 word77'"]),
            "ls, without the plugin": (without, ["ls"]),
            "ls, with the plugin": (with_plugin, ["ls"]),
        }
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for _ in range(options.rounds + 1):
            for name, (home, args) in commands.items():
                runs[name].append(beet(home, *args))
    print(f"{machine()}\n{options.tracks} tracks; medians of {options.rounds}")
    # The first round of each fills the caches.
    wall_s = {n: statistics.median(r.wall_s for r in rs[1:]) for n, rs in runs.items()}
    for name, seconds in wall_s.items():
        peak_mb = max(run.peak_mb for run in runs[name])
        extra_s = seconds - wall_s["version"]
        print(f"{name:24} {seconds:6.3f} s  {extra_s:+.3f} s  peak {peak_mb:.0f} MB")
    # Round by round, so that a machine whose speed drifts does not count.
    pairs = zip(
        runs["ls, with the plugin"][1:], runs["ls, without the plugin"][1:], strict=True
    )
    ratios = [plugin.wall_s / alone.wall_s for plugin, alone in pairs]
    print(f"ls with the plugin against without: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
