"""The network described in a legacy Keras ``.h5`` file, in the words of Keras 3 (pure).

Keras wrote such files before 2023; the original Deej-A.I. was saved by Keras 2. Their
networks are JSON, their weights plain arrays. What mattered to training only is left
out: initial values, regularisers and constraints, many of which Keras 3 does not know
any more by these names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

MODELS = {"Sequential": "Sequential", "Functional": "Model", "Model": "Model"}
"""Kinds of network, and what Keras 3 calls them."""

FOREIGN_CODE = frozenset(
    {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
)
"""Layers of Keras that hold pickled code, or run another program's."""

_TRAINING_ONLY = ("_initializer", "_regularizer", "_constraint")

_UNGROUPED = ("SeparableConv", "DepthwiseConv", "Conv1DT", "Conv2DT", "Conv3DT")
"""Beginnings of the layers whose ``groups``, always 1, Keras 3 does not take."""


def modern_config(text: str, *, layers: Collection[str]) -> dict[str, Any]:
    """Translate the network of a legacy file.

    Parameters
    ----------
    text
        The attribute ``model_config`` of the file: JSON.
    layers
        Names of the layers that Keras knows.

    Returns
    -------
    dict
        What :func:`keras.saving.deserialize_keras_object` takes.

    Raises
    ------
    ValueError
        It is no network, or has a layer that Keras does not know or that holds code.
    """
    config = json.loads(text)
    if not isinstance(config, dict) or config.get("class_name") not in MODELS:
        raise ValueError("its description is not one of a network")
    try:
        return _Translator(layers).translate(config)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("its description of the network is damaged") from error


class _Translator:
    def __init__(self, layers: Collection[str]) -> None:
        self._layers = layers

    def translate(self, described: dict[str, Any]) -> dict[str, Any]:
        """Translate one layer, or a network with all its layers."""
        class_name, config = described["class_name"], described["config"]
        if class_name in MODELS:
            translated = {
                "module": "keras",
                "class_name": MODELS[class_name],
                "config": self._model(MODELS[class_name], config),
            }
        elif class_name in self._layers and class_name not in FOREIGN_CODE:
            translated = {
                "module": "keras.layers",
                "class_name": class_name,
                "config": self._layer(class_name, config),
            }
        else:
            raise ValueError(
                f"it has a layer {class_name}, and only Keras' own layers without "
                "code of their own are loaded"
            )
        # In a graph, how a layer is connected stands beside its settings.
        for key in ("name", "inbound_nodes"):
            if key in described:
                translated[key] = described[key]
        return {**translated, "registered_name": None}

    def _model(self, kind: str, config: Any) -> dict[str, Any]:
        # Until Keras 2.2.3 a Sequential was described by its layers alone.
        kept = {"layers": config} if isinstance(config, list) else dict(config)
        for key in ("dtype", "build_input_shape"):
            kept.pop(key, None)
        described = list(kept["layers"])
        if kind == "Sequential" and described:
            shape = described[0]["config"].get("batch_input_shape")
            if shape is not None and described[0]["class_name"] != "InputLayer":
                described.insert(
                    0, {"class_name": "InputLayer", "config": {"batch_shape": shape}}
                )
        kept["layers"] = [self.translate(layer) for layer in described]
        kept.setdefault("name", "encoder")
        return kept

    def _layer(self, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
        kept = {
            key: self._value(key, value)
            for key, value in config.items()
            if not key.endswith(_TRAINING_ONLY)
        }
        shape = kept.pop("batch_input_shape", None)
        if class_name == "InputLayer" and shape is not None:
            kept["batch_shape"] = shape
        if class_name.startswith(_UNGROUPED):
            kept.pop("groups", None)
        if class_name == "LeakyReLU" and "alpha" in kept:
            kept["negative_slope"] = kept.pop("alpha")
        if class_name == "BatchNormalization" and isinstance(kept.get("axis"), list):
            (kept["axis"],) = kept["axis"]
        return kept

    def _value(self, key: str, value: Any) -> Any:
        if not isinstance(value, dict) or "class_name" not in value:
            return value
        if key == "dtype":
            return value["config"]["name"]
        return self.translate(value)
