"""The map as the page and the deck read it: one list for each thing told of tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.atlas.colours import DARK, LIGHT

if TYPE_CHECKING:
    from beetsplug.deejai.atlas.colours import Palette
    from beetsplug.deejai.atlas.columns import Columns
    from beetsplug.deejai.atlas.layout import Array

_DIGITS = 5  # A hundredth of a pixel on a screen.


def map_fields(columns: Columns, positions: Array) -> dict[str, Any]:
    """Put tracks and their positions into what JSON can hold.

    Parameters
    ----------
    columns
        The tracks.
    positions
        Shape (n_tracks, 2), in [0, 1].

    Returns
    -------
    dict
        ``x``, ``y``, ``title``, ``year`` (None where unknown), ``artist`` and ``genre``
        (places in ``artists`` and ``genres``, which name the commonest first), each of
        which but the last two has one value a track; and ``colours`` on light and on
        dark ground.
    """
    xs, ys = np.round(positions.astype(np.float64), _DIGITS).T.tolist()
    return {
        "x": xs,
        "y": ys,
        "title": columns.titles,
        "artist": columns.artists.codes.tolist(),
        "artists": columns.artists.names,
        "genre": columns.genres.codes.tolist(),
        "genres": columns.genres.names,
        "year": [year or None for year in columns.years.tolist()],
        "colours": {"light": _colours(LIGHT), "dark": _colours(DARK)},
    }


def _colours(palette: Palette) -> dict[str, Any]:
    return {"named": palette.named, "rest": palette.rest, "ramp": palette.ramp}
