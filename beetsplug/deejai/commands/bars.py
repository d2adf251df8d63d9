"""What a track is made of, as text on a terminal."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

from beets import config

from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.text import fitted, one_line, percent, text_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.output.portions import Portion

INDENT = "  "

MIN_BAR_WIDTH = 8
"""Columns that the bar of a whole track has at least; names give way ..."""

MIN_NAME_WIDTH = 10
"""... down to these; on a narrower terminal bars are left out, and when a run ends."""

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
        A line that is narrower than the terminal, if that has more than ten columns.
    """
    names = [one_line(part.name) for part in parts]
    # Of the widest line are left the shares, and what stands between the columns.
    room = width - len(f"{INDENT}  100 %  ") - 1
    longest = max(map(text_width, names))
    name_width = min(longest, room - MIN_BAR_WIDTH)
    if name_width < min(longest, MIN_NAME_WIDTH):
        name_width = max(1, min(longest, room + len("  ")))
    bar_width = max(0, room - name_width)
    draw = _blocks if _can_print(_EIGHTHS) else _hashes
    for name, part in zip(names, parts, strict=True):
        bar = draw(part.share * bar_width)
        cell = fitted(name, name_width)
        yield f"{INDENT}{cell}  {percent(part.share):>5}  {bar}".rstrip()


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
        A line for each run of slices: times, mean probability and genre. On a narrow
        terminal only when it begins, and the genre.
    """
    strongest = probabilities.argmax(axis=1).tolist()
    clock_width = len(format_duration(len(strongest) * slice_s))
    start = 0
    for number, group in groupby(strongest):
        stop = start + len(list(group))
        first, last = (format_duration(place * slice_s) for place in (start, stop))
        share = probabilities[start:stop, number].mean()
        begins = f"{INDENT}{first:>{clock_width}}"
        head = f"{begins} - {last:>{clock_width}}  {percent(share):>5}  "
        if len(head) + MIN_NAME_WIDTH >= width:
            head = f"{begins}  "
        name = one_line(genres[number])
        yield head + fitted(name, max(1, width - len(head) - 1)).rstrip()
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
