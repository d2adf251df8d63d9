"""Three styles of real music told apart, of artists that were not learnt from.

HOME is the folder of a scanned beets library (see ``common.make_home``) of Debian's
game music, one folder for each package anywhere in the path; a copy of it is used. What
a track is, is said by its own genre tag where that names one of the styles, else by its
package. JUDGED is a folder of packages that were never learnt from.

    python benchmarks/genres.py HOME [JUDGED] [--cnn]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import beet, find_music, machine, make_home, open_library

from beetsplug.deejai.embedding.decoders import Request
from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.embedding.listen import Heard, listen
from beetsplug.deejai.evaluation.classification import score
from beetsplug.deejai.storage.genre_model import genre_folder, read_genre_model
from beetsplug.deejai.storage.library import signatures_of, stored_by_id
from beetsplug.deejai.storage.slices import SliceStore, store_path
from beetsplug.deejai.training.genres.baselines import mfcc_regression
from beetsplug.deejai.training.genres.calibration import compositions
from beetsplug.deejai.training.genres.head import gather_slices, held_out_logits
from beetsplug.deejai.training.genres.labels import label_tracks
from beetsplug.deejai.training.tags import load_tagged

if TYPE_CHECKING:
    from beets.library import Library

    from beetsplug.deejai.training.genres.labels import GenreLabels

ORCHESTRAL, ELECTRONIC, ROCK = "Orchestral", "Electronic", "Rock"

PACKAGES = {
    # Harps, strings and pipes for building towns; Peer Gynt is among them.
    "unknown-horizons": ORCHESTRAL,
    "widelands-data": ORCHESTRAL,
    # Sequenced synthesisers and drum machines.
    "colobot-common-sounds": ELECTRONIC,
    "freedroidrpg-data": ELECTRONIC,
    "asc-music": ELECTRONIC,
    # Death metal, and gothic metal by Obsidian Shell.
    "fretsonfire-songs-muldjord": ROCK,
    "marsshooter-data": ROCK,
}
"""What is learnt from; packages of mixed styles are left out but for tagged tracks."""

TAGS = {
    "metal": ROCK,
    "rock": ROCK,
    "electronic": ELECTRONIC,
    "house": ELECTRONIC,
    "classical": ORCHESTRAL,
    "orchestral": ORCHESTRAL,
}
"""Words of a genre tag that say more than the package."""

JUDGED = {
    "wesnoth-1.16-music": ORCHESTRAL,
    "singularity-music": ELECTRONIC,
    "fretsonfire-songs-sectoid": ROCK,
}
"""Packages that were never looked at before the recipe was settled."""

SHORTEST_BYTES = 200_000


def package_of(path: Path, packages: dict[str, str]) -> str | None:
    """Find a package among the folders that a file is in."""
    return next((part for part in path.parts if part in packages), None)


def label(lib: Library) -> None:
    """Set genre and artist of all tracks; what is of no style gets no genre."""
    with lib.transaction():
        for item in lib.items():
            path = Path(item.filepath)
            package = package_of(path, PACKAGES)
            tags = " ".join(item["genres"]).casefold()
            style = next((s for word, s in TAGS.items() if word in tags), None)
            # Elsewhere the packages keep sound effects.
            if style is None and package and "music" in path.parts:
                style = PACKAGES[package]
            item["genres"] = [style] if style else []
            item["artist"] = item["artist"] or package or ""
            item.store()


def without_a_package(lib: Library) -> tuple[float, dict[str, str]]:
    """Predict each package from all others."""
    labels = labelled(lib)
    packages = [package_of(Path(t.path), PACKAGES) or "" for t in labels.tracks]
    names = sorted(set(packages))
    folds = np.array([names.index(package) for package in packages])
    store = SliceStore(store_path(lib.path))
    model = load_encoder(model_path("default")).model_id
    signatures = signatures_of(stored_by_id(lib), model)
    item_ids, slices = gather_slices(store.iterate(model, signatures))
    rows = np.searchsorted(item_ids, [track.item_id for track in labels.tracks])
    slices = slices.of(rows)
    logits = held_out_logits(slices, labels.targets, folds, seed=0)
    found = compositions(logits, slices.counts)
    right = found.argmax(axis=1) == labels.main
    per_package = {
        name or "tagged tracks of others": f"{right[folds == k].sum()} of "
        f"{(folds == k).sum()}"
        for k, name in enumerate(names)
    }
    return float(right.mean()), per_package


def labelled(lib: Library) -> GenreLabels:
    """Return the tracks that are learnt from."""
    return label_tracks(load_tagged(lib), parents={})


def judge(lib: Library, folder: Path) -> str:
    """Predict packages that were never learnt from, and do the same by MFCCs."""
    models = genre_folder(lib.path)
    model = read_genre_model(models) if models else None
    assert model is not None
    assert models is not None
    paths = {
        str(path): style
        for package, style in JUDGED.items()
        for path in find_music(folder / package, shortest_bytes=SHORTEST_BYTES)
    }
    network = models / model.network if model.network else model_path("default")
    requests = [Request(key, path) for key, path in enumerate(paths)]
    found: dict[int, np.ndarray] = {}
    for finished in listen(
        requests, load_encoder=lambda: load_encoder(network), n_threads=2
    ):
        for one in finished:
            if isinstance(one, Heard):
                found[one.key] = model.composition(one.slice_vectors)
    styles = list(paths.values())
    rows = sorted(found)
    targets = np.array(
        [[float(genre == styles[row]) for genre in model.genres] for row in rows],
        dtype=np.float32,
    )
    scores = score(np.stack([found[row] for row in rows]), targets)
    learnt = labelled(lib)
    columns = [learnt.genres.index(genre) for genre in model.genres]
    mfcc, _ = mfcc_regression(
        [*(list(paths)[row] for row in rows), *(t.path for t in learnt.tracks)],
        np.concatenate([targets, learnt.targets[:, columns]]),
        np.array([0] * len(rows) + [1] * len(learnt.tracks)),
        measured=np.zeros(1, dtype=np.int64),
        n_threads=2,
    )
    assert mfcc is not None
    return (
        f"{len(rows)} tracks of packages never used: accuracy {scores.accuracy:.3f}, "
        f"macro F1 {scores.macro_f1:.3f}, calibration error "
        f"{scores.calibration_error:.3f}; commonest "
        f"{targets.mean(axis=0).max():.3f}; MFCC {mfcc.accuracy:.3f}, "
        f"{mfcc.macro_f1:.3f}\n{model.genres}\n{scores.confusion}"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("judged", type=Path, nargs="?")
    parser.add_argument("--cnn", action="store_true")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder, "home"))
        for path in options.home.glob("library.*db"):
            shutil.copy(path, home)
        lib = open_library(home)
        label(lib)
        accuracy, per_package = without_a_package(lib)
        print(f"each package predicted from all others: {accuracy:.3f}", per_package)
        for network in ["head", "cnn"] if options.cnn else ["head"]:
            command = ["deejai", "genres", "train", "--no-tree", "--network", network]
            without = beet(home, *command, "--no-baselines")
            print(f"\n{network}: {without.wall_s:.0f} s, {without.peak_mb:.0f} MB")
            print(beet(home, *command).output)
            if options.judged:
                print(judge(lib, options.judged))
        lib._close()


if __name__ == "__main__":
    main()
