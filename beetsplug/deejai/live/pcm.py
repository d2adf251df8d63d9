"""Raw samples, as microphones and pipes give them, to a waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from beetsplug.deejai.audio.constants import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

LOWEST_RATE, HIGHEST_RATE = 8000, 192_000
"""Sampling rates that are taken, in Hz."""


def stream_pcm(chunks: Iterable[bytes], *, rate: int) -> Iterator[Array]:
    """Turn signed 16-bit little-endian mono samples into a waveform.

    Parameters
    ----------
    chunks
        Consecutive bytes, in pieces of any lengths; half a sample at the end is
        dropped.
    rate
        Sampling rate in Hz, 8000 to 192 000.

    Yields
    ------
    ndarray of float32, shape (n_samples,)
        At 22 050 Hz; full scale is 1.
    """
    resampler = AudioResampler("flt", "mono", SAMPLE_RATE)
    half = b""
    for chunk in chunks:
        data = half + chunk
        half = data[len(data) & ~1 :]
        samples = np.frombuffer(data, dtype="<i2", count=len(data) // 2)
        if samples.size:
            frame = AudioFrame.from_ndarray(
                samples.astype(np.int16)[None], format="s16", layout="mono"
            )
            frame.sample_rate = rate
            yield from _arrays(resampler, frame)
    yield from _arrays(resampler, None)


def _arrays(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Array]:
    for out in resampler.resample(frame):
        yield out.to_ndarray()[0]


def waveform_of(data: bytes, *, rate: int) -> Array:
    """Turn samples into a waveform at once; see :func:`stream_pcm`."""
    blocks = list(stream_pcm([data], rate=rate))
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
