"""The map as the page and the deck read it: one list for each thing told of tracks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.atlas.colours import BY, DARK, LIGHT, colour

if TYPE_CHECKING:
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
        ``x``, ``y``, ``title``, ``artist``, ``genre`` and ``year`` have one value a
        track. The last three are places in ``artists``, ``genres`` and ``years``, which
        name the commonest first and years in order, None for unknown ones.
        ``colourings`` holds, for each of
        :data:`~beetsplug.deejai.atlas.colours.BY`, the ``colours`` on ``light`` and
        ``dark`` ground, of which the first ``n_named`` are drawn on top; ``rows``, the
        place in them of each artist, genre or year; the ``legend``; and for years the
        ``ramp`` that their colours lie on.
    """
    xs, ys = np.round(positions.astype(np.float64), _DIGITS).T.tolist()
    years, codes = columns.distinct_years()
    return {
        "x": xs,
        "y": ys,
        "title": columns.titles,
        "artist": columns.artists.codes.tolist(),
        "artists": columns.artists.names,
        "genre": columns.genres.codes.tolist(),
        "genres": columns.genres.names,
        "year": codes.tolist(),
        "years": [year or None for year in years.tolist()],
        "colourings": {by: _colouring(columns, by) for by in BY},
    }


def _colouring(columns: Columns, by: str) -> dict[str, Any]:
    light, dark = (colour(columns, by, palette) for palette in (LIGHT, DARK))
    ramp = None
    if light.years is not None:
        first, last = light.years
        colours = {"light": list(LIGHT.ramp), "dark": list(DARK.ramp)}
        ramp = {"first": first, "last": last, "colours": colours}
    return {
        "colours": {"light": light.colours, "dark": dark.colours},
        "n_named": light.n_named,
        "rows": light.rows.tolist(),
        "legend": [asdict(entry) for entry in light.legend],
        "ramp": ramp,
    }
