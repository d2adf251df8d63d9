"""Which tracks may come next: what is allowed, unused, short enough, and spaced out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN_ARTIST

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Catalogue:
    """What the rules know of the tracks, in the rows of the index.

    Attributes
    ----------
    artists
        Integers, shape (n_tracks,): one code per artist. -1 is unknown and never
        spaced out.
    lengths_s
        Shape (n_tracks,): seconds, finite. 0 is unknown, and such a track cannot fill a
        given time.
    allowed
        bool, shape (n_tracks,): whether the track may be chosen at all.

    Raises
    ------
    ValueError
        The shapes differ, or a length is negative or not finite.
    """

    artists: npt.NDArray[np.integer]
    lengths_s: npt.NDArray[np.floating]
    allowed: Mask

    def __post_init__(self) -> None:
        n_tracks = self.allowed.size
        if any(a.shape != (n_tracks,) for a in (self.artists, self.lengths_s)):
            raise ValueError("artists, lengths_s and allowed must have one shape")
        if not (np.isfinite(self.lengths_s) & (self.lengths_s >= 0.0)).all():
            raise ValueError("lengths must be finite and not negative")

    def candidates(self, excluded: Iterable[int | None], *, timed: bool) -> Mask:
        """Return which tracks may be chosen, apart from some rows.

        Parameters
        ----------
        excluded
            Rows that may not be chosen; None stands for tracks outside the library.
        timed
            Whether the tracks' lengths have to be known.
        """
        mask = self.allowed.astype(np.bool_)
        mask[[row for row in excluded if row is not None]] = False
        if timed:
            mask &= self.lengths_s > 0.0
        return mask

    def by(self, artists: Iterable[int]) -> Mask:
        """Return which tracks are by any of some artists; unknown ones never match."""
        mask = np.zeros(self.artists.size, dtype=np.bool_)
        for artist in set(artists) - {UNKNOWN_ARTIST}:
            mask |= self.artists == artist
        return mask


@dataclass(frozen=True)
class Rules:
    """What a list has to keep.

    Attributes
    ----------
    artist_gap
        At least so many tracks stand between two of one artist; 0 is off.
    """

    artist_gap: int = 3


def check_amount(n: int | None, length_s: float | None) -> None:
    """Raise ValueError unless just one of a number and a time is given."""
    if (n is None) == (length_s is None):
        raise ValueError("give either a number of tracks or a time to fill")
    if (n or 0) < 0 or (length_s or 0.0) < 0.0:
        raise ValueError("a negative number of tracks or time cannot be filled")


def nearest(similarities: npt.NDArray[np.floating], candidates: Mask) -> int:
    """Return the candidate of highest similarity, the lowest row among equals.

    Raises
    ------
    ValueError
        There is no candidate.
    """
    rows = np.flatnonzero(candidates)
    return int(rows[np.argmax(similarities[rows])])


def reason_for_end(unused: Mask, rules: Rules) -> str:
    """Say in the user's terms why a list cannot go on.

    Parameters
    ----------
    unused
        The candidates that would fit, if nothing but the rules spoke against them.
    rules
        What the list keeps.
    """
    if not unused.any():
        return "no other candidates are left"
    return (
        f"no other candidate keeps {rules.artist_gap} tracks between two of one artist"
    )


def minutes(filled_s: float, length_s: float) -> str:
    """Say how much of a time is filled."""
    return f"{filled_s / 60:.1f} of {length_s / 60:.1f} minutes"
