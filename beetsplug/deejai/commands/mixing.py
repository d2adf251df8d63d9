"""Read how a mix is wanted, and render it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.commands.mix_tracks import mix_track
from beetsplug.deejai.commands.names import n_tracks
from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.commands.tidy_end import ends_tidily
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.cue import CueTrack, check_audio_name, write_cue
from beetsplug.deejai.output.mixing.encode import format_of
from beetsplug.deejai.output.mixing.model import MixOptions
from beetsplug.deejai.settings import parse_crossfade, parse_loudness
from beetsplug.deejai.storage.library import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.library import Item

    from beetsplug.deejai.output.mixing.model import MixResult
    from beetsplug.deejai.settings import Settings

_MAX_DIGITS = 9


@dataclass(frozen=True)
class Mixing:
    """How mixes are wanted.

    Attributes
    ----------
    options
        How they are rendered.
    cue, m3u8
        Whether a cue sheet and a playlist are written beside each.
    """

    options: MixOptions
    cue: bool
    m3u8: bool

    def beside(self, path: bytes) -> list[bytes]:
        """Return what is written beside a mix."""
        suffixes = [(self.cue, b".cue"), (self.m3u8, b".m3u8")]
        return [beside_mix(path, suffix) for wanted, suffix in suffixes if wanted]


def beside_mix(path: bytes, suffix: bytes) -> bytes:
    """Return the name of what lies beside a mix."""
    return os.path.splitext(path)[0] + suffix


def add_mix_options(parser: CommonOptionsParser) -> None:
    """Add the options that concern the rendering of a mix."""
    parser.add_option(
        "--crossfade",
        metavar="TIME",
        help="longest overlap of two tracks in a mix (default: as configured, 6s)",
    )
    parser.add_option(
        "--loudness",
        metavar="LUFS",
        help="how loud every track of a mix is made; off leaves the levels as they are "
        "(default: as configured, -14)",
    )
    parser.add_option(
        "--keep-silence",
        action="store_true",
        help="leave silence at the ends of tracks in a mix",
    )
    parser.add_option(
        "--bitrate", metavar="KBIT/S", help="bit rate of a mix in mp3, m4a, ogg or opus"
    )
    parser.add_option(
        "--quality",
        metavar="0-9",
        help="variable bit rate of a mix in mp3, 0 is the best; 2 if not given",
    )
    parser.add_option(
        "--sample-rate",
        metavar="HZ",
        help="44100 or 48000 (default: 44100, in opus 48000)",
    )
    parser.add_option(
        "--cue", action="store_true", help="write a cue sheet beside a mix"
    )
    parser.add_option(
        "--m3u8", action="store_true", help="write a playlist beside a mix"
    )
    parser.add_option(
        "--preview",
        action="store_true",
        help="render only 10 seconds before and after each join of a mix",
    )


def read_mixing(settings: Settings, options: Any, outputs: Sequence[str]) -> Mixing:
    """Read the options of mixes.

    What no output can be written as is refused here, before any work is done.

    Parameters
    ----------
    settings
        What holds where no option is given.
    options
        As parsed.
    outputs
        The mixes that are to be written.

    Raises
    ------
    UserError
        An option cannot be understood, or is of no use.
    FatalError
        A mix cannot be written like that.
    """
    crossfade_s, loudness = settings.crossfade_s, settings.loudness
    if options.crossfade is not None:
        crossfade_s = read_value("--crossfade", options.crossfade, parse_crossfade)
    if options.loudness is not None:
        loudness = read_value("--loudness", options.loudness, parse_loudness)
    mix_options = MixOptions(
        crossfade_s=crossfade_s,
        loudness=loudness,
        trim=not options.keep_silence,
        preview=bool(options.preview),
        bitrate_kbps=_optional_number("--bitrate", options.bitrate),
        quality=_optional_number("--quality", options.quality),
        sample_rate=_optional_number("--sample-rate", options.sample_rate),
    )
    for output in outputs:
        format_of(
            output,
            bitrate_kbps=mix_options.bitrate_kbps,
            quality=mix_options.quality,
            sample_rate=mix_options.sample_rate,
        )
        if options.cue:
            check_audio_name(os.path.basename(output))
    if (options.cue or options.m3u8 or options.preview) and not outputs:
        raise UserError("--cue, --m3u8 and --preview need a mix: -o mix.mp3")
    return Mixing(mix_options, bool(options.cue), bool(options.m3u8))


def _optional_number(option: str, text: str | None) -> int | None:
    return None if text is None else read_value(option, text, _whole)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is not a whole number")
    if len(text) > _MAX_DIGITS:
        # Of thousands of digits Python makes neither a number nor a message.
        raise ValueError("the number is too large")
    return int(text)


def render(
    items: Sequence[Item], path: bytes, mixing: Mixing, *, title: str, log: Logger
) -> list[int]:
    """Render a mix and say how long it became and what could not be played.

    Returns
    -------
    list of int
        Which of the items are in it, in order.
    """
    # PyAV and pydub take a while to import.
    from beetsplug.deejai.output.mixing.render import render_mix

    tracks = [mix_track(item) for item in items]
    with ends_tidily(), ProgressLine(0, "s of music") as progress:
        result = render_mix(
            tracks,
            os.fsdecode(path),
            mixing.options,
            title=title,
            progress=progress.update,
        )
    for failed, reason in result.left_out:
        log.warning("left out of the mix: {}: {}", shown_path(failed), reason)
    for broken, reason in result.cut_short:
        log.warning("not whole in the mix: {}: {}", shown_path(broken), reason)
    if mixing.cue:
        _write_cue(result, path)
    duration = format_duration(result.duration_s)
    print_(f"{n_tracks(len(result.placed))}, {duration} in {displayable_path(path)}")
    return [placed.number for placed in result.placed]


def _write_cue(result: MixResult, path: bytes) -> None:
    tracks = [
        CueTrack(placed.track.title, placed.track.artist, placed.start_s)
        for placed in result.placed
    ]
    if result.passages_s:
        tracks = [
            CueTrack(chapter.title, "", chapter.start_s) for chapter in result.chapters
        ]
    cue = beside_mix(path, b".cue")
    write_cue(
        cue,
        audio_name=os.path.basename(os.fsdecode(path)),
        title=result.title,
        performer=result.artist,
        tracks=tracks,
    )
    print_(f"cue sheet in {displayable_path(cue)}")
