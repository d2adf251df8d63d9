"""Read the durations that options take."""

from __future__ import annotations

from beets.exceptions import UserError

from beetsplug.deejai.durations import parse_duration


def read_duration(option: str, text: str) -> float:
    """Return the seconds that an option names.

    Raises
    ------
    UserError
        The text is no duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
