"""Decode any audio file to a mono waveform, block by block.

FFmpeg's libraries come inside the PyAV wheel, so no ``ffmpeg`` program is needed.
"""

from __future__ import annotations

import hashlib
import os
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from av.filter import Graph

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet

    Waveform = npt.NDArray[np.float32]

BLOCK_SAMPLES = 1 << 16
"""Samples in one block of a waveform: 3 s."""

SIGNATURE_PACKETS = 512
"""How many packets of compressed audio the signature covers: 10 s or more."""

# A file that claims to be music may be a playlist that points at the network.
_ONLY_FILES = {"protocol_whitelist": "file"}

# Of FFmpeg's errors only the kind helps; it repeats the path and the call.
_REASONS = {
    "InvalidDataError": "no audio that can be decoded (damaged, or not music)",
    "FileNotFoundError": "the file does not exist",
    "PermissionError": "no permission to read the file",
}


def _reason(error: Exception) -> str:
    return _REASONS.get(type(error).__name__, f"cannot be decoded ({error})")


def _check_is_file(path: str) -> None:
    """Raise when there is nothing to decode, and say why in the user's terms."""
    if os.path.isfile(path):
        if os.path.getsize(path) == 0:
            raise TrackError("the file is empty (0 bytes)")
        return
    if os.path.islink(path) and not os.path.exists(path):
        raise TrackError("a link whose target does not exist")
    if os.path.exists(path):
        raise TrackError("not a regular file")
    raise TrackError("the file does not exist")


def stream_waveform(
    path: str, *, block_samples: int = BLOCK_SAMPLES
) -> Iterator[Waveform]:
    """Decode a file to mono 22 050 Hz.

    Parameters
    ----------
    path
        Any file with an audio stream that FFmpeg reads. Names that are not UTF-8 are
        given as :func:`os.fsdecode` makes them.
    block_samples
        Samples in a block; the last one, and those of a damaged file, may be shorter.

    Yields
    ------
    ndarray of float32, shape (n_samples,)
        Consecutive blocks of the waveform, all finite. Mixing down may exceed +-1 by a
        few dB, which no later step minds.

    Raises
    ------
    TrackError
        Nothing could be decoded. A file that is damaged half way does not raise: what
        can be decoded is decoded.
    """
    blocks = stream_audio(
        path,
        sample_rate=SAMPLE_RATE,
        layout="mono",
        sample_format="flt",
        block_samples=block_samples,
    )
    for block in blocks:
        yield _finite(block[:, 0])


def stream_audio(
    path: str,
    *,
    sample_rate: int,
    layout: str,
    sample_format: str,
    block_samples: int = BLOCK_SAMPLES,
) -> Iterator[npt.NDArray[Any]]:
    """Decode a file to any sampling rate, channel layout and sample format.

    Parameters
    ----------
    path
        As for :func:`stream_waveform`.
    sample_rate
        In Hz.
    layout
        FFmpeg's name of the channels, such as ``"stereo"``. A mono file stays mono:
        spread over two channels by FFmpeg it would lose 3 dB in each.
    sample_format
        FFmpeg's name of an interleaved format: ``"flt"`` (float32), ``"s16"`` (int16).
    block_samples
        As for :func:`stream_waveform`.

    Yields
    ------
    ndarray, shape (n_samples, n_channels)
        Consecutive blocks.

    Raises
    ------
    TrackError
        As :func:`stream_waveform` does.
    """
    _check_is_file(path)
    target = _Target(sample_rate, layout, sample_format, block_samples)
    n_samples = 0
    try:
        for block in _decode_in_graph(path, target):
            n_samples += len(block)
            yield block
        failed = n_samples == 0
    except (FFmpegError, UnicodeEncodeError, OSError):
        failed = True
    if failed:
        # The graph stops at the first damaged packet; the packet loop steps over it.
        try:
            for block in _skip(_decode_packets(path, target), n_samples):
                n_samples += len(block)
                yield block
        except FFmpegError as error:
            if n_samples == 0:
                raise TrackError(_reason(error)) from error
    if n_samples == 0:
        raise TrackError("no audio that can be decoded (damaged, or not music)")


class _Target(NamedTuple):
    """What every file is decoded to."""

    sample_rate: int
    layout: str
    sample_format: str
    block_samples: int

    def resampler(self, n_channels: int) -> AudioResampler:
        layout = "mono" if n_channels == 1 else self.layout
        return AudioResampler(self.sample_format, layout, self.sample_rate)


def _decode_in_graph(path: str, target: _Target) -> Iterator[npt.NDArray[Any]]:
    """Decode, mix down and resample inside one FFmpeg filter graph.

    The frames never surface in Python, so threads decode in parallel: on 2 cores this
    is the fastest of the ways measured in ``benchmarks/``.
    """
    graph = Graph()
    filters: list[tuple[str, dict[str, str]]] = [
        ("amovie", {"filename": path, "format_opts": "protocol_whitelist=file"}),
        (
            "aformat",
            {
                "sample_fmts": target.sample_format,
                "channel_layouts": "|".join(dict.fromkeys((target.layout, "mono"))),
                "sample_rates": str(target.sample_rate),
            },
        ),
        ("asetnsamples", {"n": str(target.block_samples), "p": "0"}),
        ("abuffersink", {}),
    ]
    previous = None
    for name, options in filters:
        node = graph.add(name, **options)
        if previous is not None:
            previous.link_to(node)
        previous = node
    graph.configure()
    while True:
        try:
            frame: Any = graph.pull()
        except EOFError:
            return
        yield _array(frame)


def _decode_packets(path: str, target: _Target) -> Iterator[npt.NDArray[Any]]:
    """Decode packet by packet and step over those that are damaged."""
    resampler = target.resampler(1)
    source: tuple[str, str, int] | None = None
    for packet in _packets(path):
        try:
            frames: list[Any] = list(packet.decode())
        except (FFmpegError, EOFError):
            continue
        for frame in frames:
            settings = (frame.format.name, frame.layout.name, frame.sample_rate)
            if settings != source:
                # A stream may change its format half way (chained Ogg).
                yield from map(_array, resampler.resample(None))
                resampler = target.resampler(frame.layout.nb_channels)
                source = settings
            yield from map(_array, resampler.resample(frame))
    yield from map(_array, resampler.resample(None))


def _packets(path: str) -> Iterator[Packet[AudioStream]]:
    """Yield the compressed packets of the first audio stream, the flush included."""
    try:
        # Tags need not be UTF-8; they are not used here.
        container = av.open(
            path, metadata_errors="replace", container_options=_ONLY_FILES
        )
    except (FFmpegError, OSError) as error:
        raise TrackError(_reason(error)) from error
    with container:
        if not container.streams.audio:
            raise TrackError("no audio stream in the file")
        try:
            yield from container.demux(container.streams.audio[0])
        except FFmpegError:
            # Half a file is still music: what came before the damage is kept.
            return


def _array(frame: AudioFrame) -> npt.NDArray[Any]:
    return frame.to_ndarray().reshape(-1, frame.layout.nb_channels)


def _skip(
    blocks: Iterator[npt.NDArray[Any]], n_samples: int
) -> Iterator[npt.NDArray[Any]]:
    """Drop the first `n_samples` samples: they were yielded before the damage."""
    for block in blocks:
        if n_samples >= len(block):
            n_samples -= len(block)
            continue
        yield block[n_samples:]
        n_samples = 0


def _finite(block: Waveform) -> Waveform:
    """Replace the NaN and infinities that float formats can carry."""
    if np.isfinite(block).all():
        return block
    return np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)


def audio_signature(path: str) -> str:
    """Hash the compressed audio of a file, so that replaced audio can be told.

    Only the packets of the audio stream count: editing tags, lyrics or cover art, or
    moving the file, leaves the signature as it was.

    Returns
    -------
    str
        32 hexadecimal digits over the first 512 packets of audio and its coding.

    Raises
    ------
    TrackError
        The file holds no audio stream.
    """
    _check_is_file(path)
    digest = hashlib.blake2b(digest_size=16)
    for number, packet in enumerate(islice(_packets(path), SIGNATURE_PACKETS)):
        if number == 0:
            codec = packet.stream.codec_context
            digest.update(f"{codec.name} {codec.sample_rate}".encode())
        digest.update(packet)
    return digest.hexdigest()
