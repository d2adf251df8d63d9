from __future__ import annotations

import numpy as np

from beetsplug.deejai.training.neighbours import nearest, share_of_same


def angles(*degrees: float) -> np.ndarray:
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def test_the_nearest_come_first_and_never_oneself() -> None:
    found, similarities = nearest(angles(0, 10, 50, 180), [0, 3], n=2)
    assert found.tolist() == [[1, 2], [2, 1]]
    np.testing.assert_allclose(similarities[0], np.cos(np.deg2rad([10, 50])), atol=1e-6)


def test_lengths_do_not_matter_and_fewer_are_given_when_there_are_no_more() -> None:
    found, similarities = nearest(angles(0, 10) * [[3], [9]], [0], n=5)
    assert found.tolist() == [[1]]
    assert similarities[0, 0] <= 1


def test_many_rows_are_the_same_as_single_ones() -> None:
    vectors = np.random.default_rng(0).standard_normal((1200, 5))
    found, _ = nearest(vectors, range(1200), n=3)
    for row in (0, 511, 512, 1199):
        assert found[row].tolist() == nearest(vectors, [row], n=3)[0][0].tolist()


def test_the_share_counts_those_who_have_a_like_and_chance_stands_beside() -> None:
    vectors = angles(0, 1, 90, 91, 180)
    labels = np.array([0, 0, 1, 0, -1])
    share, chance = share_of_same(vectors, labels) or (None, None)
    # 0 and 1 are next to each other; 3 is next to 2, which is another's.
    assert share == 2 / 3
    assert chance == 2 / 4


def test_without_two_of_a_kind_there_is_nothing_to_share() -> None:
    assert share_of_same(angles(0, 1, 2), np.array([0, 1, -1])) is None
    assert share_of_same(angles(0, 1), np.array([-1, -1])) is None


def test_a_draw_of_many_is_near_the_whole() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(20, size=600)
    centres = rng.standard_normal((20, 8))
    vectors = centres[labels] + 0.6 * rng.standard_normal((600, 8))
    whole = share_of_same(vectors, labels)
    drawn = share_of_same(vectors, labels, max_tracks=200)
    assert whole
    assert drawn
    assert abs(whole[0] - drawn[0]) < 0.1
