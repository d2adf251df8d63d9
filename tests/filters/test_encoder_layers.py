"""What the filters of a network's layers answer, against plain numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from models import keras2_graph, keras2_weights, random_slices, write_keras2

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS, SLICE_S
from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.embedding.keras_encoder import KerasEncoder, import_keras
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.filters.layer_time import FRAME_S
from beetsplug.deejai.filters.layers import (
    Answers,
    LayerListener,
    find_layer,
    kernels,
    list_layers,
)
from beetsplug.deejai.training.networks import compact
from beetsplug.deejai.training.seed_networks import deejai2d, dieleman1d

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shipped() -> KerasEncoder:
    encoder = load_encoder(model_path("default"))
    assert isinstance(encoder, KerasEncoder)
    return encoder


def encoder_of(network: Any) -> KerasEncoder:
    return KerasEncoder(network, model_id="made")


def small_deejai2d() -> KerasEncoder:
    return encoder_of(
        deejai2d(filters=(2, 3), n_hidden=4, dropouts=(0.1,) * 3, vector_size=5)
    )


def small_dieleman1d() -> KerasEncoder:
    return encoder_of(
        dieleman1d(filters=(12, 12), pools=(4, 2), n_hidden=(6,), vector_size=3)
    )


def listen(encoder: KerasEncoder, layer: str, slices: np.ndarray) -> Answers:
    listener = LayerListener(encoder, find_layer(list_layers(encoder), layer))
    return Answers.of(listener.encode(slices))


def test_layers_are_listed_from_the_spectrogram_to_the_vector(
    shipped: KerasEncoder,
) -> None:
    assert [str(layer) for layer in list_layers(shipped)] == [
        "0 conv_0 (Conv2D, 24 filters)",
        "1 conv_1 (SeparableConv2D, 64 filters)",
        "2 conv_2 (SeparableConv2D, 128 filters)",
        "3 conv_3 (SeparableConv2D, 256 filters)",
        "4 vectors (Dense, 100 filters)",
    ]
    assert [layer.is_last for layer in list_layers(shipped)] == [False] * 4 + [True]


def test_a_layer_is_meant_by_name_or_number(shipped: KerasEncoder) -> None:
    layers = list_layers(shipped)
    assert find_layer(layers, None) == find_layer(layers, "0") == layers[0]
    assert find_layer(layers, "conv_2") == find_layer(layers, " 2 ") == layers[2]
    for wanted in ("5", "-1", "conv", ""):
        with pytest.raises(FatalError, match=r"has no layer.*0 conv_0 .*4 vectors"):
            find_layer(layers, wanted)


def test_the_first_convolution_is_meant_without_a_word() -> None:
    keras = import_keras()
    layers = keras.layers
    inputs = x = keras.Input((N_MELS, N_FRAMES, 1))
    x = layers.Dense(2, name="gain")(x)
    x = layers.Conv2D(3, 3, name="patterns")(x)
    x = layers.GlobalMaxPooling2D()(x)
    encoder = encoder_of(keras.Model(inputs, x))
    found = list_layers(encoder)
    assert [layer.name for layer in found] == ["gain", "patterns"]
    assert find_layer(found, None).name == "patterns"
    # Dense over every place is no vector: it has a time, too.
    loud = np.zeros((1, N_MELS, N_FRAMES), np.float32)
    loud[0, 40, 50] = 1.0
    answers = listen(encoder, "gain", loud)
    weights = encoder.network.get_layer("gain").get_weights()[0][0]
    assert np.allclose(answers.peaks, np.maximum(0, weights))
    for_what_fires = answers.middles_s[answers.peaks > 0]
    assert np.allclose(for_what_fires, 50 * FRAME_S, atol=0.1)


@pytest.mark.parametrize("is_graph", [False, True])
def test_answers_are_those_after_the_activation_and_the_norm(
    tmp_path: Path, is_graph: bool
) -> None:
    config = {"class_name": "Model", "config": keras2_graph()} if is_graph else None
    encoder = load_encoder(write_keras2(tmp_path / "old.h5", config=config))
    assert isinstance(encoder, KerasEncoder)
    slices = random_slices(5)
    answers = listen(encoder, "0", slices)
    maps = keras2_maps(slices)
    # The first and the last step see beyond the slice.
    over_time = maps[:, :, 1:-1].max(axis=1)
    assert np.allclose(answers.peaks, over_time.max(axis=1), atol=1e-4)
    assert np.allclose(answers.means, over_time.mean(axis=1), atol=1e-4)
    expected_s = (1.5 + over_time.argmax(axis=1)) * FRAME_S
    assert np.abs(answers.middles_s - expected_s).max() < 2 * FRAME_S


def keras2_maps(slices: np.ndarray) -> np.ndarray:
    """Compute what follows the first layer of :func:`models.write_keras2`'s network."""
    w = {name: dict(arrays) for name, arrays in keras2_weights().items()}
    conv, norm = w["separable_conv2d_1"], w["batch_normalization_1"]
    kernel = conv["depthwise_kernel"][:, :, 0, 0]
    padded = np.pad(slices, ((0, 0), (1, 1), (1, 1)))
    depthwise = sum(
        kernel[i, j] * padded[:, i : i + N_MELS, j : j + N_FRAMES]
        for i in range(3)
        for j in range(3)
    )
    x = depthwise[..., None] * conv["pointwise_kernel"][0, 0, 0] + conv["bias"]
    x = np.where(x > 0, x, 0.2 * x)
    deviation = np.sqrt(norm["moving_variance"] + 0.001)
    return (x - norm["moving_mean"]) / deviation * norm["gamma"] + norm["beta"]


def test_a_relu_belongs_to_the_layer_and_a_pool_does_not(shipped: KerasEncoder) -> None:
    answers = listen(shipped, "conv_0", random_slices(3))
    assert (answers.peaks >= 0).all()
    assert (answers.means <= answers.peaks).all()
    listener = LayerListener(shipped, list_layers(shipped)[0])
    assert listener.vector_size == 3 * 24


@pytest.mark.parametrize("frame", [3, 40, 111, 200])
@pytest.mark.parametrize("make", [compact, small_deejai2d, small_dieleman1d])
def test_a_filter_fires_when_something_happens(make: Any, frame: int) -> None:
    made = make()
    encoder = made if isinstance(made, KerasEncoder) else encoder_of(made)
    slices = np.zeros((1, N_MELS, N_FRAMES), np.float32)
    silence = slices.copy()
    slices[0, :, frame : frame + 3] = np.random.default_rng(0).random((N_MELS, 3))
    first = next(layer for layer in list_layers(encoder) if layer.is_convolution)
    answers = listen(encoder, first.name, slices)
    has_fired = answers.peaks > listen(encoder, first.name, silence).peaks + 1e-3
    assert has_fired.any()
    assert np.allclose(answers.middles_s[has_fired], frame * FRAME_S, atol=0.25)


def test_nothing_fires_at_the_borders_of_slices(shipped: KerasEncoder) -> None:
    """The network fills them with silence: music would begin every five seconds."""
    steady = np.repeat(np.random.default_rng(1).random((1, N_MELS, 1)), N_FRAMES, 2)
    for layer in list_layers(shipped)[:-1]:
        answers = listen(shipped, layer.name, steady.astype(np.float32))
        assert np.allclose(answers.peaks, answers.means, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "n_frames"),
    [
        # In frames: 3, and 3 + 1 + 2 * 2; 4, and 4 + 3 + 4 * 3; 5, and so on.
        (small_deejai2d, [3, 8]),
        (small_dieleman1d, [4, 19]),
        (lambda: encoder_of(compact()), [5, 15, 35, 75]),
    ],
)
def test_deeper_layers_see_more(make: Any, n_frames: list[int]) -> None:
    encoder = make()
    seen_s = [
        LayerListener(encoder, layer).seen_s
        for layer in list_layers(encoder)
        if layer.is_convolution
    ]
    assert np.rint(np.array(seen_s) / FRAME_S).tolist() == n_frames


@pytest.mark.parametrize("make", [small_deejai2d, small_dieleman1d])
def test_dense_layers_have_one_answer_a_slice(make: Any) -> None:
    encoder = make()
    dense = [layer for layer in list_layers(encoder) if not layer.is_convolution]
    assert [layer.is_last for layer in dense] == [False, True]
    slices = random_slices(70)
    for layer in dense:
        listener = LayerListener(encoder, layer)
        answers = Answers.of(listener.encode(slices))
        assert np.array_equal(answers.peaks, answers.means)
        assert np.allclose(answers.middles_s, SLICE_S / 2)
        assert listener.seen_s == pytest.approx(SLICE_S)
    vectors = encoder.encode(slices)
    assert np.allclose(answers.peaks, vectors, atol=1e-5)
    of_units = Answers.of_units(vectors)
    assert np.allclose(of_units.peaks, answers.peaks, atol=1e-5)
    assert np.allclose(of_units.middles_s, answers.middles_s)


def test_any_number_of_slices_gives_the_same(shipped: KerasEncoder) -> None:
    slices = random_slices(70)
    whole = listen(shipped, "conv_1", slices)
    parts = [listen(shipped, "conv_1", part) for part in np.split(slices, [1, 7])]
    for name in ("peaks", "middles_s", "means"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.allclose(getattr(whole, name), joined, atol=1e-4)


def test_wrapped_layers_are_left_out_and_the_first_use_counts() -> None:
    keras = import_keras()
    layers = keras.layers
    inputs = x = keras.Input((N_MELS, N_FRAMES, 1))
    x = layers.MaxPooling2D((32, 24))(x)
    x = layers.TimeDistributed(layers.Dense(2))(x)
    x = layers.GlobalMaxPooling2D()(x)
    twice = layers.Dense(2, name="twice")
    x = layers.Dense(4, name="once")(twice(twice(x)))
    encoder = encoder_of(keras.Model(inputs, x))
    assert [layer.name for layer in list_layers(encoder)] == ["twice", "once"]
    slices = random_slices(2)
    seen = keras.Model(inputs, twice.input).predict_on_batch(slices[..., None])
    weights, bias = twice.get_weights()
    assert np.allclose(
        listen(encoder, "twice", slices).peaks, seen @ weights + bias, atol=1e-5
    )


def with_networks_inside() -> KerasEncoder:
    """Make what is usual where a network is taken over, with a new end."""
    keras = import_keras()
    layers = keras.layers
    taken = x = keras.Input((N_MELS, N_FRAMES, 1))
    x = layers.Conv2D(3, 4, strides=4, name="conv")(x)
    base = keras.Model(taken, keras.Sequential([layers.ReLU()])(x), name="base")
    neck = [layers.GlobalMaxPooling2D(), layers.Dense(4, "relu", name="dense")]
    head = [keras.Input((4,)), layers.Dense(2, name="dense")]
    inputs = keras.Input((N_MELS, N_FRAMES, 1))
    x = keras.Sequential(neck, name="neck")(base(inputs, training=False))
    x = keras.Sequential(head, name="head")(x)
    return encoder_of(keras.Sequential([inputs, keras.Model(inputs, x, name="all")]))


def test_layers_of_networks_inside_are_listed_by_their_path() -> None:
    layers = list_layers(with_networks_inside())
    assert [str(layer) for layer in layers] == [
        "0 all/base/conv (Conv2D, 3 filters)",
        "1 all/neck/dense (Dense, 4 filters)",
        "2 all/head/dense (Dense, 2 filters)",
    ]
    assert [layer.is_last for layer in layers] == [False, False, True]
    for wanted in ("conv", "base/conv", "all/base/conv", "0"):
        assert find_layer(layers, wanted) is layers[0]
    assert find_layer(layers, "head/dense") is layers[2]
    with pytest.raises(FatalError, match=r"several.*; it has 1 all/n.*, 2 all/h"):
        find_layer(layers, "dense")


def test_networks_inside_have_their_place_in_time_and_what_follows_counts() -> None:
    encoder = with_networks_inside()
    slices = np.zeros((1, N_MELS, N_FRAMES), np.float32)
    slices[0, :, 100:104] = np.random.default_rng(0).random((N_MELS, 4))
    answers = listen(encoder, "conv", slices)
    assert (answers.means >= 0).all()
    middles_s = answers.middles_s[answers.peaks > 0]
    assert len(middles_s)
    assert np.allclose(middles_s, 102 * FRAME_S, atol=0.05)
    drawn = kernels(encoder, list_layers(encoder)[0])
    assert drawn is not None
    assert drawn.shape == (3, 4, 4)


def test_a_network_without_layers_to_look_at_is_refused() -> None:
    keras = import_keras()
    inputs = keras.Input((N_MELS, N_FRAMES, 1))
    x = keras.layers.GlobalMaxPooling2D()(inputs)
    with pytest.raises(FatalError, match="no layer whose filters"):
        list_layers(encoder_of(keras.Model(inputs, x)))


class TestKernels:
    def drawn(self, encoder: KerasEncoder) -> np.ndarray | None:
        return kernels(encoder, list_layers(encoder)[0])

    def network(self, layer: Any, *, is_time_first: bool = False) -> KerasEncoder:
        keras = import_keras()
        inputs = x = keras.Input((N_MELS, N_FRAMES, 1))
        if is_time_first:
            x = keras.layers.Permute((2, 1, 3))(x)
        x = keras.layers.GlobalMaxPooling2D()(layer(x))
        return encoder_of(keras.Model(inputs, x))

    @pytest.mark.parametrize("is_time_first", [False, True])
    def test_two_dimensional_ones_have_frequency_first(
        self, is_time_first: bool
    ) -> None:
        size = (5, 3) if is_time_first else (3, 5)
        layer = import_keras().layers.Conv2D(4, size)
        drawn = self.drawn(self.network(layer, is_time_first=is_time_first))
        weights = layer.get_weights()[0][:, :, 0, :]
        assert drawn is not None
        assert drawn.shape == (4, 3, 5)
        for number in range(4):
            kernel = weights[:, :, number]
            assert np.array_equal(drawn[number], kernel.T if is_time_first else kernel)

    def test_separable_ones_are_multiplied_out(self) -> None:
        layer = import_keras().layers.SeparableConv2D(4, 3, depth_multiplier=2)
        drawn = self.drawn(self.network(layer))
        depthwise, pointwise, _ = layer.get_weights()
        assert drawn is not None
        for number in range(4):
            expected = depthwise[:, :, 0, :] @ pointwise[0, 0, :, number]
            assert np.allclose(drawn[number], expected)

    def test_depthwise_ones_are_as_they_are(self) -> None:
        layer = import_keras().layers.DepthwiseConv2D(3, depth_multiplier=2)
        drawn = self.drawn(self.network(layer))
        assert drawn is not None
        kernel = layer.get_weights()[0][:, :, 0, :]
        assert np.array_equal(drawn, kernel.transpose(2, 0, 1))

    def test_one_dimensional_ones_are_mel_bands_by_time(self) -> None:
        encoder = small_dieleman1d()
        drawn = self.drawn(encoder)
        weights = encoder.network.get_layer("conv_1").get_weights()[0]
        assert drawn is not None
        assert drawn.shape == (12, N_MELS, 4)
        assert np.array_equal(drawn[2], weights[:, :, 2].T)

    def test_deeper_and_dense_layers_have_none(self, shipped: KerasEncoder) -> None:
        for layer in list_layers(shipped)[1:]:
            assert kernels(shipped, layer) is None
