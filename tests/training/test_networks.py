"""The compact network, on a tiny one of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.training.networks import compact, fold_batch_norm, trunk
from beetsplug.deejai.training.objective import Objective, make_learner

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

TINY = {"stem_filters": 4, "filters": (8, 8)}


def some_slices(n: int = 5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.random((n, N_MELS, N_FRAMES), dtype=np.float32)


def test_the_network_maps_slices_to_vectors_with_built_in_layers() -> None:
    model = compact(**TINY)
    assert model.input_shape == (None, N_MELS, N_FRAMES, 1)
    assert model.output_shape == (None, 100)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


def test_the_same_seed_gives_the_same_network() -> None:
    slices = some_slices()[..., None]
    first, same, other = (compact(**TINY, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first(slices), same(slices))
    assert not np.allclose(first(slices), other(slices))


def test_folding_batch_norm_changes_no_vector() -> None:
    model = compact(**TINY)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith("norm_"):
            layer.set_weights(
                [rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()]
            )
    folded = fold_batch_norm(model)
    assert not any("norm" in layer.name for layer in folded.layers)
    slices = some_slices()[..., None]
    np.testing.assert_allclose(folded(slices), model(slices), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("own_output", [False, True])
def test_heads_are_trained_on_the_weights_of_the_encoder(own_output: bool) -> None:
    model, slices = compact(**TINY), some_slices()[..., None]
    learner = make_learner(
        model, Objective(target_size=100), own_output=own_output, n_hidden=4
    )
    assert learner.model.output_shape == (None, 100 + 128)
    assert learner.predictor.output_shape == (None, 100)
    assert (learner.predictor.output is model.output) == own_output
    layer = model.get_layer("conv_0")
    assert learner.model.get_layer("conv_0") is layer
    before = np.asarray(trunk(model)(slices))
    layer.set_weights([weights + 1 for weights in layer.get_weights()])
    assert not np.allclose(trunk(model)(slices), before)


def test_a_learner_needs_something_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        make_learner(compact(**TINY), Objective(contrast=0), own_output=False)


def test_networks_need_no_layer_of_ours(tmp_path: Path) -> None:
    compact(**TINY).save(tmp_path / "a.keras")
    assert keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
