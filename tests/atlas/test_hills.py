from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beetsplug.deejai.atlas.hills import MOST, find_hills

CENTRES = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], dtype=np.float32)


def clouds(
    *centres: tuple[float, float], n: int = 60, spread: float = 0.03
) -> np.ndarray:
    rng = np.random.default_rng(0)
    middles = np.repeat(np.array(centres), n, axis=0)
    return (middles + rng.normal(0, spread, middles.shape)).astype(np.float32)


def test_tracks_of_clouds_far_apart_share_no_hill() -> None:
    positions = clouds(*CENTRES.tolist())
    hills = find_hills(positions)
    cloud = np.repeat(np.arange(3), 60)
    for hill in range(hills.of_track.max() + 1):
        assert len(set(cloud[hills.of_track == hill])) == 1


def test_hills_beside_each_other_are_joined_unless_there_is_a_gap() -> None:
    positions = clouds((0.1, 0.5), (0.22, 0.5), (0.9, 0.5))
    hills = find_hills(positions)
    of = [set(hills.of_track[60 * i : 60 * i + 60]) for i in range(3)]
    near = hills.joined[np.ix_(sorted(of[0]), sorted(of[1]))]
    far = hills.joined[np.ix_(sorted(of[0] | of[1]), sorted(of[2]))]
    assert near.any() or of[0] & of[1]
    assert not far.any()
    assert np.array_equal(hills.joined, hills.joined.T)
    assert np.array_equal(hills.beside, hills.beside.T)
    assert np.all(hills.beside | ~hills.joined)
    assert not hills.beside.diagonal().any()


@settings(deadline=None, max_examples=15)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.just(2)),
        elements=st.floats(0, 1, width=32),
    )
)
def test_every_map_has_hills_and_every_track_is_on_one(positions: np.ndarray) -> None:
    hills = find_hills(positions)
    n_hills = len(hills.beside)
    assert hills.of_track.shape == (len(positions),)
    assert set(hills.of_track) == set(range(n_hills))
    assert 1 <= n_hills <= max(1, len(positions) // 12)


def test_all_tracks_on_one_spot_are_one_hill() -> None:
    hills = find_hills(np.full((50, 2), 0.5, dtype=np.float32))
    assert set(hills.of_track) == {0}


@pytest.mark.parametrize("n", [1, 300, 5000, 50_000])
def test_many_tracks_have_no_more_hills_than_there_may_be(n: int) -> None:
    positions = np.random.default_rng(0).random((n, 2), dtype=np.float32)
    first, again = find_hills(positions), find_hills(positions)
    assert len(first.beside) <= MOST
    assert np.array_equal(first.of_track, again.of_track)


def test_where_and_how_large_a_map_is_does_not_matter() -> None:
    positions = clouds(*CENTRES.tolist())
    moved = find_hills(positions * 0.25 + 0.5)
    assert np.array_equal(moved.of_track, find_hills(positions).of_track)
