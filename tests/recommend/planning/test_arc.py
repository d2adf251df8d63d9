from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.recommend.planning.arc import arc
from beetsplug.deejai.vectors import unit


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 120), st.integers(0, 20))
def test_points_divide_the_angle_evenly(seed: int, size: int, n: int) -> None:
    a, b = unit(np.random.default_rng(seed).standard_normal((2, size)))
    points = arc(a, b, n=n).astype(np.float64)
    assert points.shape == (n, size)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0, atol=1e-6)
    whole = np.arccos(np.clip(a.astype(np.float64) @ b, -1, 1))
    for i, point in enumerate(points, start=1):
        angle = np.arccos(np.clip(point @ a, -1, 1))
        assert angle == pytest.approx(whole * i / (n + 1), abs=1e-3)


def test_the_way_back_passes_the_same_points() -> None:
    a, b = unit(np.random.default_rng(3).standard_normal((2, 50)))
    np.testing.assert_allclose(arc(a, b, n=7), arc(b, a, n=7)[::-1], atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 100), st.floats(0, 1e-5))
def test_equal_and_opposite_ends_have_an_arc_too(
    seed: int, size: int, nudge: float
) -> None:
    rng = np.random.default_rng(seed)
    a = unit(rng.standard_normal(size))
    nudged = unit(a + nudge * rng.standard_normal(size))
    same = arc(a, nudged, n=5)
    np.testing.assert_allclose(same, np.tile(a, (5, 1)), atol=1e-3)
    opposite = arc(a, -nudged, n=3)
    np.testing.assert_allclose(np.linalg.norm(opposite, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(
        opposite @ a, np.cos(np.pi / 4 * np.arange(1, 4)), atol=1e-3
    )
    assert (opposite == arc(a, -nudged, n=3)).all()


def test_ends_without_direction_give_no_nan() -> None:
    zero = np.zeros(4, dtype=np.float32)
    assert np.isfinite(arc(zero, np.eye(4)[0], n=3)).all()
    assert np.isfinite(arc(zero, zero, n=3)).all()
