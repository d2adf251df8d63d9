"""Durations as people write them."""

from __future__ import annotations

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_duration(text: str | float) -> float:
    """Read a duration: ``90m``, ``1h30m``, ``6s``, ``2:30`` or plain seconds.

    Returns
    -------
    float
        Seconds, not negative.

    Raises
    ------
    ValueError
        The text is no duration.
    """
    stripped = str(text).strip().lower()
    if ":" in stripped:
        seconds = 0.0
        for part in stripped.split(":"):
            seconds = seconds * 60 + _number(part, text)
        return seconds
    if stripped and stripped[-1] not in _UNITS_S:
        return _number(stripped, text)
    seconds, digits = 0.0, ""
    for character in stripped:
        if character in _UNITS_S:
            seconds += _number(digits, text) * _UNITS_S[character]
            digits = ""
        else:
            digits += character
    if digits or not stripped:
        raise ValueError(f"{text!r} is no duration (try 90m, 1h30m, 6s or 5400)")
    return seconds


def _number(digits: str, whole: str | float) -> float:
    digits = digits.strip()
    if not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        raise ValueError(f"{whole!r} is no duration (try 90m, 1h30m, 6s or 5400)")
    return float(digits)


def format_duration(seconds: float) -> str:
    """Write a duration as people do: ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
