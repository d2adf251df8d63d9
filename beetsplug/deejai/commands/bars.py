"""What a track is made of, as text on a terminal."""

from __future__ import annotations

import sys
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING, Any

from beets import config

from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.text import one_line, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.output.portions import Portion

INDENT = "  "

MIN_BAR_WIDTH = 8
"""Columns that the bar of a whole track has at least; names give way."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bars(parts: Sequence[Portion], *, width: int) -> Iterator[str]:
    """Write parts as bars: name, share, and a bar as long as the share.

    Parameters
    ----------
    parts
        Of a track.
    width
        Columns of the terminal.

    Yields
    ------
    str
        A line that is not wider than the terminal.
    """
    names = [one_line(part.name) for part in parts]
    # Of the widest line are left the shares, and what stands between the columns.
    room = width - len(f"{INDENT}  100 %  ") - 1
    name_width = min(max(map(_width, names)), max(room - MIN_BAR_WIDTH, room // 3, 1))
    bar_width = max(0, room - name_width)
    draw = _blocks if _can_print(_EIGHTHS) else _hashes
    for name, part in zip(names, parts, strict=True):
        bar = draw(part.share * bar_width)
        fitted = _fitted(name, name_width)
        yield f"{INDENT}{fitted}  {percent(part.share):>5}  {bar}".rstrip()


def runs(
    probabilities: npt.NDArray[Any],
    genres: Sequence[str],
    *,
    slice_s: float,
    width: int,
) -> Iterator[str]:
    """Write which genre is strongest from when to when.

    Parameters
    ----------
    probabilities
        Of each genre in each slice, shape (n_slices, n_genres).
    genres
        Their names.
    slice_s
        Length of a slice in seconds.
    width
        Columns of the terminal.

    Yields
    ------
    str
        A line for each run of slices: times, mean probability and genre.
    """
    strongest = probabilities.argmax(axis=1).tolist()
    clock_width = len(format_duration(len(strongest) * slice_s))
    start = 0
    for number, group in groupby(strongest):
        stop = start + len(list(group))
        first, last = (format_duration(place * slice_s) for place in (start, stop))
        share = probabilities[start:stop, number].mean()
        times = f"{first:>{clock_width}} - {last:>{clock_width}}"
        head = f"{INDENT}{times}  {percent(share):>5}  "
        name = one_line(genres[number])
        yield head + _fitted(name, max(1, width - len(head) - 1)).rstrip()
        start = stop


def _blocks(length: float) -> str:
    eighths = round(length * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _hashes(length: float) -> str:
    return "#" * round(length)


def _can_print(text: str) -> bool:
    """Whether the output can hold these characters; beets would print ? for others."""
    encoding = config["terminal_encoding"].get()
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _width(text: str) -> int:
    """Count the columns of a terminal that text takes."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitted(text: str, width: int) -> str:
    """Cut or fill text so that it takes this many columns."""
    if _width(text) > width:
        while text and _width(text) > width - 3:
            text = text[:-1]
        text = (text + "...")[: max(width, 1)]
    return text + " " * (width - _width(text))
