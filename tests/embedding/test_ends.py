from __future__ import annotations

import numpy as np
import pytest
from beets.test.helper import PluginTestHelper
from hypothesis import given
from hypothesis import strategies as st
from libraries import add_made_tracks, circle, current_model

from beetsplug.deejai.embedding.ends import N_SLICES, ends, load_ends
from beetsplug.deejai.storage.slices import SliceRow, SliceStore


def made_slices(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 100)).astype(np.float16)


@given(st.integers(1, 9), st.integers(0, 99))
def test_ends_are_unit_vectors_of_the_first_and_last_slices(n: int, seed: int) -> None:
    slices = made_slices(n, seed)
    beginning, ending = ends(slices)
    for end in (beginning, ending):
        assert np.linalg.norm(end) == pytest.approx(1.0, abs=1e-5)
    if n >= 2 * N_SLICES:
        others = slices.copy()
        others[N_SLICES:-N_SLICES] = made_slices(n - 2 * N_SLICES, seed + 1)
        np.testing.assert_array_equal(ends(others), (beginning, ending))
    np.testing.assert_allclose(
        ends(slices[::-1]), (ending, beginning), atol=1e-6, rtol=0
    )


class TestLibrary(PluginTestHelper):
    plugin = "deejai"

    def test_stored_ends_are_those_of_the_slices(self) -> None:
        vectors = circle(5)
        items = add_made_tracks(self.lib, vectors)
        slices = [made_slices(n, n) for n in (1, 2, 3, 8)]
        slices[2][:] = 0
        model = current_model()
        store = SliceStore(":memory:")
        store.put(
            (SliceRow(item.id, model, "s", "", True), part)
            for item, part in zip(items, slices, strict=False)
        )
        stale = SliceRow(items[4].id, model, "of other audio", "", True)
        store.put([(stale, made_slices(4))])
        item_ids = np.array([item.id for item in items])
        beginnings, endings = load_ends(
            self.lib, store, model=model, item_ids=item_ids, vectors=vectors
        )
        for row in (0, 1, 3):
            beginning, ending = ends(slices[row])
            np.testing.assert_allclose(beginnings[row], beginning, atol=1e-6)
            np.testing.assert_allclose(endings[row], ending, atol=1e-6)
        # Silence, and slices of audio that is no longer there, say nothing.
        for row in (2, 4):
            np.testing.assert_array_equal(beginnings[row], vectors[row])
            np.testing.assert_array_equal(endings[row], vectors[row])
        store.close()
