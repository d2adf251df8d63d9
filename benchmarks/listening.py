"""How well the shipped encoder hears, on music that it was not trained on.

For each track of the held-out folders (soundtracks, artists): are the nearest tracks
from the same folder, are they by the same artist, and is its second half found from its
first? Beside it stand chance, the same network with random weights (the mean of three)
and MFCC statistics, all on the same tracks and each with the interval of the
difference::

    python benchmarks/listening.py AUDIO_DIR FOLDER FOLDER ...
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import mediafile  # type: ignore[import-untyped]
import numpy as np
from common import machine

from beetsplug.deejai.audio.decode import audio_signature
from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.errors import DeejaiError, TrackError
from beetsplug.deejai.evaluation.baselines import (
    has_untrained,
    listen_to,
    standardise,
    untrained_encoders,
)
from beetsplug.deejai.evaluation.figures import MFCC, UNTRAINED, Figure
from beetsplug.deejai.evaluation.labels import Labels
from beetsplug.deejai.evaluation.report import LEGEND, figure_table, figures_as_data
from beetsplug.deejai.evaluation.space import Space, pool_space
from beetsplug.deejai.evaluation.tasks import halves_task, label_task, rank
from beetsplug.deejai.storage.library import artist_key
from beetsplug.deejai.training.sources import AUDIO_SUFFIXES

MIN_S = 20.0
"""Shorter files are sound effects and jingles."""

UNTRAINED_SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Tracks:
    """The music to listen to, and what is known of it."""

    paths: list[str]
    folders: list[str]
    artists: list[str]
    albums: list[str]


def find_tracks(audio_dir: Path, folders: list[str], exclude: list[str]) -> Tracks:
    """List the music in some folders of a folder, each sound once."""
    tracks, seen = Tracks([], [], [], []), set()
    for folder in folders:
        for path in sorted((audio_dir / folder).rglob("*")):
            name = path.relative_to(audio_dir).as_posix()
            if path.suffix.lower() not in AUDIO_SUFFIXES or not path.is_file():
                continue
            if any(fnmatchcase(name, glob) for glob in exclude):
                continue
            tags = mediafile.MediaFile(str(path))
            if (tags.length or 0.0) < MIN_S:
                continue
            signature = audio_signature(str(path))
            if signature not in seen:
                tracks.paths.append(str(path))
                tracks.folders.append(folder)
                tracks.artists.append(artist_key(tags.artist))
                album = artist_key(tags.album)
                tracks.albums.append(f"{folder}/{album}" if album else "")
            seen.add(signature)
    return tracks


def hear(tracks: Tracks, path: Path) -> tuple[Space, dict[str, list[Space]]]:
    """Listen with the encoder and with what it is compared with."""
    encoder = load_encoder(path)
    untrained = {}
    if has_untrained(path):
        untrained = untrained_encoders(path, seeds=UNTRAINED_SEEDS)
    encoders = {encoder.model_id: encoder, **untrained}
    heard = []
    for number, one in enumerate(listen_to(tracks.paths, encoders=encoders)):
        if isinstance(one, TrackError):
            raise TrackError(f"{tracks.paths[number]}: {one}")
        heard.append(one)

    def pool(slices: list[Any]) -> Space:
        return pool_space(slices, method="mean", epsilon=0.0)

    spaces = {
        name: pool([one.vectors[name][one.audible] for one in heard])
        for name in encoders
    }
    mfcc = pool(standardise([one.mfcc[one.audible] for one in heard]))
    rivals = {UNTRAINED: [spaces[name] for name in untrained], MFCC: [mfcc]}
    return spaces[encoder.model_id], {k: v for k, v in rivals.items() if v}


def measure(
    tracks: Tracks, space: Space, rivals: dict[str, list[Space]]
) -> list[Figure]:
    """Measure everything that the folders and the tags allow."""
    unknown, rng = Labels([""] * len(tracks.paths)), np.random.default_rng(0)
    every = np.arange(len(tracks.paths))
    artists, albums = Labels(tracks.artists), Labels(tracks.albums)
    tasks = [halves_task(every, genres=unknown, rng=rng)]
    kinds: list[tuple[str, str, Labels, Labels | None]] = [
        ("folder", "folder", Labels(tracks.folders), None),
        ("artist", "artist", artists, None),
    ]
    if albums.known.any():
        kinds.append(("artist_apart", "artist, other album", artists, albums))
    for key, title, labels, apart in kinds:
        task = label_task(key, title, labels, apart=apart, genres=None, rng=rng)
        if task is not None:
            tasks.append(task)
    return [
        figure for task in tasks for figure in rank(task, space, rivals=rivals, seed=0)
    ]


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
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    try:
        path = model_path(options.model)
        tracks = find_tracks(options.audio_dir, options.folders, options.exclude)
        if len(tracks.paths) < 2:
            raise ValueError("the folders hold no two tracks of 20 s")
        figures = measure(tracks, *hear(tracks, path))
    except (DeejaiError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures_as_data(figures), indent=2, allow_nan=False))
        return 0
    print(
        f"{path.name} on {len(tracks.paths)} tracks from {len(options.folders)} "
        f"folders; {machine()}\n"
    )
    print(figure_table(figures))
    print(f"\n{LEGEND}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
