"""What it takes to show the genres of a file that is not in the library.

    python benchmarks/genre_show.py FILE [--rounds N]

Times whole processes of ``beet deejai genres show`` in a throwaway library with made
genres, against processes that only start beets, load the encoder and decode the file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import Run, beet, machine, make_home, open_library, run

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.storage.genre_model import GenreModel, write_genre_model

N_GENRES = 12

START_AND_DECODE = """
import sys, threading
import beets.ui, mediafile
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.embedding.decoders import AHEAD_BLOCK_SAMPLES
from beetsplug.deejai.embedding.encoder import load_encoder, model_path

def decode():
    for _ in stream_waveform(sys.argv[1], block_samples=AHEAD_BLOCK_SAMPLES):
        pass

thread = threading.Thread(target=decode)
thread.start()
load_encoder(model_path("default"))
thread.join()
"""
"""What no program can do without: both at the same time, as the verb does."""


def make_genres(home: Path) -> None:
    """Write a head of random weights; how well it hears has no say in the time."""
    open_library(home)._close()
    rng = np.random.default_rng(0)
    model = GenreModel(
        genres=tuple(f"genre {number}" for number in range(N_GENRES)),
        kind="head",
        encoder=model_id(model_path("default")),
        weights=rng.standard_normal((100, N_GENRES)).astype(np.float32),
        bias=np.zeros(N_GENRES, dtype=np.float32),
    )
    write_genre_model(home / "library.deejai-genres", model)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    path = str(options.file.resolve())
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        make_genres(home)
        picture = str(Path(folder) / "pie.png")
        runs: dict[str, list[Run]] = {}
        for _ in range(options.rounds + 1):
            for name, one in {
                "beet version": beet(home, "version"),
                "start and decode": run([sys.executable, "-c", START_AND_DECODE, path]),
                "genres show": beet(home, "deejai", "genres", "show", path),
                "genres show -o pie.png": beet(
                    home, "deejai", "genres", "show", path, "-o", picture
                ),
            }.items():
                runs.setdefault(name, []).append(one)
    print(f"{machine()}\n{options.file.name}; medians of {options.rounds}")
    # The first round of each fills the caches.
    measured = {name: found[1:] for name, found in runs.items()}
    for name, found in measured.items():
        wall_s = [each.wall_s for each in found]
        peak_mb = max(each.peak_mb for each in found)
        print(
            f"{name:24} {statistics.median(wall_s):6.3f} s  slowest {max(wall_s):.3f} s"
            f"  peak {peak_mb:.0f} MB"
        )
    # Round by round, so that a machine whose speed drifts does not count.
    pairs = zip(measured["genres show"], measured["start and decode"], strict=True)
    beyond_s = [shown.wall_s - bare.wall_s for shown, bare in pairs]
    print(f"beyond start and decode: {statistics.median(beyond_s):+.3f} s")


if __name__ == "__main__":
    main()
