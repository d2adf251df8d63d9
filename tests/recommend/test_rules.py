from __future__ import annotations

import numpy as np
import pytest
from made_libraries import made_library

from beetsplug.deejai.recommend.rules import Catalogue, Rules, nearest, reason_for_end


def test_candidates_are_allowed_and_not_excluded() -> None:
    catalogue = made_library(4, allowed=[True, False, True, True]).catalogue
    assert catalogue.candidates([2, None], timed=False).tolist() == [1, 0, 0, 1]
    assert catalogue.allowed.tolist() == [1, 0, 1, 1]


def test_a_track_of_unknown_length_cannot_fill_time() -> None:
    catalogue = made_library(3, lengths_s=[0.0, 1.0, 2.0]).catalogue
    assert catalogue.candidates([], timed=True).tolist() == [0, 1, 1]
    assert catalogue.candidates([], timed=False).tolist() == [1, 1, 1]


def test_unknown_artists_are_never_the_same() -> None:
    catalogue = made_library(4, artists=[-1, 7, 7, 8]).catalogue
    assert catalogue.by([-1]).tolist() == [0, 0, 0, 0]
    assert catalogue.by([7, -1]).tolist() == [0, 1, 1, 0]
    assert catalogue.by([]).tolist() == [0, 0, 0, 0]


def test_of_equals_the_first_row_is_nearest() -> None:
    similarities = np.array([0.9, 0.5, 0.7, 0.7])
    assert nearest(similarities, np.array([False, True, True, True])) == 2
    with pytest.raises(ValueError, match="empty"):
        nearest(similarities, np.zeros(4, dtype=bool))


@pytest.mark.parametrize("lengths_s", [[-1.0, 2.0], [np.nan, 1.0], [1.0]])
def test_a_catalogue_that_makes_no_sense_is_refused(lengths_s: list[float]) -> None:
    with pytest.raises(ValueError, match="lengths"):
        Catalogue(np.arange(2), np.array(lengths_s), np.ones(2, dtype=bool))


def test_the_reason_names_what_stopped_the_list() -> None:
    assert "no other candidates" in reason_for_end(np.array([False]), Rules())
    assert "3 tracks between" in reason_for_end(np.array([True]), Rules())
