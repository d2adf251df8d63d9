"""Unit vectors, which every comparison in this package rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def unit(vectors: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Scale vectors to unit length.

    Parameters
    ----------
    vectors
        One vector, shape (d,), or many, shape (n, d).

    Returns
    -------
    ndarray of float32, same shape
        Zero vectors stay zero: they have no direction.
    """
    array = np.asarray(vectors)
    # In float64, so that no square overflows or vanishes.
    lengths = np.sqrt(np.einsum("...i,...i->...", array, array, dtype=np.float64))
    with np.errstate(divide="ignore"):
        scale = np.where(lengths > 0.0, 1.0 / lengths, 0.0)
    return np.asarray(array * scale[..., None], dtype=np.float32)
