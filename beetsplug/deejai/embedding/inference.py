"""What all kinds of encoder share: batches of slices, and how a file is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.errors import DeejaiError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

BATCH_SLICES = 64
"""Slices the network sees at once; a last, smaller batch is filled with zeros."""


class NotAnEncoderError(DeejaiError):
    """A file holds no encoder; the message is the reason alone, in one line."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or what kind of error it is."""
    # Keras puts the reason last, behind the description of all that holds the layer.
    reason = str(error).rpartition("Exception encountered: ")[2].strip()
    return (reason or type(error).__name__).splitlines()[0]


def encode_in_batches(
    slices: Array,
    encode_batch: Callable[[Array], Array],
    *,
    vector_size: int,
    batch_slices: int = BATCH_SLICES,
) -> Array:
    """Run a network on any number of slices, always as many at once.

    Every new batch size would be traced, or planned, anew.

    Parameters
    ----------
    slices
        Shape (n_slices, 96, 216).
    encode_batch
        Maps float32 (batch_slices, 96, 216) to (batch_slices, vector_size).
    vector_size
        Components of a slice vector.
    batch_slices
        How many slices the network takes at once.

    Returns
    -------
    ndarray of float32, shape (n_slices, vector_size)

    Raises
    ------
    ValueError
        The slices have another shape.
    """
    if slices.ndim != 3 or slices.shape[1:] != (N_MELS, N_FRAMES):
        raise ValueError(f"slices of shape {slices.shape}, not (n, 96, 216)")
    vectors = np.empty((len(slices), vector_size), dtype=np.float32)
    for start in range(0, len(slices), batch_slices):
        part = np.asarray(slices[start : start + batch_slices], dtype=np.float32)
        batch = part
        if len(part) < batch_slices:
            batch = np.zeros((batch_slices, N_MELS, N_FRAMES), dtype=np.float32)
            batch[: len(part)] = part
        vectors[start : start + len(part)] = encode_batch(batch)[: len(part)]
    return vectors
