"""Planned journeys against greedy ones.

    python benchmarks/journeys.py [BEETSDIR] [--journeys N] [--between N]

The greedy planner takes for each point of the arc the nearest track that is unused and
keeps the rules. Both make the same random journeys in the scanned library of BEETSDIR,
if one is given, and among 20 000 and 100 000 made vectors.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import machine, made_vectors, open_library

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.recommend.index import (
    UNKNOWN,
    UNLABELLED,
    Index,
    hop_similarities,
)
from beetsplug.deejai.recommend.journey import journey
from beetsplug.deejai.recommend.planning.arc import arc
from beetsplug.deejai.recommend.recordings.tags import Tracks
from beetsplug.deejai.recommend.recordings.versions import Versions
from beetsplug.deejai.recommend.rules import Catalogue, Rules, nearest
from beetsplug.deejai.storage.facts import load_facts
from beetsplug.deejai.storage.library import load_vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Seed

MADE_TRACKS = (20_000, 100_000)
GAPS = (0, 3)


@dataclass(frozen=True)
class Library:
    """Tracks to travel through."""

    name: str
    tracks: Tracks

    def open(self) -> tuple[Index, Catalogue]:
        """Return what a command makes of it, in which no versions are known yet."""
        catalogue = Catalogue(
            artists=self.tracks.artists,
            albums=self.tracks.albums,
            recordings=Versions(self.tracks),
            lengths_s=self.tracks.lengths_s,
            allowed=np.ones(len(self.tracks), dtype=bool),
        )
        return Index(np.arange(len(self.tracks)), self.tracks.vectors), catalogue


@dataclass(frozen=True)
class Trip:
    """What one journey is like: cosine distances, faults, seconds."""

    worst_hop: float
    off_arc: float
    n_faults: int
    seconds: float


def read_library(home: Path) -> Library:
    """Take the vectors and tags of a scanned library."""
    lib = open_library(home)
    stored = load_vectors(lib, model_id(model_path("default")))
    facts = load_facts(lib, stored.item_ids)
    tracks = facts.tracks(stored.vectors)
    return Library(f"{len(tracks)} tracks of {home}", tracks)


def make_library(n_tracks: int) -> Library:
    """Make ten tracks an artist, about one of them a live version of another."""
    rng = np.random.default_rng(1)
    artists = np.arange(n_tracks) // 10
    titles = [f"song {number}" for number in range(n_tracks)]
    for number in np.flatnonzero(rng.random(n_tracks) < 0.1).tolist():
        titles[number] = f"song {number // 10 * 10} (live)"
    tracks = Tracks(
        titles=titles,
        artists=artists,
        albums=artists,
        recording_ids=np.full(n_tracks, UNKNOWN),
        lengths_s=rng.uniform(120.0, 400.0, size=n_tracks),
        vectors=made_vectors(n_tracks),
        artist_names=[f"artist {number}" for number in range(artists[-1] + 1)],
    )
    return Library(f"{n_tracks} made vectors", tracks)


def plan(
    index: Index, catalogue: Catalogue, ends: list[Seed], rules: Rules, n: int
) -> list[int]:
    """Make a journey as the plugin does."""
    rng = np.random.default_rng(0)
    found = journey(index, ends, catalogue=catalogue, rules=rules, rng=rng, n=n)
    return [pick.row for pick in found.legs[0]]


def go_greedily(
    index: Index, catalogue: Catalogue, ends: list[Seed], rules: Rules, n: int
) -> list[int]:
    """Give each point of the arc, in order, its nearest free track."""
    unused = catalogue.candidates(ends, timed=False)
    before = [ends[0].labels]
    rows: list[int] = []
    for slot, point in enumerate(arc(ends[0].vector, ends[1].vector, n=n)):
        after = [*[UNLABELLED] * (n - 1 - slot), ends[1].labels]
        candidates = unused & ~catalogue.clashing(rules, before, after)
        if not candidates.any():
            break
        row = nearest(index.similarities(point), candidates)
        rows.append(row)
        before.append(catalogue.labels(row))
        unused &= ~catalogue.versions(before[-1:])
        unused[row] = False
    return rows


PLANNERS = {"greedy": go_greedily, "planned": plan}


def travel(
    planner: Callable[..., list[int]],
    library: Library,
    ends: list[int],
    rules: Rules,
    n: int,
) -> Trip:
    """Make a journey and look at it."""
    start = time.perf_counter()
    index, catalogue = library.open()
    seeds = [index.seed(row, catalogue.labels(row)) for row in ends]
    rows = planner(index, catalogue, seeds, rules, n)
    seconds = time.perf_counter() - start
    stops = [ends[0], *rows, ends[1]]
    hops = 1.0 - hop_similarities(index.vectors[stops], index.vectors[stops])
    points = arc(seeds[0].vector, seeds[1].vector, n=len(rows))
    off_arc = 1.0 - np.einsum("ij,ij->i", index.vectors[rows], points)
    n_faults = count_faults(catalogue, stops, rules) + n - len(rows)
    return Trip(float(hops.max()), float(off_arc.mean()), n_faults, seconds)


def count_faults(catalogue: Catalogue, stops: list[int], rules: Rules) -> int:
    """Count repeats, second versions, pairs of one artist too near each other."""
    labels = [catalogue.labels(row) for row in stops]
    n_faults = len(stops) - len(set(stops))
    for i, j in combinations(range(len(stops)), 2):
        if (i, j) == (0, len(stops) - 1):
            continue  # Both are given.
        one, other = labels[i], labels[j]
        is_near = j - i <= rules.artist_gap
        n_faults += is_near and one.artist == other.artist != UNKNOWN
        n_faults += one.recording == other.recording != UNKNOWN
    return n_faults


def compare(
    library: Library, pairs: npt.NDArray[np.intp], rules: Rules, n: int
) -> None:
    """Measure both planners and print."""
    print(f"\n{library.name}, artist_gap {rules.artist_gap}")
    worst = {}
    for name, planner in PLANNERS.items():
        trips = [travel(planner, library, pair, rules, n) for pair in pairs.tolist()]
        worst[name] = np.array([trip.worst_hop for trip in trips])
        off_arc = np.mean([trip.off_arc for trip in trips])
        seconds = [trip.seconds for trip in trips]
        print(
            f"{name:8} worst hop {worst[name].mean():.3f}, off the arc {off_arc:.3f}, "
            f"faults {sum(trip.n_faults for trip in trips)}, "
            f"{np.median(seconds):.3f} s ({max(seconds):.3f} s at most)"
        )
    ratio = worst["planned"].mean() / worst["greedy"].mean()
    n_worse = int((worst["planned"] > worst["greedy"] + 1e-6).sum())
    print(f"worst hop smaller by {1 - ratio:.1%}; in {n_worse} journeys it is wider")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", nargs="?", type=Path, metavar="BEETSDIR")
    parser.add_argument("--journeys", type=int, default=100)
    parser.add_argument("--between", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine()}\n{options.journeys} journeys of {options.between} tracks")
    libraries = [read_library(options.home)] if options.home else []
    for library in (*libraries, *map(make_library, MADE_TRACKS)):
        rng = np.random.default_rng(1)
        pairs = np.array(
            [
                rng.choice(len(library.tracks), 2, replace=False)
                for _ in range(options.journeys)
            ]
        )
        for gap in GAPS:
            compare(library, pairs, Rules(artist_gap=gap), options.between)


if __name__ == "__main__":
    main()
