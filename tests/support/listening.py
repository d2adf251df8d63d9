"""What another program hears in a file that was made."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
import pyloudnorm
from av.filter import Graph

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def heard(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Decode a stereo file by FFmpeg.

    Returns
    -------
    ndarray of float32, shape (n_samples, 2)
        Full scale is 1.
    int
        Sampling rate in Hz.
    """
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt")
        blocks = [
            out.to_ndarray().reshape(-1, 2)
            for frame in container.decode(stream)
            for out in resampler.resample(frame)
        ]
        return np.concatenate(blocks), stream.rate


def integrated_lufs(path: Path) -> float:
    """Measure the loudness of a stereo file by pyloudnorm."""
    wave, rate = heard(path)
    return float(pyloudnorm.Meter(rate).integrated_loudness(wave))


def true_peak_db(path: Path) -> float:
    """Measure the true peak of a file by FFmpeg, in dB relative to full scale."""
    graph = Graph()
    nodes = [
        graph.add("amovie", filename=str(path)),
        # The last frame, when it is short, tells nothing.
        graph.add("apad", pad_dur="1"),
        graph.add("ebur128", metadata="1", peak="true", framelog="quiet"),
        graph.add("abuffersink"),
    ]
    for one, other in pairwise(nodes):
        one.link_to(other)
    graph.configure()
    peaks = []
    with suppress(EOFError):
        while True:
            peaks.append(float(graph.pull().metadata.get("lavfi.r128.true_peak", 0)))
    return float(20 * np.log10(max(peaks)))


def chapters_of(path: Path) -> list[tuple[float, str]]:
    """Return where each chapter starts, in seconds, and its title, as FFmpeg reads."""
    with av.open(str(path)) as container:
        return [
            (float(each["start"] * each["time_base"]), each["metadata"]["title"])
            for each in container.chapters()
        ]


def cue_starts_s(sheet: Path) -> list[float]:
    """Return where the tracks of a cue sheet start, in seconds."""
    found = re.findall(r"INDEX 01 (\d+):(\d+):(\d+)\n", sheet.read_text())
    return [60 * int(m) + int(s) + int(f) / 75 for m, s, f in found]
