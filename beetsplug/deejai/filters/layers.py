"""What the filters of one layer of a Keras encoder answer to slices.

A *filter* is a channel of a convolution or a unit of a dense layer. What it answers is
taken after the normalisation and the activation that directly follow its layer: before
a ReLU, half of what a mean counts is what the network never sees.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS, SLICE_S
from beetsplug.deejai.embedding.inference import encode_in_batches
from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.filters.layer_time import find_time
from beetsplug.deejai.filters.unfold import answer_of, unfold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
    from beetsplug.deejai.filters.unfold import Use

    Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A layer whose filters can be looked at.

    Attributes
    ----------
    number
        Its place among them, from 0 on.
    name, kind
        Its own name, behind those of the networks it is inside of
        (``base/conv_1``), and what Keras calls it: ``Conv2D``.
    n_filters
        Channels or units.
    is_last
        Whether its answers are the slice vectors themselves.
    """

    number: int
    name: str
    kind: str
    n_filters: int
    is_last: bool

    @property
    def is_convolution(self) -> bool:
        """Whether it slides over its input; else it is dense."""
        return "Conv" in self.kind

    def __str__(self) -> str:
        filters = f"{self.n_filters} filter{'s' * (self.n_filters != 1)}"
        return f"{self.number} {self.name} ({self.kind}, {filters})"


def list_layers(encoder: KerasEncoder) -> list[Layer]:
    """List the convolutional and dense layers, from the spectrogram to the vector.

    Those of networks inside of the network are listed where these stand; those that
    other layers wrap are left out. Of one that is used several times, the first use
    counts.

    Raises
    ------
    FatalError
        There are none.
    """
    uses, last = unfold(encoder.network)
    first = {use.layer: use for use in reversed(uses)}
    found = [
        (use, answer)
        for use in uses
        if use is first[use.layer]
        and ("Conv" in use.kind or use.kind == "Dense")
        and _is_map(use.layer, answer := answer_of(uses, use))
    ]
    if not found:
        raise FatalError("the encoder has no layer whose filters can be looked at")
    return [
        Layer(
            number,
            use.name,
            use.kind,
            int(answer.shape[_filter_axis(use.layer)]),
            answer is last,
        )
        for number, (use, answer) in enumerate(found)
    ]


def find_layer(layers: list[Layer], wanted: str | None) -> Layer:
    """Return the layer that is meant; the first convolution for None.

    Parameters
    ----------
    layers
        As of :func:`list_layers`.
    wanted
        As typed: its name, its number, or its name without those of the networks it is
        inside of, where only one is called so.

    Raises
    ------
    FatalError
        There is none, or there are several; the message lists them.
    """
    if wanted is None:
        return next((layer for layer in layers if layer.is_convolution), layers[0])
    # A name wins: somebody may have called a layer "2".
    for key in ("name", "number"):
        for layer in layers:
            if str(getattr(layer, key)) == wanted.strip():
                return layer
    inside = [layer for layer in layers if layer.name.endswith(f"/{wanted.strip()}")]
    if len(inside) == 1:
        return inside[0]
    raise FatalError(
        f"the encoder has {'several layers' if inside else 'no layer'} {wanted!r}; "
        f"it has {', '.join(map(str, inside or layers))}"
    )


@dataclass(frozen=True)
class Answers:
    """What the filters of a layer answered to slices, each shape (n_slices, n_filters).

    Attributes
    ----------
    peaks
        Maximum over time, and over frequency where there is one.
    middles_s
        Middle of what the filter answered most to, in seconds from the slice's start.
    means
        Mean over time, of the maximum over frequency: where a filter slides over
        frequency too, its pattern is the same one at any pitch, and what counts is
        that it is somewhere. The mean over both axes would tell how much of the
        spectrum is filled, and a filter for a bass line could never be strong.
    """

    peaks: Array
    middles_s: Array
    means: Array

    @classmethod
    def of(cls, slice_vectors: Array) -> Answers:
        """Take apart what :meth:`LayerListener.encode` has put side by side."""
        return cls(*np.split(slice_vectors, 3, axis=1))

    @classmethod
    def of_units(cls, slice_vectors: npt.NDArray[np.floating]) -> Answers:
        """Take the output of a dense layer: one number a slice and unit.

        Slices are the steps of time then: a filter is loudest in one, and its mean is
        that over all of them.
        """
        values = np.asarray(slice_vectors, dtype=np.float32)
        return cls(values, np.full_like(values, SLICE_S / 2), values)


class LayerListener:
    """One layer of an encoder, as an encoder: `listen` streams any music through it.

    Parameters
    ----------
    encoder
        The whole network; its weights are shared.
    layer
        One of :func:`list_layers`.

    Attributes
    ----------
    model_id, vector_size
        As of an encoder. The vectors are three figures of each filter, which
        :class:`Answers` takes apart.
    seen_s
        How much of the music one answer depends on, in seconds, about.
    """

    def __init__(self, encoder: KerasEncoder, layer: Layer) -> None:
        self.model_id = f"{encoder.model_id}/{layer.name}"
        self.vector_size = 3 * layer.n_filters
        self._input_shape = tuple(size or N_FRAMES for size in encoder.input_shape)
        self._lock = threading.Lock()
        keras, network = import_keras(), encoder.network
        uses, _ = unfold(network)
        own = _find_use(uses, layer)
        # The filters are last in nearly all networks, and are from here on.
        answer = keras.ops.moveaxis(answer_of(uses, own), _filter_axis(own.layer), -1)
        with quiet_stderr():
            whole = keras.Model(network.inputs[0], answer)
            self._time = find_time(self._run(whole))
            self.seen_s = self._time.seen_s
            self._model = keras.Model(network.inputs[0], self._figures(keras, answer))
            self.encode(np.zeros((1, N_MELS, N_FRAMES), np.float32))

    def encode(self, slices: Array) -> Array:
        """Run the network once over slices, shape (n, 96, 216).

        Returns
        -------
        ndarray of float32, shape (n, vector_size)
        """
        with self._lock:
            return encode_in_batches(
                slices, self._encode_batch, vector_size=self.vector_size
            )

    def _encode_batch(self, batch: Array) -> Array:
        figures = self._run(self._model)(batch)
        n_filters = self.vector_size // 3
        steps = figures[:, n_filters : 2 * n_filters]
        steps[:] = self._time.middles_s[steps.astype(np.intp)]
        return figures

    def _run(self, model: Any) -> Callable[[Array], Array]:
        def run(batch: Array) -> Array:
            shaped = batch.reshape(len(batch), *self._input_shape)
            return np.array(model.predict_on_batch(shaped), dtype=np.float32)

        return run

    def _figures(self, keras: Any, answer: Any) -> Any:
        """Reduce answers to peak, step and mean, inside of the network.

        Whole answers are a hundred times as many numbers, to be copied for each batch.
        """
        ops, rank = keras.ops, len(answer.shape)
        others = [axis for axis in range(1, rank - 1) if axis != self._time.axis]
        if others:
            answer = ops.max(answer, axis=others)
        if self._time.axis is None:
            return ops.concatenate([answer, ops.zeros_like(answer), answer], axis=-1)
        answer = answer[:, self._time.steps]
        steps = ops.cast(ops.argmax(answer, axis=1), "float32")
        return ops.concatenate(
            [ops.max(answer, axis=1), steps, ops.mean(answer, axis=1)], axis=-1
        )


def kernels(encoder: KerasEncoder, layer: Layer) -> Array | None:
    """Return the weights of a layer that works on the spectrogram itself.

    Parameters
    ----------
    encoder, layer
        As for :class:`LayerListener`.

    Returns
    -------
    ndarray of float32, shape (n_filters, n_mels, n_frames), or None
        Mel bands upwards from the lowest; None for a deeper layer.
    """
    if layer.number or not layer.is_convolution:
        return None
    own = _find_use(unfold(encoder.network)[0], layer)
    kernel, *others = (np.asarray(weight) for weight in own.layer.get_weights())
    if "Separable" in layer.kind:
        # What every channel looks for, times how much of that each filter takes.
        kernel = kernel[..., 0, :] @ others[0].reshape(-1, layer.n_filters)
    elif "Depthwise" in layer.kind or kernel.ndim == 4:
        kernel = kernel.reshape(*kernel.shape[:-2], -1)
    if kernel.ndim != 3 or kernel.shape[-1] != layer.n_filters:
        return None
    if "1D" in layer.kind:
        # (steps of time, mel bands, filters)
        is_of_bands = kernel.shape[1] == N_MELS
        return kernel.transpose(2, 1, 0) if is_of_bands else None
    is_time_first = own.taken[0].shape[1] in (N_FRAMES, None)
    return kernel.transpose((2, 1, 0) if is_time_first else (2, 0, 1))


def _find_use(uses: Sequence[Use], layer: Layer) -> Use:
    return next(use for use in uses if use.name == layer.name)


def _is_map(layer: Any, answer: Any) -> bool:
    """Whether there is one number for each filter and place."""
    is_known = hasattr(answer, "shape") and 2 <= len(answer.shape) <= 4
    return is_known and answer.shape[_filter_axis(layer)] is not None


def _filter_axis(layer: Any) -> int:
    is_first = getattr(layer, "data_format", None) == "channels_first"
    return 1 if is_first else -1
