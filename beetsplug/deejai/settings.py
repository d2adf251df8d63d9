"""beets' configuration, checked once, as one frozen object."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from beetsplug.deejai.durations import parse_duration
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")
    Method = Literal["tfidf", "classic", "mean"]

DEFAULTS: dict[str, Any] = {
    "auto": True,
    "model": "default",
    "pooling": "tfidf",
    "epsilon": 0.001,
    "jobs": 0,
    "keep_on": 3,
    "drunk": 0.0,
    "max_length": "10m",
    "artist_gap": 3,
    "album_gap": 0,
    "exclude": "",
    "similar_count": 10,
    "half_life": 30,
    "crossfade": "6s",
    "loudness": -14,
    "playlist_dir": "~",
    "relative_to": "playlist",
    "forward_slash": False,
    "host": "127.0.0.1",
    "port": 8050,
}
"""What holds when the user sets nothing; ``docs/configuration.md`` explains each."""

POOLINGS: tuple[Method, ...] = ("tfidf", "classic", "mean")

MAX_CROSSFADE_S = 60.0
"""Longest crossfade: the overlap is held in memory."""

MAX_PORT = 65_535

QUIETEST_LUFS = -40.0
LOUDEST_LUFS = -5.0


def parse_crossfade(text: str | float) -> float:
    """Read a crossfade: a duration of 0 to 60 s.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        The text is no duration, or too long a one.
    """
    seconds = parse_duration(text)
    if seconds > MAX_CROSSFADE_S:
        raise ValueError(f"a crossfade takes 0 to {MAX_CROSSFADE_S:.0f} seconds")
    return seconds


def parse_loudness(text: str | float) -> float | None:
    """Read the loudness that tracks are brought to: ``-14``, or ``off``.

    Returns
    -------
    float or None
        In LUFS, -40 to -5; None for ``off`` (False in YAML): levels stay as they are.

    Raises
    ------
    ValueError
        The text is neither.
    """
    if text is False or str(text).strip().lower() in ("off", "no", "false"):
        return None
    try:
        loudness = float(text)
    except (TypeError, ValueError):
        loudness = math.nan
    if not LOUDEST_LUFS >= loudness >= QUIETEST_LUFS:
        raise ValueError(
            f"{text!r} is neither a loudness from {QUIETEST_LUFS:g} to "
            f"{LOUDEST_LUFS:g} LUFS (try -14) nor off"
        )
    return loudness


def parse_port(text: str | int) -> int:
    """Read the number of a port: 1 to 65535, or 0 for any that is free.

    Raises
    ------
    ValueError
        The text is none.
    """
    if not re.fullmatch("[0-9]{1,5}", str(text)) or int(text) > MAX_PORT:
        raise ValueError(f"{text!r} is not a port from 0 to {MAX_PORT}")
    return int(text)


@dataclass(frozen=True)
class Settings:
    """The plugin's settings; durations in seconds, loudness in LUFS (None is off)."""

    auto: bool
    model: str
    pooling: Method
    epsilon: float
    jobs: int
    keep_on: int
    drunk: float
    max_length_s: float
    artist_gap: int
    album_gap: int
    exclude: str
    similar_count: int
    half_life_days: float
    crossfade_s: float
    loudness: float | None
    playlist_dir: str
    relative_to: str
    forward_slash: bool
    host: str
    port: int

    @classmethod
    def from_config(cls, view: Any) -> Settings:
        """Read the plugin's part of beets' configuration.

        Parameters
        ----------
        view
            The ``confuse`` view of the section ``deejai``.

        Raises
        ------
        FatalError
            A value has the wrong type or is out of range; the message names the key.
        """
        return cls(
            auto=_read(view, "auto", _flag),
            model=_read(view, "model", _text),
            pooling=_read(view, "pooling", _pooling),
            epsilon=_read(view, "epsilon", _between(0, 2)),
            jobs=_read(view, "jobs", _whole(0)),
            keep_on=_read(view, "keep_on", _whole(1)),
            drunk=_read(view, "drunk", _between(0, 1)),
            max_length_s=_read(view, "max_length", parse_duration),
            artist_gap=_read(view, "artist_gap", _whole(0)),
            album_gap=_read(view, "album_gap", _whole(0)),
            exclude=_read(view, "exclude", _text),
            similar_count=_read(view, "similar_count", _whole(1)),
            half_life_days=_read(view, "half_life", _days),
            crossfade_s=_read(view, "crossfade", parse_crossfade),
            loudness=_read(view, "loudness", parse_loudness),
            playlist_dir=_read(view, "playlist_dir", _text),
            relative_to=_read(view, "relative_to", _text),
            forward_slash=_read(view, "forward_slash", _flag),
            host=_read(view, "host", _host),
            port=_read(view, "port", parse_port),
        )

    @property
    def n_threads(self) -> int:
        """How many tracks are decoded at once."""
        return self.jobs or os.cpu_count() or 1


def _read(view: Any, key: str, check: Callable[[Any], T]) -> T:
    value = view[key].get()
    try:
        return check(value)
    except (TypeError, ValueError) as error:
        raise FatalError(f"deejai.{key} in the configuration: {error}") from error


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither yes nor no")
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise ValueError("one line of text is expected")
    return str(value)


def _host(value: Any) -> str:
    host = _text(value).strip()
    if not host:
        raise ValueError("a name or an address is expected, such as 127.0.0.1")
    return host


def _pooling(value: Any) -> Method:
    for method in POOLINGS:
        if value == method:
            return method
    raise ValueError(f"{value!r} is none of {', '.join(POOLINGS)}")


def _between(low: float, high: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = float(value)
        if not low <= number <= high:
            raise ValueError(f"{value!r} is not between {low} and {high}")
        return number

    return check


def _days(value: Any) -> float:
    number = float(value)
    if not 0.0 < number < float("inf"):
        raise ValueError(f"{value!r} is not a number of days above 0")
    return number


def _whole(low: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or int(value) != float(value) or int(value) < low:
            raise ValueError(f"{value!r} is not a whole number from {low} up")
        return int(value)

    return check
