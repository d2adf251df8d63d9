from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.recommend.timing import Clock


@given(
    lengths_s=st.lists(st.integers(1, 60), min_size=2, max_size=6),
    overlap_s=st.integers(0, 10),
)
def test_neighbours_overlap_by_the_crossfade_or_a_third_of_the_shorter_one(
    lengths_s: list[int], overlap_s: int
) -> None:
    clock = Clock(np.array(lengths_s, dtype=float), float(overlap_s))
    first, *rows, last = range(len(lengths_s))
    between_s = clock.played_s(rows, clock.overlap_of(first), clock.overlap_of(last))
    saved_s = sum(min(overlap_s, min(pair) / 3) for pair in pairwise(lengths_s))
    assert between_s == pytest.approx(sum(lengths_s[1:-1]) - saved_s)


@given(
    lengths_s=st.lists(st.floats(0, 500), min_size=3, max_size=8),
    overlap_s=st.floats(0, 30),
    data=st.data(),
)
def test_what_a_track_adds_is_what_it_prolongs(
    lengths_s: list[float], overlap_s: float, data: st.DataObject
) -> None:
    clock = Clock(np.array(lengths_s), overlap_s)
    first, *rows, row, last = range(len(lengths_s))
    ends = clock.overlap_of(first), clock.overlap_of(last)
    hop = data.draw(st.integers(0, len(rows)))
    longer = [*rows[:hop], row, *rows[hop:]]
    before, after = [first, *rows, last][hop : hop + 2]
    added_s = clock.added_s(clock.overlap_of(before), clock.overlap_of(after))[row]
    prolonged_s = clock.played_s(longer, *ends) - clock.played_s(rows, *ends)
    assert added_s == pytest.approx(prolonged_s, abs=1e-6)
    # Nowhere is it less than the length without one overlap.
    assert added_s >= clock.lengths_s[row] - clock.overlaps_s[row] - 1e-6


def test_a_track_that_is_not_in_the_library_counts_as_long() -> None:
    clock = Clock(np.array([9.0, 100.0]), 6.0)
    assert [clock.overlap_of(row) for row in (0, 1, None)] == [3.0, 6.0, 6.0]
