from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, keeps_gap, made_library

from beetsplug.deejai.recommend.index import Labels
from beetsplug.deejai.recommend.planning.spacing import arrange
from beetsplug.deejai.recommend.planning.terrain import Terrain
from beetsplug.deejai.recommend.rules import Rules
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence


def arranged(
    library: MadeLibrary, given_: Sequence[Labels], rules: Rules, n: int
) -> list[list[int]]:
    catalogue = library.catalogue
    terrain = Terrain(library.index, catalogue, rules, Clock(catalogue.lengths_s))
    sizes = [n] * (len(given_) - 1)
    return arrange(terrain, catalogue.allowed, given_, sizes, n=n)


def is_right(
    library: MadeLibrary, given_: Sequence[Labels], legs: list[list[int]], rules: Rules
) -> bool:
    """Whether a journey repeats nothing and keeps the gaps."""
    rows = [row for leg in legs for row in leg]
    labels = [library.catalogue.labels(row) for row in rows]
    known = [one.recording for one in labels if one.recording != -1]
    places, is_given = [given_[0]], [True]
    for leg, waypoint in zip(legs, given_[1:], strict=True):
        places += [*map(library.catalogue.labels, leg), waypoint]
        is_given += [False] * len(leg) + [True]
    return (
        len(set(rows)) == len(rows)
        and len(set(known)) == len(known)
        and keeps_gap([one.artist for one in places], is_given, rules.artist_gap)
        and keeps_gap([one.album for one in places], is_given, rules.album_gap)
    )


def longest_leg(
    library: MadeLibrary, ends: Sequence[Labels], rules: Rules, n: int
) -> int:
    """Try everything."""
    longest, beginnings = 0, [[]]
    for size in range(1, n + 1):
        # An end that forbids nothing lets every beginning be one.
        beginnings = [
            [*rows, row]
            for rows in beginnings
            for row in range(len(library.index))
            if is_right(library, [ends[0], Labels()], [[*rows, row]], rules)
        ]
        if any(is_right(library, ends, [rows], rules) for rows in beginnings):
            longest = size
    return longest


@st.composite
def small_worlds(draw: st.DrawFn) -> tuple[MadeLibrary, list[Labels], Rules]:
    """Draw a few tracks by fewer artists, and ends."""
    n_tracks = draw(st.integers(1, 6))
    artist = st.integers(-1, 2)
    album = st.integers(-1, 3)

    def codes(one: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(one, min_size=n_tracks, max_size=n_tracks))

    recordings = [code if code < 3 else -1 for code in codes(st.integers(-1, 9))]
    library = made_library(
        n_tracks, artists=codes(artist), albums=codes(album), recordings=recordings
    )
    ends = [Labels(draw(artist), draw(album)) for _ in range(2)]
    return library, ends, Rules(draw(st.integers(0, 3)), draw(st.integers(0, 3)))


@settings(deadline=None)
@given(small_worlds(), st.integers(0, 5))
def test_a_leg_is_as_long_as_any_order_allows(
    world: tuple[MadeLibrary, list[Labels], Rules], n: int
) -> None:
    library, ends, rules = world
    legs = arranged(library, ends, rules, n)
    assert is_right(library, ends, legs, rules)
    assert len(legs[0]) == longest_leg(library, ends, rules, n)


@settings(deadline=None)
@given(
    n_artists=st.integers(1, 12),
    artist_gap=st.integers(0, 8),
    n=st.integers(0, 40),
    n_legs=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_legs_that_stay_short_keep_the_rules_too(
    n_artists: int, artist_gap: int, n: int, n_legs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    library = made_library(60, artists=rng.integers(n_artists, size=60).tolist())
    waypoints = [Labels(int(rng.integers(n_artists))) for _ in range(n_legs + 1)]
    rules = Rules(artist_gap)
    legs = arranged(library, waypoints, rules, n)
    assert is_right(library, waypoints, legs, rules)
    assert all(len(leg) <= n for leg in legs)


def test_few_artists_take_turns() -> None:
    """With a gap of 3 four artists have but one order."""
    library = made_library(40, artists=[0, 1, 2, 3] * 10)
    (leg,) = arranged(library, [Labels(0), Labels(0)], Rules(3), 39)
    assert len(leg) == 39
    artists = [0, *(row % 4 for row in leg), 0]
    assert all(len(set(artists[i : i + 4])) == 4 for i in range(len(artists) - 3))


def test_the_artist_with_most_tracks_comes_wherever_he_may() -> None:
    """30 of 59 tracks are his: every second one must be, and be it from the first."""
    library = made_library(59, artists=[0] * 30 + [*range(1, 30)])
    (leg,) = arranged(library, [Labels(50), Labels(50)], Rules(1), 59)
    assert [row < 30 for row in leg] == [place % 2 == 0 for place in range(59)]


def test_a_track_that_only_one_leg_has_a_place_for_goes_there() -> None:
    library = made_library(1, artists=[7])
    waypoints = [Labels(7), Labels(7), Labels(1), Labels(2)]
    assert arranged(library, waypoints, Rules(1), 1) == [[], [], [0]]


def test_hopeless_wishes_are_given_up_soon() -> None:
    library = made_library(300, artists=[0, 1, 2] * 100)
    legs = arranged(library, [Labels(0), Labels(1), Labels(0)], Rules(3), 150)
    assert sum(map(len, legs)) < 6
    assert all(a != b for leg in legs for a, b in pairwise(leg))
