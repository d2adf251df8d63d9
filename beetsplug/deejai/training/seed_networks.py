"""The networks of the two programs that this one follows, to train them oneself.

Built-in Keras layers and operations only, as in :mod:`.networks`: a saved model is read
by any Keras, with any backend, without code of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS, VECTOR_SIZE
from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.training.networks import LAST

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_FRAMES_1D = 55
"""Frames that :func:`dieleman1d` needs for one step of time after its last pool."""


def deejai2d(
    *,
    vector_size: int = VECTOR_SIZE,
    filters: Sequence[int] = (32, 64, 128),
    n_hidden: int = 1024,
    dropouts: Sequence[float] = (0.2, 0.3, 0.4, 0.5),
    seed: int = 0,
) -> Any:
    """Make the network of Deej-A.I.: two-dimensional, large, and of 5 s only.

    Each block is a separable 3 x 3 convolution, a leaky ReLU, batch norm, a pool that
    halves both axes, and dropout. One dense layer reads the whole of what is left, with
    99.7 % of the 42.6 million parameters, so a riff may be learnt anew at every time.

    Parameters
    ----------
    vector_size
        Components of a slice vector.
    filters
        Width of each block.
    n_hidden
        Width of the dense layer.
    dropouts
        Rate in each block and, last, after the dense layer: one more than `filters`.
    seed
        Of the initial weights, and of all that Keras draws afterwards.

    Returns
    -------
    keras.Model
        (None, 96, 216, 1) to (None, vector_size), not normalised, with random weights.

    Raises
    ------
    ValueError
        `dropouts` is not one longer than `filters`.
    """
    if len(dropouts) != len(filters) + 1:
        raise ValueError("one dropout for each block and one for the dense layer")
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    inputs = x = keras.Input((N_MELS, N_FRAMES, 1), name="slices")
    for number, (n_filters, rate) in enumerate(
        zip(filters, dropouts, strict=False), start=1
    ):
        x = layers.SeparableConv2D(n_filters, 3, padding="same", name=f"conv_{number}")(
            x
        )
        x = layers.LeakyReLU(negative_slope=0.2, name=f"leaky_{number}")(x)
        x = layers.BatchNormalization(name=f"norm_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.Dropout(rate, name=f"dropout_{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(n_hidden, name="hidden")(x)
    x = layers.LeakyReLU(negative_slope=0.2, name="leaky_hidden")(x)
    x = layers.BatchNormalization(name="norm_hidden")(x)
    x = layers.Dropout(dropouts[-1], name="dropout_hidden")(x)
    outputs = layers.Dense(vector_size, name=LAST)(x)
    return keras.Model(inputs, outputs, name="deejai2d")


def dieleman1d(
    *,
    vector_size: int,
    n_mels: int = N_MELS,
    filters: Sequence[int] = (256, 256, 512),
    pools: Sequence[int] = (4, 2, 2),
    width: int = 4,
    n_hidden: Sequence[int] = (2048, 2048),
    dropout: float = 0.5,
    seed: int = 0,
) -> Any:
    """Make the network of Dieleman's recommender (2014): over time only, of any length.

    Mel bands are channels, so a pattern is learnt at its pitch and found at any time.
    What was found is summed up over the whole time by three figures each: mean, maximum
    and L2 norm. The norm is divided by the root of the length (it is the root of the
    mean square), so that it means the same for 5 s and for 30 s; for excerpts of one
    length that is a constant, which the next layer absorbs.

    Parameters
    ----------
    vector_size
        Components of a vector; the recommender's was 40 latent factors.
    n_mels
        Mel bands; the recommender had 128.
    filters
        Width of each convolution, each followed by ReLU and a pool.
    pools
        Steps of time that each pool makes one.
    width
        Steps of time that a filter sees.
    n_hidden
        Widths of the dense layers.
    dropout
        Rate after each dense layer.
    seed
        Of the initial weights, and of all that Keras draws afterwards.

    Returns
    -------
    keras.Model
        (None, n_mels, n_frames, 1) to (None, vector_size) for any number of frames from
        :data:`MIN_FRAMES_1D` up, not normalised, with random weights.

    References
    ----------
    S. Dieleman, "Recommending music on Spotify with deep learning", 2014.
    A. van den Oord, S. Dieleman, B. Schrauwen, "Deep content-based music
    recommendation", NIPS 2013.
    """
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    inputs = keras.Input((n_mels, None, 1), name="slices")
    x = layers.Permute((2, 1, 3), name="time_first")(inputs)
    x = layers.Reshape((-1, n_mels), name="bands_as_channels")(x)
    for number, (n_filters, pool) in enumerate(
        zip(filters, pools, strict=True), start=1
    ):
        x = layers.Conv1D(n_filters, width, activation="relu", name=f"conv_{number}")(x)
        x = layers.MaxPooling1D(pool, name=f"pool_{number}")(x)
    squares = layers.Multiply(name="squares")([x, x])
    mean_square = layers.GlobalAveragePooling1D(name="mean_square")(squares)
    # The slope of a root is infinite at 0, where a silent filter is all the time.
    norm = keras.ops.sqrt(keras.ops.add(mean_square, 1e-8))
    x = layers.Concatenate(name="over_time")(
        [
            layers.GlobalAveragePooling1D(name="mean")(x),
            layers.GlobalMaxPooling1D(name="max")(x),
            norm,
        ]
    )
    for number, n_units in enumerate(n_hidden, start=1):
        x = layers.Dense(n_units, activation="relu", name=f"hidden_{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout_{number}")(x)
    outputs = layers.Dense(vector_size, name=LAST)(x)
    return keras.Model(inputs, outputs, name="dieleman1d")
