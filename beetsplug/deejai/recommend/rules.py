"""Which tracks may come next: what is allowed, unused, short enough, and spaced out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN, Labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.recommend.recordings.versions import Recordings

    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """What a list has to keep.

    Attributes
    ----------
    artist_gap, album_gap
        At least so many tracks stand between two of one artist, of one album; 0 is off.
    """

    artist_gap: int = 3
    album_gap: int = 0


UNRULED = Rules(artist_gap=0)
"""No gaps."""


@dataclass(frozen=True)
class Catalogue:
    """What the rules know of the tracks, in the rows of the index.

    Attributes
    ----------
    artists, albums
        Integers, shape (n_tracks,): codes as in
        :class:`~beetsplug.deejai.recommend.index.Labels`. Unknown ones are never spaced
        out.
    recordings
        Those of the recordings, n_tracks of them. Unknown ones are never versions of
        each other.
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
    albums: npt.NDArray[np.integer]
    recordings: Recordings
    lengths_s: npt.NDArray[np.floating]
    allowed: Mask

    def __post_init__(self) -> None:
        shape = self.allowed.shape
        arrays = (self.artists, self.albums, self.lengths_s)
        if shape != (len(self.recordings),) or any(a.shape != shape for a in arrays):
            raise ValueError("codes, lengths_s and allowed must all be (n_tracks,)")
        if not (np.isfinite(self.lengths_s) & (self.lengths_s >= 0.0)).all():
            raise ValueError("lengths must be finite and not negative")

    def labels(self, row: int) -> Labels:
        """Return the codes of one track."""
        codes = (self.artists, self.albums, self.recordings)
        return Labels(*(int(of_all[row]) for of_all in codes))

    def candidates(self, excluded: Iterable[Seed], *, timed: bool) -> Mask:
        """Return which tracks may be chosen beside some others.

        Parameters
        ----------
        excluded
            Tracks that may not be chosen, nor versions of them.
        timed
            Whether the tracks' lengths have to be known.

        Returns
        -------
        ndarray of bool, shape (n_tracks,)
            The caller's own.
        """
        excluded = list(excluded)
        mask = self.allowed & ~self.versions(seed.labels for seed in excluded)
        mask[[seed.row for seed in excluded if seed.row is not None]] = False
        if timed:
            mask &= self.lengths_s > 0.0
        return mask

    def versions(self, tracks: Iterable[Labels]) -> Mask:
        """Return which tracks are the same recording as any of some tracks."""
        return self.recordings.among(labels.recording for labels in tracks)

    def without(self, rows: Iterable[int], unused: Mask) -> Mask:
        """Return which of the unused tracks are left when some have been used.

        Versions of these are not left either.
        """
        rows = list(rows)
        left = unused & ~self.versions(map(self.labels, rows))
        left[rows] = False
        return left

    def clashing(
        self, rules: Rules, before: Sequence[Labels], after: Sequence[Labels] = ()
    ) -> Mask:
        """Return which tracks may not stand between others, for who made them.

        Parameters
        ----------
        rules
            The gaps.
        before, after
            The tracks on either side, in the order of the list, as many as are known.
        """
        gap = rules.artist_gap
        artists = {labels.artist for labels in [*last(before, gap), *after[:gap]]}
        gap = rules.album_gap
        albums = {labels.album for labels in [*last(before, gap), *after[:gap]]}
        return _among(self.artists, artists) | _among(self.albums, albums)


def last(tracks: Sequence[Labels], n: int) -> Sequence[Labels]:
    """Return the last n tracks, or all when there are fewer."""
    return tracks[max(0, len(tracks) - n) :]


def _among(codes: npt.NDArray[np.integer], wanted: set[int]) -> Mask:
    return np.isin(codes, list(wanted - {UNKNOWN}))


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
    gaps = {"artist": rules.artist_gap, "album": rules.album_gap}
    kept = (
        f"{gap} tracks between two of one {what}" for what, gap in gaps.items() if gap
    )
    return f"no other candidate keeps {' and '.join(kept)}"


def minutes(filled_s: float, length_s: float) -> str:
    """Say how much of a time is filled."""
    return f"{filled_s / 60:.1f} of {length_s / 60:.1f} minutes"
