"""Run an encoder on made slices, to see whether it is one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.embedding.inference import (
    BATCH_SLICES,
    NotAnEncoderError,
    first_line,
)
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

SAME = 1e-6
"""Cosine distance under which all vectors are the same, whatever was heard."""


@dataclass(frozen=True)
class Trial:
    """What came of a trial.

    Attributes
    ----------
    ms_per_slice
        Time for one slice, in milliseconds, when many are encoded together.
    widest
        Largest cosine distance between the vectors of two of the made slices.
    """

    ms_per_slice: float
    widest: float


def made_slices() -> npt.NDArray[np.float32]:
    """Make slices that are nothing alike: tones, beats, noise, slopes and silence.

    Returns
    -------
    ndarray of float32, shape (8, 96, 216)
        Values in [0, 1].
    """
    rng = np.random.default_rng(0)
    mel = np.arange(N_MELS)[:, None]
    frame = np.arange(N_FRAMES)[None, :]
    flat = np.ones((N_MELS, N_FRAMES))
    low, high = (np.exp(-np.abs(mel - k) / 3.0) * flat for k in (12, 70))
    made = [
        low,
        high,
        np.exp(-(frame % 24) / 4.0) * flat,
        np.exp(-(frame % 9) / 2.0) * (mel > 48),
        rng.random((N_MELS, N_FRAMES)),
        flat * mel / (N_MELS - 1),
        0.5 * (low + rng.random((N_MELS, N_FRAMES))),
        0 * flat,
    ]
    return np.stack(made).astype(np.float32)


def try_encoder(encoder: Encoder) -> Trial:
    """Encode made slices and look at the vectors.

    Raises
    ------
    NotAnEncoderError
        The encoder fails, or its vectors are of no use.
    """
    slices = made_slices()
    many = np.concatenate([slices] * (BATCH_SLICES // len(slices)))
    try:
        encoder.encode(many)
        start = time.perf_counter()
        vectors = encoder.encode(many)[: len(slices)].astype(np.float64)
        seconds = time.perf_counter() - start
    except Exception as error:  # networks fail in whatever way their makers found
        raise NotAnEncoderError(f"it cannot be run: {first_line(error)}") from error
    if encoder.vector_size < 2:
        raise NotAnEncoderError("its vectors have one component; two are the least")
    if not np.isfinite(vectors).all():
        raise NotAnEncoderError("it gives numbers that are not finite")
    # The last one is silence, of which some networks rightly make nothing at all.
    if not np.linalg.norm(vectors[:-1], axis=1).all():
        raise NotAnEncoderError("it gives a vector of zeros for sound")
    directions = unit(vectors[:-1]).astype(np.float64)
    widest = float(1.0 - (directions @ directions.T).min())
    if widest < SAME:
        raise NotAnEncoderError("it gives the same vector whatever it hears")
    return Trial(1000.0 * seconds / len(many), widest)
