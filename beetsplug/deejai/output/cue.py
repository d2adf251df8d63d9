"""Write cue sheets: where in one audio file its tracks start."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FRAMES_PER_S = 75
"""A cue sheet counts in the frames of a compact disc."""

_UNSAYABLE = re.compile(rb'["\x00-\x1f\x7f]')


@dataclass(frozen=True)
class CueTrack:
    """One track of a cue sheet.

    Attributes
    ----------
    title, performer
        Empty where there is nothing to say.
    start_s
        Where it starts in the audio file, in seconds; 0 or more.
    """

    title: str
    performer: str
    start_s: float


def check_audio_name(audio_name: str | bytes) -> None:
    """Raise when a cue sheet cannot name a file.

    For long work this is worth asking before it begins.

    Raises
    ------
    FatalError
        There is a double quote or a control character in the name: the format has no
        way to write them.
    """
    if _UNSAYABLE.search(os.fsencode(audio_name)):
        name = one_line(displayable_path(audio_name))
        raise FatalError(
            f"a cue sheet cannot name {name}: choose a name without double quotes and "
            "line breaks"
        )


def write_cue(
    destination: str | bytes,
    *,
    audio_name: str | bytes,
    title: str,
    performer: str,
    tracks: Sequence[CueTrack],
) -> None:
    """Write a cue sheet in one atomic step.

    The text is UTF-8; only a file's name that is not keeps its bytes, as the file would
    not be found by any other name. Double quotes in titles become single ones, as the
    format has no way to write them.

    A compact disc has at most 99 tracks of at most 99 minutes. Longer mixes are written
    with three digits: players as mpv and VLC take them, while what is made for discs
    (libcue, in Audacious) stops at track 99.

    Parameters
    ----------
    destination
        Path of the cue sheet; its folder must exist.
    audio_name
        Name of the audio file, relative to the cue sheet's folder.
    title, performer
        Of the whole; empty where there is nothing to say.
    tracks
        In order of time.

    Raises
    ------
    FatalError
        The file cannot be written, or cannot name the audio file.
    """
    check_audio_name(audio_name)
    name = os.fsencode(audio_name)
    # There is no kind for the other formats; players look into the file.
    kind = b"MP3" if name.lower().endswith(b".mp3") else b"WAVE"
    lines = [line.encode() for line in _names(title, performer)]
    lines.append(b'FILE "%s" %s' % (name, kind))
    for number, track in enumerate(tracks, 1):
        lines.append(b"  TRACK %02d AUDIO" % number)
        lines += [
            b"    " + line.encode() for line in _names(track.title, track.performer)
        ]
        lines.append(b"    INDEX 01 " + _position(track.start_s).encode())
    with atomic_writer(destination) as file, explained(destination):
        file.write(b"\n".join(lines) + b"\n")


def _names(title: str, performer: str) -> Iterator[str]:
    for command, text in (("TITLE", title), ("PERFORMER", performer)):
        line = one_line(text).replace('"', "'")
        if line:
            yield f'{command} "{line}"'


def _position(start_s: float) -> str:
    """Write a time as minutes, seconds and frames, to the nearest frame."""
    seconds, frames = divmod(round(start_s * FRAMES_PER_S), FRAMES_PER_S)
    minutes, s = divmod(seconds, 60)
    return f"{minutes:02}:{s:02}:{frames:02}"
