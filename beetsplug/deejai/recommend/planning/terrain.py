"""The tracks of a library as the planning of a journey sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Labels
    from beetsplug.deejai.recommend.rules import Catalogue, Rules
    from beetsplug.deejai.recommend.timing import Clock

    Codes = npt.NDArray[np.integer]
    Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Terrain:
    """What is known of the tracks, and what a list of them has to keep.

    Attributes
    ----------
    index, catalogue, rules
        As for :func:`~beetsplug.deejai.recommend.journey.journey`.
    clock
        How long the tracks play.
    """

    index: Index
    catalogue: Catalogue
    rules: Rules
    clock: Clock

    @cached_property
    def spaced(self) -> list[tuple[Codes, int]]:
        """What is spaced out: codes of all tracks, shape (n_tracks,), and the gap.

        Tracks of which it is not known share no code.
        """
        catalogue, rules = self.catalogue, self.rules
        kinds = [
            (catalogue.artists, rules.artist_gap),
            (catalogue.albums, rules.album_gap),
        ]
        rows = np.arange(len(self.index))
        return [(_told_apart(codes, rows), gap) for codes, gap in kinds if gap]

    def spaced_codes(self, labels: Labels) -> list[int]:
        """Return the codes of one track in the order of :attr:`spaced`."""
        kinds = [
            (labels.artist, self.rules.artist_gap),
            (labels.album, self.rules.album_gap),
        ]
        return [code for code, gap in kinds if gap]

    @property
    def longest_gap(self) -> int:
        """How far the rules look."""
        return max(self.rules.artist_gap, self.rules.album_gap)

    def pieces(self, rows: Rows) -> Codes:
        """Return codes of some tracks that none but versions share.

        Recordings may be told only when they are asked for, which takes its time: ask
        for no more rows than needed, but for many at once.
        """
        return _told_apart(self.catalogue.recordings[rows], rows)


def _told_apart(codes: Codes, rows: Rows) -> Codes:
    """Give every track of unknown code a code of its own."""
    return np.where(codes == UNKNOWN, -2 - rows, codes)
