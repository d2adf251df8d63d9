"""The track vectors of a library, and what is near a vector among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]

UNKNOWN = -1
"""Code of an artist, album or recording that is not known."""


class Labels(NamedTuple):
    """What the rules ask about a track, each as a code, :data:`UNKNOWN` if unknown.

    Attributes
    ----------
    artist, album
        Equal where the artist, the album is the same.
    recording
        Equal where two tracks are versions of one recording.
    """

    artist: int = UNKNOWN
    album: int = UNKNOWN
    recording: int = UNKNOWN


UNLABELLED = Labels()
"""Labels of a track of which nothing is known."""


@dataclass(frozen=True)
class Index:
    """Track vectors in one matrix.

    Attributes
    ----------
    ids
        int64, shape (n_tracks,): what the caller knows the tracks by.
    vectors
        float32, shape (n_tracks, d): unit rows, or zero rows, which are similar to
        nothing.
    beginnings, endings
        How each track begins and ends, as `vectors`; None: a track is compared as a
        whole with what comes before and after it.

    Raises
    ------
    ValueError
        The shapes do not fit.
    """

    ids: npt.NDArray[np.int64]
    vectors: Array
    beginnings: Array | None = None
    endings: Array | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.ids.shape != (len(self.vectors),):
            raise ValueError("ids must be (n_tracks,) and vectors (n_tracks, d)")
        if any(a.shape != self.vectors.shape for a in (self.arrivals, self.departures)):
            raise ValueError("beginnings and endings must have the shape of vectors")

    @property
    def arrivals(self) -> Array:
        """What of each track is compared with the track before it."""
        return self.vectors if self.beginnings is None else self.beginnings

    @property
    def departures(self) -> Array:
        """What of each track is compared with the track after it."""
        return self.vectors if self.endings is None else self.endings

    def __len__(self) -> int:
        return len(self.vectors)

    def row_of(self, track_id: int) -> int | None:
        """Return the row of a track, or None when it is not in the index."""
        rows = np.flatnonzero(self.ids == track_id)
        return int(rows[0]) if rows.size else None

    def seed(self, row: int, labels: Labels = UNLABELLED) -> Seed:
        """Make a seed of one of the tracks."""
        return Seed(
            self.vectors[row],
            row,
            labels,
            None if self.beginnings is None else self.beginnings[row],
            None if self.endings is None else self.endings[row],
        )

    def similarities(self, query: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Compare all tracks with unit vectors.

        Parameters
        ----------
        query
            One vector, shape (d,), or several, shape (n_queries, d).

        Returns
        -------
        ndarray of float32, shape (n_tracks,) or (n_queries, n_tracks)
            Cosine similarities, -1 to 1.
        """
        return _cosines(query, self.vectors)

    def followers(self, departure: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Compare how all tracks begin with how one ends, or several.

        Parameters and result are those of :meth:`similarities`; for an index of whole
        tracks there is no difference.
        """
        return _cosines(departure, self.arrivals)

    def query(
        self,
        points: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
        minus: npt.ArrayLike | None = None,
        minus_weights: npt.ArrayLike | None = None,
    ) -> Array:
        """Make one query of several tracks' vectors, as :func:`query_vector`."""
        return query_vector(
            points, weights=weights, minus=minus, minus_weights=minus_weights
        )


def _cosines(query: npt.ArrayLike, vectors: Array) -> Array:
    queries = np.asarray(query, dtype=np.float32)
    return np.asarray(np.clip(queries @ vectors.T, -1.0, 1.0))


@dataclass(frozen=True)
class Seed:
    """A given track: a seed of a playlist, or a waypoint of a journey.

    Attributes
    ----------
    vector
        Track vector, shape (d,).
    row
        Its row in the index; None for a track that is not in the library.
    labels
        Its codes in the catalogue.
    beginning, ending
        As of :class:`Index`; None: the whole vector.
    """

    vector: Array
    row: int | None = None
    labels: Labels = UNLABELLED
    beginning: Array | None = None
    ending: Array | None = None

    @property
    def arrival(self) -> Array:
        """What is compared with the track before it."""
        return self.vector if self.beginning is None else self.beginning

    @property
    def departure(self) -> Array:
        """What is compared with the track after it."""
        return self.vector if self.ending is None else self.ending


@dataclass(frozen=True)
class Pick:
    """A chosen track.

    Attributes
    ----------
    row
        Its row in the index.
    similarity
        Cosine similarity, -1 to 1: to the query, or in an ordered list to the track
        before it.
    """

    row: int
    similarity: float


def query_vector(
    vectors: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    minus: npt.ArrayLike | None = None,
    minus_weights: npt.ArrayLike | None = None,
) -> Array:
    """Make one query of several tracks: their mean, away from others (Rocchio).

    Parameters
    ----------
    vectors
        What is sought, shape (n, d), of any length: only directions count.
    weights
        Weight of each vector, shape (n,), not negative and not all zero; all the same
        when None.
    minus
        What is to be avoided, shape (m, d): its mean direction is subtracted.
    minus_weights
        Factor of each of them in that mean, shape (m,), not negative; 1 when None.

    Returns
    -------
    ndarray of float32, shape (d,)
        Unit length. When the difference vanishes, the mean of `vectors` stands in, and
        when that does, the first of them.

    Raises
    ------
    ValueError
        There are no vectors.
    """
    wanted = unit(vectors).astype(np.float64)
    if wanted.ndim != 2 or len(wanted) == 0:
        raise ValueError("a query needs at least one vector")
    avoided = unit(np.empty((0, wanted.shape[1])) if minus is None else minus)
    mean, away = weighted_means(
        wanted,
        weights=weights,
        minus=avoided.astype(np.float64),
        minus_weights=minus_weights,
    )
    for direction in (mean - away, mean, wanted[0]):
        # What is left of a vanished difference is rounding, and points anywhere.
        if np.abs(direction).max(initial=0.0) > 1e-6:
            return unit(direction)
    return unit(wanted[0])


def weighted_means(
    points: Doubles,
    *,
    weights: npt.ArrayLike | None,
    minus: Doubles,
    minus_weights: npt.ArrayLike | None,
) -> tuple[Doubles, Doubles]:
    """Return the mean of what is sought, and what is to be subtracted from it.

    Parameters
    ----------
    points
        What is sought, shape (n, d), at least one.
    weights
        Weight of each, shape (n,), not negative and not all zero; all the same when
        None.
    minus
        What is to be avoided, shape (m, d), m may be 0.
    minus_weights
        Factor of each of them, shape (m,), not negative; 1 when None.

    Returns
    -------
    mean, away : ndarray of float64, shape (d,)
        `away` is the mean of `minus` times their factors, 0 where there are none.
    """
    shares = np.ones(len(points)) if weights is None else np.asarray(weights, float)
    mean = shares @ points / shares.sum()
    factors = np.ones(len(minus)) if minus_weights is None else minus_weights
    away = np.asarray(factors, float) @ minus / max(1, len(minus))
    return mean, away


def add_noise(
    vectors: npt.ArrayLike, *, drunk: float, rng: np.random.Generator
) -> Array:
    """Turn unit vectors by chance.

    Parameters
    ----------
    vectors
        Unit vectors, shape (d,) or (n, d).
    drunk
        Length of the noise relative to the vector's: 0 is none, 1 is as loud as the
        music. Each component gets normal noise of ``drunk / sqrt(d)``.
    rng
        Source of the noise; untouched when `drunk` is 0.

    Returns
    -------
    ndarray of float32, same shape
        Unit vectors.
    """
    directions = np.asarray(vectors, dtype=np.float32)
    if drunk == 0.0:
        return directions
    sigma = drunk / np.sqrt(directions.shape[-1])
    return unit(directions + rng.normal(0.0, sigma, size=directions.shape))


def hop_similarities(departures: npt.ArrayLike, arrivals: npt.ArrayLike) -> Array:
    """Compare each track of a list with the one before it.

    Parameters
    ----------
    departures, arrivals
        What of each track, in order, is compared with the next and with the last one:
        shape (n, d) both, of any length. For whole tracks they are the same.

    Returns
    -------
    ndarray of float32, shape (max(n - 1, 0),)
        Cosine similarities, -1 to 1.
    """
    products = np.einsum("ij,ij->i", unit(departures)[:-1], unit(arrivals)[1:])
    return np.asarray(np.clip(products, -1.0, 1.0))
