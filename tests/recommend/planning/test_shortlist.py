from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from made_libraries import MadeLibrary, made_library

from beetsplug.deejai.recommend.planning.shortlist import MAX_CANDIDATES, shortlist
from beetsplug.deejai.recommend.planning.terrain import Terrain
from beetsplug.deejai.recommend.recordings.versions import Recordings
from beetsplug.deejai.recommend.rules import Catalogue, Rules
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    import numpy.typing as npt


def shortlisted(
    library: MadeLibrary, rules: Rules, n_points: int = 1
) -> list[npt.NDArray[np.intp]]:
    catalogue = library.catalogue
    terrain = Terrain(library.index, catalogue, rules, Clock(catalogue.lengths_s))
    points = library.index.vectors[:n_points]
    return shortlist(terrain, points, [catalogue.allowed] * n_points)


def test_the_nearest_quarter_is_weighed_and_no_track_that_is_not_free() -> None:
    allowed = np.random.default_rng(0).random(1000) < 0.8
    library = made_library(1000, allowed=allowed.tolist())
    for slot, rows in enumerate(shortlisted(library, Rules(0), 3)):
        similarities = library.index.similarities(library.index.vectors[slot])
        n_near = int(0.25 * allowed.sum())
        least = np.sort(similarities[allowed])[-n_near]
        assert rows.size == np.unique(rows).size == n_near
        assert (similarities[rows] >= least).all()
        assert allowed[rows].all()


def test_small_libraries_are_weighed_as_a_whole_and_large_ones_in_part() -> None:
    assert shortlisted(made_library(60), Rules())[0].size == 60
    assert shortlisted(made_library(9000), Rules())[0].size == MAX_CANDIDATES


def test_many_artists_are_among_the_candidates_if_they_are_spaced_out() -> None:
    artists = [0] * 3600 + [*range(1, 401)]
    library = made_library(4000, artists=artists)
    (spaced,), (not_spaced,) = (shortlisted(library, Rules(gap)) for gap in (3, 0))
    assert np.unique(library.catalogue.artists[not_spaced]).size < 100
    assert np.unique(library.catalogue.artists[spaced]).size > 300


def test_one_version_of_each_recording_is_weighed() -> None:
    library = made_library(600, recordings=[row // 3 for row in range(600)])
    (rows,) = shortlisted(library, Rules())
    recordings = library.catalogue.recordings[rows]
    assert rows.size == np.unique(recordings).size == 150


class Asked(Recordings):
    """Remembers which recordings were asked for."""

    def __init__(self, codes: npt.NDArray[np.intp]) -> None:
        super().__init__(codes)
        self.rows: set[int] = set()

    def __getitem__(self, rows: Any) -> Any:
        self.rows |= {int(row) for row in np.atleast_1d(rows)}
        return super().__getitem__(rows)


def test_only_what_is_weighed_is_asked_for_its_versions() -> None:
    made = made_library(20_000)
    asked = Asked(np.arange(20_000))
    catalogue = Catalogue(
        made.catalogue.artists,
        made.catalogue.albums,
        asked,
        made.catalogue.lengths_s,
        made.catalogue.allowed,
    )
    (rows,) = shortlisted(MadeLibrary(made.index, catalogue), Rules())
    assert asked.rows == set(rows.tolist())
