from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.overrepresented import Excess, Tag, overrepresented

JAZZ, ROCK, LIVE = (Tag("genre", name) for name in ("Jazz", "Rock", "Live"))


def test_a_tag_that_is_common_in_a_group_alone_is_found() -> None:
    tags = [(JAZZ,)] * 20 + [(ROCK,)] * 80
    inside, outside = overrepresented(tags, [range(20), range(20, 100)])
    assert [excess.tag for excess in inside] == [JAZZ]
    assert [excess.tag for excess in outside] == [ROCK]
    assert (inside[0].n_inside, inside[0].n_group) == (20, 20)
    assert (inside[0].n_tagged, inside[0].n_all) == (20, 100)
    assert inside[0].lift == float("inf")
    assert inside[0].q < 1e-15


def test_a_tag_that_all_tracks_have_says_nothing() -> None:
    assert overrepresented([(ROCK,)] * 30, [range(10)]) == [[]]


def test_what_one_track_has_is_no_trait_of_a_group() -> None:
    tags = [(LIVE,), *[()] * 99]
    assert overrepresented(tags, [[0]], max_q=1.0) == [[]]


def test_the_chance_is_that_of_the_hypergeometric_distribution() -> None:
    # 4 of 5 drawn from 20, of which 6 are tagged; nothing else is compared.
    tags = [(JAZZ,)] * 6 + [()] * 14
    (excess,) = overrepresented(tags, [[0, 1, 2, 3, 6]], max_q=1.0)[0]
    ways = sum(comb(6, k) * comb(14, 5 - k) for k in (4, 5))
    assert excess.q == pytest.approx(ways / comb(20, 5))
    assert excess.lift == pytest.approx((4 / 5) / (2 / 15))


def test_the_more_is_compared_the_more_is_asked_of_a_find() -> None:
    tags = [(JAZZ,)] * 6 + [()] * 14
    group = [0, 1, 2, 3, 6]
    alone = overrepresented(tags, [group], max_q=1.0)[0][0].q
    others = [[k, k + 1, 19] for k in range(4, 14)]
    among_many = overrepresented(tags, [group, *others], max_q=1.0)[0][0].q
    assert among_many > 5 * alone


def test_many_artists_make_no_genre_harder_to_find() -> None:
    tags: list[tuple[Tag, ...]] = [(JAZZ,)] * 6 + [(ROCK,)] * 34
    group = [0, 1, 2, 3, 20]
    (alone,) = overrepresented(tags, [group])[0]
    artists = [Tag("artist", str(row // 2)) for row in range(40)]
    both = [(*some, artist) for some, artist in zip(tags, artists, strict=True)]
    found = overrepresented(both, [group], max_q=1.0)[0]
    assert found[0] == alone
    # The artists have as many comparisons among themselves.
    assert [one.tag for one in found[1:]] == artists[:4:2]
    assert found[1].q > alone.q


def test_genres_go_before_decades_and_artists_that_are_more_telling() -> None:
    told = (Tag("album", "A"), Tag("decade", "1990s"), Tag("mood", "calm"), JAZZ)
    tags = [told] * 5 + [told[1:]] + [told[2:]] + [told[3:]] + [(ROCK,)] * 60
    (found,) = overrepresented(tags, [range(5)])
    assert [one.tag for one in found] == [told[2], JAZZ, told[1], told[0]]


def test_groups_that_are_drawn_by_lot_are_seldom_told_by_a_tag() -> None:
    rng = np.random.default_rng(1)
    names = [Tag("genre", str(k)) for k in range(40)]
    tags = [tuple(names[k] for k in rng.choice(40, 3)) for _ in range(400)]
    groups = [rng.choice(400, 20, replace=False).tolist() for _ in range(100)]
    found = overrepresented(tags, groups)
    # 4 000 comparisons: uncorrected, some 100 would be below 0.05.
    assert sum(map(len, found)) <= 5


def test_a_tag_that_a_track_has_twice_counts_once() -> None:
    tags = [(JAZZ, JAZZ)] * 5 + [(ROCK,)] * 20
    (excess,) = overrepresented(tags, [range(5)])[0]
    assert (excess.n_inside, excess.n_tagged) == (5, 5)


@pytest.mark.parametrize(
    ("tags", "groups"), [([], []), ([], [[]]), ([()] * 3, [[0], []]), ([(ROCK,)], [[]])]
)
def test_of_nothing_nothing_is_found(
    tags: list[tuple[Tag, ...]], groups: list[list[int]]
) -> None:
    assert overrepresented(tags, groups) == [[] for _ in groups]


@given(
    tags=st.lists(
        st.lists(st.sampled_from([JAZZ, ROCK, LIVE]), max_size=3), max_size=12
    ),
    data=st.data(),
)
def test_finds_are_what_they_say(tags: list[list[Tag]], data: st.DataObject) -> None:
    rows = st.lists(st.integers(0, max(0, len(tags) - 1)), unique=True)
    groups = data.draw(st.lists(rows if tags else st.just([]), max_size=3))
    found = overrepresented(tags, groups, max_q=1.0)
    assert len(found) == len(groups)
    for group, excesses in zip(groups, found, strict=True):
        assert [e.q for e in excesses] == sorted(e.q for e in excesses)
        for excess in excesses:
            assert excess.n_inside == sum(excess.tag in tags[row] for row in group) >= 2
            assert excess.n_tagged == sum(excess.tag in each for each in tags)
            assert (excess.n_group, excess.n_all) == (len(group), len(tags))
            assert 0.0 <= excess.q <= 1.0
            assert isinstance(excess, Excess)
            assert excess.lift > 0.0
