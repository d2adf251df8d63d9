"""Draw the joins of a mix: ``python docs/joins.py TRACK TRACK [TRACK ...]``.

Renders the tracks to a mix, and draws its waveform and its loudness (as FFmpeg's
``ebur128`` measures it) around every join. The picture in the documentation shows
``hell.ogg`` of Hedgewars, ``music002.ogg`` of Colobot, ``fortress.ogg`` of SuperTux and
``Offshore.ogg`` of OpenClonk, all packaged by Debian.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from av.filter import Graph

from beetsplug.deejai.output.mixing.model import MixResult, MixTrack
from beetsplug.deejai.output.mixing.render import render_mix

Array = npt.NDArray[np.float64]

DOCS = Path(__file__).parent

WIDTH, ROW = 800, 190
LEFT, RIGHT = 44, 12
WAVE_TOP, WAVE_HEIGHT = 26, 70
LOUD_TOP, LOUD_HEIGHT = 104, 60
BEFORE_S, AFTER_S = 10.0, 10.0
COLUMN = 2
HIGHEST, LOWEST = -8.0, -32.0

STYLE = """\
  <style>
    text { font: 12px system-ui, sans-serif; fill: #57606a; }
    .name { font-size: 13px; fill: #24292f; }
    .to { text-anchor: end; }
    .out { fill: #0969da; } .in { fill: #bf3989; }
    .both { fill: #eac54f; opacity: .25; }
    .short { fill: none; stroke: #24292f; stroke-width: 1.8; }
    .moment { fill: none; stroke: #8c959f; stroke-width: 1; }
    .grid { stroke: #d0d7de; }
  </style>"""


def loudness(path: str) -> tuple[Array, Array]:
    """Return the momentary and the short-term loudness every 0.1 s, in LUFS."""
    graph = Graph()
    nodes: list[Any] = [
        graph.add("amovie", filename=path),
        graph.add("ebur128", metadata="1", framelog="quiet"),
        graph.add("abuffersink"),
    ]
    nodes[0].link_to(nodes[1])
    nodes[1].link_to(nodes[2])
    graph.configure()
    found: list[tuple[float, float]] = []
    while True:
        try:
            metadata = graph.pull().metadata
        except EOFError:
            break
        # The last frame, when it is short, tells nothing.
        if "lavfi.r128.M" in metadata:
            values = metadata["lavfi.r128.M"], metadata["lavfi.r128.S"]
            found.append((float(values[0]), float(values[1])))
    momentary, short_term = np.array(found).T
    return momentary, short_term


def curve(levels: Array, delay_s: float, start_s: float, kind: str, top: float) -> str:
    """Draw a loudness; it is that of the time before, and put in its middle."""
    points = []
    for number, level in enumerate(levels):
        at_s = 0.1 * (number + 1) - delay_s - start_s
        if 0 <= at_s <= BEFORE_S + AFTER_S:
            height = (np.clip(level, LOWEST, HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
            points.append(f"{x_of(at_s):.1f},{top + LOUD_HEIGHT * (1 - height):.1f}")
    return f'  <polyline class="{kind}" points="{" ".join(points)}"/>'


def x_of(at_s: float) -> float:
    """Return the place of a moment after the left edge."""
    return LEFT + at_s / (BEFORE_S + AFTER_S) * (WIDTH - LEFT - RIGHT)


def draw(result: MixResult, wave: Array, rate: int, levels: tuple[Array, Array]) -> str:
    """Draw every join as a row."""
    rows = len(result.placed) - 1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {rows * ROW}" '
        f'role="img" aria-label="Waveform and loudness around {rows} joins of a mix">',
        STYLE,
        f'  <rect width="{WIDTH}" height="{rows * ROW}" fill="#fff"/>',
    ]
    for row in range(rows):
        lines += join_row(result, row, wave, rate, levels)
    return "\n".join([*lines, "</svg>\n"])


def join_row(
    result: MixResult,
    row: int,
    wave: Array,
    rate: int,
    levels: tuple[Array, Array],
) -> list[str]:
    """Draw one join: names, waveform, loudness."""
    before, after = result.placed[row], result.placed[row + 1]
    middle_s = (after.start_s + before.end_s) / 2
    start_s, top = middle_s - BEFORE_S, row * ROW
    overlap = [x_of(at_s - start_s) for at_s in (after.start_s, before.end_s)]
    overlap_s = before.end_s - after.start_s
    lines = [
        f'  <text class="name" x="{LEFT}" y="{top + 18}">'
        f"{escape(before.track.title)}</text>",
        f'  <text class="name to" x="{WIDTH - RIGHT}" y="{top + 18}">'
        f"{escape(after.track.title)}</text>",
        f'  <text x="{np.mean(overlap):.0f}" y="{top + 18}" text-anchor="middle">'
        f"{overlap_s:.1f} s</text>",
        f'  <rect class="both" x="{overlap[0]:.1f}" y="{top + WAVE_TOP}" '
        f'width="{overlap[1] - overlap[0]:.1f}" height="{ROW - WAVE_TOP - 16}"/>',
    ]
    centre = top + WAVE_TOP + WAVE_HEIGHT / 2
    for x in range(LEFT, WIDTH - RIGHT, COLUMN):
        seconds = (BEFORE_S + AFTER_S) / (WIDTH - LEFT - RIGHT)
        at_s = start_s + (x - LEFT) * seconds
        part = wave[round(at_s * rate) : round((at_s + COLUMN * seconds) * rate)]
        if len(part):
            high, low = part.max(), part.min()
            kind = "out" if at_s < middle_s else "in"
            lines.append(
                f'  <rect class="{kind}" x="{x}" width="{COLUMN - 0.5}" '
                f'y="{centre - high * WAVE_HEIGHT / 2:.1f}" '
                f'height="{max(0.5, (high - low) * WAVE_HEIGHT / 2):.1f}"/>'
            )
    for level in (-14, -26):
        y = LOUD_TOP + top + LOUD_HEIGHT * (HIGHEST - level) / (HIGHEST - LOWEST)
        lines += [
            f'  <line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/>',
            f'  <text class="to" x="{LEFT - 6}" y="{y + 4:.1f}">{level}</text>',
        ]
    momentary, short_term = levels
    lines.append(curve(momentary, 0.2, start_s, "moment", top + LOUD_TOP))
    lines.append(curve(short_term, 1.5, start_s, "short", top + LOUD_TOP))
    return lines


def main() -> None:
    """Render the mix, draw it."""
    parser = argparse.ArgumentParser(description="Draw the joins of a mix.")
    parser.add_argument("tracks", nargs="+", type=Path)
    parser.add_argument("-o", type=Path, default=DOCS / "joins.svg")
    options = parser.parse_args()
    tracks = [MixTrack(str(path), path.stem) for path in options.tracks]
    with tempfile.TemporaryDirectory() as folder:
        mix = os.path.join(folder, "mix.wav")
        result = render_mix(tracks, mix)
        wave, rate = soundfile.read(mix)
        levels = loudness(mix)
    options.o.write_text(draw(result, wave.mean(axis=1), rate, levels), "utf-8")


if __name__ == "__main__":
    main()
