"""Pictures of genres: what a track is made of, and which are taken for others."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.lettering import broken, shortened, shown, sized_font
from beetsplug.deejai.output.palette import LIGHT, along, ink_on, rgb
from beetsplug.deejai.output.portions import colours_of
from beetsplug.deejai.output.text import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.ImageFont import FreeTypeFont

    from beetsplug.deejai.output.portions import Portion

    Array = npt.NDArray[np.float32]

_SCALE = 2  # Shapes are drawn larger and scaled down, which smooths their edges.
_EDGE = 60

_LEGEND_WIDTH = 640
_LINE_HEIGHT = 66

_PIE_SIDE = 980
_TOLD_INSIDE = 0.06  # A larger sector has room for its share ...
_PARTED = 0.005  # ... and a smaller one none for its edges.
_AREAS_WIDTH, _AREAS_HEIGHT = 1500, 800
_AXIS_HEIGHT, _AXIS_WIDTH = 90, 120

_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000)
_MAX_TICKS = 10

_MATRIX_SIDE = 1200
_SMALLEST_CELL, _LARGEST_CELL = 18, 150
_LABEL_WIDTH = 420
_CAPTION_WIDTH = 760


def draw_confusion(matrix: npt.ArrayLike, genres: Sequence[str]) -> bytes:
    """Draw which genres are taken for which.

    Parameters
    ----------
    matrix
        Numbers of tracks, shape (n_genres, n_genres), at least one: rows are the genres
        that tracks have, columns those that are heard.
    genres
        Their names.

    Returns
    -------
    bytes
        A PNG.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    n_genres = len(genres)
    cell = max(_SMALLEST_CELL, min(_LARGEST_CELL, _MATRIX_SIDE // n_genres))
    side = cell * n_genres
    font = sized_font(max(14, min(34, cell * 2 // 3)))
    names = [shortened(shown(genre), font, _LABEL_WIDTH) for genre in genres]
    margin = int(max(map(font.getlength, names))) + 24
    caption = _small()
    width = max(margin + side, _CAPTION_WIDTH)
    lines = caption.broken(
        "Rows: the genre that a track has. Columns: the genre that is heard. Numbers: "
        "tracks. The darker, the larger the part of its row.",
        width,
    )
    left, top = _EDGE + margin, _EDGE + margin
    height = top + side + 30 + 36 * len(lines) + _EDGE
    picture = Image.new("RGB", (width + 2 * _EDGE, height), LIGHT.ground)
    draw = ImageDraw.Draw(picture)
    ramp = along((LIGHT.ground, LIGHT.named[0]), shares.ravel())
    fills = [f"#{bytes(each).hex()}" for each in ramp]
    n_digits = len(str(int(counts.max())))
    fonts = {n: _fitting("8" * n, cell) for n in range(1, n_digits + 1)}
    for row, column in np.ndindex(n_genres, n_genres):
        x, y = left + column * cell, top + row * cell
        fill = fills[row * n_genres + column]
        draw.rectangle((x, y, x + cell, y + cell), fill, LIGHT.rest)
        if number := int(counts[row, column]):
            place, text = (x + cell / 2, y + cell / 2), str(number)
            draw.text(place, text, ink_on(fill), fonts[len(text)], anchor="mm")
    for number, name in enumerate(names):
        middle = cell * number + cell / 2
        draw.text((left - 12, top + middle), name, LIGHT.text, font, anchor="rm")
        _draw_upright(picture, (left + middle, top - 12), name, font)
    caption.draw(draw, (_EDGE, top + side + 30), lines, 36)
    return _png(picture)


def draw_pie(parts: Sequence[Portion], *, title: str, caption: str) -> bytes:
    """Draw what a track is made of.

    Parameters
    ----------
    parts
        Of the track; their shares add up to 1.
    title, caption
        What stands above, and below that in small letters.

    Returns
    -------
    bytes
        A PNG.
    """
    side = _PIE_SIDE
    colours = colours_of(parts)
    pie = Image.new("RGB", (side * _SCALE, side * _SCALE), LIGHT.ground)
    draw, end = ImageDraw.Draw(pie), side * _SCALE - 1
    ends = np.cumsum([part.share for part in parts]) * 360 - 90
    starts = [-90.0, *ends[:-1].tolist()]
    for start, stop, fill in zip(starts, ends.tolist(), colours, strict=True):
        draw.pieslice((0, 0, end, end), start, stop, fill)
    # Thin light edges part sectors whose colours some eyes may not tell apart.
    edges = [
        start
        for start, part in zip(starts, parts, strict=True)
        if part.share >= _PARTED
    ]
    for angle in np.deg2rad(edges) if len(edges) > 1 else ():
        rim = 1 + np.array([np.cos(angle), np.sin(angle)])
        middle = (end / 2, end / 2)
        draw.line((*middle, *(rim * end / 2)), LIGHT.ground, 3 * _SCALE)
    canvas = _Canvas(side, side, title, caption)
    canvas.picture.paste(pie.reduce(_SCALE), (_EDGE, canvas.top))
    font = sized_font(36)
    for start, part, fill in zip(starts, parts, colours, strict=True):
        if part.share >= _TOLD_INSIDE:
            angle = np.deg2rad(start + part.share * 180)
            far = 0.36 * side * min(1.0, 2 * (1 - part.share))
            x = _EDGE + side / 2 + far * np.cos(angle)
            y = canvas.top + side / 2 + far * np.sin(angle)
            text = percent(part.share)
            canvas.draw.text((x, y), text, ink_on(fill), font, anchor="mm")
    canvas.draw_legend(parts, colours)
    return _png(canvas.picture)


def draw_timeline(
    probabilities: Array,
    parts: Sequence[Portion],
    *,
    slice_s: float,
    title: str,
    caption: str,
) -> bytes:
    """Draw what a track is made of from its beginning to its end, as stacked areas.

    Parameters
    ----------
    probabilities
        Of each genre in each slice, shape (n_slices, n_genres), at least one slice.
    parts
        Of the whole track.
    slice_s
        Length of a slice in seconds.
    title, caption
        What stands above, and below that in small letters.

    Returns
    -------
    bytes
        A PNG.
    """
    colours = colours_of(parts)
    shares = np.stack(
        [probabilities[:, list(part.genres)].sum(axis=1) for part in parts], axis=1
    )
    length_s = slice_s * len(shares)
    width, height = _AREAS_WIDTH, _AREAS_HEIGHT
    canvas = _Canvas(width + _AXIS_WIDTH, height + _AXIS_HEIGHT, title, caption)
    tops = np.cumsum(_smooth(shares, width * _SCALE), axis=1) * height * _SCALE
    # Which part each point is of: in each column the lowest one is the largest.
    from_below = np.arange(height * _SCALE)[::-1, None] + 0.5
    part_of = np.zeros((height * _SCALE, width * _SCALE), dtype=np.uint8)
    for number in range(len(parts) - 1):
        part_of += from_below > tops[:, number]
    areas = Image.fromarray(rgb(*colours)[part_of]).reduce(_SCALE)
    left, top = _EDGE + _AXIS_WIDTH, canvas.top
    canvas.picture.paste(areas, (left, top))
    canvas.draw_axes(left, top, length_s)
    canvas.draw_legend(parts, colours)
    return _png(canvas.picture)


def _smooth(shares: Array, n_columns: int) -> npt.NDArray[np.float64]:
    """Return the shares of each column of a picture, shape (n_columns, n_parts).

    Each is the mean over the time of a slice around it, or of the column if that is
    longer, so that long tracks do not flicker.
    """
    sums = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(shares, axis=0)])
    times = np.arange(len(sums))
    middles = (np.arange(n_columns) + 0.5) * len(shares) / n_columns
    half = max(1.0, len(shares) / n_columns) / 2
    first = np.maximum(0, middles - half)
    last = np.minimum(len(shares), middles + half)
    means = [
        (np.interp(last, times, part) - np.interp(first, times, part)) / (last - first)
        for part in sums.T
    ]
    return np.stack(means, axis=1)


class _Canvas:
    """A picture with a title above and a legend at the right of a space to draw in."""

    def __init__(self, width: int, height: int, title: str, caption: str) -> None:
        heading, small = _Writing(sized_font(52), LIGHT.text), _small()
        whole = width + _LEGEND_WIDTH + _EDGE
        first, *more = heading.broken(shown(title), whole)
        above = [first]
        if more:
            above.append(shortened(" ".join(more), heading.font, whole))
        below = small.broken(shown(caption), whole)
        self.top = _EDGE + 66 * len(above) + 38 * len(below) + 40
        size = (whole + 2 * _EDGE, self.top + height + _EDGE)
        self.picture = Image.new("RGB", size, LIGHT.ground)
        self.draw = ImageDraw.Draw(self.picture)
        y = heading.draw(self.draw, (_EDGE, _EDGE), above, 66)
        small.draw(self.draw, (_EDGE, y + 4), below, 38)
        self._legend_x = 2 * _EDGE + width

    def draw_legend(self, parts: Sequence[Portion], colours: Sequence[str]) -> None:
        """Draw what the colours mean, and how much there is of each."""
        font, small = sized_font(36), sized_font(32)
        x, right = self._legend_x, self._legend_x + _LEGEND_WIDTH
        for number, (part, fill) in enumerate(zip(parts, colours, strict=True)):
            middle = self.top + _LINE_HEIGHT * number + _LINE_HEIGHT // 2
            self.draw.rectangle((x, middle - 17, x + 34, middle + 17), fill)
            share = percent(part.share)
            room = _LEGEND_WIDTH - 60 - small.getlength(share) - 24
            name = shortened(shown(part.name), font, room)
            self.draw.text((x + 60, middle), name, LIGHT.text, font, anchor="lm")
            self.draw.text((right, middle), share, LIGHT.muted, small, anchor="rm")

    def draw_axes(self, left: int, top: int, length_s: float) -> None:
        """Draw shares to the left of the areas, and times below them."""
        font = sized_font(28)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = top + _AREAS_HEIGHT * (1 - share)
            self.draw.line((left - 14, y, left - 2, y), LIGHT.muted, 2)
            text = percent(share)
            self.draw.text((left - 22, y), text, LIGHT.muted, font, anchor="rm")
        step_s = next((s for s in _TICKS_S if length_s / s <= _MAX_TICKS), length_s)
        below = top + _AREAS_HEIGHT
        for time_s in np.arange(0.0, length_s + 1e-6, step_s).tolist():
            x = left + _AREAS_WIDTH * time_s / length_s
            self.draw.line((x, below + 2, x, below + 14), LIGHT.muted, 2)
            text = format_duration(time_s)
            self.draw.text((x, below + 22), text, LIGHT.muted, font, anchor="ma")


class _Writing:
    """Text of one size and colour, in lines."""

    def __init__(self, font: FreeTypeFont, fill: str) -> None:
        self.font = font
        self.fill = fill

    def broken(self, text: str, width: float) -> list[str]:
        """Break text into lines of at most this many pixels."""
        return broken(text, self.font, width)

    def draw(
        self,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        lines: Sequence[str],
        height: int,
    ) -> float:
        """Draw lines of some height, and return where the next one would be."""
        x, y = place
        for line in lines:
            draw.text((x, y), line, self.fill, self.font)
            y += height
        return y


def _small() -> _Writing:
    return _Writing(sized_font(26), LIGHT.muted)


def _fitting(number: str, cell: int) -> FreeTypeFont:
    """Return the largest font in which a number fits into its cell."""
    size = max(8, cell // 2)
    while size > 8 and sized_font(size).getlength(number) > cell * 0.86:
        size -= 1
    return sized_font(min(size, 40))


def _draw_upright(
    picture: Image.Image, bottom: tuple[float, float], name: str, font: FreeTypeFont
) -> None:
    """Write a name upwards, its beginning at the bottom."""
    width, height = int(font.getlength(name)) + 2, int(font.size * 1.4)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).text((0, height / 2), name, 255, font, anchor="lm")
    mask = mask.transpose(Image.Transpose.ROTATE_90)
    x, y = int(bottom[0] - height / 2), int(bottom[1] - width)
    picture.paste(LIGHT.text, (x, y), mask)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, dpi=(300, 300))
    return file.getvalue()
