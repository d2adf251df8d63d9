"""Show the plugin's main job by the real ``beet``, on a throwaway library."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from mediafile import MediaFile  # type: ignore[import-untyped]

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer
from beetsplug.deejai.output.mixing.encode import format_of, open_encoder
from beetsplug.deejai.quickstart.synthesis import RATE, compose
from beetsplug.deejai.training.sources import AUDIO_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

MIN_WAYPOINT_S = 20.0
MAX_WAYPOINT_S = 600.0
"""A journey to a jingle, or to a mix of an hour, would show little."""

MAX_COMPARED = 2000
"""Tracks among which the ends are sought."""

N_SIMILAR = 5
MAX_BETWEEN = 9
"""Tracks between the two ends of the journey; a fifth of a small library."""

_FIELDS = ("id", "length", "deejai_vector", "path", "title")


def configuration(scratch: Path) -> str:
    """Write beets' configuration for a library that only reads its music."""
    # A string in JSON is one in YAML, too.
    library, music, outputs = (
        json.dumps(str(path), ensure_ascii=False)
        for path in (scratch / "library.db", scratch / "music", scratch)
    )
    return f"""\
library: {library}
directory: {music}
create_backup_before_migrations: no
format_item: '%if{{$title,%if{{$artist,$artist - }}$title,$path}}'
# Music stays where it is, and as it is.
import:
  copy: no
  write: no
  resume: no
  duplicate_action: keep
plugins: deejai
deejai:
  playlist_dir: {outputs}
  artist_gap: 0  # a small library has too few artists to keep them apart
"""


def write_pieces(folder: Path) -> None:
    """Write the pieces that the tour makes itself, tagged, an album for each style."""
    for style, title, wave in compose():
        path = folder / style / f"{title}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        name, target = str(path), format_of(str(path))
        stereo = np.repeat(wave[:, None], 2, axis=1)
        with (
            atomic_writer(name) as file,
            open_encoder(file, target, destination=name) as encode,
        ):
            for start in range(0, len(stereo), RATE):
                encode(stereo[start : start + RATE])
        tags = MediaFile(name)
        tags.title = title
        tags.artist = tags.albumartist = tags.album = style
        tags.save()


def check_music(folder: Path) -> None:
    """Raise FatalError unless a folder holds what looks like music."""
    if not folder.is_dir():
        raise FatalError(f"{folder} is not a folder")
    if not any(path.suffix.lower() in AUDIO_SUFFIXES for path in folder.rglob("*")):
        raise FatalError(f"{folder} holds no music")


@dataclass(frozen=True)
class Heard:
    """A track that has a vector, shape (d,), of unit length."""

    item_id: str
    length_s: float
    vector: Array
    path: str
    title: str


def unlike_pair(tracks: list[Heard]) -> tuple[Heard, Heard]:
    """Choose the two least alike of the tracks that others are like.

    No small steps lead to a track that nothing is like.
    """
    usable = [t for t in tracks if MIN_WAYPOINT_S <= t.length_s <= MAX_WAYPOINT_S]
    if len(usable) < 2:
        usable = tracks
    usable = usable[:MAX_COMPARED]
    vectors = np.stack([track.vector for track in usable])
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -1.0)
    nearest = similarities.max(axis=1)
    ends = np.flatnonzero(nearest >= np.median(nearest))
    among = similarities[np.ix_(ends, ends)]
    np.fill_diagonal(among, 2.0)
    start, end = np.unravel_index(np.argmin(among), among.shape)
    return usable[ends[start]], usable[ends[end]]


class Tour:
    """One throwaway library and what is shown on it.

    Parameters
    ----------
    scratch
        A folder for everything that is written.
    music
        The folder of music, which is only read.
    """

    def __init__(self, scratch: Path, music: Path) -> None:
        self._scratch = scratch
        self._music = music
        self._environment = os.environ | {
            "BEETSDIR": str(scratch),
            # Keras would else leave a file in the user's home.
            "KERAS_HOME": str(scratch / "keras"),
        }
        path = scratch / "config.yaml"
        path.write_text(configuration(scratch), encoding="utf-8")

    def run(self) -> None:
        """Import, and show what the plugin makes of the music.

        Raises
        ------
        FatalError
            A command failed, or fewer than two tracks could be heard.
        """
        self._show("import", "-A", "-q", str(self._music))
        self._show("deejai", "status")
        tracks = self._heard()
        if len(tracks) < 2:
            raise FatalError(
                "fewer than two tracks could be heard, and a journey needs two"
            )
        start, end = (self._argument(track) for track in unlike_pair(tracks))
        n_between = str(min(MAX_BETWEEN, max(1, len(tracks) // 5)))
        journey = ("deejai", "journey", start, end, "-n", n_between)
        self._show("deejai", "similar", start, "-n", str(N_SIMILAR), "--explain")
        self._show(*journey, "--explain")
        self._show(*journey, "-o", "journey.m3u8", "-o", "mix.mp3")

    def _show(self, *arguments: str) -> None:
        print(f"\n$ beet {shlex.join(arguments)}", flush=True)
        self._beet(*arguments)

    def _beet(self, *arguments: str, capture: bool = False) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "beets", *arguments],
            env=self._environment,
            cwd=self._scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            check=False,
        )
        if result.returncode:
            raise FatalError(f"beet {arguments[0]} failed; see above")
        return os.fsdecode(result.stdout) if capture else ""

    def _heard(self) -> list[Heard]:
        """Ask beets for the tracks that have a vector."""
        line_format = "\t".join(f"${field}" for field in _FIELDS)
        lines = self._beet("ls", "-f", line_format, "deejai_vector::.", capture=True)
        rows = [line.split("\t") for line in lines.split("\n")]
        return [
            Heard(
                item_id=item_id,
                length_s=_seconds(length),
                vector=np.frombuffer(base64.b64decode(vector), dtype="<f4"),
                path=path,
                title=title,
            )
            for item_id, length, vector, path, title in (
                row for row in rows if len(row) == len(_FIELDS)
            )
        ]

    def _argument(self, track: Heard) -> str:
        """Name a track as a user would: by its title if that is enough, else its file.

        Only plain words are taken: others may mean something in beets' queries.
        """
        words = track.title.split()
        if words and all(re.fullmatch(r"[\w.!()&]+", word) for word in words):
            found = self._beet("ls", "-f", "$id", *words, capture=True)
            if found.split() == [track.item_id]:
                return track.title
        return track.path if os.path.isfile(track.path) else f"id:{track.item_id}"


def _seconds(text: str) -> float:
    """Read a length as beets prints it: ``3:07``."""
    minutes, _, seconds = text.rpartition(":")
    return 60.0 * float(minutes) + float(seconds)
