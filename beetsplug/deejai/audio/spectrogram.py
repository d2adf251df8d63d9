"""Turn a waveform into log-mel slices (pure; the front end of Deej-A.I.).

Equal to librosa's ``melspectrogram`` and ``power_to_db`` on the whole track, cut into
slices (tested to 1e-4), but streamed, and an order of magnitude faster.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft
import scipy.sparse

from beetsplug.deejai.audio.constants import (
    HOP_LENGTH,
    N_FFT,
    N_FRAMES,
    N_MELS,
    SAMPLE_RATE,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

TOP_DB = 80.0
"""Dynamic range kept below a slice's own maximum, in dB."""

AMIN = 1e-10
"""Smallest power told from silence."""


def mel_filterbank(
    *, sample_rate: float = SAMPLE_RATE, n_fft: int = N_FFT, n_mels: int = N_MELS
) -> Array:
    """Make triangular mel filters of equal area, 0 Hz to half the sampling rate.

    Slaney's mel scale: linear below 1 kHz, logarithmic above. Written out here because
    importing librosa costs more than analysing several tracks.

    Returns
    -------
    ndarray of float32, shape (n_mels, 1 + n_fft // 2)
        Weights that map a power spectrum to mel bands.
    """
    # 15 mels make 1 kHz; above it 27 mels multiply the frequency by 6.4.
    mel_per_hz, hz_break, mel_step = 15 / 1000, 1000.0, np.log(6.4) / 27
    top = sample_rate / 2
    mel_top = (
        top * mel_per_hz if top < hz_break else 15 + np.log(top / hz_break) / mel_step
    )
    mels = np.linspace(0.0, mel_top, n_mels + 2)
    edges = np.where(
        mels < 15, mels / mel_per_hz, hz_break * np.exp(mel_step * (mels - 15))
    )
    bins = np.linspace(0.0, top, 1 + n_fft // 2)
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (upper - lower))
    return np.asarray(weights, dtype=np.float32)


@cache
def _sparse_filterbank() -> scipy.sparse.csr_array:
    # 2 of 96 weights are not zero: a dense product would do 50 times the work.
    return scipy.sparse.csr_array(mel_filterbank())


@cache
def _window() -> Array:
    return np.asarray(
        0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT), dtype=np.float32
    )


def mel_power(samples: Array) -> Array:
    """Compute the mel power of one slice.

    Parameters
    ----------
    samples
        What lies under the windows of its 216 frames, shape (215 * 512 + 2048,).

    Returns
    -------
    ndarray of float32, shape (96, 216)
        Mel bands by frames.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP_LENGTH]
    spectrum = scipy.fft.rfft(frames * _window())
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return np.asarray(_sparse_filterbank() @ power.T, dtype=np.float32)


def normalise_slice(power: Array) -> Array:
    """Bring one slice's power to dB below its own maximum and scale it to [0, 1].

    Parameters
    ----------
    power
        Mel power, shape (n_mels, n_frames), not negative.

    Returns
    -------
    ndarray of float32, same shape
        0 is the quietest point (at most 80 dB down), 1 the loudest. A slice without any
        contrast, digital silence above all, is all zeros.
    """
    audible = np.maximum(power, np.float32(AMIN))
    db = np.asarray(10.0 * np.log10(audible), dtype=np.float32)
    np.maximum(db, db.max() - TOP_DB, out=db)
    low, high = float(db.min()), float(db.max())
    if high <= low:
        return np.zeros_like(db)
    db -= low
    db /= high - low
    return db


def stream_slices(blocks: Iterable[Array], *, max_slices: int = 64) -> Iterator[Array]:
    """Cut a waveform that comes in blocks into log-mel slices.

    Parameters
    ----------
    blocks
        Consecutive blocks of a mono 22 050 Hz waveform, of any lengths.
    max_slices
        How many slices are yielded at once at the most: 83 kB each.

    Yields
    ------
    ndarray of float32, shape (n_slices, 96, 216)
        Non-overlapping slices in order, values in [0, 1]. An incomplete last slice is
        dropped, but a waveform shorter than one slice is repeated to fill one. An empty
        waveform yields nothing.
    """
    under_slice = (N_FRAMES - 1) * HOP_LENGTH + N_FFT
    edge = np.zeros(N_FFT // 2, dtype=np.float32)
    pending: list[Array] = []
    parts: list[Array] = [edge]
    n_buffered, n_samples, yielded = edge.size, 0, False

    def cut() -> None:
        nonlocal parts, n_buffered
        buffer = np.concatenate(parts)
        start = 0
        while buffer.size - start >= under_slice:
            pending.append(normalise_slice(mel_power(buffer[start:][:under_slice])))
            start += N_FRAMES * HOP_LENGTH
        parts, n_buffered = [buffer[start:]], buffer.size - start

    for block in blocks:
        n_samples += block.size
        parts.append(block)
        n_buffered += block.size
        if n_buffered >= under_slice:
            cut()
        while len(pending) >= max_slices:
            yield np.stack(pending[:max_slices])
            yielded = True
            del pending[:max_slices]
    parts.append(edge)
    cut()
    if not pending and not yielded and n_samples:
        pending.append(_repeated_slice(np.concatenate(parts)[edge.size :][:n_samples]))
    if pending:
        yield np.stack(pending)


def _repeated_slice(waveform: Array) -> Array:
    """Make one slice of a waveform that is too short for one."""
    edge = np.zeros(N_FFT // 2, dtype=np.float32)
    inner = np.resize(waveform, (N_FRAMES - 1) * HOP_LENGTH)
    return normalise_slice(mel_power(np.concatenate([edge, inner, edge])))


def log_mel_slices(waveform: Array) -> Array:
    """Cut a whole waveform into log-mel slices: :func:`stream_slices` in one array.

    Returns
    -------
    ndarray of float32, shape (n_slices, 96, 216)
        Values in [0, 1]; shape (0, 96, 216) for an empty waveform.
    """
    chunks = list(stream_slices([waveform]))
    if not chunks:
        return np.zeros((0, N_MELS, N_FRAMES), dtype=np.float32)
    return np.concatenate(chunks)
