from __future__ import annotations

import numpy as np
import pytest
from made_libraries import made_library

from beetsplug.deejai.recommend.index import Labels
from beetsplug.deejai.recommend.rules import Rules, nearest, reason_for_end


def test_candidates_are_allowed_and_not_excluded() -> None:
    library = made_library(4, allowed=[True, False, True, True])
    excluded = [library.seed(2), library.outsider(np.random.default_rng(0))]
    found = library.catalogue.candidates(excluded, timed=False)
    assert found.tolist() == [1, 0, 0, 1]
    assert library.catalogue.allowed.tolist() == [1, 0, 1, 1]


def test_versions_of_an_excluded_track_are_no_candidates() -> None:
    library = made_library(5, recordings=[4, -1, 4, -1, 5])
    found = library.catalogue.candidates([library.seed(0)], timed=False)
    assert found.tolist() == [0, 1, 0, 1, 1]
    found = library.catalogue.candidates([library.seed(1)], timed=False)
    assert found.tolist() == [1, 0, 1, 1, 1]


def test_a_track_of_unknown_length_cannot_fill_time() -> None:
    catalogue = made_library(3, lengths_s=[0.0, 1.0, 2.0]).catalogue
    assert catalogue.candidates([], timed=True).tolist() == [0, 1, 1]
    assert catalogue.candidates([], timed=False).tolist() == [1, 1, 1]


def test_tracks_near_to_one_of_their_artist_or_album_clash() -> None:
    catalogue = made_library(
        5, artists=[7, 8, 9, -1, -1], albums=[1, 2, 3, 1, -1]
    ).catalogue
    before = [Labels(7, 5), Labels(8, 1)]
    after = [Labels(9, 6), Labels(-1, 3)]

    def clashing(artist_gap: int, album_gap: int) -> list[int]:
        rules = Rules(artist_gap, album_gap)
        return catalogue.clashing(rules, before, after).nonzero()[0].tolist()

    assert clashing(0, 0) == []
    assert clashing(1, 0) == [1, 2]
    assert clashing(2, 0) == [0, 1, 2]
    assert clashing(0, 1) == [0, 3]
    assert clashing(0, 9) == [0, 2, 3]


def test_of_equals_the_first_row_is_nearest() -> None:
    similarities = np.array([0.9, 0.5, 0.7, 0.7])
    assert nearest(similarities, np.array([False, True, True, True])) == 2
    with pytest.raises(ValueError, match="empty"):
        nearest(similarities, np.zeros(4, dtype=bool))


@pytest.mark.parametrize("lengths_s", [[-1.0, 2.0], [np.nan, 1.0], [1.0]])
def test_a_catalogue_that_makes_no_sense_is_refused(lengths_s: list[float]) -> None:
    with pytest.raises(ValueError, match="lengths"):
        made_library(2, lengths_s=lengths_s)


def test_the_reason_names_what_stopped_the_list() -> None:
    assert "no other candidates" in reason_for_end(np.array([False]), Rules())
    assert "3 tracks between" in reason_for_end(np.array([True]), Rules())
    reason = reason_for_end(np.array([True]), Rules(2, 1))
    assert "2 tracks between two of one artist and 1 tracks between" in reason
