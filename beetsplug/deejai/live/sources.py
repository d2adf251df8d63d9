"""Where sound comes from: a microphone, a file, or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.live.microphone import MICROPHONE_RATE, find_device, record
from beetsplug.deejai.live.pcm import HIGHEST_RATE, LOWEST_RATE, stream_pcm

if TYPE_CHECKING:
    import io
    from collections.abc import Generator, Iterator

    import numpy as np
    import numpy.typing as npt

    Blocks = Generator[npt.NDArray[np.float32], None, None]

PIPE_BYTES = 1 << 16
"""Read from a pipe at once, at the most."""


def from_microphone(wanted: str | None = None) -> Blocks:
    """Listen to a microphone until the caller closes the generator.

    Parameters
    ----------
    wanted
        Its number, its name or a part of that; None: the system's own choice.

    Yields
    ------
    ndarray of float32, shape (n_samples,)
        Mono, 22 050 Hz, as from all sources here.

    Raises
    ------
    FatalError
        There is no such microphone, or it cannot be used.
    """
    device = None if wanted is None else find_device(wanted)
    yield from stream_pcm(record(device), rate=MICROPHONE_RATE)


def from_file(path: str) -> Blocks:
    """Listen to an audio file; see :func:`~.decode.stream_waveform`."""
    yield from stream_waveform(path)


def from_pipe(stream: io.BufferedIOBase, *, rate: int) -> Blocks:
    """Listen to raw audio until the stream ends.

    Parameters
    ----------
    stream
        Signed 16-bit little-endian mono samples.
    rate
        Sampling rate in Hz.

    Raises
    ------
    FatalError
        The sampling rate is out of range.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise FatalError(f"--rate {rate}: {LOWEST_RATE} to {HIGHEST_RATE} Hz are taken")
    yield from stream_pcm(_chunks(stream), rate=rate)


def _chunks(stream: io.BufferedIOBase) -> Iterator[bytes]:
    while chunk := stream.read1(PIPE_BYTES):
        yield chunk
