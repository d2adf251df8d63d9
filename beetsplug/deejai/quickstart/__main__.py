"""The quick start: ``python -m beetsplug.deejai.quickstart [FOLDER]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mediafile import MediaFile  # type: ignore[import-untyped]

from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.quickstart.tour import Tour, check_music, write_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m beetsplug.deejai.quickstart",
        description="Import a folder of music into a throwaway beets library and show "
        "what the plugin makes of it: status, similar, journey, a playlist and a mix. "
        "The folder and your own beets are left as they are.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER",
        help="the music (default: a dozen short pieces that are made on the spot)",
    )
    options = parser.parse_args(arguments)
    try:
        _run(options.folder)
    except DeejaiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(folder: Path | None) -> None:
    if folder is not None:
        folder = folder.resolve()
        check_music(folder)
    scratch = Path(tempfile.mkdtemp(prefix="deejai-")).resolve()
    print(f"A throwaway beets library in {scratch}; your own is not touched.")
    if folder is None:
        folder = scratch / "music"
        print(f"Making a dozen short pieces in {folder}", flush=True)
        write_pieces(folder)
    else:
        print(f"{folder} is only read.")
    Tour(scratch, folder).run()
    print("\nMade:")
    for name in ("journey.m3u8", "mix.mp3"):
        path = scratch / name
        print(f"  {path}  {_describe(path)}")
    print(f"Try more with: BEETSDIR={shlex.quote(str(scratch))} {_beet()} deejai -h")


def _describe(path: Path) -> str:
    size = path.stat().st_size
    if path.suffix == ".mp3":
        length = format_duration(MediaFile(str(path)).length)
        return f"{length} of music, {size / 1e6:.1f} MB"
    lines = path.read_bytes().splitlines()
    n_tracks = sum(not line.startswith(b"#") for line in lines)
    return f"{n_tracks} tracks, {size} bytes"


def _beet() -> str:
    beet = Path(sys.executable).with_name("beet")
    return shlex.join([str(beet)] if beet.exists() else [sys.executable, "-m", "beets"])


if __name__ == "__main__":
    sys.exit(main())
