"""The picture of a mix: a track's own art, or one drawn from the mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from beetsplug.deejai.output.lettering import can_show, shortened, sized_font
from beetsplug.deejai.output.pictures import (
    embedded_picture,
    fitted,
    jpeg,
    picture_file,
)
from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.ImageFont import FreeTypeFont

    Array = npt.NDArray[np.float64]

MAX_SIDE = 1000
"""Longest side of a cover, in pixels."""

MAX_COVER_BYTES = 1_000_000
"""Larger pictures are written anew."""

COVER_SIDE = 800
"""Side of a drawn cover, in pixels."""


def art_of(path: str, *, art_path: str | None = None) -> bytes | None:
    """Return the art of a track, fit for a tag.

    Parameters
    ----------
    path
        The audio file, as :func:`os.fsdecode` spells it. Art inside it is taken first.
    art_path
        An image beside it, if there is one.

    Returns
    -------
    bytes or None
        A JPEG or PNG of at most 1000 pixels a side and 1 MB. What is larger is scaled
        down to a JPEG, what is broken or enormous is passed over.
    """
    return _fit(embedded_picture(path)) or _fit(picture_file(art_path))


def _fit(data: bytes | None) -> bytes | None:
    return fitted(data, max_side=MAX_SIDE, max_bytes=MAX_COVER_BYTES)


# The drawing is made larger and scaled down, which smooths its edges.
_SCALE = 3
_CANVAS = COVER_SIDE * _SCALE
_GROUND = (13, 13, 18)
_TEXT = (236, 234, 228)

_N_BARS = 180
_BASE, _REACH_OUT, _REACH_IN = 0.245, 0.135, 0.055
"""Radius on which the bars stand, and how far they go: parts of the cover's side."""
_MIDDLE, _ABOVE_TITLE = 0.5, 0.435
"""Height of the record's centre, without and with a title below."""


def draw_cover(*, title: str, levels: npt.ArrayLike, starts: Sequence[float]) -> bytes:
    """Draw a mix: its level as bars around a record, a colour for every chapter.

    The same mix gives the same picture.

    Parameters
    ----------
    title
        Set below if Pillow's own font has all its letters: those of English.
    levels
        RMS level over time, shape (n,), any number, 0 to 1.
    starts
        Where chapters start, as parts of the whole, 0 to 1, ascending.

    Returns
    -------
    bytes
        A JPEG of 800 x 800 pixels.
    """
    heights = _heights(np.asarray(levels, dtype=np.float64))
    colours = _colours(np.asarray(starts, dtype=np.float64))
    line = one_line(title).replace(
        "->", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    )
    is_titled = bool(line) and can_show(line)
    canvas = Image.new("RGB", (_CANVAS, _CANVAS), _GROUND)
    draw = ImageDraw.Draw(canvas)
    record = _Record(draw, _ABOVE_TITLE if is_titled else _MIDDLE)
    record.draw_bars(heights, colours)
    # Only the bars shine.
    glow = canvas.reduce(_SCALE).filter(ImageFilter.GaussianBlur(26))
    record.draw_disc(colours)
    sharp = canvas.reduce(_SCALE)
    light = np.asarray(glow, dtype=np.float64) - _GROUND
    lit = np.clip(np.asarray(sharp) + 0.55 * light, 0, 255)
    cover = Image.fromarray(lit.astype(np.uint8))
    if is_titled:
        _draw_title(ImageDraw.Draw(cover), line)
    return jpeg(cover)


def _heights(levels: Array) -> Array:
    """Return the length of each bar, 0 to 1."""
    levels = np.nan_to_num(np.abs(levels), posinf=1.0)
    if not levels.size or not levels.max():
        return np.zeros(_N_BARS)
    edges = np.linspace(0, levels.size, _N_BARS + 1)
    power = np.concatenate([[0.0], np.cumsum(np.square(levels / levels.max()))])
    # The mean power between any two moments, also those within one level.
    mean = np.diff(np.interp(edges, np.arange(power.size), power)) / np.diff(edges)
    bars = np.sqrt(np.maximum(mean, 0))
    # Music is loud most of the time: what differs is what is shown.
    quiet, loud = np.percentile(bars, [10, 96])
    heights: Array = (bars - 0.6 * quiet) / max(loud - 0.6 * quiet, 1e-9)
    return np.clip(heights, 0, 1)


def _colours(starts: Array) -> Array:
    """Return the colour of each bar, shape (n_bars, 3), 0 to 255.

    Hues go around from chapter to chapter at the same lightness to the eye (OKLCH).
    """
    middles = (np.arange(_N_BARS) + 0.5) / _N_BARS
    chapter = np.maximum(np.searchsorted(starts, middles, side="right") - 1, 0)
    n_chapters = max(1, len(starts))
    # The hue drifts a little all the time, so that one chapter alone is not flat.
    hue = (chapter + 0.5 * middles) / n_chapters if n_chapters > 1 else 0.3 * middles
    return _oklch(0.77, 0.145, 2 * np.pi * (0.08 + 0.92 * hue))


def _oklch(lightness: float, chroma: float, hue: Array) -> Array:
    """Convert to sRGB, 0 to 255.

    Ottosson 2020, https://bottosson.github.io/posts/oklab
    """
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    lms = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ],
        axis=-1,
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(lms**3 @ to_rgb.T, 0, 1)
    gamma: Array = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return 255 * gamma


class _Record:
    """A record with bars around it, on the large canvas.

    Radii are parts of the canvas's side.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, height: float) -> None:
        self._draw = draw
        self._x, self._y = _CANVAS / 2, _CANVAS * height

    def draw_bars(self, heights: Array, colours: Array) -> None:
        width = round(2 * np.pi * _BASE * _CANVAS / _N_BARS * 0.56)
        r = width / 2
        for number, (height, colour) in enumerate(zip(heights, colours, strict=True)):
            angle = 2 * np.pi * (number + 0.5) / _N_BARS - np.pi / 2
            length = 0.04 + 0.96 * height
            ends = [
                self._point(angle, _BASE + _REACH_OUT * length),
                self._point(angle, _BASE - _REACH_IN * length),
            ]
            fill = _rgb(colour * (0.72 + 0.28 * height))
            self._draw.line(ends, fill=fill, width=width)
            for x, y in ends:
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def draw_disc(self, colours: Array) -> None:
        for number, radius in enumerate(np.linspace(0.172, 0.094, 18)):
            grey = 46 if number % 6 == 0 else 28
            groove = (grey, grey, grey + 6)
            self._draw.ellipse(self._box(radius), outline=groove, width=_SCALE)
        # The label: the same colours, dimmed, at the same angles.
        for number, colour in enumerate(colours):
            first = 360 * number / _N_BARS - 90
            last = first + 360 / _N_BARS + 1
            self._draw.pieslice(self._box(0.078), first, last, _rgb(0.9 * colour))
        for radius, fill in ((0.034, _GROUND), (0.030, _TEXT), (0.007, _GROUND)):
            self._draw.ellipse(self._box(radius), fill=fill)

    def _point(self, angle: float, radius: float) -> tuple[float, float]:
        r = _CANVAS * radius
        return self._x + r * float(np.cos(angle)), self._y + r * float(np.sin(angle))

    def _box(self, radius: float) -> tuple[float, float, float, float]:
        r = _CANVAS * radius
        return self._x - r, self._y - r, self._x + r, self._y + r


def _rgb(colour: Array) -> tuple[int, int, int]:
    red, green, blue = (round(float(part)) for part in colour)
    return red, green, blue


_TITLE_WIDTH = 0.84 * COVER_SIDE
_SIZES = (46, 40, 34, 29)


def _draw_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    lines, font = _set(title)
    y = COVER_SIDE * 0.895 - (len(lines) - 1) * font.size * 0.62
    for line in lines:
        draw.text((COVER_SIDE / 2, y), line, fill=_TEXT, font=font, anchor="mm")
        y += font.size * 1.24


def _set(title: str) -> tuple[list[str], FreeTypeFont]:
    """Break a title into one or two lines as large as fit."""
    for size in _SIZES:
        font = sized_font(size)
        for lines in ([title], _halves(title, font)):
            if all(font.getlength(line) <= _TITLE_WIDTH for line in lines):
                return lines, font
    return [shortened(line, font, _TITLE_WIDTH) for line in _halves(title, font)], font


def _halves(title: str, font: FreeTypeFont) -> list[str]:
    """Break a title where both lines are as even as can be."""
    words = title.split(" ")
    breaks = [[" ".join(words[:n]), " ".join(words[n:])] for n in range(1, len(words))]
    return min(breaks or [[title]], key=lambda lines: max(map(font.getlength, lines)))
