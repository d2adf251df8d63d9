from __future__ import annotations

import contextlib
from typing import Any

import confuse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.settings import (
    DEFAULTS,
    Settings,
    parse_loudness,
)


def settings(**values: Any) -> Settings:
    root = confuse.RootView([confuse.ConfigSource.of({**DEFAULTS, **values})])
    return Settings.from_config(root)


@pytest.mark.parametrize(
    ("text", "lufs"),
    [
        (-14, -14),
        ("-14", -14),
        (" -16.5 ", -16.5),
        (-40, -40),
        (-5, -5),
        (False, None),
        ("off", None),
        ("No", None),
        ("false", None),
    ],
)
def test_a_loudness_is_read(text: str | float, lufs: float | None) -> None:
    assert parse_loudness(text) == lufs


@pytest.mark.parametrize(
    "text", ["", "loud", "14", 0, -41, -4.9, "nan", "-inf", True, None, []]
)
def test_what_is_no_loudness_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"from -40 to -5 LUFS .* nor off"):
        parse_loudness(text)


@given(st.text(max_size=8))
def test_any_text_is_a_loudness_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        loudness = parse_loudness(text)
        assert loudness is None or -40 <= loudness <= -5


def test_the_defaults_are_valid() -> None:
    defaults = settings()
    assert defaults.max_length_s == 600
    assert defaults.crossfade_s == 6
    assert defaults.loudness == -14
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
        ("loudness", None),
        ("loudness", 14),
        ("exclude", ["a", "b"]),
        ("similar_count", 0),
        ("half_life", 0),
        ("half_life", "nan"),
    ],
)
def test_a_wrong_value_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(FatalError, match=f"deejai.{key}"):
        settings(**{key: value})


@pytest.mark.parametrize("crossfade", ["61s", "2m", "-1", "six"])
def test_a_crossfade_out_of_range_is_refused_by_its_name(crossfade: str) -> None:
    with pytest.raises(FatalError, match=r"deejai\.crossfade"):
        settings(crossfade=crossfade)


@pytest.mark.parametrize("port", [65_536, -1, "http", 80.5, True, None, [], 10**30])
def test_what_is_no_port_is_refused_by_its_name(port: Any) -> None:
    with pytest.raises(FatalError, match=r"deejai\.port .* not a port"):
        settings(port=port)


def test_a_port_may_be_written_as_text() -> None:
    assert settings(port="8080").port == 8080


@pytest.mark.parametrize("host", ["", " ", None, ["a"]])
def test_what_is_no_host_is_refused_by_its_name(host: Any) -> None:
    with pytest.raises(FatalError, match=r"deejai\.host"):
        settings(host=host)
