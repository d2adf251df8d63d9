from __future__ import annotations

import sys

import numpy as np
import pytest

from beetsplug.deejai.atlas.layout import FEWEST, Layout, lay_out, place
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.vectors import unit

N_STYLES, EACH = 5, 30


def styles(seed: int = 0, each: int = EACH) -> tuple[np.ndarray, np.ndarray]:
    """Make tracks around a few styles, and say which is whose."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((N_STYLES, 20))
    labels = np.arange(N_STYLES).repeat(each)
    noise = np.random.default_rng(seed + 1).standard_normal((len(labels), 20))
    return unit(centres[labels] + 0.4 * noise), labels


def nearest_rows(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - others[None], axis=2).argsort(axis=1)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return lay_out(styles()[0])


def test_what_is_alike_lies_together(layout: Layout) -> None:
    labels = styles()[1]
    positions = layout.positions
    neighbours = nearest_rows(positions, positions)[:, 1:6]
    assert np.mean(labels[neighbours] == labels[:, None]) > 0.97


def test_the_map_fills_its_square_and_leaves_a_margin(layout: Layout) -> None:
    positions = layout.positions
    assert positions.dtype == np.float32
    assert positions.shape == (N_STYLES * EACH, 2)
    assert positions.min() == pytest.approx(0.03, abs=1e-5)
    assert positions.max() == pytest.approx(0.97, abs=1e-5)
    assert layout.scale > 1


def test_the_same_vectors_give_the_same_map_on_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Few of either: at each step threads wait for each other.
    vectors = styles()[0][::3]
    monkeypatch.setattr("beetsplug.deejai.atlas.layout.PARALLEL", 1)
    monkeypatch.setattr("beetsplug.deejai.atlas.layout.EARLY_STEPS", 25)
    monkeypatch.setattr("beetsplug.deejai.atlas.layout.STEPS", 50)
    one, two = (lay_out(vectors, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.positions, two.positions)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8, 20])
def test_few_tracks_have_a_map_too(n: int) -> None:
    layout = lay_out(styles()[0][:n])
    assert layout.positions.shape == (n, 2)
    assert np.all((layout.positions >= 0) & (layout.positions <= 1))
    assert len(np.unique(layout.positions, axis=0)) == n
    assert (layout.scale > 0) == (n >= FEWEST)


def test_one_track_lies_in_the_middle() -> None:
    assert lay_out(styles()[0][:1]).positions.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("n_others", [0, 40])
def test_equal_tracks_lie_side_by_side(n_others: int) -> None:
    vectors = np.concatenate([np.repeat(styles()[0][:1], 12, 0), styles()[0][-40:]])
    layout = lay_out(vectors[: 12 + n_others])
    assert np.isfinite(layout.positions).all()
    assert len(np.unique(layout.positions, axis=0)) == 12 + n_others


def test_progress_goes_up_to_the_end() -> None:
    parts: list[float] = []
    lay_out(styles()[0], on_progress=parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1)
    assert len(parts) > 20


def test_what_progress_raises_ends_the_work() -> None:
    class EnoughError(Exception):
        pass

    def stop(part: float) -> None:
        if part > 0.3:
            raise EnoughError

    with pytest.raises(EnoughError):
        lay_out(styles()[0], on_progress=stop)


def test_new_tracks_find_those_that_they_are_like(layout: Layout) -> None:
    vectors, labels = styles()
    newcomers, their_labels = styles(seed=7, each=10)
    before = layout.positions.copy()
    placed = place(newcomers, vectors, layout)
    neighbours = nearest_rows(placed, layout.positions)[:, :5]
    assert np.mean(labels[neighbours] == their_labels[:, None]) > 0.97
    assert placed.dtype == np.float32
    assert np.all((placed >= 0) & (placed <= 1))
    np.testing.assert_array_equal(layout.positions, before)


def test_who_comes_along_does_not_matter(layout: Layout) -> None:
    newcomers, _ = styles(seed=7, each=4)
    vectors = styles()[0]
    together = place(newcomers, vectors, layout)
    alone = place(newcomers[3:4], vectors, layout)
    np.testing.assert_allclose(alone[0], together[3], atol=1e-4)


def test_a_track_that_is_there_twice_lies_beside_itself(layout: Layout) -> None:
    vectors = styles()[0]
    placed = place(vectors[:10], vectors, layout)
    apart = np.linalg.norm(placed - layout.positions[:10], axis=1)
    assert np.median(apart) < 0.02


def test_many_tracks_are_placed_where_few_would_be(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interpolation, which large maps need, agrees with the tree."""
    newcomers, _ = styles(seed=7, each=4)
    by_tree = place(newcomers, styles()[0], layout)
    monkeypatch.setattr("beetsplug.deejai.atlas.layout.MANY", 1)
    interpolated = place(newcomers, styles()[0], layout)
    assert np.abs(interpolated - by_tree).max() < 0.02


def test_without_opentsne_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(FatalError, match=r"pip install 'beets-deejai\[map\]'"):
        lay_out(styles()[0])
