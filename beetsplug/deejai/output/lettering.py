"""Text in pictures, in the font that Pillow brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import ImageFont, features

from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_PROBE_SIZE = 46


def sized_font(size: int) -> FreeTypeFont:
    """Return Pillow's own font, which has the letters of English.

    Parameters
    ----------
    size
        In pixels.
    """
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def can_show(text: str) -> bool:
    """Whether the font has every letter: for others it shows one and the same box."""
    if not features.check("freetype2"):
        return False
    probe = sized_font(_PROBE_SIZE)
    box = bytes(probe.getmask("\uffff"))
    return all(bytes(probe.getmask(char)) != box for char in set(text))


def shown(text: str) -> str:
    """Return text as one line that the font can show.

    Letters that it lacks are transliterated.
    """
    line = one_line(text)
    if can_show(line):
        return line
    from unidecode import unidecode

    return one_line(unidecode(line)) or "?"


def shortened(line: str, font: FreeTypeFont, width: float) -> str:
    """Cut a line so that it is not wider than `width` pixels."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."


def broken(text: str, font: FreeTypeFont, width: float) -> list[str]:
    """Break text into lines of at most `width` pixels; a longer word is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shortened(line, font, width) for line in lines]
