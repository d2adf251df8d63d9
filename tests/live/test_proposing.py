from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from made_libraries import MadeLibrary, made_libraries, made_library

from beetsplug.deejai.live.proposing import Choices, propose
from beetsplug.deejai.recommend.index import Pick
from beetsplug.deejai.recommend.rules import Rules
from beetsplug.deejai.vectors import unit


def with_beginnings(made: MadeLibrary, seed: int = 1) -> MadeLibrary:
    rng = np.random.default_rng(seed)
    beginnings = unit(rng.standard_normal(made.index.vectors.shape))
    index = replace(made.index, beginnings=beginnings, endings=beginnings)
    return replace(made, index=index)


def test_what_is_proposed_begins_like_what_is_heard() -> None:
    made = with_beginnings(made_library(50))
    assert made.index.beginnings is not None
    heard = made.index.beginnings[17]
    picks = propose(made.index, made.catalogue, heard, n=5)
    assert picks[0].row == 17
    nearest = np.argsort(-(made.index.beginnings @ heard))[:5]
    assert [pick.row for pick in picks] == nearest.tolist()


def test_what_was_played_is_not_proposed_nor_its_versions_nor_its_artist() -> None:
    made = with_beginnings(
        made_library(4, artists=[0, 0, 1, 2], recordings=[-1, -1, 7, 7])
    )
    heard = made.index.arrivals[0]
    played = [made.seed(0), made.seed(2)]
    rows = {
        pick.row for pick in propose(made.index, made.catalogue, heard, n=4, played=[])
    }
    assert rows in ({0, 1, 2}, {0, 1, 3})
    without = propose(made.index, made.catalogue, heard, n=4, played=played)
    assert [pick.row for pick in without] == [1]
    spaced = propose(
        made.index, made.catalogue, heard, n=4, played=played, rules=Rules(artist_gap=2)
    )
    assert not spaced
    rested = propose(
        made.index, made.catalogue, heard, n=4, played=played, rules=Rules(artist_gap=1)
    )
    assert [pick.row for pick in rested] == [1]


@given(made_libraries(), st.integers(1, 9), st.integers(0, 99))
def test_proposals_are_allowed_and_in_order(
    made: MadeLibrary, n: int, seed: int
) -> None:
    made = with_beginnings(made, seed)
    heard = made.outsider(np.random.default_rng(seed)).vector
    picks = propose(made.index, made.catalogue, heard, n=n)
    rows = [pick.row for pick in picks]
    assert len(set(rows)) == len(rows) <= n
    assert made.catalogue.allowed[rows].all()
    similarities = [pick.similarity for pick in picks]
    assert similarities == sorted(similarities, reverse=True)


def chosen(made: MadeLibrary, rules: Rules, firsts: list[int]) -> list[int]:
    choices = Choices(made.catalogue, rules)
    for row in firsts:
        choices.consider(Pick(row, 0.5))
    return [pick.row for pick in choices.picks]


def test_what_stays_first_is_chosen_once() -> None:
    made = made_library(9)
    rules = Rules(artist_gap=0)
    assert chosen(made, rules, [1, 1, 2, 2, 2, 1, 1, 3, 3]) == [1, 2, 3]


def test_what_is_first_for_a_moment_is_not_chosen() -> None:
    assert chosen(made_library(9), Rules(), [1, 1, 5, 1, 6, 2, 2]) == [1, 2]


def test_where_nothing_stays_the_last_one_is_chosen() -> None:
    assert chosen(made_library(9), Rules(), [1, 5]) == [5]
    assert chosen(made_library(9), Rules(), []) == []


def test_the_list_keeps_its_gaps_and_each_recording_once() -> None:
    made = made_library(5, artists=[0, 0, 1, 2, 3], recordings=[-1, -1, 7, 7, -1])
    firsts = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert chosen(made, Rules(artist_gap=2), firsts) == [0, 2, 4]
