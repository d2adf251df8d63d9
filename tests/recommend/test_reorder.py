from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.recommend.local_search import LocalSearch
from beetsplug.deejai.recommend.reorder import (
    FARTHEST,
    SLACK,
    hop_distances,
    hops_along,
    reorder,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Distances = npt.NDArray[np.float32]

ROUNDING = 1e-5


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@st.composite
def distance_tables(draw: st.DrawFn, max_n: int) -> Distances:
    """Draw the hops of a list, the same both ways or not, with files that repeat."""
    n = draw(st.integers(1, max_n))
    chance = rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(1, 12))
    departures = chance.standard_normal((n, size))
    arrivals = departures
    if draw(st.booleans()):
        arrivals = departures + chance.standard_normal((n, size))
    n_recordings = draw(st.sampled_from([n, max(n // 2, 1)]))
    recordings = chance.integers(n_recordings, size=n)
    return hop_distances(departures, arrivals, recordings=recordings)


def lengths_of_all(distances: Distances, *, keep_ends: bool) -> npt.NDArray[np.float64]:
    n = len(distances)
    orders = np.array(list(permutations(range(n))))
    if keep_ends:
        orders = orders[(orders[:, 0] == 0) & (orders[:, -1] == n - 1)]
    return distances.astype(float)[orders[:, :-1], orders[:, 1:]].sum(axis=1)


def points_on_a_line(n: int) -> npt.NDArray[np.float64]:
    angles = np.linspace(0, np.pi / 2, n)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@settings(deadline=None, max_examples=50)
@given(distance_tables(14), st.booleans(), st.integers(0, 99))
def test_every_track_stays_once_and_the_total_never_grows(
    distances: Distances, keep_ends: bool, seed: int
) -> None:
    n = len(distances)
    order = reorder(distances, rng=rng(seed), keep_ends=keep_ends)
    assert sorted(order) == list(range(n))
    before, after = hops_along(distances, range(n)), hops_along(distances, order)
    assert after.sum() <= before.sum() + ROUNDING
    if keep_ends:
        assert (order[0], order[-1]) == (0, n - 1)
    np.testing.assert_array_equal(
        order, reorder(distances, rng=rng(seed), keep_ends=keep_ends)
    )


@settings(deadline=None)
@given(distance_tables(7), st.booleans())
def test_a_short_list_is_as_short_as_can_be_but_for_what_the_worst_hop_costs(
    distances: Distances, keep_ends: bool
) -> None:
    order = reorder(distances, rng=rng(), keep_ends=keep_ends)
    length = hops_along(distances, order).sum()
    shortest = lengths_of_all(distances, keep_ends=keep_ends).min()
    assert length <= shortest * (1 + SLACK) + ROUNDING


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_a_dozen_tracks_come_near_the_optimum(
    seed: int, symmetric: bool, keep_ends: bool
) -> None:
    chance = rng(seed)
    departures = chance.standard_normal((12, 100))
    arrivals = departures + (
        0 if symmetric else 0.3 * chance.standard_normal((12, 100))
    )
    distances = hop_distances(departures, arrivals, recordings=np.arange(12))
    order = reorder(distances, rng=rng(), keep_ends=keep_ends)
    length = hops_along(distances, order).sum()
    assert length <= 1.02 * held_karp(distances, keep_ends=keep_ends)


def held_karp(distances: Distances, *, keep_ends: bool) -> float:
    """Return the length of the shortest path, exactly (Held and Karp, 1962)."""
    n = len(distances)
    table = distances.astype(float)
    lengths = np.full((1 << n, n), np.inf)
    starts = [0] if keep_ends else range(n)
    for start in starts:
        lengths[1 << start, start] = 0.0
    for used in range(1, 1 << n):
        last = np.flatnonzero(np.isfinite(lengths[used]))
        for new in range(n):
            if last.size and not used >> new & 1:
                longer = (lengths[used, last] + table[last, new]).min()
                at = used | 1 << new, new
                lengths[at] = min(lengths[at], longer)
    return float(lengths[-1, -1] if keep_ends else lengths[-1].min())


def test_a_line_that_was_shuffled_is_found_again() -> None:
    shuffled = rng(1).permutation(200)
    points = points_on_a_line(200)[shuffled]
    distances = hop_distances(points, points, recordings=np.arange(200))
    line = shuffled[reorder(distances, rng=rng())]
    assert line.tolist() in (list(range(200)), list(range(199, -1, -1)))


def test_of_two_ways_round_the_one_more_like_the_given_order_is_taken() -> None:
    points = points_on_a_line(6)
    for given_order in ([1, 0, 2, 3, 5, 4], [4, 5, 3, 2, 0, 1]):
        shuffled = points[given_order]
        distances = hop_distances(shuffled, shuffled, recordings=np.arange(6))
        line = [given_order[place] for place in reorder(distances, rng=rng())]
        assert line == sorted(line, reverse=given_order[0] > 2)


def test_hops_that_lead_one_way_only_are_taken_that_way() -> None:
    # Each track ends as the next one begins, and the way back is far.
    endings = np.eye(30)[1:]
    beginnings = np.eye(30)[:-1]
    shuffled = rng(2).permutation(29)
    distances = hop_distances(
        endings[shuffled], beginnings[shuffled], recordings=np.arange(29)
    )
    order = reorder(distances, rng=rng())
    assert shuffled[order].tolist() == list(range(29))
    assert hops_along(distances, order).sum() == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("hop", "expected"), [(0.33, [0, 2, 3, 1, 4]), (0.38, [0, 3, 2, 1, 4])]
)
def test_a_smaller_worst_hop_is_taken_where_it_costs_next_to_nothing(
    hop: float, expected: list[int]
) -> None:
    distances = np.ones((5, 5), dtype=np.float32)
    # The shortest path, of 1.05, has the worst hop by far.
    distances[[0, 3, 2, 1], [3, 2, 1, 4]] = [0.9, 0.05, 0.05, 0.05]
    # The next one is of even hops.
    distances[[0, 2, 3], [2, 3, 1]] = [0.34, 0.34, hop]
    order = reorder(distances, rng=rng(), keep_ends=True)
    assert order.tolist() == expected


def test_one_recording_does_not_stand_beside_itself() -> None:
    points = points_on_a_line(6)[[0, 1, 2, 3, 3, 5]]
    distances = hop_distances(points, points, recordings=[0, 1, 2, 3, 3, 5])
    assert distances[3, 4] == FARTHEST
    order = reorder(distances, rng=rng()).tolist()
    assert abs(order.index(3) - order.index(4)) > 1


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_list_too_short_to_reorder_stays(n: int) -> None:
    points = points_on_a_line(max(n, 1))[:n]
    distances = hop_distances(points, points, recordings=np.arange(n))
    for keep_ends in (False, True):
        order = reorder(distances, rng=rng(), keep_ends=keep_ends)
        assert order.tolist() == list(range(n))


@settings(deadline=None)
@given(distance_tables(30), st.integers(0, 99))
def test_the_length_is_kept_track_of(distances: Distances, seed: int) -> None:
    n = len(distances)
    if n < 4:
        return
    search, chance = LocalSearch(distances, np.arange(n)), rng(seed)
    for _ in range(5):
        before = search.length
        cuts = search.kick(chance)
        kicked = search.length
        search.improve(cuts)
        assert search.length <= kicked
        hops = hops_along(distances, search.order)
        assert search.length == pytest.approx(hops.sum())
        assert (search.order[0], search.order[-1]) == (0, n - 1)
        assert np.isfinite(before)
