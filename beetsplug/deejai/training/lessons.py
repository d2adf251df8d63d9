"""What the network is taught to say of each slice: targets, matched to the music."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.discriminant import fit_discriminant
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.dataset import Track
    from beetsplug.deejai.training.targets import Targets

    Array = npt.NDArray[np.floating[Any]]

Whitening = Literal["none", "principal", "discriminant"]
"""How targets are changed before they are learnt; see :class:`Lessons`."""

MAX_ROWS = 50_000
"""Rows of targets that a whitening is fitted to."""


class Lessons:
    """Unit target vectors for any slice of the tracks that have one.

    Parameters
    ----------
    targets
        Per track, shape (d,), or per slice, shape (n_slices, d).
    tracks
        The music; tracks without a target are simply not taught.
    fitted_to
        The tracks, of those, from which the whitening is learnt: the training set.
    whitening
        ``none``; ``principal``: about their mean, on their principal components, each
        divided by the square root of its standard deviation, so that a few loud
        components do not drown all others; ``discriminant`` (per slice only): in the
        directions in which tracks differ most from each other, compared with their own
        slices (:func:`~.discriminant.fit_discriminant`).
    n_components
        Size of whitened targets, at most.

    Raises
    ------
    FatalError
        None of the tracks to fit to has a target, or the whitening does not fit them.
    """

    def __init__(
        self,
        targets: Targets,
        tracks: Sequence[Track],
        *,
        fitted_to: Sequence[Track],
        whitening: Whitening = "none",
        n_components: int = 100,
    ) -> None:
        keys = targets.match([track.path for track in tracks])
        rows = {path: np.atleast_2d(targets[key]) for path, key in keys.items()}
        taught = [track for track in fitted_to if track.path in rows]
        if len(taught) < 2:
            raise FatalError(
                f"{len(taught)} of {len(fitted_to)} training tracks have a target; "
                "need two or more: are the targets of this music?"
            )
        kernel, bias = _fit_whitening(
            [rows[track.path] for track in taught], whitening, n_components
        )
        # Half precision: a million slices of 100 numbers take 200 MB.
        self._rows = {
            path: unit(np.asarray(r, dtype=np.float64) @ kernel + bias).astype("f2")
            for path, r in rows.items()
        }
        self.size = int(kernel.shape[1])
        means = [self._rows[track.path].mean(axis=0, dtype=float) for track in taught]
        self.constant: npt.NDArray[np.float32] = unit(np.mean(means, axis=0)).astype(
            np.float32
        )
        """The one vector that is most similar to all training targets, shape (d,)."""

    def __len__(self) -> int:
        return len(self._rows)

    def has(self, track: Track) -> bool:
        """Whether a track has a target."""
        return track.path in self._rows

    def at(self, track: Track, start_frame: int) -> npt.NDArray[np.float32]:
        """Return the target of the slice that begins at a frame of a track.

        Between two slices that have targets of their own it is interpolated.

        Returns
        -------
        ndarray of float32, shape (d,)
            Unit length.
        """
        rows = self._rows[track.path]
        position = min(start_frame / N_FRAMES, len(rows) - 1)
        low = int(position)
        high = min(low + 1, len(rows) - 1)
        weight = np.float32(position - low)
        mixed = (1 - weight) * rows[low].astype(np.float32) + weight * rows[high]
        return unit(mixed).astype(np.float32)


def _fit_whitening(
    rows: Sequence[Array], whitening: Whitening, n_components: int
) -> tuple[Array, Array]:
    """Find the linear map, kernel (d, k) and bias (k,), that whitens targets."""
    size = rows[0].shape[1]
    if whitening == "none":
        return np.eye(size), np.zeros(size)
    if whitening == "discriminant" and max(map(len, rows)) < 2:
        raise FatalError("whitening 'discriminant' needs targets per slice")
    step = 1 + sum(map(len, rows)) // MAX_ROWS
    numbers = np.repeat(np.arange(len(rows)), [len(r[::step]) for r in rows])
    together = np.concatenate([r[::step] for r in rows]).astype(np.float64)
    if whitening == "discriminant":
        return fit_discriminant(
            together, tracks=numbers, n_components=n_components, shrinkage=0.01
        )
    mean = together.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov((together - mean).T))
    best = np.argsort(-variances)[:n_components]
    best = best[variances[best] > variances.max() * 1e-9]
    kernel = axes[:, best] / variances[best] ** 0.25
    return kernel, -mean @ kernel
