"""Measure how loud a mix is, its true peak, and what happens at its joins.

    python benchmarks/levels.py FOLDER_OF_MUSIC

Renders tracks, taken evenly from the folder, to every format, and has the files
measured by others than the plugin: the integrated loudness by pyloudnorm, the true peak
and the short-term loudness (3 s) by FFmpeg's ``ebur128``. A join is steady if the
loudness moves by less than 1 dB in the seconds before it, and in those after it. Few
pieces are at both ends; so half minutes that are, cut out of pieces, are mixed, too.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyloudnorm
import soundfile
from av.filter import Graph
from common import find_music

from beetsplug.deejai.output.mixing.encode import FORMATS
from beetsplug.deejai.output.mixing.model import MixOptions, MixTrack
from beetsplug.deejai.output.mixing.render import render_mix
from beetsplug.deejai.output.mixing.survey import decode_stereo

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.model import MixResult

    Levels = npt.NDArray[np.float64]

STEADY_DB = 1.0
SHORT_TERM_S = 3.0
NEAR_S = 8.0
RATE = 44_100


def measure(path: str) -> tuple[Levels, float, float]:
    """Return the short-term loudness every 0.1 s, the integrated one, the true peak."""
    graph = Graph()
    nodes: list[Any] = [
        graph.add("amovie", filename=path),
        graph.add("aformat", sample_fmts="flt", channel_layouts="stereo"),
        graph.add("ebur128", metadata="1", peak="true", framelog="quiet"),
        graph.add("abuffersink"),
    ]
    for before, after in pairwise(nodes):
        before.link_to(after)
    graph.configure()
    short_term, peak = [], 0.0
    parts = []
    while True:
        try:
            frame: Any = graph.pull()
        except EOFError:
            break
        # The last frame, when it is short, tells nothing.
        if "lavfi.r128.S" in frame.metadata:
            short_term.append(float(frame.metadata["lavfi.r128.S"]))
            peak = max(peak, float(frame.metadata["lavfi.r128.true_peak"]))
        parts.append(frame.to_ndarray().reshape(-1, 2))
    samples = np.concatenate(parts)
    meter = pyloudnorm.Meter(frame.sample_rate)
    integrated = meter.integrated_loudness(samples)
    return np.array(short_term), float(integrated), float(20 * np.log10(peak))


def steady_excerpts(paths: list[Path], folder: str) -> list[MixTrack]:
    """Cut half a minute that is steady out of each piece that has one."""
    excerpts: list[MixTrack] = []
    for path in paths:
        pieces = []
        n_samples = 0
        for block in decode_stereo(str(path), sample_rate=RATE):
            pieces.append(block)
            n_samples += len(block)
            if n_samples > 90 * RATE:
                break
        wave = np.concatenate(pieces)[-30 * RATE :]
        name = os.path.join(folder, f"{len(excerpts)}-{path.stem}.wav")
        soundfile.write(name, wave, RATE, subtype="FLOAT")
        short_term, _, _ = measure(name)
        if np.ptp(short_term[round(10 * SHORT_TERM_S) :]) < STEADY_DB:
            excerpts.append(MixTrack(name, path.stem))
    return excerpts


def joins(result: MixResult, short_term: Levels) -> list[tuple[bool, float]]:
    """Tell of each join whether it is steady, and how far the loudness strays.

    Short-term loudness at a time is that of the three seconds before it.
    """
    found = []
    for before, after in pairwise(result.placed):
        start, end = after.start_s, before.end_s
        earlier = between(short_term, start - NEAR_S + SHORT_TERM_S, start)
        later = between(short_term, end + SHORT_TERM_S, end + NEAR_S)
        across = between(short_term, start, end + SHORT_TERM_S)
        if not (len(earlier) and len(later)):
            continue
        steady = max(np.ptp(earlier), np.ptp(later)) < STEADY_DB
        low, high = sorted((float(np.median(earlier)), float(np.median(later))))
        strays = max(low - across.min(), across.max() - high, 0.0)
        found.append((bool(steady), float(strays)))
    return found


def between(levels: Levels, start_s: float, end_s: float) -> Levels:
    return levels[max(0, round(10 * start_s)) : max(0, round(10 * end_s))]


def report(name: str, path: str, result: MixResult) -> None:
    short_term, integrated, peak_db = measure(path)
    lengths_s = sum(each.end_s - each.start_s for each in result.placed)
    overlaps_s = sum(
        before.end_s - after.start_s for before, after in pairwise(result.placed)
    )
    found = joins(result, short_term)
    steady = [strays for is_steady, strays in found if is_steady]
    print(
        f"{name}: {integrated:.2f} LUFS, true peak {peak_db:.2f} dBTP, "
        f"{result.duration_s:.3f} s (tracks less overlaps: "
        f"{lengths_s - overlaps_s:.3f} s), {len(steady)} of {len(found)} joins "
        f"steady, there the loudness strays by {max(steady, default=0.0):.2f} dB "
        f"at most, at all joins by {max((s for _, s in found), default=0.0):.2f} dB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--crossfade", type=float, default=6.0)
    options = parser.parse_args()
    found = find_music(options.folder, shortest_bytes=500_000)
    if not found:
        parser.error(f"no music in {options.folder}")
    chosen = found[:: max(1, len(found) // options.tracks)][: options.tracks]
    music = [MixTrack(str(path), path.stem) for path in chosen]
    how = MixOptions(crossfade_s=options.crossfade)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(4):
            noise = np.random.default_rng(seed).normal(0, 0.1, (30 * RATE, 2))
            soundfile.write(os.path.join(folder, f"{seed}.wav"), noise, RATE)
        noises = [MixTrack(os.path.join(folder, f"{n}.wav"), str(n)) for n in range(4)]
        mix = os.path.join(folder, "mix.flac")
        excerpts = steady_excerpts(found[:: max(1, len(found) // 200)], folder)
        name = f"{len(excerpts)} steady excerpts.flac"
        report(name, mix, render_mix(excerpts, mix, how))
        for suffix in FORMATS:
            mix = os.path.join(folder, f"mix{suffix}")
            report(f"noise{suffix}", mix, render_mix(noises, mix, how))
            report(f"{len(music)} tracks{suffix}", mix, render_mix(music, mix, how))


if __name__ == "__main__":
    main()
