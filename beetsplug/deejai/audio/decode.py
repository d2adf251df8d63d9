"""Decode any audio file to a mono waveform, block by block.

FFmpeg's libraries come inside the PyAV wheel, so no ``ffmpeg`` program is needed.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from av.filter import Graph

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.audio.damage import Losses, stamp_s
from beetsplug.deejai.audio.packets import audio_packets, check_is_file, reason
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from av.audio.frame import AudioFrame

    Waveform = npt.NDArray[np.float32]

BLOCK_SAMPLES = 1 << 16
"""Samples in one block of a waveform: 3 s."""

SIGNATURE_PACKETS = 512
"""How many packets of compressed audio the signature covers: 10 s or more."""

LOUDEST = 8.0
"""No music is 18 dB over full scale; a float file with such samples is damaged."""


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
        yield block[:, 0]


def stream_audio(
    path: str,
    *,
    sample_rate: int,
    layout: str,
    sample_format: str,
    block_samples: int = BLOCK_SAMPLES,
    max_loss_s: float | None = None,
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
    max_loss_s
        How many seconds may be lost in a damaged file, in all. None: any number.

    Yields
    ------
    ndarray, shape (n_samples, n_channels)
        Consecutive blocks. Floats are finite and within +-8; full scale is +-1. Mixing
        down to float is not normalised: a 5.1 file at full scale may reach +-2.42.

    Raises
    ------
    TrackError
        Nothing could be decoded. With `max_loss_s` also: more than that is lost, or the
        file ends early, by more than that and by more than 2 % of the duration that it
        declares. Raised after all the audio before the damage, with the position:
        ``damaged at 1:02``, ``ends at 1:00 of 4:00 (truncated?)``. Where a file
        declares no duration (Ogg, MP3 without a Xing header), nobody can tell that its
        end is missing.
    """
    check_is_file(path)
    target = Target(sample_rate, layout, sample_format, block_samples)
    losses = None if max_loss_s is None else Losses(path, max_loss_s)
    n_samples = 0
    try:
        for block in _decode_in_graph(path, target, losses):
            n_samples += len(block)
            yield bounded(block)
        failed = n_samples == 0
    except (FFmpegError, UnicodeEncodeError, OSError, _SuspectError):
        failed = True
    if failed:
        # The graph stops at the first damaged packet; the packet loop steps over it.
        try:
            for block in _skip(_decode_packets(path, target, losses), n_samples):
                n_samples += len(block)
                yield bounded(block)
        except FFmpegError as error:
            if n_samples == 0 or losses is not None:
                raise TrackError(reason(error)) from error
    if n_samples == 0:
        raise TrackError("no audio that can be decoded (damaged, or not music)")


class _SuspectError(Exception):
    """Something may be missing; the packets have to be looked at one by one."""


class Target(NamedTuple):
    """What every file is decoded to."""

    sample_rate: int
    layout: str
    sample_format: str
    block_samples: int

    def resampler(self, n_channels: int) -> AudioResampler:
        """Make what converts frames of so many channels."""
        layout = "mono" if n_channels == 1 else self.layout
        return AudioResampler(self.sample_format, layout, self.sample_rate)


def _decode_in_graph(
    path: str, target: Target, losses: Losses | None
) -> Iterator[npt.NDArray[Any]]:
    """Decode, mix down and resample inside one FFmpeg filter graph.

    The frames never surface in Python, so threads decode in parallel: on 2 cores this
    is the fastest of the ways measured in ``benchmarks/``.

    Raises
    ------
    _SuspectError
        With `losses`: before the first block in which something may be missing.
    """
    if losses is None:
        for frame in _graph_frames(path, target):
            yield _array(frame)
        return
    if losses.declared_s is None:
        raise _SuspectError
    n_samples, origin_s, waiting = 0, None, None
    for frame in _graph_frames(path, target):
        time_s = stamp_s(frame)
        if time_s is None:
            raise _SuspectError
        if origin_s is None:
            origin_s = time_s
        jump_s = time_s - origin_s - n_samples / target.sample_rate
        if abs(jump_s) > losses.max_loss_s:
            raise _SuspectError
        if waiting is not None:
            yield waiting
        waiting = _array(frame)
        n_samples += len(waiting)
    if n_samples / target.sample_rate < losses.declared_s - losses.max_loss_s:
        raise _SuspectError
    if waiting is not None:
        yield waiting


def _graph_frames(path: str, target: Target) -> Iterator[AudioFrame]:
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
        yield frame


def _decode_packets(
    path: str, target: Target, losses: Losses | None
) -> Iterator[npt.NDArray[Any]]:
    """Decode packet by packet and step over those that are damaged."""
    return resampled(_packet_frames(path, losses), target)


def resampled(
    frames: Iterator[AudioFrame], target: Target
) -> Iterator[npt.NDArray[Any]]:
    """Convert decoded frames; blocks are as short as the frames are.

    Raises
    ------
    TrackError
        What `frames` raised, after all that came before.
    """
    resampler = target.resampler(1)
    source: tuple[str, str, int] | None = None
    damage: TrackError | None = None
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            break
        except TrackError as error:
            damage = error
            break
        settings = (frame.format.name, frame.layout.name, frame.sample_rate)
        if settings != source:
            # A stream may change its format half way (chained Ogg).
            yield from map(_array, resampler.resample(None))
            resampler = target.resampler(frame.layout.nb_channels)
            source = settings
        yield from map(_array, resampler.resample(frame))
    yield from map(_array, resampler.resample(None))
    if damage is not None:
        raise damage


def _packet_frames(path: str, losses: Losses | None) -> Iterator[AudioFrame]:
    broken_off: FFmpegError | None = None
    try:
        for packet in audio_packets(path):
            try:
                frames: list[Any] = list(packet.decode())
            except (FFmpegError, EOFError):
                if losses is not None:
                    losses.failed(packet)
                continue
            if losses is not None:
                losses.decoded(packet, frames)
            yield from frames
    except FFmpegError as error:
        # Half a file is still music: what came before the damage is kept.
        broken_off = error
    if losses is not None:
        losses.ended(broken_off)


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


def bounded(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Silence the NaN and infinities of float formats, and clip what is no sound.

    One sample of 1e30 would otherwise overflow the sums that follow.
    """
    if block.dtype.kind != "f" or np.abs(block).max(initial=0) <= LOUDEST:
        return block
    finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    clipped: npt.NDArray[Any] = np.clip(finite, -LOUDEST, LOUDEST)
    return clipped


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
    check_is_file(path)
    digest = hashlib.blake2b(digest_size=16)
    packets = islice(audio_packets(path), SIGNATURE_PACKETS)
    # A file may be damaged after its first packets.
    with suppress(FFmpegError):
        for number, packet in enumerate(packets):
            if number == 0:
                codec = packet.stream.codec_context
                digest.update(f"{codec.name} {codec.sample_rate}".encode())
            digest.update(packet)
    return digest.hexdigest()
