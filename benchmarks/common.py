"""What the benchmarks share: the machine's name, whole processes timed, libraries."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.training.sources import AUDIO_SUFFIXES
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt
    from beets.library import Library


@dataclass(frozen=True)
class Run:
    """One finished process: wall and CPU time in seconds, peak memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def machine() -> str:
    """Describe the machine in one line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def run(command: list[str], *, env: dict[str, str] | None = None) -> Run:
    """Run a command to its end and measure it from outside.

    A small process stands between, so that the peak memory is the command's own.
    """
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, __file__, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )
    wall_s = time.perf_counter() - start
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
    *lines, last = result.stdout.splitlines()
    cpu_s, peak_mb = (float(word) for word in last.split())
    return Run(wall_s, cpu_s, peak_mb, "\n".join(lines) + result.stderr)


def find_music(folder: Path, *, shortest_bytes: int = 1) -> list[Path]:
    """List the music in a folder, jingles left out by their size."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in AUDIO_SUFFIXES
        and path.is_file()
        and path.stat().st_size >= shortest_bytes
    ]


def beet(home: Path, *args: str) -> Run:
    """Run beets on the throwaway library in `home`."""
    return run([sys.executable, "-m", "beets", *args], env={"BEETSDIR": str(home)})


def make_home(home: Path, *, plugins: str = "deejai") -> Path:
    """Make the directory of a throwaway library."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.yaml").write_text(
        f"directory: {home / 'music'}\nlibrary: {home / 'library.db'}\n"
        f"plugins: {plugins}\ncreate_backup_before_migrations: no\n"
        "import: {copy: no, write: no}\ndeejai: {auto: no}\n"
    )
    return home


def open_library(home: Path) -> Library:
    """Open the throwaway library, or make it, without backups of its empty self."""
    import beets
    from beets.library import Library

    beets.config["create_backup_before_migrations"] = False
    return Library(str(home / "library.db"), str(home / "music"))


def add_files(home: Path, paths: list[Path]) -> None:
    """Put files into the library without hearing them."""
    from beets.library import Item

    lib = open_library(home)
    with lib.transaction():
        for path in paths:
            Item.from_path(os.fsencode(path)).add(lib)
    lib._close()


def made_vectors(n_tracks: int) -> npt.NDArray[np.float32]:
    """Make unit vectors: ten tracks around each style, as far from it as it is long."""
    rng = np.random.default_rng(0)
    styles = rng.standard_normal((n_tracks // 10 + 1, 100))
    vectors = styles[np.arange(n_tracks) // 10]
    return unit(vectors + rng.standard_normal((n_tracks, 100)))


def _measured() -> None:
    """Run the command given as arguments and report its CPU time and peak memory."""
    code = subprocess.run(sys.argv[1:], check=False).returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Linux gives kilobytes.
    print(f"\n{usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss / 1000:.1f}")
    raise SystemExit(code)


if __name__ == "__main__":
    _measured()
