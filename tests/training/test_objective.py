"""The loss against its formulas."""

from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.training.objective import Objective, make_loss, nt_xent


def plain_nt_xent(vectors: np.ndarray, tracks: list[int], ignored: np.ndarray) -> list:
    """Compute the loss by its formula, one row at a time."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    losses = []
    for i, track in enumerate(tracks):
        scores = {
            j: np.exp(unit[i] @ unit[j] / 0.5)
            for j in range(len(tracks))
            if j != i and not ignored[i, j]
        }
        partner = next(j for j in scores if tracks[j] == track)
        losses.append(-np.log(scores[partner] / sum(scores.values())))
    return losses


@pytest.mark.parametrize("spare_group", [False, True])
def test_the_loss_is_that_of_the_formula(spare_group: bool) -> None:
    vectors = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    tracks, groups = [0, 1, 2, 0, 1, 2], np.array([0, 0, 1, 0, 0, 1])
    same_track = np.equal.outer(tracks, tracks)
    ignored = np.equal.outer(groups, groups) & ~same_track & spare_group
    loss = nt_xent(temperature=0.5, spare_group=spare_group)
    np.testing.assert_allclose(
        loss(np.stack([tracks, groups], axis=1), vectors),
        plain_nt_xent(vectors, tracks, ignored),
        rtol=1e-4,
    )


def test_targets_are_missed_by_one_minus_the_cosine() -> None:
    rng = np.random.default_rng(0)
    target = rng.standard_normal((4, 5)).astype(np.float32)
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    outputs = rng.standard_normal((4, 5)).astype(np.float32)
    labels = np.column_stack([np.zeros((4, 2)), [1, 1, 0, 1], target])
    loss = make_loss(Objective(target_size=5, contrast=0))
    cosine = (outputs * target).sum(1) / np.linalg.norm(outputs, axis=1)
    expected = (1 - cosine) * [1, 1, 0, 1]
    np.testing.assert_allclose(
        loss(labels.astype("f4"), outputs), expected, rtol=1e-4, atol=1e-5
    )


def test_targets_are_missed_by_the_squared_distance() -> None:
    rng = np.random.default_rng(0)
    target, outputs = rng.standard_normal((2, 4, 5)).astype(np.float32)
    labels = np.column_stack([np.zeros((4, 2)), np.ones(4), target]).astype("f4")
    loss = make_loss(Objective(target_size=5, target_loss="mse", contrast=0))
    expected = ((target - outputs) ** 2).sum(1)
    np.testing.assert_allclose(loss(labels, outputs), expected, rtol=1e-4)


def test_both_terms_are_added_by_their_weights() -> None:
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((4, 8)).astype(np.float32)
    target = np.tile(np.eye(5, dtype="f4")[0], (4, 1))
    labels = np.column_stack([[0, 0, 1, 1], [0, 0, 1, 1], np.ones(4), target])
    labels = labels.astype("f4")
    both = make_loss(Objective(target_size=5, contrast=0.3))(labels, outputs)
    alone = make_loss(Objective(target_size=5, contrast=0))(labels, outputs)
    contrast = nt_xent(temperature=0.1, spare_group=True)(labels, outputs[:, 5:])
    np.testing.assert_allclose(both, alone + 0.3 * np.asarray(contrast), rtol=1e-4)
