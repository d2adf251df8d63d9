"""The networks that can be trained: built-in Keras layers only.

A saved model is then read by any Keras, with any backend, without code of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS, VECTOR_SIZE
from beetsplug.deejai.embedding.keras_encoder import import_keras

if TYPE_CHECKING:
    from collections.abc import Sequence

STEM_FILTERS = 24
"""Filters of the first layer: it is the one that sees the slice at full size."""

FILTERS = (64, 128, 256)
"""Filters of the separable layers, each at half the resolution of the one before."""

LAST = "vectors"
"""Name of every network's last layer: dense and linear, it makes the vector."""


def compact(
    *,
    stem_filters: int = STEM_FILTERS,
    filters: Sequence[int] = FILTERS,
    vector_size: int = VECTOR_SIZE,
    batch_norm: bool = True,
    seed: int = 0,
) -> Any:
    """Make a small 2-D convolutional network, cheap enough to keep up with decoding.

    A strided 5 x 5 layer and a pool bring the slice to a sixteenth of its area before
    anything costly; depthwise separable layers follow. Three bands of frequency stay
    apart to the end, for a bass line is no melody; time is summed up by its mean and
    its maximum (Dieleman 2014). One linear layer makes the vector.

    Parameters
    ----------
    stem_filters, filters
        Width of the first and of the separable layers.
    vector_size
        Components of a slice vector.
    batch_norm
        Whether every convolution is followed by batch norm; see
        :func:`fold_batch_norm`.
    seed
        Of the initial weights, and of all that Keras draws afterwards.

    Returns
    -------
    keras.Model
        (None, 96, 216, 1) to (None, vector_size), not normalised, with random weights.
    """
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    layers = keras.layers

    def block(x: Any, number: int, convolution: Any) -> Any:
        x = convolution(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.97, name=f"norm_{number}")(x)
        return layers.ReLU(name=f"relu_{number}")(x)

    options = {"padding": "same", "use_bias": not batch_norm}
    inputs = keras.Input((N_MELS, N_FRAMES, 1), name="slices")
    stem = layers.Conv2D(stem_filters, 5, strides=2, name="conv_0", **options)
    x = block(inputs, 0, stem)
    for number, n_filters in enumerate(filters, start=1):
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        convolution = layers.SeparableConv2D(
            n_filters, 3, name=f"conv_{number}", **options
        )
        x = block(x, number, convolution)
    x = layers.AveragePooling2D((x.shape[1] // 3, 1), name="bands")(x)
    n_bands, n_steps, n_channels = x.shape[1:]
    x = layers.Permute((2, 1, 3), name="time_first")(x)
    x = layers.Reshape((n_steps, n_bands * n_channels), name="fold_bands")(x)
    x = layers.Concatenate(name="over_time")(
        [
            layers.GlobalAveragePooling1D(name="mean")(x),
            layers.GlobalMaxPooling1D(name="max")(x),
        ]
    )
    outputs = layers.Dense(vector_size, name=LAST)(x)
    return keras.Model(inputs, outputs, name="compact")


def features(encoder: Any) -> Any:
    """Return what a network's last layer sees: all that it knows about a slice."""
    return encoder.get_layer(LAST).input


def trunk(encoder: Any) -> Any:
    """Return the network up to its last layer, sharing its weights."""
    return import_keras().Model(encoder.input, features(encoder))


def fold_batch_norm(encoder: Any) -> Any:
    """Absorb the batch norms of a :func:`compact` network into its convolutions.

    Returns
    -------
    keras.Model
        The same function, at inference, with fewer passes over memory. Another network
        than ``compact`` is returned as it is.
    """
    if encoder.name != "compact":
        return encoder
    names = {layer.name for layer in encoder.layers}
    numbers = [k for k in range(len(encoder.layers)) if f"conv_{k}" in names]
    convolutions = [encoder.get_layer(f"conv_{k}") for k in numbers]
    folded = compact(
        stem_filters=convolutions[0].filters,
        filters=[convolution.filters for convolution in convolutions[1:]],
        vector_size=encoder.get_layer(LAST).units,
        batch_norm=False,
    )
    last = encoder.get_layer(LAST).get_weights()
    folded.get_layer(LAST).set_weights(last)
    for k, convolution in zip(numbers, convolutions, strict=True):
        *depthwise, kernel = convolution.get_weights()
        norm = encoder.get_layer(f"norm_{k}")
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        weights = [*depthwise, kernel * scale, beta - mean * scale]
        folded.get_layer(f"conv_{k}").set_weights(weights)
    return folded
