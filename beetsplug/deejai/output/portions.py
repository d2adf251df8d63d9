"""What a track is made of, few enough parts to be read and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.output.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

LEAST = 0.02
"""Share of a genre that is drawn by itself; of less nothing can be seen."""

MOST = 9
"""Genres that are told by themselves."""


@dataclass(frozen=True)
class Portion:
    """A part of a track.

    Attributes
    ----------
    name
        Of the genre, or how many small ones were gathered.
    share
        Of the track, 0 to 1.
    genres
        Numbers of the genres, one if nothing was gathered.
    """

    name: str
    share: float
    genres: tuple[int, ...]


def portions(
    composition: npt.ArrayLike, genres: Sequence[str], *, least: float = LEAST
) -> list[Portion]:
    """Part a track into its genres.

    Parameters
    ----------
    composition
        Probability of each genre, shape (n_genres,), at least one.
    genres
        Their names.
    least
        Share below which a genre is small, as are all beyond the :data:`MOST` largest.

    Returns
    -------
    list of Portion
        The largest first; small genres last, gathered if there are several.
    """
    shares = np.asarray(composition, dtype=np.float64)
    order = np.argsort(-shares, kind="stable")
    large = [row for row in order[:MOST].tolist() if shares[row] >= least]
    small = order[len(large) :].tolist()
    if len(small) == 1:
        large, small = [*large, *small], []
    found = [Portion(genres[row], float(shares[row]), (row,)) for row in large]
    if small:
        rest = float(shares[small].sum())
        found.append(Portion(f"{len(small)} more", rest, tuple(small)))
    return found


def colours_of(parts: Sequence[Portion]) -> list[str]:
    """Give portions their colours, each as ``#rrggbb``.

    A genre keeps its colour from picture to picture; only where there are more genres
    than colours may a larger portion have taken it.
    """
    free, found = list(LIGHT.named), []
    for part in parts:
        if len(part.genres) > 1:
            found.append(LIGHT.rest)
            continue
        own = LIGHT.named[part.genres[0] % len(LIGHT.named)]
        colour = own if own in free else free[0]
        free.remove(colour)
        found.append(colour)
    return found
