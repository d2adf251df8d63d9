"""The map as a picture, for paper and for walls."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from beetsplug.deejai.output.lettering import broken, shortened, shown, sized_font
from beetsplug.deejai.output.palette import LIGHT, along, rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.ImageFont import FreeTypeFont

    from beetsplug.deejai.atlas.colours import Colouring
    from beetsplug.deejai.atlas.regions import Region

    Array = npt.NDArray[np.float32]
    Point = tuple[float, float]

WIDTH, HEIGHT = 2400, 1600
"""In pixels: 20 x 13 cm at 300 a inch."""

# Points and ways are drawn larger and scaled down, which smooths their edges.
_SCALE = 2
_EDGE = 70
_SIDE = HEIGHT - 2 * _EDGE
_LEGEND_X = _EDGE + _SIDE + 90
_LEGEND_WIDTH = WIDTH - _EDGE - _LEGEND_X
_LINE_HEIGHT = 64
_INK = 0.42
"""Part of the map that points would cover if none lay on another."""

_NAME_SIZES = 34, 56
"""Of the lettering of the smallest and of the largest region, in pixels."""

_SMALLEST, _PARTED, _LARGEST = 3.0, 7.0, 15.0  # Radius of a point in pixels.


@dataclass(frozen=True)
class Way:
    """A playlist on the map.

    Attributes
    ----------
    rows
        Its tracks, in order.
    ends
        What its first and its last track are called.
    """

    rows: Sequence[int]
    ends: tuple[str, str]


def draw_map(
    positions: Array,
    colouring: Colouring,
    *,
    title: str,
    by: str,
    way: Way | None = None,
    regions: Sequence[Region] = (),
    caption: str = "",
) -> bytes:
    """Draw a map on white.

    The same tracks give the same picture.

    Parameters
    ----------
    positions
        Shape (n_tracks, 2), at least one: x to the right, y downwards. They are
        stretched to the picture, x and y alike.
    colouring
        Made of :data:`~beetsplug.deejai.output.palette.LIGHT`.
    title
        Above the legend.
    by
        What the colours mean.
    way
        A playlist to draw.
    regions
        Whose names are written where there is room, those of the first before others.
    caption
        Below the legend.

    Returns
    -------
    bytes
        A PNG of 2400 x 1600 pixels.
    """
    points = _fitted(positions, positions)
    plot = Image.new("RGB", (HEIGHT * _SCALE, HEIGHT * _SCALE), LIGHT.ground)
    _draw_points(plot, points, colouring)
    _draw_names(plot, positions, regions)
    if way is not None:
        _draw_way(plot, points[list(way.rows)])
    picture = Image.new("RGB", (WIDTH, HEIGHT), LIGHT.ground)
    picture.paste(plot.reduce(_SCALE), (0, 0))
    draw = ImageDraw.Draw(picture)
    y = _draw_title(draw, title, f"Colour: {by}. What sounds alike lies together.")
    y = _draw_legend(draw, y, colouring)
    if way is not None:
        y = _draw_ends(draw, y, way)
        _mark_ends(draw, points[list(way.rows)])
    _draw_caption(draw, y, caption)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, dpi=(300, 300))
    return file.getvalue()


def _fitted(places: Array, positions: Array) -> Array:
    """Put places where they lie when positions fill the plot, in pixels."""
    lowest, highest = positions.min(axis=0), positions.max(axis=0)
    extent = float((highest - lowest).max()) or 1.0
    fitted: Array = (places - (lowest + highest) / 2) / extent * _SIDE + HEIGHT / 2
    return fitted


def _draw_points(plot: Image.Image, points: Array, colouring: Colouring) -> None:
    draw = ImageDraw.Draw(plot)
    radius = np.sqrt(_INK * _SIDE * _SIDE / (np.pi * len(points)))
    r = float(np.clip(radius, _SMALLEST, _LARGEST)) * _SCALE
    # In any other order the last group would seem the largest.
    order = np.random.default_rng(0).permutation(len(points))
    rows = colouring.track_rows
    order = order[np.argsort(rows[order] < colouring.n_named, kind="stable")]
    xs, ys = (points[order].T * _SCALE).tolist()
    fills = map(tuple, rgb(*colouring.colours)[rows[order]].tolist())
    # A thin light edge parts those that touch; of small ones little would be left.
    edge = LIGHT.ground if r >= _PARTED * _SCALE else None
    for x, y, fill in zip(xs, ys, fills, strict=True):
        box = (x - r, y - r, x + r, y + r)
        draw.ellipse(box, fill=fill, outline=edge, width=_SCALE)


def _draw_names(plot: Image.Image, positions: Array, regions: Sequence[Region]) -> None:
    """Write names on the map, as far as none lies on another."""
    if not regions:
        return
    draw = ImageDraw.Draw(plot)
    places = np.array([(region.x, region.y) for region in regions], dtype=np.float32)
    spots = _fitted(places, positions) * _SCALE
    smallest, largest = _NAME_SIZES
    most = len(regions[0].rows)
    taken: list[tuple[float, float, float, float]] = []
    for region, (x, y) in zip(regions, spots.tolist(), strict=True):
        part = (len(region.rows) / most) ** 0.5
        size = round(smallest + (largest - smallest) * part) * _SCALE
        font = sized_font(size)
        name, edge = shown(region.name), size // 8
        # One at the edge of the map moves inwards.
        room = font.getlength(name) / 2 + edge
        x = min(max(x, room), plot.width - room)
        box = draw.textbbox((x, y), name, font, anchor="mm", stroke_width=edge)
        if any(_overlap(box, other) for other in taken):
            continue
        taken.append(box)
        draw.text(
            (x, y),
            name,
            LIGHT.text,
            font,
            anchor="mm",
            stroke_width=edge,
            stroke_fill=LIGHT.ground,
        )


def _overlap(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_way(plot: Image.Image, points: Array) -> None:
    draw = ImageDraw.Draw(plot)
    corners = [(x, y) for x, y in (points * _SCALE).tolist()]
    for width, fill in ((16, LIGHT.ground), (7, LIGHT.text)):
        draw.line(corners, fill=fill, width=width * _SCALE // 2, joint="curve")
    for radius, fill in ((11, LIGHT.ground), (8, LIGHT.text)):
        r = radius * _SCALE
        for x, y in corners:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _mark_ends(draw: ImageDraw.ImageDraw, points: Array) -> None:
    """Put A and B on the ends of the way."""
    for (x, y), letter in zip(points[[0, -1]].tolist(), "AB", strict=True):
        draw.ellipse((x - 24, y - 24, x + 24, y + 24), fill=LIGHT.text)
        draw.text((x, y), letter, LIGHT.ground, sized_font(32), anchor="mm")


def _draw_title(draw: ImageDraw.ImageDraw, title: str, below: str) -> int:
    font, y = sized_font(64), _EDGE + 20
    for line in broken(shown(title), font, _LEGEND_WIDTH):
        draw.text((_LEGEND_X, y), line, LIGHT.text, font)
        y += 78
    small = sized_font(30)
    for line in broken(below, small, _LEGEND_WIDTH):
        draw.text((_LEGEND_X, y + 8), line, LIGHT.muted, small)
        y += 42
    return y + 60


def _draw_legend(draw: ImageDraw.ImageDraw, y: int, colouring: Colouring) -> int:
    font, small = sized_font(38), sized_font(30)
    if colouring.years is not None:
        y = _draw_ramp(draw, y, colouring.years, font)
    for entry in colouring.legend:
        middle = y + _LINE_HEIGHT // 2
        box = (_LEGEND_X, middle - 17, _LEGEND_X + 34, middle + 17)
        draw.ellipse(box, fill=colouring.colours[entry.row])
        number = f"{entry.n_tracks:,}"
        room = _LEGEND_WIDTH - 60 - small.getlength(number) - 24
        name = shortened(shown(entry.name), font, room)
        draw.text((_LEGEND_X + 60, middle), name, LIGHT.text, font, anchor="lm")
        right = _LEGEND_X + _LEGEND_WIDTH
        draw.text((right, middle), number, LIGHT.muted, small, anchor="rm")
        y += _LINE_HEIGHT
    return y


def _draw_ramp(
    draw: ImageDraw.ImageDraw, y: int, years: tuple[int, int], font: FreeTypeFont
) -> int:
    colours = along(LIGHT.ramp, np.linspace(0.0, 1.0, _LEGEND_WIDTH)).tolist()
    for x, fill in enumerate(colours, _LEGEND_X):
        draw.line((x, y, x, y + 34), fill=tuple(fill))
    right = _LEGEND_X + _LEGEND_WIDTH
    draw.text((_LEGEND_X, y + 46), str(years[0]), LIGHT.text, font)
    draw.text((right, y + 46), str(years[1]), LIGHT.text, font, anchor="ra")
    return y + 130


def _draw_ends(draw: ImageDraw.ImageDraw, y: int, way: Way) -> int:
    font, y = sized_font(34), y + 50
    for letter, name in zip("AB", way.ends, strict=True):
        draw.ellipse((_LEGEND_X, y, _LEGEND_X + 40, y + 40), fill=LIGHT.text)
        draw.text(
            (_LEGEND_X + 20, y + 20), letter, LIGHT.ground, sized_font(28), anchor="mm"
        )
        line = shortened(shown(name), font, _LEGEND_WIDTH - 60)
        draw.text((_LEGEND_X + 60, y + 20), line, LIGHT.text, font, anchor="lm")
        y += 60
    return y


def _draw_caption(draw: ImageDraw.ImageDraw, y: int, caption: str) -> None:
    font, y = sized_font(26), y + 50
    for line in broken(caption, font, _LEGEND_WIDTH):
        draw.text((_LEGEND_X, y), line, LIGHT.muted, font)
        y += 36
