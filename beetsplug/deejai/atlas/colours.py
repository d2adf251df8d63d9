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
    """A line of the legend: a name, its colour as ``#rrggbb``, and of how many."""

    name: str
    colour: str
    n_tracks: int


@dataclass(frozen=True)
class Colouring:
    """The colour of each track, and what the colours mean.

    Attributes
    ----------
    colours
        uint8, shape (n_tracks, 3).
    is_named
        bool, shape (n_tracks,): False for those that are drawn behind.
    legend
        The commonest groups first, then the rest; for years the rest only.
    years
        The first and the last, where colours are years and any is known.
    """

    colours: Colours
    is_named: npt.NDArray[np.bool_]
    legend: list[Entry]
    years: tuple[int, int] | None = None


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
        return _by_year(columns.years, palette)
    groups = columns.genres if by == "genre" else columns.artists
    return _by_group(groups, palette)


def _by_group(groups: Groups, palette: Palette) -> Colouring:
    counts = np.bincount(groups.codes, minlength=len(groups.names))
    n_named = sum(map(bool, groups.names[:N_NAMED]))
    table = rgb(palette.rest).repeat(max(1, len(groups.names)), axis=0)
    table[:n_named] = rgb(*palette.named[:n_named])
    legend = [
        Entry(groups.names[row], palette.named[row], int(counts[row]))
        for row in range(n_named)
    ]
    others = sum(map(bool, groups.names[n_named:]))
    n_unknown = int(counts[len(groups.names) - 1]) if "" in groups.names[-1:] else 0
    n_others = int(counts[n_named:].sum()) - n_unknown
    if others:
        legend.append(Entry(f"{others} others", palette.rest, n_others))
    if n_unknown:
        legend.append(Entry("unknown", palette.rest, n_unknown))
    return Colouring(table[groups.codes], groups.codes < n_named, legend)


def _by_year(years: npt.NDArray[np.int64], palette: Palette) -> Colouring:
    is_known = years > 0
    colours = rgb(palette.rest).repeat(len(years), axis=0)
    if not is_known.any():
        return Colouring(
            colours, is_known, [Entry("unknown", palette.rest, len(years))]
        )
    first, last = int(years[is_known].min()), int(years[is_known].max())
    parts = (years[is_known] - first) / max(1, last - first)
    colours[is_known] = along(palette.ramp, parts)
    n_unknown = int((~is_known).sum())
    legend = [Entry("unknown", palette.rest, n_unknown)] if n_unknown else []
    return Colouring(colours, is_known, legend, (first, last))


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
