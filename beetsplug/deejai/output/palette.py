"""Colours for pictures, on light and on dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Colours = npt.NDArray[np.uint8]


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
        Of all other ones.
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


def ink_on(fill: str, palette: Palette = LIGHT) -> str:
    """Return the colour of writing that stands out better from a colour."""
    grounds = rgb(fill, palette.text, palette.ground) / 255
    linear = np.where(
        grounds <= 0.04045, grounds / 12.92, ((grounds + 0.055) / 1.055) ** 2.4
    )
    behind, *inks = (linear @ (0.2126, 0.7152, 0.0722) + 0.05).tolist()
    text, ground = (max(behind, ink) / min(behind, ink) for ink in inks)
    return palette.text if text > ground else palette.ground
