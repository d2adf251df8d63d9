"""Measure a mix against its encoder alone, and its memory.

    python benchmarks/mix.py FOLDER_OF_MUSIC

Renders 20 tracks to mp3, each of about three minutes when the folder has such, and
encodes the same samples with the same settings and nothing else. Then 10 tracks, 300,
and one of three hours between two others. Files are repeated when the folder has too
few. Every run has a process of its own, so that start-up counts and peak memory is that
run's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from common import find_music, machine

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_SAMPLES = 1 << 16


class Run(NamedTuple):
    """What one run took, and the audio that it made."""

    seconds: float
    cpu_s: float
    peak_mb: float
    audio_s: float


def render(paths: list[str], destination: str) -> float:
    from beetsplug.deejai.output.mixing.model import MixTrack
    from beetsplug.deejai.output.mixing.render import render_mix

    tracks = [MixTrack(path, os.path.basename(path)) for path in paths]
    return render_mix(tracks, destination).duration_s


def encode_alone(pcm_path: str, destination: str) -> float:
    import numpy as np

    from beetsplug.deejai.output.mixing.encode import format_of, open_encoder

    pcm = np.load(pcm_path, mmap_mode="r")
    target = format_of(destination)
    with (
        open(destination, "wb") as file,
        open_encoder(file, target, destination=destination) as encode,
    ):
        for start in range(0, len(pcm), BLOCK_SAMPLES):
            encode(np.asarray(pcm[start : start + BLOCK_SAMPLES]))
    return len(pcm) / target.sample_rate


def to_pcm(wav_path: str, pcm_path: str) -> float:
    import numpy as np
    import soundfile

    with soundfile.SoundFile(wav_path) as sound:
        pcm = np.lib.format.open_memmap(
            pcm_path, mode="w+", dtype=np.float32, shape=(sound.frames, 2)
        )
        start = 0
        for block in sound.blocks(BLOCK_SAMPLES, dtype="float32"):
            pcm[start : start + len(block)] = block
            start += len(block)
    return start / 44_100


def measure(work: Callable[..., float], *arguments: object) -> Run:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure_here, work, *arguments).result()


def _measure_here(work: Callable[..., float], *arguments: object) -> Run:
    import resource

    start = time.perf_counter()
    audio_s = work(*arguments)
    seconds = time.perf_counter() - start
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Run(seconds, time.process_time(), peak_kb / 1024, audio_s)


def long_track(folder: str) -> str:
    """Make a track of three hours."""
    import numpy as np
    import soundfile

    path = os.path.join(folder, "long.flac")
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", samplerate=44_100, channels=2) as sound:
        for _ in range(3 * 60):
            sound.write(rng.normal(0, 0.1, (60 * 44_100, 2)).astype(np.float32))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suffix", default=".mp3")
    parser.add_argument(
        "--many-suffix",
        default=".flac",
        help="of the mixes whose memory is measured: it does not depend on the format, "
        "the time does",
    )
    options = parser.parse_args()
    found = find_music(options.folder, shortest_bytes=500_000)
    if not found:
        parser.error(f"no music in {options.folder}")
    music = cycle(str(path) for path in found)
    print(f"{machine()}, load {os.getloadavg()[0]:.1f} ", end="")
    print("(above 0.5, the ratio is not to be trusted)")
    with tempfile.TemporaryDirectory() as folder:
        mix, wav, pcm, alone = (
            os.path.join(folder, name)
            for name in (
                f"mix{options.suffix}",
                "pcm.wav",
                "pcm.npy",
                f"alone{options.suffix}",
            )
        )
        few = list(islice(music, 20))
        rendered = measure(render, few, mix)
        report(f"20 tracks to {options.suffix}", rendered)
        measure(render, few, wav)
        measure(to_pcm, wav, pcm)
        os.remove(wav)
        encoded = measure(encode_alone, pcm, alone)
        report(f"{options.suffix} encoder alone", encoded)
        print(f"ratio: {rendered.seconds / encoded.seconds:.2f} (goal: at most 1.25)")
        os.remove(pcm)
        long = long_track(folder)
        for name, tracks in (
            ("10 tracks", few[:10]),
            ("300 tracks", list(islice(music, 300))),
            ("a track of three hours between two", [few[0], long, few[1]]),
        ):
            out = os.path.join(folder, f"memory{options.many_suffix}")
            run = measure(render, tracks, out)
            report(f"{name} to {options.many_suffix} (goal: under 400 MB)", run)


def report(what: str, run: Run) -> None:
    print(
        f"{what}: {run.audio_s:.0f} s of audio in {run.seconds:.1f} s "
        f"({run.audio_s / run.seconds:.0f} x real time), {run.cpu_s:.1f} s of "
        f"processor time, peak {run.peak_mb:.0f} MB"
    )


if __name__ == "__main__":
    main()
