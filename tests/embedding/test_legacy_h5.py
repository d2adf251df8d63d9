"""Files as Keras 2 wrote them: the encoder of the original Deej-A.I. is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import keras
import numpy as np
import pytest
from models import (
    INPUT,
    keras2_graph,
    keras2_layers,
    keras2_vectors,
    keras2_weights,
    random_slices,
    write_keras2,
)

from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.embedding.legacy_h5 import modern_config
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


def sequential(layers: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": layers}


def tf_keras_weights() -> Any:
    """The leaky ReLU is no layer of its own there."""
    weights = {"input": [], **keras2_weights()}
    del weights["leaky_re_lu_1"]
    return weights


CASES = {
    "Keras 2.2": (sequential({"name": "s", "layers": keras2_layers()}), None),
    "Keras 2.1: a list": (sequential(keras2_layers()), None),
    "TensorFlow 2": (
        sequential({"name": "s", "layers": keras2_layers(tf_keras=True)}),
        tf_keras_weights(),
    ),
    "a graph": (
        {"class_name": "Model", "config": keras2_graph()},
        {"input_1": [], **keras2_weights()},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_legacy_file_gives_the_vectors_its_weights_say(
    tmp_path: Path, case: str
) -> None:
    config, weights = CASES[case]
    path = write_keras2(tmp_path / "old.h5", config=config, weights=weights)
    encoder = load_encoder(path)
    slices = random_slices(3)
    assert encoder.input_shape == INPUT
    assert encoder.vector_size == 5
    np.testing.assert_allclose(
        encoder.encode(slices), keras2_vectors(slices), rtol=1e-3, atol=1e-3
    )


def test_an_h5_file_of_keras_3_is_read_as_well(tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(INPUT),
            layers.SeparableConv2D(3, 3, strides=8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    model.save(tmp_path / "new.h5")
    slices = random_slices(2)
    np.testing.assert_allclose(
        load_encoder(tmp_path / "new.h5").encode(slices),
        np.asarray(model(slices[..., None])),
        atol=1e-5,
    )


def refused(path: Path) -> str:
    with pytest.raises(FatalError) as caught:
        load_encoder(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_layer_with_code_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    layers = keras2_layers()
    code = {
        "name": "l",
        "function": ["gASVDQ==", None, None],
        "function_type": "lambda",
    }
    layers.insert(1, {"class_name": "Lambda", "config": code})
    path = write_keras2(tmp_path / "evil.h5", config=sequential({"layers": layers}))
    assert "a layer Lambda" in refused(path)


def test_code_inside_a_wrapper_is_refused(tmp_path: Path) -> None:
    layers = keras2_layers()
    inner = {"class_name": "Lambda", "config": {"function": ["gASV", None, None]}}
    wrapper = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": inner}}
    path = write_keras2(
        tmp_path / "evil.h5", config=sequential({"layers": [*layers, wrapper]})
    )
    assert "a layer Lambda" in refused(path)


def test_a_layer_of_its_makers_is_refused_by_name(tmp_path: Path) -> None:
    layers = keras2_layers()
    layers[1]["class_name"] = "MyLayer"
    path = write_keras2(tmp_path / "own.h5", config=sequential({"layers": layers}))
    assert "a layer MyLayer" in refused(path)


def test_the_reason_is_told_that_keras_has_for_one_layer(tmp_path: Path) -> None:
    layers = keras2_layers()
    layers[1]["config"]["name"] = "block/conv"
    path = write_keras2(tmp_path / "odd.h5", config=sequential({"layers": layers}))
    assert "cannot contain character `/`" in refused(path)


def test_weights_without_a_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense_1"]
    assert "weights without the network" in refused(path)


def test_another_hdf5_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.zeros(3)
    assert "not of Keras" in refused(path)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"class_name": "Dense"}',
        '{"class_name": "Sequential"}',
        '{"class_name": "Sequential", "config": [1]}',
        '{"class_name": "Sequential", "config": {"layers": null}}',
    ],
)
def test_a_description_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        modern_config(text, layers=["Dense"])


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = write_keras2(tmp_path / "half.h5")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    weights = keras2_weights()
    weights["dense_1"] = [
        ("kernel", np.zeros((3, 5), "f4")),
        ("bias", np.zeros(5, "f4")),
    ]
    refused(write_keras2(tmp_path / "odd.h5", weights=weights))


def test_a_network_that_does_not_say_its_input_is_refused(tmp_path: Path) -> None:
    layers = keras2_layers()
    del layers[0]["config"]["batch_input_shape"]
    path = write_keras2(tmp_path / "open.h5", config=sequential({"layers": layers}))
    assert "input" in refused(path)


def test_what_only_training_needs_is_left_out() -> None:
    config = modern_config(
        json.dumps(sequential(keras2_layers())), layers=dir(keras.layers)
    )
    assert "initializer" not in json.dumps(config)
