"""Tracks as distributions over genres: two ways to compare them (pure).

What is near: the Euclidean distance between the probabilities, as in S. Cardorelle,
"How I taught a neural network to understand similarities in music audio", 2018.

What lies between: the square roots of probabilities are unit vectors. Their cosine is
Bhattacharyya's coefficient ("On a measure of divergence between two statistical
populations", 1943), and the great circle between two of them is the shortest way
between the distributions under the Fisher-Rao metric (C. R. Rao, "Information and the
accuracy attainable in the estimation of statistical parameters", 1945). So whatever
walks on the sphere of sound vectors walks among genres as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import Index, weighted_means
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

FARTHEST = np.sqrt(2.0)
"""Euclidean distance of two distributions that have nothing in common, each all of one
genre: no two are farther apart."""

LEAST_LEFT = 1e-6
"""A smaller sum of what a subtraction leaves is rounding."""


class GenreIndex(Index):
    """Compositions in one matrix, compared by their Euclidean distance.

    Its `vectors` are distributions, float32, shape (n_tracks, n_genres): rows are not
    negative and add up to 1. Similarities are ``1 - distance / sqrt(2)``: 1 for equal
    compositions, 0 for two that are all of one genre each, and of different ones.
    """

    def similarities(self, query: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Compare all tracks with compositions.

        Parameters
        ----------
        query
            One composition, shape (n_genres,), or several, shape (n_queries, n_genres).

        Returns
        -------
        ndarray of float64, shape (n_tracks,) or (n_queries, n_tracks)
            0 to 1; in the order of the Euclidean distances, exactly.
        """
        queries = np.asarray(query, dtype=np.float64)[..., None, :]
        distances = np.linalg.norm(queries - self.vectors, axis=-1)
        return np.asarray(np.clip(1.0 - distances / FARTHEST, 0.0, 1.0))

    def followers(self, departure: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Compare as :meth:`similarities`: compositions are of whole tracks."""
        return self.similarities(departure)

    def query(
        self,
        points: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        minus: npt.ArrayLike | None = None,
        minus_weights: npt.ArrayLike | None = None,
    ) -> Array:
        """Make one query of several compositions, as :func:`query_composition`."""
        return query_composition(
            points, weights=weights, minus=minus, minus_weights=minus_weights
        )


def query_composition(
    compositions: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    minus: npt.ArrayLike | None = None,
    minus_weights: npt.ArrayLike | None = None,
) -> Array:
    """Mix compositions into one, with less of others.

    Parameters
    ----------
    compositions
        What is sought, shape (n, n_genres): distributions.
    weights
        Weight of each, shape (n,), not negative and not all zero; all the same when
        None.
    minus
        What is to be avoided, shape (m, n_genres): their mean is subtracted. A genre of
        which less than nothing would be left is left out, and the rest is scaled to add
        up to 1 again.
    minus_weights
        Factor of each of them in that mean, shape (m,), not negative; 1 when None.

    Returns
    -------
    ndarray of float32, shape (n_genres,)
        A distribution. When nothing is left, the mix of `compositions` stands in.

    Raises
    ------
    ValueError
        There are no compositions.
    """
    wanted = np.asarray(compositions, dtype=np.float64)
    if wanted.ndim != 2 or len(wanted) == 0:
        raise ValueError("a query needs at least one composition")
    avoided = np.empty((0, wanted.shape[1])) if minus is None else minus
    mixed, away = weighted_means(
        wanted,
        weights=weights,
        minus=np.asarray(avoided, dtype=np.float64).reshape(-1, wanted.shape[1]),
        minus_weights=minus_weights,
    )
    if away.any():
        left = np.maximum(mixed - away, 0.0)
        if left.sum() > LEAST_LEFT:
            mixed = left / left.sum()
    return np.asarray(mixed, dtype=np.float32)


def on_sphere(compositions: npt.ArrayLike) -> Array:
    """Turn distributions into unit vectors: the square roots of their probabilities.

    Parameters
    ----------
    compositions
        One distribution, shape (n_genres,), or many, shape (n, n_genres).

    Returns
    -------
    ndarray of float32, same shape
        Unit length, no component negative.
    """
    return unit(np.sqrt(np.asarray(compositions, dtype=np.float64)))
