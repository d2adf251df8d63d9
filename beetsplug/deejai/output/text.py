"""Make text that comes from anybody's tags fit for files and terminals."""

from __future__ import annotations

import re
import unicodedata

MAX_LINE_BYTES = 255
"""Longest name, in UTF-8: the list of chapters in MP4 counts in one byte."""

# What breaks lines or ends strings in some format.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str, *, max_bytes: int = MAX_LINE_BYTES) -> str:
    """Clean a name: one line that UTF-8 can hold.

    Parameters
    ----------
    text
        Anything: with line breaks, NUL, halves of surrogate pairs, of any length.
    max_bytes
        What is longer is cut and ends in an ellipsis.

    Returns
    -------
    str
        Words that are separated by single spaces.
    """
    # Cut first: cleaning megabytes for a line of them takes a while.
    text = " ".join(_CONTROL.sub(" ", text[: 4 * max_bytes]).split())
    return _cut(_valid(text), max_bytes)


def some_lines(text: str, *, max_bytes: int) -> str:
    """Clean text of several lines; arguments as for :func:`one_line`."""
    text = text[: 4 * max_bytes].replace("\r\n", "\n")
    return _cut(_valid(_CONTROL_BUT_NEWLINE.sub(" ", text)), max_bytes)


def percent(share: float) -> str:
    """Write a share, 0 to 1."""
    return f"{100 * share:.0f} %"


def counted(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number} {noun}{'s' * (number != 1)}"


def text_width(text: str) -> int:
    """Count the columns of a terminal that text takes."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fitted(text: str, width: int) -> str:
    """Cut or fill text so that it takes this many columns of a terminal."""
    if text_width(text) > width:
        while text and text_width(text) > width - 3:
            text = text[:-1]
        text = (text + "...")[: max(width, 1)]
    return text + " " * (width - text_width(text))


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _cut(text: str, max_bytes: int) -> str:
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    ellipsis = "…"
    kept = encoded[: max_bytes - len(ellipsis.encode())]
    return kept.decode("utf-8", "ignore") + ellipsis
