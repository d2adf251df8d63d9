"""Latent factors of tracks from implicit feedback, by alternating least squares.

Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback
datasets", ICDM 2008. S. Dieleman's network learnt to predict such factors from audio.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.targets import Targets
from beetsplug.deejai.training.track2vec import prune_or_fail
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.playlists import Playlist

    Array = npt.NDArray[np.float32]

VECTOR_SIZE = 40
ITERATIONS = 15
ALPHA = 10.0
REGULARIZATION = 1.0


def require_implicit() -> Any:
    """Import the solver of the library implicit.

    Raises
    ------
    FatalError
        It is not installed.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise FatalError(
            f"factors need implicit ({error}): pip install 'beets-deejai[train]'"
        ) from error
    return AlternatingLeastSquares


def interactions(
    playlists: Sequence[tuple[str, ...]],
    tracks: Sequence[str],
    *,
    plays: Mapping[str, int] | None = None,
) -> Any:
    """Set up how much each playlist says about each track.

    Parameters
    ----------
    playlists
        Tracks of each, without repeats.
    tracks
        The columns.
    plays
        How often tracks were played; those that are missing, never.

    Returns
    -------
    scipy.sparse.csr_array of float32, shape (n_playlists, n_tracks)
        1 where a track is in a playlist, plus the logarithm of 1 + its plays.
    """
    from scipy.sparse import csr_array

    columns = {track: column for column, track in enumerate(tracks)}
    counts = np.array([len(one) for one in playlists], dtype=np.int32)
    indices = np.fromiter(
        (columns[track] for track in chain.from_iterable(playlists)), dtype=np.int32
    )
    weight = [1.0 + math.log1p((plays or {}).get(track, 0)) for track in tracks]
    return csr_array(
        (
            np.array(weight, dtype=np.float32)[indices],
            indices,
            np.concatenate([[0], counts.cumsum()]).astype(np.int32),
        ),
        shape=(len(playlists), len(tracks)),
    )


def factorise(
    observed: Any,
    *,
    vector_size: int,
    iterations: int,
    alpha: float,
    regularization: float,
    seed: int,
    on_iteration: Callable[[int, int], None] | None = None,
) -> tuple[Array, Array]:
    """Factorise a matrix of implicit feedback.

    Minimises the sum over all rows u and columns i of c (p - x_u . y_i)^2 plus
    `regularization` times the squares of all factors, where p is 1 for what was
    observed and 0 elsewhere, and the confidence c is 1 + `alpha` times the observation.

    Parameters
    ----------
    observed
        Sparse, not negative, shape (n_rows, n_columns).

    Returns
    -------
    x : ndarray of float32, shape (n_rows, vector_size)
    y : ndarray of float32, shape (n_columns, vector_size)
        Solves its least squares exactly, given `x`.
    """
    solver = require_implicit()
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    confidence = csr_matrix(observed, dtype=np.float32, copy=True)
    confidence.data = 1 + np.float32(alpha) * confidence.data
    # The solver has its own threads, and warns of those of BLAS beside them.
    with threadpool_limits(1, "blas"):
        model = solver(
            factors=vector_size,
            regularization=regularization,
            iterations=iterations,
            use_cg=False,
            random_state=seed,
        )
        model.fit(
            confidence,
            show_progress=False,
            callback=lambda done, *_: (
                on_iteration(done + 1, iterations) if on_iteration else None
            ),
        )
    return model.user_factors, model.item_factors


def factors(
    playlists: Iterable[Playlist],
    *,
    plays: Mapping[str, int] | None = None,
    vector_size: int = VECTOR_SIZE,
    min_count: int = 1,
    iterations: int = ITERATIONS,
    alpha: float = ALPHA,
    regularization: float = REGULARIZATION,
    seed: int = 0,
    on_iteration: Callable[[int, int], None] | None = None,
) -> Targets:
    """Learn latent factors of tracks, with playlists for users.

    Parameters
    ----------
    playlists
        What to learn from.
    plays
        How often tracks were played, by path: the more, the more it counts that a track
        is in a playlist.
    vector_size
        Components of a vector.
    min_count
        In how many playlists a track must be to get a vector.
    iterations
        Each solves for all playlists and then for all tracks.
    alpha
        How much more certain it is that a track belongs where it is than that it does
        not where it is not.
    regularization
        Weight of the squares of all factors.
    seed
        Of the factors before the first iteration.
    on_iteration
        Called after each iteration with its number, from 1, and the number of all.

    Returns
    -------
    Targets
        Unit vectors, shape (n_tracks, vector_size); tracks in their first order.

    Raises
    ------
    FatalError
        The library implicit is not installed, or no playlist is left to learn from.
    """
    kept = prune_or_fail(playlists, min_count=min_count)
    tracks = list(dict.fromkeys(chain.from_iterable(kept)))
    _, vectors = factorise(
        interactions(kept, tracks, plays=plays),
        vector_size=vector_size,
        iterations=iterations,
        alpha=alpha,
        regularization=regularization,
        seed=seed,
        on_iteration=on_iteration,
    )
    return Targets(tracks, unit(vectors))
