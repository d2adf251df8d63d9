from __future__ import annotations

import contextlib
from typing import Any

import confuse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.settings import DEFAULTS, Settings, parse_duration


def settings(**values: Any) -> Settings:
    root = confuse.RootView([confuse.ConfigSource.of({**DEFAULTS, **values})])
    return Settings.from_config(root)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90m", 5400),
        ("1h30m", 5400),
        ("5400", 5400),
        (5400, 5400),
        ("1h", 3600),
        ("1H 30M", 5400),
        ("6s", 6),
        ("0.5s", 0.5),
        ("2:30", 150),
        ("1:00:00", 3600),
        (0, 0),
    ],
)
def test_durations_are_read(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "ten", "1x", "-5", "1h30", "nan", "1:x"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.text(max_size=8))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(text) >= 0


def test_the_defaults_are_valid() -> None:
    defaults = settings()
    assert defaults.max_length_s == 600
    assert defaults.crossfade_s == 6
    assert defaults.n_threads >= 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auto", "maybe"),
        ("pooling", "median"),
        ("epsilon", -1),
        ("epsilon", "small"),
        ("jobs", -1),
        ("jobs", 1.5),
        ("keep_on", 0),
        ("drunk", 1.1),
        ("max_length", "long"),
        ("artist_gap", "three"),
        ("crossfade", None),
        ("exclude", ["a", "b"]),
        ("similar_count", 0),
        ("half_life", 0),
        ("half_life", "nan"),
    ],
)
def test_a_wrong_value_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(FatalError, match=f"deejai.{key}"):
        settings(**{key: value})
