from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, made_libraries, made_library

from beetsplug.deejai.recommend.index import Index
from beetsplug.deejai.recommend.rules import UNRULED, Rules
from beetsplug.deejai.recommend.similar import similar


@settings(deadline=None)
@given(
    made_libraries(),
    st.integers(0, 30),
    st.builds(Rules, st.integers(0, 4), st.integers(0, 4)),
    st.data(),
)
def test_finds_the_nearest_allowed_tracks_nearest_first(
    library: MadeLibrary, n: int, rules: Rules, data: st.DataObject
) -> None:
    rows = st.integers(0, len(library.index) - 1)
    exclude = data.draw(st.lists(rows, max_size=5))
    query = library.index.vectors[data.draw(rows)]
    picks = similar(
        library.index,
        query,
        catalogue=library.catalogue,
        rules=rules,
        excluded=map(library.seed, exclude),
        n=n,
    )
    catalogue = library.catalogue
    excluded = map(library.seed, exclude)
    usable = set(np.flatnonzero(catalogue.candidates(excluded, timed=False)).tolist())
    chosen = [pick.row for pick in picks]
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= usable
    similarities = library.index.similarities(query)
    assert [pick.similarity for pick in picks] == similarities[chosen].tolist()
    expected: list[int] = []
    for row in sorted(usable, key=lambda row: (-similarities[row], row)):
        labels = catalogue.labels(row)
        before = [catalogue.labels(other) for other in expected]
        if (
            labels.recording not in {one.recording for one in before} - {-1}
            and not catalogue.clashing(rules, before)[row]
        ):
            expected.append(row)
    assert chosen == expected[:n]


def test_equally_similar_tracks_come_in_row_order() -> None:
    library = made_library(6)
    index = Index(library.index.ids, np.tile(library.index.vectors[:1], (6, 1)))
    picks = similar(
        index, index.vectors[0], catalogue=library.catalogue, rules=Rules(), n=4
    )
    assert [pick.row for pick in picks] == [0, 1, 2, 3]


@settings(deadline=None)
@given(made_libraries(), st.floats(0, 20_000), st.sampled_from([0.0, 6.0, 50.0]))
def test_a_time_is_filled_until_nothing_fits(
    library: MadeLibrary, length_s: float, overlap_s: float
) -> None:
    picks = similar(
        library.index,
        library.index.vectors[0],
        catalogue=library.catalogue,
        rules=UNRULED,
        length_s=length_s,
        overlap_s=overlap_s,
    )
    chosen = [pick.row for pick in picks]
    lengths_s = library.catalogue.lengths_s
    overlaps_s = np.minimum(overlap_s, lengths_s / 3)
    before_s = [0.0, *overlaps_s[chosen]]
    played_s = lengths_s[chosen].sum() - np.minimum(before_s[:-1], before_s[1:]).sum()
    left_s = length_s - played_s
    assert left_s >= -1e-6
    unused = library.catalogue.candidates(map(library.seed, chosen), timed=True)
    assert not (unused & (lengths_s <= left_s - 1e-6)).any()
    similarities = [pick.similarity for pick in picks]
    assert similarities == sorted(similarities, reverse=True)


def test_an_empty_library_has_nothing_similar() -> None:
    library = made_library(0)
    query = np.eye(8, dtype=np.float32)[0]
    for amount in ({"n": 3}, {"length_s": 9.0}):
        found = similar(
            library.index,
            query,
            catalogue=library.catalogue,
            rules=Rules(),
            **amount,
        )
        assert found == []


@pytest.mark.parametrize(
    ("n", "length_s"), [(None, None), (1, 60.0), (-1, None), (None, -1.0)]
)
def test_just_one_amount_is_wanted(n: int | None, length_s: float | None) -> None:
    library = made_library(3)
    with pytest.raises(ValueError, match="number of tracks"):
        similar(
            library.index,
            library.index.vectors[0],
            catalogue=library.catalogue,
            rules=Rules(),
            n=n,
            length_s=length_s,
        )
