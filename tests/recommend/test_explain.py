from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.recommend.explain import (
    LEAST_ALIKE,
    LEAST_SHARE,
    MARGIN,
    Match,
    best_matches,
    common_genres,
)
from beetsplug.deejai.vectors import unit


def noise(n: int, seed: int = 0, size: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, size))


def test_neighbouring_slices_that_match_are_one_stretch() -> None:
    track, seed = noise(12), noise(9, seed=1)
    track[4:7] = 3 * seed[1:4]
    (match,) = best_matches(track, [seed], n=3)
    assert (match.start, match.seed, match.seed_start, match.n_slices) == (4, 0, 1, 3)
    assert match.similarity == pytest.approx(1.0)


def test_stretches_at_the_ends_are_found_whole() -> None:
    track, seed = noise(6), noise(6, seed=1)
    track[:2], track[4:] = seed[:2], seed[4:]
    found = best_matches(track, [seed], n=3)
    assert [(m.start, m.seed_start, m.n_slices) for m in found] == [
        (0, 0, 2),
        (4, 4, 2),
    ]
    (whole,) = best_matches(seed, [seed], n=3)
    assert (whole.start, whole.seed_start, whole.n_slices) == (0, 0, 6)


def test_the_seed_that_matches_is_named() -> None:
    seeds = [noise(5, seed=1), np.empty((0, 60)), noise(7, seed=2)]
    track = noise(4)
    track[1], track[3] = seeds[2][6], seeds[0][2]
    found = best_matches(track, seeds, n=3)
    where = {(m.start, m.seed, m.seed_start, m.n_slices) for m in found}
    assert where == {(1, 2, 6, 1), (3, 0, 2, 1)}


def test_what_is_much_less_alike_than_the_best_is_left_out() -> None:
    seed = noise(2, seed=1)
    track = unit(seed).astype(float)
    track[1] += 0.5 * unit(noise(1))[0]
    near = float(unit(track[1]) @ unit(seed)[1])
    assert near < 1 - MARGIN
    assert len(best_matches(track, [seed], n=3)) == 1


def test_without_slices_nothing_matches() -> None:
    assert best_matches(noise(3), [], n=3) == []
    assert best_matches(np.empty((0, 60)), [noise(3)], n=3) == []
    assert best_matches(noise(3), [np.empty((0, 60))], n=3) == []


def test_silence_matches_nothing() -> None:
    assert best_matches(np.zeros((2, 4)), [noise(3, size=4)], n=1) == []


@pytest.mark.parametrize("off", [-0.01, 0.01])
def test_slices_that_are_not_much_alike_do_not_match(off: float) -> None:
    cosine = LEAST_ALIKE + off
    slices = [[1.0, 0.0]], [[cosine, (1 - cosine**2) ** 0.5]]
    assert len(best_matches(slices[0], [slices[1]], n=3)) == (off > 0)


@settings(deadline=None)
@given(
    st.integers(1, 20),
    st.lists(st.integers(0, 20), min_size=1, max_size=3),
    st.integers(0, 4),
    st.integers(2, 6),
    st.integers(0, 2**32 - 1),
)
def test_stretches_share_no_slice_and_the_first_holds_the_nearest_pair(
    n_slices: int, lengths: list[int], n: int, size: int, number: int
) -> None:
    rng = np.random.default_rng(number)
    track = rng.standard_normal((n_slices, size))
    seeds = [rng.standard_normal((length, size)) for length in lengths]
    found = best_matches(track, seeds, n=n)
    assert len(found) <= n
    heard: list[int] = []
    of_seeds: list[tuple[int, int]] = []
    for match in found:
        heard += range(match.start, match.start + match.n_slices)
        of_seeds += ((match.seed, match.seed_start + k) for k in range(match.n_slices))
        cosines = [
            float(unit(track[match.start + k]) @ unit(seeds[match.seed][there]))
            for k, there in enumerate(
                range(match.seed_start, match.seed_start + match.n_slices)
            )
        ]
        assert match.similarity == pytest.approx(np.mean(cosines), abs=1e-5)
    assert len(set(heard)) == len(heard)
    assert set(heard) <= set(range(n_slices))
    assert len(set(of_seeds)) == len(of_seeds)
    best = max(
        (float((unit(track) @ unit(s).T).max()) for s in seeds if len(s)), default=-1
    )
    assert bool(found) == (n > 0 and best >= LEAST_ALIKE)
    if found:
        assert _best_pair(track, seeds, found[0]) == pytest.approx(best, abs=1e-5)


def _best_pair(track: np.ndarray, seeds: list[np.ndarray], match: Match) -> float:
    here = unit(track[match.start : match.start + match.n_slices])
    end = match.seed_start + match.n_slices
    there = unit(seeds[match.seed][match.seed_start : end])
    return float((here * there).sum(axis=1).max())


def test_genres_in_common_come_by_what_they_contribute() -> None:
    one, other = [0.5, 0.3, 0.2, 0.0], [0.1, 0.25, 0.25, 0.4]
    assert common_genres(one, other, n=3) == [1, 2, 0]
    assert common_genres(one, other, n=1) == [1]
    assert common_genres([1.0, 0.0], [0.0, 1.0], n=2) == []
    little = LEAST_SHARE / 2
    assert common_genres([little, 1 - little], [1 - little, little], n=2) == []
