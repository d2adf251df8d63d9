"""Decode a file to stereo from any sample on, as a player that seeks needs it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from beetsplug.deejai.audio.damage import COUNTED_TIME, declared_s, stamp_s
from beetsplug.deejai.audio.decode import BLOCK_SAMPLES, Target, bounded, resampled
from beetsplug.deejai.audio.packets import check_is_file, open_audio, reason
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    Pcm = npt.NDArray[np.int16]

PREROLL_S = 1.0
"""What is decoded before a wanted sample, and dropped.

Until then the memory of every lossy decoder has filled: Opus wants 80 ms (RFC 7845),
the bit reservoir of MP3 reaches back at most 0.3 s.
"""

_ESTIMATED = {*COUNTED_TIME, "ogg"}
"""Formats whose duration is a guess where the file declares none."""


@dataclass(frozen=True)
class AudioShape:
    """What can be said of a file before it is decoded.

    Attributes
    ----------
    container, codec
        FFmpeg's names of the format.
    source_rate
        In Hz.
    sample_rate
        In Hz, of what it is decoded to: 44 100 or 48 000.
    n_samples
        Its length at that rate, as declared or counted.
    origin_s
        Time stamp of its first sample, in s.
    """

    container: str
    codec: str
    source_rate: int
    sample_rate: int
    n_samples: int
    origin_s: float

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return self.n_samples / self.sample_rate


def shape_of(path: str) -> AudioShape:
    """Look into a file; nearly nothing of it is decoded.

    Where a file does not say how long it is, its packets are counted.

    Raises
    ------
    TrackError
        It cannot be opened, or nothing of it can be decoded.
    """
    check_is_file(path)
    try:
        with open_audio(path) as container:
            stream = container.streams.audio[0]
            first = next(_frames(container, stream), None)
            if first is None:
                raise TrackError("no audio that can be decoded (damaged, or not music)")
            source_rate = first.sample_rate
            sample_rate = nearest_rate(source_rate)
            duration_s = _duration_s(container, stream, path)
            return AudioShape(
                container=container.format.name,
                codec=stream.codec_context.name,
                source_rate=source_rate,
                sample_rate=sample_rate,
                n_samples=round(duration_s * sample_rate),
                origin_s=stamp_s(first) or 0.0,
            )
    except (FFmpegError, OSError) as error:
        raise TrackError(reason(error)) from error


def nearest_rate(source_rate: int) -> int:
    """Return the rate, 44 100 or 48 000 Hz, to which a rate is converted best.

    It is the one of the same family: to halve 88.2 kHz is simpler than to go to 48.
    """
    return 44_100 if source_rate % 11_025 == 0 else 48_000


def _duration_s(container: InputContainer, stream: AudioStream, path: str) -> float:
    is_estimated = container.format.name in _ESTIMATED
    if not is_estimated or declared_s(container, path) is not None:
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None:
            return container.duration / 1e6
    return _counted_s(path)


def _counted_s(path: str) -> float:
    duration_s = 0.0
    # What comes before damage counts.
    with open_audio(path) as container, suppress(FFmpegError):
        for packet in container.demux(container.streams.audio[0]):
            if packet.duration and packet.time_base:
                duration_s += float(packet.duration * packet.time_base)
    return duration_s


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decode packet by packet and step over those that are damaged."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except (FFmpegError, EOFError):
            continue


class StereoReader:
    """Reads the samples of a file from one of them on, in pieces of any length.

    What is read in pieces is what is read at once. Where a format's time stamps are
    exact (all common ones but WMA and Matroska, which round to milliseconds), so is the
    place: reading from the middle gives what reading from the start gives there.

    Parameters
    ----------
    path
        The file.
    shape
        Of the file, as of :func:`shape_of`.
    start
        The first sample that is read.

    Attributes
    ----------
    position
        The sample that is read next.

    Raises
    ------
    TrackError
        The file cannot be opened.
    """

    def __init__(self, path: str, shape: AudioShape, *, start: int = 0) -> None:
        self.position = start
        self._path = path
        self._shape = shape
        self._container = open_audio(path)
        self._stream = self._container.streams.audio[0]
        self._rest: Pcm = np.zeros((0, 2), np.int16)
        self._blocks = self._from(start)

    def read(self, n_samples: int) -> Pcm:
        """Return the next samples, int16, shape (n_samples, 2).

        After the end, or where damage ends the file, there is silence.
        """
        pcm = np.zeros((n_samples, 2), np.int16)
        n_read = 0
        while n_read < n_samples:
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = block
            taken = self._rest[: n_samples - n_read]
            self._rest = self._rest[len(taken) :]
            pcm[n_read : n_read + len(taken)] = taken
            n_read += len(taken)
        self.position += n_samples
        return pcm

    def close(self) -> None:
        """Close the file."""
        self._blocks = iter(())
        self._container.close()

    def _from(self, start: int) -> Iterator[Pcm]:
        """Yield what is decoded, from a sample on."""
        position, frames = self._seek(start)
        for block in self._converted(frames):
            n_before = min(max(0, start - position), len(block))
            position += len(block)
            if n_before < len(block):
                yield block[n_before:]

    def _seek(self, start: int) -> tuple[int, Iterator[AudioFrame]]:
        """Go to somewhere before a sample.

        Returns
        -------
        position
            The sample that the frames begin with.
        frames
            What follows there.
        """
        shape = self._shape
        wanted_s = start / shape.sample_rate - PREROLL_S
        time_base = self._stream.time_base
        if wanted_s > 0 and time_base is not None:
            try:
                self._container.seek(
                    int((wanted_s + shape.origin_s) / time_base), stream=self._stream
                )
                place = self._placed(_frames(self._container, self._stream))
            except FFmpegError:
                place = None
            if place is not None and place[0] <= start:
                return place
            # There is no way to seek in this file: all of it is decoded.
            self._container.close()
            self._container = open_audio(self._path)
            self._stream = self._container.streams.audio[0]
        return 0, _frames(self._container, self._stream)

    def _placed(
        self, frames: Iterator[AudioFrame]
    ) -> tuple[int, Iterator[AudioFrame]] | None:
        """Find out where frames begin, by the time stamp of the first.

        The first is cut so that it begins where a sample of the source and one of the
        result coincide: resampled from there, all samples are as from the start.
        """
        shape = self._shape
        step = shape.source_rate // gcd(shape.source_rate, shape.sample_rate)
        for frame in frames:
            time_s = stamp_s(frame)
            if time_s is None:
                return None
            index = round((time_s - shape.origin_s) * shape.source_rate)
            n_cut = -index if index < 0 else -index % step
            if n_cut < frame.samples:
                position = (index + n_cut) * shape.sample_rate // shape.source_rate
                return position, chain([_cut(frame, n_cut)], frames)
        return None

    def _converted(self, frames: Iterator[AudioFrame]) -> Iterator[Pcm]:
        target = Target(self._shape.sample_rate, "stereo", "flt", BLOCK_SAMPLES)
        # What cannot be decoded is silent: the length has been promised.
        with suppress(FFmpegError):
            for block in resampled(frames, target):
                scaled = np.rint(bounded(block) * np.float32(32_768))
                pcm = np.clip(scaled, -32_768, 32_767).astype(np.int16)
                yield np.repeat(pcm, 2, axis=1) if pcm.shape[1] == 1 else pcm


def _cut(frame: AudioFrame, n_samples: int) -> AudioFrame:
    """Drop the first samples of a frame."""
    if n_samples == 0:
        return frame
    samples: npt.NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        n_samples *= frame.layout.nb_channels
    rest = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[:, n_samples:]),
        format=frame.format.name,
        layout=frame.layout.name,
    )
    rest.sample_rate = frame.sample_rate
    return rest
