"""The last layer of an encoder, solved instead of trained (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]


def fit_discriminant(
    features: Array,
    *,
    tracks: npt.ArrayLike,
    n_components: int,
    n_principal: int = 300,
    shrinkage: float = 0.1,
) -> tuple[Array, Array]:
    """Find the linear map that brings slices of a track together and parts tracks.

    Linear discriminant analysis (Fisher 1936; Rao 1948) with every track as a class: in
    the map's space slices vary equally in all directions within tracks, and the
    components are those in which the tracks vary most.

    Parameters
    ----------
    features
        One row for each slice, shape (n_slices, d).
    tracks
        The track each slice is of, shape (n_slices,).
    n_components
        Size of the vectors.
    n_principal
        Principal components that are looked at; the rest is noise.
    shrinkage
        Share of the mean variance within tracks that is added to each direction, as a
        small collection underestimates the smallest.

    Returns
    -------
    kernel : ndarray of float64, shape (d, n_components)
    bias : ndarray of float64, shape (n_components,)
        ``features @ kernel + bias`` has mean 0. Components that the tracks do not vary
        in, for there are too few of them, are 0.

    Raises
    ------
    ValueError
        Fewer than two tracks, or no track with two slices.
    """
    features = np.asarray(features, dtype=np.float64)
    _, numbers = np.unique(np.asarray(tracks), return_inverse=True)
    n_slices = np.bincount(numbers)
    if len(n_slices) < 2 or n_slices.max() < 2:
        raise ValueError("need two tracks or more, and two slices of one")
    mean = features.mean(axis=0)
    centred = features - mean
    basis = _principal_axes(centred, n_principal)
    centred = centred @ basis
    sums = np.zeros((len(n_slices), centred.shape[1]))
    np.add.at(sums, numbers, centred)
    track_means = sums / n_slices[:, None]
    deviations = centred - track_means[numbers]

    within = deviations.T @ deviations / len(deviations)
    within += shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    variances, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(np.maximum(variances, 1e-12))
    between = np.cov((track_means @ whiten).T)
    spread, axes = np.linalg.eigh(np.atleast_2d(between))
    n_real = min(n_components, len(n_slices) - 1, len(spread))
    best = np.argsort(-spread)[:n_real]

    kernel = np.zeros((features.shape[1], n_components))
    kernel[:, :n_real] = basis @ whiten @ axes[:, best]
    return kernel, -mean @ kernel


def _principal_axes(centred: Array, n_axes: int) -> Array:
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    real = variances > variances[-1] * 1e-9
    kept: Array = axes[:, real][:, ::-1][:, :n_axes]
    return kept
