"""The shortest way between two unit vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt


def arc(start: npt.ArrayLike, end: npt.ArrayLike, *, n: int) -> npt.NDArray[np.float32]:
    """Place points evenly on the shortest arc between two unit vectors.

    Parameters
    ----------
    start, end
        Unit vectors, shape (d,). Between opposite ones, which no shortest arc joins,
        one of the half circles is taken, always the same.
    n
        How many points.

    Returns
    -------
    ndarray of float32, shape (n, d)
        Unit vectors; point i of 1 to n lies i / (n + 1) of the way along.
    """
    # In float64 a unit vector of float32 is not quite one, and between nearly opposite
    # ends little more than that error is left of the way sideways.
    a, b = (v / (np.sqrt(v @ v) or 1.0) for v in np.asarray([start, end], np.float64))
    cosine = a @ b
    sideways = b - cosine * a
    angle = np.arctan2(np.sqrt(sideways @ sideways), cosine)
    if np.abs(sideways).max() < 1e-6:
        # The axis that start leans to least is never parallel to it.
        axis = np.argmin(np.abs(a))
        sideways = -a[axis] * a
        sideways[axis] += 1.0
    angles = angle * np.arange(1, n + 1)[:, None] / (n + 1)
    return unit(np.cos(angles) * a + np.sin(angles) * unit(sideways))
