"""Render tracks into one continuous file, in bounded memory.

One thread decodes and crossfades while the caller's encodes: FFmpeg works outside
Python's lock in both, so that two cores are busy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError, TrackError
from beetsplug.deejai.output.atomic import atomic_writer
from beetsplug.deejai.output.mixing.crossfade import Crossfader, audio_segment
from beetsplug.deejai.output.mixing.encode import FORMATS, format_of, open_encoder
from beetsplug.deejai.output.mixing.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    Pcm = npt.NDArray[np.int16]

__all__ = ["FORMATS", "MAX_CROSSFADE_S", "MixResult", "MixTrack", "render_mix"]

MAX_CROSSFADE_S = 60.0
"""Longest crossfade: the overlap is held in memory."""

_FULL_SCALE = 32_767
_MAX_WAITING_BLOCKS = 16


@dataclass(frozen=True)
class MixTrack:
    """One track to be mixed.

    Attributes
    ----------
    path
        The audio file, as :func:`os.fsdecode` spells it.
    title, artist
        For the mix's title tag.
    gain_db
        Gain in dB. What is above 0 is limited so that the track's loudest sample just
        reaches full scale.
    length_s
        Duration in seconds for the estimate of the progress; 0 when it is not known.
    """

    path: str
    title: str
    artist: str = ""
    gain_db: float = 0.0
    length_s: float = 0.0


@dataclass(frozen=True)
class MixResult:
    """What was rendered.

    Attributes
    ----------
    duration_s
        Duration of the mix in seconds.
    starts_s
        Where each track that is in the mix starts, in seconds.
    failed
        Path and reason of each track that could not be decoded and is left out.
    """

    duration_s: float
    starts_s: tuple[float, ...]
    failed: tuple[tuple[str, str], ...]


def render_mix(
    tracks: Sequence[MixTrack],
    destination: str,
    *,
    crossfade_s: float = 6.0,
    progress: Callable[[float, float], None] | None = None,
) -> MixResult:
    """Render tracks, in order, into one file.

    A track that cannot be decoded is left out, one that is damaged half way is kept as
    far as it goes. The file appears when it is complete; when anything interrupts,
    Ctrl-C included, nothing is left behind.

    Parameters
    ----------
    tracks
        At least one that can be decoded.
    destination
        The file; its suffix, one of :data:`FORMATS`, tells the format.
    crossfade_s
        Overlap of two tracks in seconds, 0 to 60. A short track overlaps by at most a
        third of its length; 0 joins the tracks without a gap.
    progress
        Called in this thread with the seconds rendered and an estimate of all seconds.

    Returns
    -------
    MixResult

    Raises
    ------
    FatalError
        No track can be decoded, or the file cannot be written as asked.
    """
    target = format_of(destination)
    if not 0 <= crossfade_s <= MAX_CROSSFADE_S:
        raise FatalError(f"a crossfade takes 0 to {MAX_CROSSFADE_S:.0f} seconds")
    _check_overwrites_none(tracks, destination)
    rate = target.sample_rate
    title = _title(tracks, sample_rate=rate)
    estimate_s = _estimate_s(tracks, crossfade_s)
    # The import is not safe in a thread: it changes Python's warning filters.
    audio_segment()
    crossfader = Crossfader(crossfade_s=crossfade_s, sample_rate=rate)
    failed: list[tuple[str, str]] = []
    pcm = _join(tracks, crossfader, failed, sample_rate=rate)
    n_done = 0
    with (
        atomic_writer(destination) as file,
        open_encoder(file, target, title=title, destination=destination) as encode,
        read_ahead(pcm, max_blocks=_MAX_WAITING_BLOCKS) as blocks,
    ):
        for block in blocks:
            encode(block)
            n_done += len(block)
            if progress:
                progress(n_done / rate, max(estimate_s, n_done / rate))
        if progress:
            progress(n_done / rate, n_done / rate)
    return MixResult(
        duration_s=n_done / rate,
        starts_s=tuple(start / rate for start in crossfader.starts),
        failed=tuple(failed),
    )


def _join(
    tracks: Iterable[MixTrack],
    crossfader: Crossfader,
    failed: list[tuple[str, str]],
    *,
    sample_rate: int,
) -> Iterator[Pcm]:
    for track in tracks:
        try:
            yield from crossfader.add(_levelled(track, sample_rate=sample_rate))
        except TrackError as error:
            failed.append((track.path, str(error)))
    yield from crossfader.finish()


def _decode(path: str, *, sample_rate: int) -> Iterator[Pcm]:
    """Decode a file to stereo; both channels of a mono file are the same."""
    # PyAV takes a while to import, and the formats above are asked for without it.
    from beetsplug.deejai.audio.decode import stream_audio

    for block in stream_audio(
        path, sample_rate=sample_rate, layout="stereo", sample_format="s16"
    ):
        yield np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block


def _levelled(track: MixTrack, *, sample_rate: int) -> Iterator[Pcm]:
    """Decode a track and apply its gain."""
    gain = 10 ** (track.gain_db / 20)
    if gain > 1:
        peak = max(
            _peak(block) for block in _decode(track.path, sample_rate=sample_rate)
        )
        gain = min(gain, _FULL_SCALE / max(1, peak))
    for block in _decode(track.path, sample_rate=sample_rate):
        if gain == 1:
            yield block
        else:
            yield np.rint(block * np.float32(gain)).astype(np.int16)


def _peak(block: Pcm) -> int:
    return max(int(block.max()), -int(block.min()))


def _check_overwrites_none(tracks: Iterable[MixTrack], destination: str) -> None:
    if not os.path.exists(destination):
        return
    for track in tracks:
        if os.path.exists(track.path) and os.path.samefile(track.path, destination):
            raise FatalError(
                f"{displayable_path(destination)} is one of the tracks to be mixed: "
                "choose another name"
            )


def _title(tracks: Sequence[MixTrack], *, sample_rate: int) -> str:
    """Name a mix after the first and the last track that will be in it."""
    names = [
        _name(_first_decodable(ordered, sample_rate=sample_rate))
        for ordered in (tracks, tracks[::-1])
    ]
    return " -> ".join(dict.fromkeys(names))


def _name(track: MixTrack) -> str:
    stem = os.path.splitext(os.path.basename(track.path))[0]
    return " - ".join(filter(None, [track.artist, track.title or stem]))


def _first_decodable(tracks: Sequence[MixTrack], *, sample_rate: int) -> MixTrack:
    reason = "there are none"
    for track in tracks:
        try:
            next(_decode(track.path, sample_rate=sample_rate))
        except TrackError as error:
            reason = f"{displayable_path(track.path)}: {error}"
        else:
            return track
    raise FatalError(f"no track can be mixed ({reason})")


def _estimate_s(tracks: Sequence[MixTrack], crossfade_s: float) -> float:
    total = sum(max(0.0, track.length_s) for track in tracks)
    return max(0.0, total - crossfade_s * (len(tracks) - 1))
