"""How long tracks play in a row when neighbours overlap.

How much two tracks really overlap in a mix depends on how they sound, which is not
known here. What overlaps less is about made up for by the silence that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Seconds = npt.NDArray[np.floating]

MAX_OVERLAP_SHARE = 1 / 3
"""A short track overlaps with each neighbour by at most this part of its length."""


@dataclass(frozen=True)
class Clock:
    """Playing times of tracks that are crossfaded.

    Attributes
    ----------
    lengths_s
        Seconds, shape (n_tracks,).
    overlap_s
        Seconds by which neighbours overlap, 0 or more; short ones overlap by less.
    """

    lengths_s: Seconds
    overlap_s: float = 0.0

    @cached_property
    def overlaps_s(self) -> Seconds:
        """The longest overlap of each track, seconds, shape (n_tracks,)."""
        shares_s = MAX_OVERLAP_SHARE * self.lengths_s
        return np.asarray(np.minimum(self.overlap_s, shares_s))

    def overlap_of(self, row: int | None) -> float:
        """Return the longest overlap of one track; one of no row counts as long."""
        return self.overlap_s if row is None else float(self.overlaps_s[row])

    def played_s(
        self, rows: Sequence[int], overlap_before_s: float, overlap_after_s: float
    ) -> float:
        """Return the time between two other tracks that some tracks in a row take.

        That is from the end of the one to the start of the other. Without tracks
        between it is not above 0: the two overlap each other.

        Parameters
        ----------
        rows
            The tracks between.
        overlap_before_s, overlap_after_s
            The longest overlaps of the two others.
        """
        rows = list(rows)
        overlaps_s = [overlap_before_s, *self.overlaps_s[rows], overlap_after_s]
        saved_s = np.minimum(overlaps_s[:-1], overlaps_s[1:]).sum()
        return float(self.lengths_s[rows].sum() - saved_s)

    def added_s(self, overlap_before_s: float, overlap_after_s: float) -> Seconds:
        """Return by how much each track prolongs a list in which it is put.

        Parameters
        ----------
        overlap_before_s, overlap_after_s
            The longest overlaps of the two tracks between which it comes.

        Returns
        -------
        ndarray of float, shape (n_tracks,)
            Seconds.
        """
        saved_s = np.minimum(self.overlaps_s, overlap_before_s)
        saved_s = saved_s + np.minimum(self.overlaps_s, overlap_after_s)
        return self.lengths_s - saved_s + min(overlap_before_s, overlap_after_s)
