"""Made encoders in every kind of file, small and of known weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

INPUT = (N_MELS, N_FRAMES, 1)


def random_slices(n: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.random((n, N_MELS, N_FRAMES), dtype=np.float32)


# ---- ONNX: means of 3 x 6 patches, then a matrix ----


def patch_matrix(size: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((18, size)).astype(np.float32)


def patch_vectors(slices: Array, size: int = 7, seed: int = 0) -> Array:
    """Compute in numpy what :func:`write_onnx` makes of slices."""
    patches = slices.reshape(len(slices), 3, 32, 6, 36).mean(axis=(2, 4))
    return patches.reshape(len(slices), 18) @ patch_matrix(size, seed)


def write_onnx(
    path: Path,
    *,
    shape: tuple[int | str | None, ...] = ("n", *INPUT),
    size: int = 7,
    seed: int = 0,
    scale: float = 1.0,
    element: str = "FLOAT",
    n_inputs: int = 1,
    flatten: bool = True,
) -> Path:
    """Write a network that averages patches of a slice and multiplies by a matrix."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kind = getattr(TensorProto, element)
    inputs = [
        helper.make_tensor_value_info(f"slices{k or ''}", kind, list(shape))
        for k in range(n_inputs)
    ]
    constants = {
        "as_images": np.array([-1, 1, N_MELS, N_FRAMES]),
        "matrix": scale * patch_matrix(size, seed),
    }
    nodes = [
        helper.make_node("Cast", ["slices"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "as_images"], ["images"]),
        helper.make_node(
            "AveragePool",
            ["images"],
            ["patches"],
            kernel_shape=[32, 36],
            strides=[32, 36],
        ),
        helper.make_node("Flatten", ["patches"], ["rows"], axis=1),
        helper.make_node("MatMul", ["rows", "matrix"], ["vectors"]),
    ]
    if not flatten:
        nodes[3:] = [helper.make_node("Identity", ["patches"], ["vectors"])]
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        nodes,
        "patches",
        inputs,
        [output],
        [
            numpy_helper.from_array(
                value.astype(np.float32 if name == "matrix" else np.int64), name
            )
            for name, value in constants.items()
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    )
    onnx.save(model, str(path))
    return path


# ---- Legacy Keras ----


def keras2_weights(seed: int = 0) -> dict[str, list[tuple[str, Array]]]:
    """Draw the weights of the network below, layer by layer, as Keras 2 named them."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32)

    return {
        "separable_conv2d_1": [
            ("depthwise_kernel", draw(3, 3, 1, 1)),
            ("pointwise_kernel", draw(1, 1, 1, 4)),
            ("bias", draw(4)),
        ],
        "leaky_re_lu_1": [],
        "batch_normalization_1": [
            ("gamma", draw(4)),
            ("beta", draw(4)),
            ("moving_mean", draw(4)),
            ("moving_variance", rng.random(4).astype(np.float32) + 0.5),
        ],
        "max_pooling2d_1": [],
        "dropout_1": [],
        "flatten_1": [],
        "dense_1": [("kernel", draw(12 * 27 * 4, 5) / 30), ("bias", draw(5))],
    }


def _initializer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def keras2_layers(*, tf_keras: bool = False) -> list[dict[str, Any]]:
    """Describe the network as Keras 2.2 did, or as TensorFlow 2's Keras."""
    glorot = _initializer(
        "VarianceScaling", scale=1.0, mode="fan_avg", distribution="uniform", seed=None
    )
    convolution: dict[str, Any] = {
        "name": "separable_conv2d_1",
        "trainable": True,
        "batch_input_shape": [None, *INPUT],
        "dtype": "float32",
        "filters": 4,
        "kernel_size": [3, 3],
        "strides": [1, 1],
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "activation": "linear",
        "use_bias": True,
        "bias_initializer": _initializer("Zeros"),
        "bias_regularizer": None,
        "activity_regularizer": None,
        "bias_constraint": None,
        "depth_multiplier": 1,
        "depthwise_initializer": glorot,
        "pointwise_initializer": glorot,
        "depthwise_regularizer": None,
        "pointwise_regularizer": None,
        "depthwise_constraint": None,
        "pointwise_constraint": None,
    }
    leaky = {"name": "leaky_re_lu_1", "trainable": True, "alpha": 0.20000000298023224}
    norm: dict[str, Any] = {
        "name": "batch_normalization_1",
        "trainable": True,
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 0.001,
        "center": True,
        "scale": True,
        "beta_initializer": _initializer("Zeros"),
        "gamma_initializer": _initializer("Ones"),
        "moving_mean_initializer": _initializer("Zeros"),
        "moving_variance_initializer": _initializer("Ones"),
        "beta_regularizer": None,
        "gamma_regularizer": None,
        "beta_constraint": None,
        "gamma_constraint": None,
    }
    pool = {
        "name": "max_pooling2d_1",
        "trainable": True,
        "pool_size": [8, 8],
        "padding": "valid",
        "strides": [8, 8],
        "data_format": "channels_last",
    }
    dropout = {
        "name": "dropout_1",
        "trainable": True,
        "rate": 0.2,
        "noise_shape": None,
        "seed": None,
    }
    flatten = {"name": "flatten_1", "trainable": True, "data_format": "channels_last"}
    dense = {
        "name": "dense_1",
        "trainable": True,
        "units": 5,
        "activation": "linear",
        "use_bias": True,
        "kernel_initializer": glorot,
        "bias_initializer": _initializer("Zeros"),
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
    }
    layers = [
        {"class_name": name, "config": config}
        for name, config in [
            ("SeparableConv2D", convolution),
            ("LeakyReLU", leaky),
            ("BatchNormalization", norm),
            ("MaxPooling2D", pool),
            ("Dropout", dropout),
            ("Flatten", flatten),
            ("Dense", dense),
        ]
    ]
    if tf_keras:
        convolution |= {
            "groups": 1,
            "kernel_initializer": _initializer("GlorotUniform", seed=None),
            "kernel_regularizer": None,
            "kernel_constraint": None,
            "activation": {"class_name": "LeakyReLU", "config": leaky},
        }
        norm["axis"] = [3]
        for layer in layers:
            layer["config"]["dtype"] = "float32"
        del convolution["batch_input_shape"], layers[1]
        entrance = {
            "batch_input_shape": [None, *INPUT],
            "dtype": "float32",
            "sparse": False,
            "ragged": False,
            "name": "input",
        }
        layers.insert(0, {"class_name": "InputLayer", "config": entrance})
    return layers


def keras2_graph() -> dict[str, Any]:
    """Describe the same network as a graph, as Keras 2 described a ``Model``."""
    entrance = {
        "name": "input_1",
        "batch_input_shape": [None, *INPUT],
        "dtype": "float32",
        "sparse": False,
    }
    layers = [{"class_name": "InputLayer", "config": entrance}, *keras2_layers()]
    del layers[1]["config"]["batch_input_shape"]
    before: list[Any] = []
    for layer in layers:
        layer["name"] = layer["config"]["name"]
        layer["inbound_nodes"] = before
        before = [[[layer["name"], 0, 0, {}]]]
    return {
        "name": "model_1",
        "layers": layers,
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["dense_1", 0, 0]],
    }


def write_keras2(
    path: Path,
    *,
    config: dict[str, Any] | None = None,
    weights: dict[str, list[tuple[str, Array]]] | None = None,
) -> Path:
    """Write a file as Keras 2 wrote it, with h5py alone."""
    import h5py

    if config is None:
        layers = {"name": "sequential_1", "layers": keras2_layers()}
        config = {"class_name": "Sequential", "config": layers}
    weights = keras2_weights() if weights is None else weights
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.001}},
        "loss": "cosine_proximity",
        "metrics": [],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.2.4"
        for layer, arrays in weights.items():
            inner = group.create_group(layer)
            names = [f"{layer}/{name}:0".encode() for name, _ in arrays]
            inner.attrs["weight_names"] = names
            for name, (_, array) in zip(names, arrays, strict=True):
                inner.create_dataset(name.decode(), data=array)
    return path


def keras2_vectors(slices: Array, seed: int = 0) -> Array:
    """Compute in numpy what :func:`write_keras2`'s network makes of slices."""
    w = {
        f"{layer}/{name}": array
        for layer, arrays in keras2_weights(seed).items()
        for name, array in arrays
    }
    kernel = w["separable_conv2d_1/depthwise_kernel"][:, :, 0, 0]
    padded = np.pad(slices, ((0, 0), (1, 1), (1, 1)))
    depthwise = sum(
        kernel[i, j] * padded[:, i : i + N_MELS, j : j + N_FRAMES]
        for i in range(3)
        for j in range(3)
    )
    x = depthwise[..., None] * w["separable_conv2d_1/pointwise_kernel"][0, 0, 0]
    x = x + w["separable_conv2d_1/bias"]
    x = np.where(x > 0, x, 0.2 * x)
    norm = "batch_normalization_1/"
    deviation = np.sqrt(w[norm + "moving_variance"] + 0.001)
    x = (x - w[norm + "moving_mean"]) / deviation * w[norm + "gamma"] + w[norm + "beta"]
    x = x.reshape(len(x), 12, 8, 27, 8, 4).max(axis=(2, 4))
    return x.reshape(len(x), -1) @ w["dense_1/kernel"] + w["dense_1/bias"]
