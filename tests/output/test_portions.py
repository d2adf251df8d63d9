from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.output.palette import LIGHT
from beetsplug.deejai.output.portions import MOST, colours_of, portions


def names(n: int) -> list[str]:
    return [f"genre {number}" for number in range(n)]


@given(n=st.integers(1, 40), sharpness=st.floats(0, 20), seed=st.integers(0, 2**32 - 1))
def test_every_genre_is_in_one_portion(n: int, sharpness: float, seed: int) -> None:
    logits = sharpness * np.random.default_rng(seed).standard_normal(n)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    parts = portions(shares, names(n))
    assert sorted(row for part in parts for row in part.genres) == list(range(n))
    assert sum(part.share for part in parts) == pytest.approx(1)
    alone = [part.share for part in parts if len(part.genres) == 1]
    assert alone == sorted(alone, reverse=True)
    assert len(parts) <= MOST + 1
    colours = colours_of(parts)
    assert len(set(colours)) == len(parts)
    for part, colour in zip(parts, colours, strict=True):
        assert (colour == LIGHT.rest) == (len(part.genres) > 1)


def test_small_genres_are_gathered() -> None:
    parts = portions([0.01, 0.7, 0.01, 0.28], names(4))
    assert [part.name for part in parts] == ["genre 1", "genre 3", "2 more"]
    assert parts[-1].genres == (0, 2)


def test_few_genres_can_all_be_told_however_small() -> None:
    parts = portions([0.0, 0.99, 0.01], names(3), least=0.0)
    assert [part.name for part in parts] == ["genre 1", "genre 2", "genre 0"]
    many = portions(np.ones(MOST + 2) / (MOST + 2), names(MOST + 2), least=0.0)
    assert [part.name for part in many][MOST:] == ["2 more"]


def test_a_single_small_genre_keeps_its_name() -> None:
    parts = portions([0.01, 0.99], names(2))
    assert [part.name for part in parts] == ["genre 1", "genre 0"]


def test_a_genre_has_the_same_colour_in_every_picture() -> None:
    one = portions([0.6, 0.3, 0.1], names(3))
    other = portions([0.1, 0.3, 0.6], names(3))
    assert colours_of(one) == colours_of(other)[::-1]


def test_where_colours_run_out_no_two_portions_share_one() -> None:
    shares = np.zeros(30)
    shares[[0, 10, 20]] = 0.5, 0.3, 0.2
    colours = colours_of(portions(shares, names(30)))
    assert colours[0] == LIGHT.named[0]
    assert len(set(colours)) == 4
