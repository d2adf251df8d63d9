from __future__ import annotations

from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, keeps_gap, made_libraries, made_library

from beetsplug.deejai.recommend.index import Index, Labels, Seed, hop_similarities
from beetsplug.deejai.recommend.journey import Journey, journey
from beetsplug.deejai.recommend.planning.arc import arc
from beetsplug.deejai.recommend.rules import Rules, nearest
from beetsplug.deejai.recommend.timing import Clock
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


gaps = st.builds(Rules, artist_gap=st.integers(0, 4), album_gap=st.integers(0, 4))


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
    library: MadeLibrary, waypoints: list[Seed], found: Journey, rules: Rules
) -> None:
    """Check what holds for every journey."""
    legs = rows_of(found)
    rows = list(chain.from_iterable(legs))
    assert len(legs) == len(waypoints) - 1
    assert len(set(rows)) == len(rows)
    assert not set(rows) & {waypoint.row for waypoint in waypoints}
    assert library.catalogue.allowed[rows].all()
    labels = list(map(library.catalogue.labels, rows))
    recordings = [one.recording for one in labels if one.recording != -1]
    assert len(set(recordings)) == len(recordings)
    assert not set(recordings) & {waypoint.labels.recording for waypoint in waypoints}
    places, is_given = [waypoints[0].labels], [True]
    for leg, waypoint in zip(legs, waypoints[1:], strict=True):
        places += [*map(library.catalogue.labels, leg), waypoint.labels]
        is_given += [False] * len(leg) + [True]
    assert keeps_gap([one.artist for one in places], is_given, rules.artist_gap)
    assert keeps_gap([one.album for one in places], is_given, rules.album_gap)
    for leg, waypoint, picks in zip(legs, waypoints, found.legs, strict=False):
        before = [waypoint.departure, *library.index.departures[leg]]
        for pick, departure in zip(picks, before, strict=False):
            hop = float(library.index.arrivals[pick.row] @ departure)
            assert pick.similarity == pytest.approx(hop, abs=1e-5)


def n_recordings(library: MadeLibrary, waypoints: list[Seed]) -> int:
    """Count what may be chosen, versions of one recording once."""
    candidates = library.catalogue.candidates(waypoints, timed=False)
    recordings = library.catalogue.recordings[candidates]
    is_known = recordings != -1
    return int((~is_known).sum()) + np.unique(recordings[is_known]).size


@settings(deadline=None)
@given(
    library=made_libraries(),
    n=st.integers(0, 15),
    rules=gaps,
    drunk=st.sampled_from([0.0, 0.3, 1.0]),
    rng_seed=st.integers(0, 99),
    data=st.data(),
)
def test_keeps_every_rule_and_says_when_a_leg_stays_short(
    library: MadeLibrary,
    n: int,
    rules: Rules,
    drunk: float,
    rng_seed: int,
    data: st.DataObject,
) -> None:
    waypoints = data.draw(waypoints_of(library))

    def make() -> Journey:
        rng = np.random.default_rng(rng_seed)
        return travel(library, waypoints, rules=rules, n=n, drunk=drunk, rng=rng)

    found = make()
    assert found == make()
    check_rules(library, waypoints, found, rules)
    assert all(len(leg) <= n for leg in found.legs)
    assert len(found.notices) == sum(len(leg) < n for leg in found.legs)
    if rules == Rules(0, 0):
        usable = n_recordings(library, waypoints)
        assert sum(map(len, found.legs)) == min(n * len(found.legs), usable)


@settings(deadline=None)
@given(
    library=made_libraries(),
    n=st.integers(1, 300),
    size=st.integers(2, 4),
    data=st.data(),
)
def test_without_gaps_every_recording_is_used_before_a_leg_is_short(
    library: MadeLibrary, n: int, size: int, data: st.DataObject
) -> None:
    waypoints = data.draw(waypoints_of(library))
    found = travel(library, waypoints, rules=Rules(0, 0), n=n)
    check_rules(library, waypoints, found, Rules(0, 0))
    lengths = [len(leg) for leg in found.legs]
    assert sum(lengths) == min(n * len(lengths), n_recordings(library, waypoints))
    assert max(lengths) - min(lengths) <= 1


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
    rules = Rules(artist_gap=gap)
    found = travel(library, waypoints, rules=rules, n=n)
    assert [len(leg) for leg in found.legs] == [n] * (n_waypoints - 1)
    assert found.notices == []
    check_rules(library, waypoints, found, rules)


def test_a_leg_that_only_one_order_of_artists_fills_is_filled() -> None:
    """Any beam that looks for music first runs into a dead end here."""
    artists = [0, 1, 2, 3] * 10
    library = made_library(40, artists=artists)
    rng = np.random.default_rng(0)
    ends = [library.outsider(rng, artist=0), library.outsider(rng, artist=0)]
    found = travel(library, ends, rules=Rules(artist_gap=3), n=39)
    assert [len(leg) for leg in found.legs] == [39]
    check_rules(library, ends, found, Rules(artist_gap=3))


@settings(deadline=None)
@given(
    library=made_libraries(),
    length_s=st.floats(0, 20_000),
    overlap_s=st.sampled_from([0.0, 6.0, 30.0]),
    rules=gaps,
    data=st.data(),
)
def test_a_time_is_filled_until_nothing_fits(
    library: MadeLibrary,
    length_s: float,
    overlap_s: float,
    rules: Rules,
    data: st.DataObject,
) -> None:
    waypoints = data.draw(waypoints_of(library))
    found = travel(
        library, waypoints, rules=rules, length_s=length_s, overlap_s=overlap_s
    )
    check_rules(library, waypoints, found, rules)
    clock = Clock(library.catalogue.lengths_s, overlap_s)
    legs = rows_of(found)
    used = [*waypoints, *map(library.seed, chain(*legs))]
    unused = library.catalogue.candidates(used, timed=True)
    for leg, ends in zip(legs, pairwise(waypoints), strict=True):
        before_s, after_s = (clock.overlap_of(end.row) for end in ends)
        left_s = length_s / len(legs) - clock.played_s(leg, before_s, after_s)
        assert not leg or left_s >= -1e-6
        if rules == Rules(0, 0) or not found.notices:
            overlaps_s = [before_s, *clock.overlaps_s[leg], after_s]
            for overlap_before_s, overlap_after_s in pairwise(overlaps_s):
                added_s = clock.added_s(overlap_before_s, overlap_after_s)
                assert not (unused & (added_s <= left_s - 1e-6)).any()


def test_a_time_is_planned_and_not_filled_up_with_what_is_short() -> None:
    """One track in ten is a jingle, which no journey of an hour needs."""
    rng = np.random.default_rng(1)
    lengths_s = rng.uniform(150, 400, size=500)
    lengths_s[::10] = 5.0
    library = made_library(500, size=16, lengths_s=lengths_s.tolist())
    ends = [library.seed(1), library.seed(2)]
    for overlap_s in (0.0, 6.0):
        found = travel(library, ends, length_s=3600.0, overlap_s=overlap_s)
        leg = rows_of(found)[0]
        played_s = Clock(lengths_s, overlap_s).played_s(leg, overlap_s, overlap_s)
        assert 3590.0 < played_s <= 3600.0
        assert (lengths_s[leg] < 10.0).sum() <= 2


def test_an_overlap_makes_room_for_more() -> None:
    library = made_library(50, lengths_s=[100.0] * 50)
    ends = [library.seed(0), library.seed(1), library.seed(2)]
    plain = travel(library, ends, length_s=2000.0)
    mixed = travel(library, ends, length_s=2000.0, overlap_s=10.0)
    assert [len(leg) for leg in plain.legs] == [10, 10]
    # Eleven tracks of 100 s and twelve hops of 10 s.
    assert [len(leg) for leg in mixed.legs] == [11, 11]
    with pytest.raises(ValueError, match="negative"):
        travel(library, ends, n=1, overlap_s=-1.0)


def greedy(library: MadeLibrary, ends: list[Seed], n: int) -> list[int]:
    """Take the nearest unused track to each point of the arc."""
    unused = library.catalogue.candidates(ends, timed=False)
    rows = []
    for point in arc(ends[0].vector, ends[1].vector, n=n):
        rows.append(nearest(library.index.similarities(point), unused))
        unused[rows[-1]] = False
    return rows


def test_the_worst_hop_is_smaller_than_that_of_a_greedy_journey() -> None:
    library = made_library(400, size=24)
    vectors = library.index.vectors
    worst, off_arc = [], []
    for pair in np.random.default_rng(0).choice(400, size=(20, 2)).tolist():
        ends = [library.seed(row) for row in pair]
        points = arc(*vectors[pair], n=9)
        for rows in (greedy(library, ends, 9), rows_of(travel(library, ends, n=9))[0]):
            stops = vectors[[pair[0], *rows, pair[1]]]
            worst.append(1.0 - hop_similarities(stops, stops).min())
            off_arc.append(1.0 - np.einsum("ij,ij->i", vectors[rows], points).mean())
    assert np.all(np.array(worst[1::2]) <= np.array(worst[::2]) + 1e-6)
    assert np.mean(worst[1::2]) < 0.8 * np.mean(worst[::2])
    assert np.mean(off_arc[1::2]) < 1.25 * np.mean(off_arc[::2])


def test_every_seed_gives_another_drunk_journey_and_always_the_same() -> None:
    library = made_library(400, size=24)
    ends = [library.seed(0), library.seed(1)]

    def tracks(seed: int, drunk: float) -> tuple[int, ...]:
        rng = np.random.default_rng(seed)
        return tuple(rows_of(travel(library, ends, n=9, drunk=drunk, rng=rng))[0])

    assert len({tracks(seed, 0.0) for seed in range(5)}) == 1
    for drunk in (0.3, 1.0):
        journeys = [tracks(seed, drunk) for seed in range(5)]
        assert len(set(journeys)) == 5
        assert journeys == [tracks(seed, drunk) for seed in range(5)]
    # As loud as the music: two nights have little in common.
    one, other = (set(tracks(seed, 1.0)) for seed in range(2))
    assert len(one & other) < 6


def test_a_segue_is_planned_from_endings_to_beginnings() -> None:
    plain = made_library(300, size=16)
    rng = np.random.default_rng(1)

    def near(vectors: Any) -> Any:
        return unit(vectors + 0.2 * rng.standard_normal(vectors.shape))

    vectors = plain.index.vectors
    index = Index(plain.index.ids, vectors, near(vectors), near(vectors))
    worst = []
    for chosen_by in (plain.index, index):
        ends = [chosen_by.seed(0), chosen_by.seed(1)]
        found = journey(
            chosen_by,
            ends,
            catalogue=plain.catalogue,
            rules=Rules(),
            rng=rng,
            n=9,
        )
        stops = [0, *rows_of(found)[0], 1]
        hops = hop_similarities(index.departures[stops], index.arrivals[stops])
        worst.append(hops.min())
    check_rules(MadeLibrary(index, plain.catalogue), ends, found, Rules())
    assert worst[1] > worst[0]


def test_long_legs_have_every_track_too() -> None:
    artists = np.random.default_rng(0).integers(60, size=900).tolist()
    library = made_library(900, size=16, artists=artists)
    waypoints = [library.seed(0), library.seed(1), library.seed(2)]
    rules = Rules(artist_gap=5)
    found = travel(library, waypoints, rules=rules, n=150)
    assert [len(leg) for leg in found.legs] == [150, 150]
    check_rules(library, waypoints, found, rules)


def test_a_crowd_of_one_artist_on_the_way_leaves_room_for_others() -> None:
    """More tracks of one artist lie nearest to every point than are weighed."""
    ends = np.eye(8, dtype=np.float32)[:2]
    rng = np.random.default_rng(0)
    crowd = arc(*ends, n=2000) + 0.01 * rng.standard_normal((2000, 8))
    others = arc(*ends, n=40) + 0.3 * rng.standard_normal((40, 8))
    library = MadeLibrary(
        Index(np.arange(2040), unit(np.concatenate([crowd, others]))),
        made_library(2040, artists=[7] * 2000 + [*range(10, 50)]).catalogue,
    )
    found = travel(library, [Seed(end) for end in ends], n=9)
    assert found.notices == []
    artists = library.catalogue.artists[rows_of(found)[0]]
    assert (artists == 7).sum() == 3
    check_rules(library, [Seed(end) for end in ends], found, Rules())


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
