"""Which colour each track has on the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.output.palette import along

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.atlas.columns import Columns, Groups
    from beetsplug.deejai.output.palette import Palette

BY = ("genre", "year", "artist")
"""What tracks can be coloured by."""

N_NAMED = 10
"""Groups with a colour of their own; the eye tells no more apart."""


@dataclass(frozen=True)
class Entry:
    """A line of the legend: a name, the row of its colour, and of how many tracks."""

    name: str
    row: int
    n_tracks: int


@dataclass(frozen=True)
class Colouring:
    """The colour of each track, and what the colours mean.

    Tracks that share a genre, a year or an artist share a colour, so that one is told
    of each of these values.

    Attributes
    ----------
    values
        Int64, shape (n_tracks,): place of each track's value among all values.
    rows
        Int64, shape (n_values,): row in `colours` of each value.
    colours
        Each as ``#rrggbb``. Equal ones may stand for lines of the legend that differ.
    n_named
        So many of `colours`, the first, are drawn on top; the rest lie behind.
    legend
        The commonest groups first, then the rest; for years the rest only.
    years
        The first and the last, where colours are years and any is known.
    """

    values: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    colours: list[str]
    n_named: int
    legend: list[Entry]
    years: tuple[int, int] | None = None

    @property
    def track_rows(self) -> npt.NDArray[np.int64]:
        """Row in `colours` of each track, shape (n_tracks,)."""
        return self.rows[self.values]


def colour(columns: Columns, by: str, palette: Palette) -> Colouring:
    """Colour tracks.

    Parameters
    ----------
    columns
        The tracks.
    by
        One of :data:`BY`.
    palette
        The colours.
    """
    if by == "year":
        return _by_year(*columns.distinct_years(), palette)
    groups = columns.genres if by == "genre" else columns.artists
    return _by_group(groups, palette)


def _by_group(groups: Groups, palette: Palette) -> Colouring:
    names = groups.names
    counts = np.bincount(groups.codes, minlength=len(names))
    # Only the last may be without a name.
    n_known = sum(map(bool, names))
    n_named = min(N_NAMED, n_known)
    rows = np.arange(len(names))
    colours = list(palette.named[:n_named])
    legend = [Entry(names[row], row, int(counts[row])) for row in range(n_named)]
    for name, behind in (
        (f"{n_known - n_named} others", slice(n_named, n_known)),
        ("unknown", slice(n_known, None)),
    ):
        if n_tracks := int(counts[behind].sum()):
            rows[behind] = len(colours)
            legend.append(Entry(name, len(colours), n_tracks))
            colours.append(palette.rest)
    return Colouring(groups.codes, rows, colours, n_named, legend)


def _by_year(
    years: npt.NDArray[np.int64], values: npt.NDArray[np.int64], palette: Palette
) -> Colouring:
    known = years[years > 0]
    parts = (known - known[:1]) / np.maximum(1, known[-1:] - known[:1])
    colours = [f"#{bytes(each).hex()}" for each in along(palette.ramp, parts)]
    rows = np.arange(len(years))
    legend = []
    if len(known) < len(years):
        # The first year is the unknown one, and grey comes last.
        rows = np.roll(rows, 1)
        n_unknown = int(np.count_nonzero(values == 0))
        legend.append(Entry("unknown", len(colours), n_unknown))
        colours.append(palette.rest)
    ends = (int(known[0]), int(known[-1])) if known.size else None
    return Colouring(values, rows, colours, len(known), legend, ends)
