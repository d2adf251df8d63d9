from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from models import random_slices

from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.training.seed_networks import (
    MIN_FRAMES_1D,
    deejai2d,
    dieleman1d,
)

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


def small_2d(**options: Any) -> Any:
    return deejai2d(
        filters=(2, 3), dropouts=(0.1, 0.1, 0.5), n_hidden=4, vector_size=5, **options
    )


def small_1d(**options: Any) -> Any:
    return dieleman1d(filters=(4, 4, 6), n_hidden=(8, 8), vector_size=5, **options)


def shapes(model: Any) -> dict[str, Any]:
    return {layer.name: layer.output.shape[1:] for layer in model.layers}


def test_deejai2d_has_the_size_of_the_published_encoder() -> None:
    model = deejai2d()
    assert model.count_params() == 42_587_213  # published: 42.6 million
    found = shapes(model)
    assert found["pool_1"] == (48, 108, 32)
    assert found["pool_3"] == (12, 27, 128)
    assert found["vectors"] == (100,)
    assert [model.get_layer(f"dropout_{k}").rate for k in (1, 2, 3)] == [0.2, 0.3, 0.4]


def test_dieleman1d_has_the_shapes_of_the_paper() -> None:
    model = dieleman1d(vector_size=40, n_mels=128)
    assert model.count_params() == 8_344_616
    frames = keras.Model(model.input, model.get_layer("pool_3").output)
    assert frames(np.zeros((1, 128, 599, 1), "f4")).shape == (1, 35, 512)
    found = shapes(model)
    assert found["over_time"] == (3 * 512,)
    assert found["hidden_2"] == (2048,)
    assert found["vectors"] == (40,)


@pytest.mark.parametrize("make", [small_2d, small_1d])
def test_a_saved_network_is_an_encoder_without_code_of_ours(
    make: Any, tmp_path: Path
) -> None:
    model = make()
    path = tmp_path / "network.keras"
    model.save(path)
    slices = random_slices(3)
    encoder = load_encoder(path)
    np.testing.assert_allclose(
        encoder.encode(slices), np.asarray(model(slices[..., None])), atol=1e-5
    )


@pytest.mark.parametrize("make", [small_2d, small_1d])
def test_the_same_seed_gives_the_same_weights(make: Any) -> None:
    slices = random_slices(2)[..., None]
    first, again, other = (np.asarray(make(seed=s)(slices)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("n_frames", [MIN_FRAMES_1D, 216, 599])
def test_dieleman1d_takes_any_number_of_frames(n_frames: int) -> None:
    rng = np.random.default_rng(0)
    excerpts = rng.random((2, 96, n_frames, 1), dtype=np.float32)
    vectors = np.asarray(small_1d()(excerpts))
    assert vectors.shape == (2, 5)
    assert np.isfinite(vectors).all()


def test_pooling_over_time_is_mean_maximum_and_root_mean_square() -> None:
    model = small_1d()
    inner = keras.Model(
        model.input,
        [model.get_layer("pool_3").output, model.get_layer("over_time").output],
    )
    steps, pooled = (np.asarray(x) for x in inner(random_slices(2)[..., None]))
    expected = [steps.mean(1), steps.max(1), np.sqrt((steps**2).mean(1) + 1e-8)]
    np.testing.assert_allclose(pooled, np.concatenate(expected, axis=1), rtol=1e-4)


def test_what_sounds_twice_as_long_has_nearly_the_same_vector() -> None:
    """One step of time is 16 frames: a pattern of 16 repeats exactly."""
    rng = np.random.default_rng(0)
    pattern = np.tile(rng.random((1, 96, 16, 1), dtype=np.float32), (1, 1, 40, 1))
    model = small_1d()
    short, long = (np.asarray(model(pattern[:, :, :n])) for n in (320, 640))
    np.testing.assert_allclose(short, long, rtol=1e-3, atol=1e-5)


def test_silence_can_be_learnt_from() -> None:
    """A filter that is silent all the time must not make the slope infinite."""
    model = small_1d()
    model.compile("sgd", "mse")
    model.train_on_batch(np.zeros((2, 96, 216, 1), "f4"), np.ones((2, 5), "f4"))
    assert all(np.isfinite(np.asarray(w)).all() for w in model.get_weights())


def test_dropouts_must_fit_the_blocks() -> None:
    with pytest.raises(ValueError, match="dropout"):
        deejai2d(filters=(2,), dropouts=(0.1,))
