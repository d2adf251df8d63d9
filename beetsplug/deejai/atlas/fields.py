"""The map as the page and the deck read it: one list for each thing told of tracks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.atlas.colours import BY, colour
from beetsplug.deejai.output.palette import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.atlas.columns import Columns
    from beetsplug.deejai.atlas.regions import Region
    from beetsplug.deejai.atlas.shown import Shown

_DIGITS = 5  # A hundredth of a pixel on a screen.


def map_fields(shown: Shown) -> dict[str, Any]:
    """Put tracks and what is said of them into what JSON can hold.

    Parameters
    ----------
    shown
        The tracks; positions in [0, 1].

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
        ``ramp`` that their colours lie on. ``regions`` have a ``name``, the place ``x``
        and ``y`` for it, ``n_tracks`` and the ``evidence``; ``region`` is each track's
        place among them, -1 for none. ``faithfulness`` holds its numbers, and
        ``caption`` says them; they are None and empty for a few tracks.
    """
    columns, regions, faithfulness = shown.columns, shown.regions, shown.faithfulness
    xs, ys = np.round(shown.positions.astype(np.float64), _DIGITS).T.tolist()
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
        "regions": [_region(region) for region in regions],
        "region": _region_of(regions, len(columns.titles)),
        "faithfulness": faithfulness and asdict(faithfulness),
        "caption": faithfulness.sentence() if faithfulness else "",
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "name": region.name,
        "x": round(region.x, _DIGITS),
        "y": round(region.y, _DIGITS),
        "n_tracks": len(region.rows),
        "evidence": region.evidence,
    }


def _region_of(regions: Sequence[Region], n_tracks: int) -> list[int]:
    region_of = np.full(n_tracks, -1)
    for place, region in enumerate(regions):
        region_of[region.rows] = place
    return region_of.tolist()


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
