"""Where tracks lie on the map: t-SNE of their vectors, and new ones among the old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.recommend.neighbours import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]
    Progress = Callable[[float], None]

FEWEST = 4
"""Of fewer tracks there is nothing for t-SNE to weigh up: they lie on a circle."""

PERPLEXITY = 30.0
"""Effective number of neighbours of a track; with few tracks it is smaller."""

NEW_PERPLEXITY = 5.0
"""The same for a track that comes later: it goes to those that it is most like."""

EARLY_STEPS, STEPS = 250, 500
"""With early exaggeration and without, as openTSNE proposes."""

NEW_STEPS = 250

MANY = 10_000
"""From so many tracks on interpolation is faster than a tree."""

PARALLEL = 3_000
"""Below so many tracks threads wait for each other longer than they work."""

MARGIN = 0.03
"""Room around the map for new tracks that lie outside, as a part of its side."""

NEIGHBOURS_PART = 0.1
"""Of the whole work, about; the rest are steps of t-SNE."""

REPORT_STEPS = 10


@dataclass(frozen=True)
class Layout:
    """Positions on a map.

    Attributes
    ----------
    positions
        float32, shape (n_tracks, 2): x from left to right and y from top to bottom, in
        [0, 1].
    scale
        Units of t-SNE to the map's side; 0 for tracks that t-SNE did not lay out.
    """

    positions: Array
    scale: float


def lay_out(
    vectors: Array, *, n_threads: int = 1, on_progress: Progress | None = None
) -> Layout:
    """Put tracks that sound alike near to each other.

    t-SNE (van der Maaten and Hinton, JMLR 2008) of cosine distances, begun from the
    first two principal components (Kobak and Berens, Nature Communications 2019), by
    openTSNE (Poličar et al., JSS 2024). The same vectors give the same map.

    Parameters
    ----------
    vectors
        Unit rows, shape (n_tracks, d).
    n_threads
        How many threads compute a large map.
    on_progress
        Called with the part that is done, 0 to 1. What it raises ends the work.

    Returns
    -------
    Layout
        Within a margin of the map's edge.

    Raises
    ------
    FatalError
        openTSNE is not installed.
    """
    n_tracks = len(vectors)
    if n_tracks < FEWEST:
        return Layout(_circle(n_tracks), 0.0)
    n_threads = n_threads if n_tracks >= PARALLEL else 1
    perplexity = min(PERPLEXITY, (n_tracks - 1) / 3)
    rows, similarities = nearest(
        vectors,
        vectors,
        n=round(3 * perplexity),
        own_rows=np.arange(n_tracks),
        on_progress=lambda done: (
            on_progress(NEIGHBOURS_PART * done / n_tracks) if on_progress else None
        ),
    )
    tsne = _open_tsne()
    affinities = tsne.affinity.Affinities()
    affinities.P = _affinities(rows, similarities, perplexity, n_threads)
    embedding = tsne.TSNEEmbedding(
        _first_guess(vectors),
        affinities,
        negative_gradient_method=_gradient_method(n_tracks),
        n_jobs=n_threads,
    )
    done = NEIGHBOURS_PART
    for n_steps, exaggeration in ((EARLY_STEPS, 12.0), (STEPS, 1.0)):
        part = (1.0 - NEIGHBOURS_PART) * n_steps / (EARLY_STEPS + STEPS)
        embedding.optimize(
            n_steps,
            inplace=True,
            exaggeration=exaggeration,
            momentum=0.8,
            propagate_exception=True,
            callbacks=_reporter(on_progress, done, done + part, n_steps),
            callbacks_every_iters=REPORT_STEPS,
        )
        done += part
    return _framed(np.asarray(embedding))


def place(
    newcomers: Array,
    vectors: Array,
    layout: Layout,
    *,
    n_threads: int = 1,
    on_progress: Progress | None = None,
) -> Array:
    """Find places for new tracks on a map, where all others stay.

    Each goes to the middle of those that it is most like, and from there down the same
    slope as in t-SNE, with regard to the old tracks only (Poličar et al., Machine
    Learning 2023).

    Parameters
    ----------
    newcomers
        Unit rows, shape (n_new, d).
    vectors
        Of the tracks on the map, shape (n_tracks, d), at least :data:`FEWEST`.
    layout
        Where t-SNE laid them out.
    n_threads, on_progress
        As for :func:`lay_out`.

    Returns
    -------
    ndarray of float32, shape (n_new, 2)
        As the positions of a layout.

    Raises
    ------
    FatalError
        openTSNE is not installed.
    """
    n_threads = n_threads if len(newcomers) >= PARALLEL else 1
    perplexity = min(NEW_PERPLEXITY, (len(vectors) - 1) / 3)
    rows, similarities = nearest(newcomers, vectors, n=round(3 * perplexity))
    old = layout.positions.astype(np.float64) * layout.scale
    # Interpolation wants them about zero.
    middle = (old.min(axis=0) + old.max(axis=0)) / 2
    old -= middle
    affinities = _affinities(rows, similarities, perplexity, n_threads, len(vectors))
    tsne = _open_tsne()
    # No more is asked of it than for how many tracks it is.
    of_old = tsne.affinity.Affinities()
    of_old.P = np.empty((len(old), 0))
    reference = tsne.TSNEEmbedding(
        old, of_old, negative_gradient_method=_gradient_method(len(old))
    )
    embedding = tsne.tsne.PartialTSNEEmbedding(
        np.median(old[rows], axis=1),
        reference,
        affinities,
        **reference.gradient_descent_params,
    )
    embedding.optimize(
        NEW_STEPS,
        inplace=True,
        learning_rate=0.1,
        exaggeration=1.5,
        momentum=0.8,
        max_grad_norm=0.25,
        max_step_norm=None,
        n_jobs=n_threads,
        propagate_exception=True,
        callbacks=_reporter(on_progress, 0.0, 1.0, NEW_STEPS),
        callbacks_every_iters=REPORT_STEPS,
    )
    placed: Doubles = (np.asarray(embedding) + middle) / layout.scale
    return np.clip(placed, 0.0, 1.0).astype(np.float32)


def _open_tsne() -> Any:
    """Import openTSNE, which takes a second."""
    try:
        import openTSNE
        import openTSNE.affinity
    except ImportError as error:
        raise FatalError(
            "the map needs openTSNE: pip install 'beets-deejai[map]'"
        ) from error
    return openTSNE


def _gradient_method(n_tracks: int) -> str:
    return "fft" if n_tracks >= MANY else "bh"


def _affinities(
    rows: npt.NDArray[np.int64],
    similarities: Array,
    perplexity: float,
    n_threads: int,
    n_old: int | None = None,
) -> Any:
    """Turn the neighbours of tracks into the chances that t-SNE works with.

    Parameters
    ----------
    rows, similarities
        As :func:`~beetsplug.deejai.recommend.neighbours.nearest` returns them.
    perplexity
        Effective number of neighbours.
    n_threads
        How many threads compute.
    n_old
        How many tracks there are among which these are new; None: these are all.

    Returns
    -------
    sparse matrix, shape (n_tracks, n_tracks) or (n_new, n_old)
    """
    distances = 1.0 - similarities.astype(np.float64)
    return _open_tsne().affinity.joint_probabilities_nn(
        rows,
        distances,
        [perplexity],
        symmetrize=n_old is None,
        normalization="pair-wise" if n_old is None else "point-wise",
        n_reference_samples=n_old,
        n_jobs=n_threads,
    )


def _first_guess(vectors: Array) -> Doubles:
    """Return the first two principal components, tiny, as t-SNE wants to begin."""
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    first = directions[:, :-3:-1]
    # The sign of an eigenvector is anybody's choice.
    first = first * np.sign(first[np.abs(first).argmax(axis=0), [0, 1]])
    guess: Doubles = centred @ first
    spread = guess[:, 0].std()
    if spread > 1e-6:
        guess *= 1e-4 / spread
    # Equal tracks must not lie on one point: t-SNE would never part them.
    guess += np.random.default_rng(0).normal(0.0, 1e-6, guess.shape)
    return guess


def _framed(embedding: Doubles) -> Layout:
    """Fit what t-SNE laid out into the map, without distorting it."""
    lowest, highest = embedding.min(axis=0), embedding.max(axis=0)
    scale = float((highest - lowest).max()) / (1.0 - 2.0 * MARGIN)
    positions = (embedding - (lowest + highest) / 2) / scale + 0.5
    return Layout(positions.astype(np.float32), scale)


def _circle(n_tracks: int) -> Array:
    """Put up to three tracks as far apart as they can be; one goes to the middle."""
    angles = 2.0 * np.pi * np.arange(n_tracks) / max(1, n_tracks) - np.pi / 2
    radius = 0.25 if n_tracks > 1 else 0.0
    positions = 0.5 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return positions.astype(np.float32)


def _reporter(
    on_progress: Progress | None, start: float, end: float, n_steps: int
) -> Callable[[int, float, Doubles], bool] | None:
    """Make the callback that turns steps of openTSNE into a part of the whole."""
    if on_progress is None:
        return None

    def report(step: int, error: float, embedding: Doubles) -> bool:
        on_progress(start + (end - start) * step / n_steps)
        return False

    return report
