from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from beetsplug.deejai.vectors import unit


@settings(deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-1000, 1000, width=16),
    )
)
def test_rows_have_unit_length_or_stay_zero(vectors: np.ndarray) -> None:
    rows = unit(vectors)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, vectors.any(axis=1), atol=1e-6)


def test_one_vector_keeps_its_shape_and_direction() -> None:
    np.testing.assert_allclose(unit([3.0, 4.0]), [0.6, 0.8], rtol=1e-6)
    assert unit([0.0, 0.0]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scale", [1e-30, 1e-4, 1.0, 1e30])
def test_the_length_before_does_not_matter(scale: float) -> None:
    vector = np.array([1.0, -2.0, 2.0], dtype=np.float32) * np.float32(scale)
    np.testing.assert_allclose(unit(vector), [1 / 3, -2 / 3, 2 / 3], rtol=1e-5)


def test_no_rows_make_no_rows() -> None:
    assert unit(np.empty((0, 7))).shape == (0, 7)
