"""What the filters of an encoder cost, beside a scan of the same music.

    python benchmarks/filters.py FOLDER [--tracks N ...]

Times whole processes of ``beet deejai`` over the first N pieces of music in FOLDER,
from a fresh library: a scan, and then the filters of the first and the last
convolution, of the dense layer (from what the scan has stored) and a page. Memory must
not grow with the number of tracks.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from common import Run, add_files, beet, find_music, machine, make_home, open_library

SHORTEST_BYTES = 300_000


def measure(folder: Path, paths: list[Path]) -> None:
    """Scan tracks and look at their filters, and print what it took."""
    home = make_home(folder / str(len(paths)))
    add_files(home, paths)
    lib = open_library(home)
    audio_s = sum(item.length for item in lib.items())
    lib._close()
    print(f"{len(paths)} tracks, {audio_s / 3600:.1f} h")
    show("scan", beet(home, "deejai", "scan"), audio_s)
    for name, args in (
        ("filters, first layer", ()),
        ("filters, last convolution", ("--layer", "conv_3")),
        ("filters, dense layer", ("--layer", "vectors")),
    ):
        show(name, beet(home, "deejai", "filters", *args), audio_s)
    page = home / "filters.html"
    result = beet(home, "deejai", "filters", "--sheet", str(page))
    clips = re.search(r"\d+ clips", result.output)
    show("page, first layer", result, audio_s)
    print(f"  {page.stat().st_size / 1e6:.1f} MB, {clips[0] if clips else 'no clips'}")


def show(name: str, run: Run, audio_s: float) -> None:
    """Print one finished process."""
    print(
        f"  {name:26} {run.wall_s:6.1f} s  {audio_s / run.wall_s:5.0f} x real time  "
        f"CPU {run.cpu_s:6.1f} s  peak {run.peak_mb:5.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracks", type=int, nargs="+", default=[100, 300])
    options = parser.parse_args()
    music = find_music(options.folder, shortest_bytes=SHORTEST_BYTES)
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        for n_tracks in options.tracks:
            if n_tracks > len(music):
                raise SystemExit(f"{options.folder} holds only {len(music)} tracks")
            measure(Path(folder), music[:n_tracks])


if __name__ == "__main__":
    main()
