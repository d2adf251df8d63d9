"""The colours of the map, on light and on dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.atlas.columns import Columns, Groups

    Colours = npt.NDArray[np.uint8]

BY = ("genre", "year", "artist")
"""What tracks can be coloured by."""

N_NAMED = 10
"""Groups with a colour of their own; the eye tells no more apart."""


@dataclass(frozen=True)
class Palette:
    """Colours that go together on one ground, each as ``#rrggbb``.

    Attributes
    ----------
    ground, text, muted
        Of the paper, of writing, and of writing that matters less.
    named
        Of the commonest groups. They were searched for by simulated annealing so that
        any two are far apart, also for eyes that lack one of the three cones.
    rest
        Of all other tracks.
    ramp
        Of years, from the first to the last; between two of them colours are mixed.
    """

    ground: str
    text: str
    muted: str
    named: tuple[str, ...]
    rest: str
    ramp: tuple[str, ...]


LIGHT = Palette(
    ground="#ffffff",
    text="#1b1b22",
    muted="#5c5c68",
    named=(
        "#0379a6",
        "#7c2203",
        "#c6ad12",
        "#5b1c68",
        "#0da887",
        "#b1285c",
        "#a07ffc",
        "#a96f0f",
        "#37c9f1",
        "#203fb0",
    ),
    rest="#c4c4cc",
    ramp=("#33106b", "#8c2981", "#d8456c", "#f8765c", "#fdb070"),
)
DARK = Palette(
    ground="#121218",
    text="#ecebe6",
    muted="#a3a3b0",
    named=(
        "#37c8ab",
        "#e87911",
        "#b5c1ff",
        "#bf5e6e",
        "#caf770",
        "#7764d8",
        "#d9bc51",
        "#1d97b4",
        "#c382ff",
        "#22ffdc",
    ),
    rest="#5a5a68",
    ramp=("#7b4bd0", "#c4438e", "#f8765c", "#febb81", "#fcfdbf"),
)


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


def along(ramp: tuple[str, ...], parts: npt.NDArray[np.float64]) -> Colours:
    """Mix the colours of a ramp at parts of its length, shape (n,), in [0, 1]."""
    stops = rgb(*ramp)
    places = np.linspace(0.0, 1.0, len(stops))
    mixed = [np.interp(parts, places, stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(mixed, axis=-1)).astype(np.uint8)


def rgb(*colours: str) -> Colours:
    """Read colours; shape (n, 3)."""
    parts = b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    return np.frombuffer(parts, dtype=np.uint8).reshape(-1, 3)
