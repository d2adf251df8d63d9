"""The whole chain on a made world: playlists, Track2Vec, an encoder, unseen tracks.

    python benchmarks/made_world.py [--work DIR] [--steps N]

1 000 tracks in 20 styles, playlists drawn within styles, through the real commands.
Of 400 of the tracks there is audio: each style has a tempo, a scale, a timbre and a
beat of its own, each track a key, a melody and a mastering of its own. A fifth of the
albums is held out. Printed are how often the nearest of a track by Track2Vec is of its
style, and how near what the encoder says of unseen tracks comes to their Track2Vec
vectors, beside the best constant vector and an untrained network; then the slices
learnt from in a second, and the peak memory.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from common import Run, beet, machine, make_home, open_library

N_TRACKS, N_STYLES, N_HEARD = 1000, 20, 400
N_PLAYLISTS = 2000
ALBUM = 5
RATE = 22_050
SECONDS = 24.0


def style_of(track: int) -> int:
    """Return the style of a track."""
    return track % N_STYLES


def path_of(folder: Path, track: int) -> Path:
    """Return where a track lies: albums of five tracks of one style."""
    number = track // N_STYLES
    return (
        folder / f"style {style_of(track):02} album {number // ALBUM}" / f"{track}.wav"
    )


def play(track: int) -> np.ndarray:
    """Make a track: float32, shape (n_samples,)."""
    style = np.random.default_rng(style_of(track))
    beat_s = 60 / style.uniform(70, 180)
    decay_s, brightness = style.uniform(0.1, 1.5), style.uniform(0.3, 2.5)
    scale = np.sort(style.choice(12, size=6, replace=False))
    octave, voices = style.integers(2, 6), style.integers(1, 4)
    drums, noise, odd_only = (
        style.uniform(0, 0.8),
        style.uniform(0, 0.02),
        style.random(),
    )
    own = np.random.default_rng(1000 + track)
    beat_s *= own.uniform(0.95, 1.05)
    key = own.integers(12)
    n_samples = round(SECONDS * RATE)
    wave = noise * own.standard_normal(n_samples)
    t = np.arange(round(min(3 * decay_s, 3.0) * RATE)) / RATE
    hit = np.exp(-np.arange(RATE // 8) / (RATE / 60)) * own.standard_normal(RATE // 8)
    step = 2 if odd_only > 0.5 else 1
    for beat in np.arange(0, SECONDS, beat_s):
        start = int(beat * RATE)
        for _ in range(voices):
            note = 12 * octave + key + own.choice(scale)
            hz = 16.35 * 2 ** (note / 12)
            partials = np.arange(1, 12, step)
            partials = partials[partials * hz < RATE / 2.2]
            sound = sum(
                np.sin(2 * np.pi * hz * k * t + own.uniform(0, 6)) / k**brightness
                for k in partials
            ) * np.exp(-t / decay_s)
            end = min(n_samples, start + sound.size)
            wave[start:end] += 0.2 * sound[: end - start]
        end = min(n_samples, start + hit.size)
        wave[start:end] += drums * hit[: end - start]
    wave *= own.uniform(0.3, 0.9) / np.abs(wave).max()
    return wave.astype(np.float32)


def write_track(folder: Path, track: int) -> None:
    """Make a track and write it, unless it is there."""
    path = path_of(folder, track)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, play(track), RATE, subtype="PCM_16")


def make_world(work: Path) -> Path:
    """Write the tracks, the playlists and a library of all tracks."""
    from beets.library import Item

    music, lists = work / "music", work / "playlists"
    with ProcessPoolExecutor() as pool:
        list(pool.map(write_track, [music] * N_HEARD, range(N_HEARD), chunksize=10))
    lists.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(N_PLAYLISTS):
        of_style = np.arange(rng.integers(N_STYLES), N_TRACKS, N_STYLES)
        drawn = rng.choice(of_style, size=rng.integers(10, 31), replace=False)
        lines = [str(path_of(music, int(track))) for track in drawn]
        (lists / f"{number}.m3u").write_text("\n".join(lines))
    home = make_home(work / "home")
    lib = open_library(home)
    if not len(lib.items()):
        with lib.transaction():
            for track in range(N_TRACKS):
                path = path_of(music, track)
                Item(
                    path=str(path).encode(), title=str(track), album=path.parent.name
                ).add(lib)
    lib._close()
    return home


def purity(vectors: Path) -> float:
    """Return how often the nearest by Track2Vec is of the same style."""
    from beetsplug.deejai.training.targets import read_targets

    targets = read_targets(str(vectors))
    styles = np.array([style_of(int(Path(key).stem)) for key in targets])
    matrix = targets.matrix()
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    similarity = matrix @ matrix.T
    np.fill_diagonal(similarity, -2)
    return float(np.mean(styles[similarity.argmax(axis=1)] == styles))


def train(home: Path, work: Path, steps: int, n_tracks: int) -> Run:
    """Train an encoder through the command."""
    output = work / "encoder.keras"
    (work / "encoder.keras.work" / "checkpoint.npz").unlink(missing_ok=True)
    options = ["--targets", str(work / "track2vec.npz"), "--validation", "0.2"]
    options += ["--steps", str(steps), "--tracks", str(n_tracks), "-o", str(output)]
    return beet(home, "deejai", "train", "encoder", *options, str(work / "music"))


def main() -> None:
    """Make the world, train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "deejai-world"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--tracks", type=int, default=48)
    options = parser.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    home = make_world(work)
    print(machine())
    vectors = work / "track2vec.npz"
    learnt = beet(
        home,
        *("deejai", "train", "track2vec", "-o", str(vectors)),
        *("--playlists", str(work / "playlists")),
    )
    print(
        f"Track2Vec of {N_TRACKS} tracks in {N_PLAYLISTS} playlists: "
        f"{learnt.wall_s:.1f} s, nearest of the same style {purity(vectors):.1%}"
    )
    trained = train(home, work, options.steps, options.tracks)
    steps = re.findall(r"^step (\d+)/\d+  (\d+) s", trained.output, re.MULTILINE)
    for line in trained.output.splitlines():
        if line.startswith(("step ", "cosine similarity", "no better")):
            print(line)
    (first, first_s), (last, last_s) = steps[0], steps[-1]
    n_slices = 2 * options.tracks * (int(last) - int(first))
    per_s = n_slices / max(1, int(last_s) - int(first_s))
    print(
        f"training: {trained.wall_s:.0f} s in all, {per_s:.0f} slices/s, measurements "
        f"included, peak {trained.peak_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
