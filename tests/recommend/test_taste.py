from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_libraries import made_library

from beetsplug.deejai.recommend.index import Index
from beetsplug.deejai.recommend.taste import (
    N_SEEDS,
    Plays,
    draw_seeds,
    taste_weights,
)
from beetsplug.deejai.vectors import unit

DAY_S = 86_400.0
NAN = float("nan")

numbers = st.one_of(st.just(NAN), st.integers(0, 10_000).map(float))
ratings = st.one_of(st.just(NAN), st.floats(0, 1))
times = st.one_of(st.just(NAN), st.floats(0, 4e9))
rows = st.tuples(numbers, numbers, ratings, times)


def plays(*rows: tuple[float, float, float, float]) -> Plays:
    """Make plays of rows of count, skips, rating, last played."""
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    return Plays(*columns)


def weights(
    *rows: tuple[float, float, float, float], half_life_days: float = 30
) -> Any:
    return taste_weights(plays(*rows), half_life_days=half_life_days)


@given(st.lists(rows, max_size=20), st.floats(1e-3, 1e4))
def test_a_weight_is_finite_and_not_negative(
    many: list[tuple[float, float, float, float]], days: float
) -> None:
    found = weights(*many, half_life_days=days)
    assert found.shape == (len(many),)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


@given(rows, st.floats(1, 100))
def test_more_plays_count_no_less(
    row: tuple[float, float, float, float], more: float
) -> None:
    count, *rest = row
    few, many = weights(row, (np.nan_to_num(count) + more, *rest))
    assert many >= few


@given(rows, st.floats(1, 1e9))
def test_an_older_play_counts_no_more(
    row: tuple[float, float, float, float], older_s: float
) -> None:
    *rest, last_played_s = row
    last_played_s = np.nan_to_num(last_played_s)
    new, old = weights((*rest, last_played_s), (*rest, last_played_s - older_s))
    assert old <= new


@given(rows, st.floats(1, 100))
def test_a_skip_counts_against_it(
    row: tuple[float, float, float, float], more: float
) -> None:
    count, skips, *rest = row
    kept, skipped = weights(row, (count, np.nan_to_num(skips) + more, *rest))
    # Where no smaller number can be told from it, it stays.
    assert skipped < kept or kept < 1e-300


@given(rows, st.floats(0, 1), st.floats(0, 1))
def test_a_better_rating_counts_no_less(
    row: tuple[float, float, float, float], one: float, other: float
) -> None:
    count, skips, _, last_played_s = row
    low, high = sorted((one, other))
    worse, better = weights(
        (count, skips, low, last_played_s), (count, skips, high, last_played_s)
    )
    assert better >= worse


@given(st.lists(rows, min_size=1, max_size=9), st.floats(-1e9, 1e9))
def test_it_does_not_matter_what_day_it_is(
    many: list[tuple[float, float, float, float]], shift_s: float
) -> None:
    later = [(*rest, last_played_s + shift_s) for *rest, last_played_s in many]
    np.testing.assert_allclose(weights(*later), weights(*many), rtol=1e-3, atol=1e-12)


def test_the_formula() -> None:
    assert weights((1, NAN, NAN, NAN)) == [0.5]
    assert weights((3, NAN, NAN, 100), (3, 4, NAN, 100)).tolist() == [2, 1]
    assert weights((3, 0, 0.75, 100)) == [3]
    old = (3, NAN, NAN, 1e9 - 60 * DAY_S)
    assert weights((3, NAN, NAN, 1e9), old)[1] == 0.5
    assert weights((3, NAN, NAN, 1e9), old, half_life_days=60)[1] == 1


def test_what_is_unknown_is_neutral() -> None:
    known = weights((5, 0, 0.5, 100.0))
    np.testing.assert_array_equal(weights((5, NAN, NAN, 100.0)), known)
    # Played nobody knows when: between just now and long ago.
    now, sometime, long_ago = weights(
        (5, 0, NAN, 1e9), (5, 0, NAN, NAN), (5, 0, NAN, 1e9 - 900 * DAY_S)
    )
    assert long_ago < sometime < now


def test_what_was_neither_played_nor_rated_is_not_liked() -> None:
    assert not weights((NAN, NAN, NAN, NAN), (0, 3, NAN, 1e9), (0, 0, 0.5, 1e9)).any()
    assert weights((9, 0, 0.0, 1e9)) == [0]


def test_a_rated_track_is_liked_though_nobody_counted_its_plays() -> None:
    assert weights((NAN, NAN, 0.9, NAN)) > 0


def test_the_oldest_play_is_still_a_play() -> None:
    assert weights((1, 0, NAN, 4e9), (1, 0, NAN, 0.0), half_life_days=0.01)[1] > 0


@pytest.mark.parametrize("days", [0.0, -1.0, NAN])
def test_a_half_life_is_above_0(days: float) -> None:
    with pytest.raises(ValueError, match="half-life"):
        weights((1, 0, 0.5, 0.0), half_life_days=days)


@pytest.mark.parametrize(
    "row",
    [(-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, -0.1, 0), (0, 0, 1.1, 0), (0, 0, 0, np.inf)],
)
def test_plays_out_of_range_are_refused(
    row: tuple[float, float, float, float],
) -> None:
    with pytest.raises(ValueError, match="must"):
        plays(row)


def test_plays_of_different_shapes_are_refused() -> None:
    column = np.zeros(2)
    with pytest.raises(ValueError, match="n_tracks"):
        Plays(column, column, column, np.zeros(3))


@given(
    n_tracks=st.integers(1, 200), share=st.floats(0, 1), seed=st.integers(0, 2**32 - 1)
)
def test_seeds_are_liked_different_and_repeatable(
    n_tracks: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    index = made_library(n_tracks, seed=seed).index
    liking = rng.random(n_tracks) * (rng.random(n_tracks) < share)
    liking[rng.integers(n_tracks)] = 1e-300
    seeds = draw_seeds(index, liking, rng=np.random.default_rng(seed))
    assert 1 <= len(seeds) == len(set(seeds)) <= N_SEEDS
    assert (liking[seeds] > 0).all()
    assert list(liking[seeds[1:]]) == sorted(liking[seeds[1:]], reverse=True)
    assert draw_seeds(index, liking, rng=np.random.default_rng(seed)) == seeds


def two_tastes() -> Index:
    """Make 20 tracks of either taste, and 160 of neither."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, 50))[np.arange(200) // 20]
    return Index(np.arange(200), unit(centres + 0.3 * rng.standard_normal((200, 50))))


def test_one_side_of_a_taste_is_chosen_and_chance_says_which() -> None:
    index = two_tastes()
    liking = np.zeros(200)
    liking[:3], liking[20:40] = 5.0, 1.0
    sides = set()
    for number in range(30):
        seeds = draw_seeds(index, liking, rng=np.random.default_rng(number))
        side = {row // 20 for row in seeds}
        assert len(side) == 1
        sides |= side
    assert sides == {0, 1}


def test_the_more_liked_begins_more_often() -> None:
    index = two_tastes()
    liking = np.zeros(200)
    liking[0], liking[20] = 9.0, 1.0
    rng = np.random.default_rng(0)
    begun = [draw_seeds(index, liking, rng=rng)[0] for _ in range(300)]
    assert 0.85 < np.mean(np.array(begun) == 0) < 0.95


def test_nothing_liked_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing is liked"):
        draw_seeds(two_tastes(), np.zeros(200), rng=np.random.default_rng(0))
