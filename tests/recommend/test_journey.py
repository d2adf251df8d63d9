from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, keeps_gap, made_libraries, made_library

from beetsplug.deejai.recommend.index import Index, Labels, Seed
from beetsplug.deejai.recommend.journey import Journey, journey
from beetsplug.deejai.recommend.route import arc
from beetsplug.deejai.recommend.rules import Rules
from beetsplug.deejai.vectors import unit


@st.composite
def waypoints_of(draw: st.DrawFn, library: MadeLibrary) -> list[Seed]:
    """Draw 2 to 4 waypoints, the same one twice perhaps, or from outside."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows = st.integers(0, len(library.index) - 1)
    return [
        library.outsider(rng, artist=draw(st.integers(-1, 3)))
        if draw(st.booleans())
        else library.seed(draw(rows))
        for _ in range(draw(st.integers(2, 4)))
    ]


def travel(library: MadeLibrary, waypoints: list[Seed], **options: Any) -> Journey:
    arguments: dict[str, Any] = {
        "catalogue": library.catalogue,
        "rules": Rules(),
        "rng": np.random.default_rng(0),
    }
    return journey(library.index, waypoints, **{**arguments, **options})


def rows_of(found: Journey) -> list[list[int]]:
    return [[pick.row for pick in leg] for leg in found.legs]


def check_rules(
    library: MadeLibrary, waypoints: list[Seed], found: Journey, gap: int
) -> None:
    """Check what holds for every journey."""
    legs = rows_of(found)
    rows = list(chain.from_iterable(legs))
    assert len(legs) == len(waypoints) - 1
    assert len(set(rows)) == len(rows)
    assert not set(rows) & {waypoint.row for waypoint in waypoints}
    assert library.catalogue.allowed[rows].all()
    artists, is_given = [waypoints[0].labels.artist], [True]
    for leg, waypoint in zip(legs, waypoints[1:], strict=True):
        artists += [*library.catalogue.artists[leg].tolist(), waypoint.labels.artist]
        is_given += [False] * len(leg) + [True]
    assert keeps_gap(artists, is_given, gap)
    vectors = library.index.vectors
    for leg, waypoint, picks in zip(legs, waypoints, found.legs, strict=False):
        before = [waypoint.vector, *vectors[leg]]
        for pick, previous in zip(picks, before, strict=False):
            hop = float(vectors[pick.row] @ previous)
            assert pick.similarity == pytest.approx(hop, abs=1e-5)


@settings(deadline=None)
@given(
    library=made_libraries(),
    n=st.integers(0, 15),
    gap=st.integers(0, 4),
    drunk=st.sampled_from([0.0, 0.3, 1.0]),
    rng_seed=st.integers(0, 99),
    data=st.data(),
)
def test_keeps_every_rule_and_says_when_a_leg_stays_short(
    library: MadeLibrary,
    n: int,
    gap: int,
    drunk: float,
    rng_seed: int,
    data: st.DataObject,
) -> None:
    waypoints = data.draw(waypoints_of(library))

    def make() -> Journey:
        rng = np.random.default_rng(rng_seed)
        rules = Rules(artist_gap=gap)
        return travel(library, waypoints, rules=rules, n=n, drunk=drunk, rng=rng)

    found = make()
    assert found == make()
    check_rules(library, waypoints, found, gap)
    assert all(len(leg) <= n for leg in found.legs)
    assert len(found.notices) == sum(len(leg) < n for leg in found.legs)
    candidates = library.catalogue.candidates(waypoints, timed=False)
    recordings = library.catalogue.recordings[candidates]
    usable = (recordings == -1).sum() + np.unique(recordings[recordings != -1]).size
    if gap == 0:
        assert sum(map(len, found.legs)) == min(n * len(found.legs), usable)


@settings(deadline=None)
@given(
    n=st.integers(0, 12),
    gap=st.integers(1, 3),
    n_waypoints=st.integers(2, 4),
    seed=st.integers(0, 10**6),
)
def test_fills_every_leg_when_there_are_artists_enough(
    n: int, gap: int, n_waypoints: int, seed: int
) -> None:
    """Of 2 * gap neighbours' artists and 36 tracks each, one is always free."""
    n_artists = 2 * gap + 1
    artists = np.repeat(np.arange(n_artists), 40).tolist()
    library = made_library(len(artists), seed=seed, artists=artists)
    rng = np.random.default_rng(seed)
    waypoints = [library.outsider(rng, artist=i) for i in range(n_waypoints)]
    found = travel(library, waypoints, rules=Rules(artist_gap=gap), n=n)
    assert [len(leg) for leg in found.legs] == [n] * (n_waypoints - 1)
    assert found.notices == []
    check_rules(library, waypoints, found, gap)


@settings(deadline=None)
@given(
    library=made_libraries(),
    length_s=st.floats(0, 20_000),
    gap=st.integers(0, 4),
    data=st.data(),
)
def test_a_time_is_filled_until_nothing_fits(
    library: MadeLibrary, length_s: float, gap: int, data: st.DataObject
) -> None:
    waypoints = data.draw(waypoints_of(library))
    rules = Rules(artist_gap=gap)
    found = travel(library, waypoints, rules=rules, length_s=length_s)
    check_rules(library, waypoints, found, gap)
    lengths_s = library.catalogue.lengths_s
    legs = rows_of(found)
    used = [*waypoints, *map(library.seed, chain(*legs))]
    unused = library.catalogue.candidates(used, timed=True)
    for leg in legs:
        left_s = length_s / len(legs) - lengths_s[leg].sum()
        assert left_s >= -1e-6
        if gap == 0 or not found.notices:
            assert not (unused & (lengths_s <= left_s - 1e-6)).any()


def test_a_library_on_the_arc_is_played_in_order() -> None:
    ends = np.eye(6, dtype=np.float32)[:2]
    vectors = np.concatenate([ends, arc(*ends, n=30)])
    order = np.random.default_rng(0).permutation(32)
    library = MadeLibrary(
        Index(np.arange(32), vectors[order]), made_library(32).catalogue
    )
    start, end = int(np.argmin(order)), int(np.flatnonzero(order == 1)[0])
    found = travel(library, [library.seed(start), library.seed(end)], n=30)
    assert order[rows_of(found)[0]].tolist() == list(range(2, 32))


def test_ends_count_alike() -> None:
    """There and back are the same journey: neither end is favoured."""
    library = made_library(300, size=16)
    there = rows_of(travel(library, [library.seed(0), library.seed(1)], n=1))
    back = rows_of(travel(library, [library.seed(1), library.seed(0)], n=1))
    assert there == back


def test_opposite_waypoints_and_equal_ones_are_joined() -> None:
    library = made_library(50)
    here = library.outsider(np.random.default_rng(0))
    there = Seed(-here.vector)
    for end in (here, there):
        found = travel(library, [here, end], n=9)
        assert len(found.legs[0]) == 9
        assert np.isfinite([pick.similarity for pick in found.legs[0]]).all()


def test_other_artists_are_kept_for_where_they_are_needed() -> None:
    """Two of the tracks, in the middle, are not by the artist of both waypoints."""
    start, end, aside = np.eye(3, dtype=np.float32)
    middle = start + end
    vectors = unit([middle, 2 * middle, middle + aside, middle - aside])
    library = MadeLibrary(
        Index(np.arange(4), vectors),
        made_library(4, artists=[1, 2, 7, 7]).catalogue,
    )
    ends = [Seed(start, labels=Labels(7)), Seed(end, labels=Labels(7))]
    found = travel(library, ends, rules=Rules(artist_gap=1), n=3)
    assert [row < 2 for row in rows_of(found)[0]] == [True, False, True]


def test_a_single_artist_shortens_the_legs_and_the_notice_says_why() -> None:
    library = made_library(20, artists=[7] * 20)
    waypoints = [library.seed(0), library.seed(1), library.seed(2)]
    found = travel(library, waypoints, n=2)
    assert found.legs == [[], []]
    assert found.notices == [
        "0 of 2 tracks between waypoints 1 and 2: "
        "no other candidate keeps 3 tracks between two of one artist",
        "0 of 2 tracks between waypoints 2 and 3: "
        "no other candidate keeps 3 tracks between two of one artist",
    ]


def test_an_exhausted_library_is_a_notice() -> None:
    library = made_library(5)
    found = travel(library, [library.seed(0), library.seed(1)], n=9)
    assert len(found.legs[0]) == 3
    assert found.notices == [
        "3 of 9 tracks between waypoints 1 and 2: no other candidates are left"
    ]


def test_an_empty_library_gives_empty_legs() -> None:
    library = made_library(0)
    rng = np.random.default_rng(0)
    waypoints = [library.outsider(rng), library.outsider(rng)]
    assert travel(library, waypoints, n=0) == Journey([[]], [])
    for amount in ({"n": 3}, {"length_s": 60.0}):
        found = travel(library, waypoints, **amount)
        assert found.legs == [[]]
        assert "no other candidates" in found.notices[0]


def test_a_single_waypoint_is_refused() -> None:
    library = made_library(3)
    with pytest.raises(ValueError, match="two waypoints"):
        travel(library, [library.seed(0)], n=1)
