"""How well the shipped encoder hears, on music that it was not trained on.

For each track of the held-out folders (soundtracks, artists): is the nearest track from
the same folder, are the five nearest, and is its second half found from its first?
Beside it stand the same network with random weights (the mean of three) and MFCC
statistics::

    python benchmarks/listening.py AUDIO_DIR FOLDER FOLDER ...
"""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import mediafile  # type: ignore[import-untyped]
import numpy as np
from common import machine

from beetsplug.deejai.audio.decode import audio_signature
from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.evaluation.report import compare, table, untrained_encoder
from beetsplug.deejai.training.dataset import AUDIO_SUFFIXES

MIN_S = 20.0
"""Shorter files are sound effects and jingles."""

UNTRAINED_SEEDS = (0, 1, 2)


def find_tracks(
    audio_dir: Path, folders: list[str], exclude: list[str]
) -> tuple[list[str], list[str]]:
    """List the music in some folders of a folder, each with the folder's name."""
    paths, labels, seen = [], [], set()
    for folder in folders:
        for path in sorted((audio_dir / folder).rglob("*")):
            name = path.relative_to(audio_dir).as_posix()
            if path.suffix.lower() not in AUDIO_SUFFIXES or not path.is_file():
                continue
            if any(fnmatchcase(name, glob) for glob in exclude):
                continue
            if (mediafile.MediaFile(str(path)).length or 0.0) < MIN_S:
                continue
            signature = audio_signature(str(path))
            if signature not in seen:
                paths.append(str(path))
                labels.append(folder)
            seen.add(signature)
    return paths, labels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("audio_dir", type=Path)
    parser.add_argument("folders", nargs="+", help="held-out folders of audio_dir")
    parser.add_argument("--model", default="default", help="a model file")
    parser.add_argument(
        "--exclude",
        nargs="+",
        default=["*/sounds/*", "*/sfx/*"],
        metavar="GLOB",
        help="files that are no music (default: %(default)s)",
    )
    options = parser.parse_args()
    try:
        path = model_path(options.model)
        encoder = load_encoder(path)
        paths, labels = find_tracks(options.audio_dir, options.folders, options.exclude)
        untrained = {
            f"untrained {seed}": untrained_encoder(path, seed=seed)
            for seed in UNTRAINED_SEEDS
        }
        figures = compare(
            paths, labels=labels, encoders={encoder.model_id: encoder, **untrained}
        )
    except (DeejaiError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    each = [figures.pop(name) for name in untrained]
    figures["same network, untrained"] = {
        metric: float(np.mean([values[metric] for values in each]))
        for metric in each[0]
    }
    print(f"{len(paths)} tracks from {len(options.folders)} folders; {machine()}\n")
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
