from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.recommend.recordings.twins import (
    DISTANCE,
    MAX_TWINS,
    Twins,
    is_near_length,
)
from beetsplug.deejai.vectors import unit


@settings(deadline=None)
@given(
    n_tracks=st.integers(0, 150),
    n_sounds=st.integers(1, 40),
    size=st.sampled_from([2, 20, 30]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_finds_what_comparing_all_finds(
    n_tracks: int, n_sounds: int, size: int, seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    sounds = rng.integers(n_sounds, size=n_tracks)
    noise = rng.uniform(0.0, 0.2, size=(n_tracks, 1)) / np.sqrt(size)
    vectors = rng.standard_normal((n_sounds, size))[sounds]
    vectors = unit(vectors + noise * rng.standard_normal((n_tracks, size)))
    lengths_s = np.maximum(rng.integers(-3, 40, size=n_tracks), 0) * 0.25
    lengths_s[rng.random(n_tracks) < 0.5] *= 30.0
    rows = np.array(
        data.draw(st.lists(st.integers(0, n_tracks - 1), max_size=70, unique=True))
        if n_tracks
        else [],
        dtype=int,
    )
    found = Twins(vectors, lengths_s).of_rows(rows)
    distances = 1.0 - vectors @ vectors.T
    for row in rows.tolist():
        near = is_near_length(lengths_s[row], lengths_s)
        # Rounding may decide either way.
        surely = near & (distances[row] <= DISTANCE - 1e-6)
        maybe = near & (distances[row] <= DISTANCE + 1e-6)
        surely[row] = maybe[row] = False
        twins = [twin for _, twin in found.get(row, [])]
        assert set(twins) <= set(np.flatnonzero(maybe).tolist())
        assert len(twins) == MAX_TWINS + 1 or set(twins) >= set(
            np.flatnonzero(surely).tolist()
        )
        assert [d for d, _ in found.get(row, [])] == sorted(
            d for d, _ in found.get(row, [])
        )


def test_a_crowd_is_not_told_to_its_end() -> None:
    n_tracks = 3 * MAX_TWINS
    crowd = Twins(np.ones((n_tracks, 1), np.float32), np.full(n_tracks, 30.0))
    found = crowd.of_rows(np.array([5]))
    assert len(found[5]) == MAX_TWINS + 1
    assert 5 not in [twin for _, twin in found[5]]


def test_near_lengths_differ_by_a_second_or_a_fiftieth() -> None:
    assert is_near_length(200.0, 201.0)
    assert not is_near_length(200.0, 201.1)
    assert is_near_length(10.0, 10.2)
    assert not is_near_length(10.0, 10.3)
    assert not is_near_length(0.0, 0.0)
