"""Encoders made with Keras: ``.keras`` files, and ``.h5`` files of earlier versions.

Keras and its backend are imported when a model is loaded and not before: that costs
seconds, and most commands only read vectors that are already stored.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.embedding.inference import (
    BATCH_SLICES,
    NotAnEncoderError,
    encode_in_batches,
    first_line,
)
from beetsplug.deejai.embedding.legacy_h5 import modern_config
from beetsplug.deejai.embedding.quiet import quiet_stderr, without_garbage_collection
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

_load_lock = threading.Lock()


class KerasEncoder:
    """A Keras model that is used for inference alone.

    Parameters
    ----------
    model
        Maps (None, 96, 216, 1) or (None, 96, 216) to (None, d); the number of frames
        may be None.
    model_id
        See :func:`~beetsplug.deejai.embedding.encoder.model_id`.

    Attributes
    ----------
    input_shape
        Shape of one input, without the batch; None where any size is taken.
    vector_size
        Components of a slice vector.
    network
        The ``keras.Model`` itself.

    Raises
    ------
    ValueError
        The model has other shapes.
    """

    def __init__(self, model: Any, *, model_id: str) -> None:
        self.input_shape, self.vector_size = _check_shapes(model)
        self.model_id = model_id
        self.network = model
        self._batch_shape = (
            BATCH_SLICES,
            N_MELS,
            N_FRAMES,
            *(1 for _ in self.input_shape[2:]),
        )
        self._lock = threading.Lock()

    @property
    def n_parameters(self) -> int | None:
        """How many numbers the network has learnt."""
        return int(self.network.count_params())

    def encode(self, slices: Array) -> Array:
        """Map slices to slice vectors; safe to call from several threads.

        Parameters
        ----------
        slices
            Log-mel slices, shape (n_slices, 96, 216), values in [0, 1].

        Returns
        -------
        ndarray of float32, shape (n_slices, vector_size)
            As the network gives them: not of unit length.
        """
        with self._lock:
            return encode_in_batches(
                slices, self._encode_batch, vector_size=self.vector_size
            )

    def _encode_batch(self, batch: Array) -> Array:
        out = self.network.predict_on_batch(batch.reshape(self._batch_shape))
        return np.asarray(out, dtype=np.float32)


def _check_shapes(model: Any) -> tuple[tuple[int | None, ...], int]:
    """Return the shape of one input and the size of one output."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError("it has more than one input or output")
    n_any, *in_shape = model.inputs[0].shape
    out_shape = tuple(model.outputs[0].shape)
    fits = (
        n_any is None
        and in_shape[:1] == [N_MELS]
        and in_shape[1:2] in ([N_FRAMES], [None])
        and in_shape[2:] in ([], [1])
    )
    if not fits or len(out_shape) != 2 or not isinstance(out_shape[1], int):
        raise ValueError(
            f"it maps {tuple(model.inputs[0].shape)} to {out_shape}; an encoder maps "
            f"(None, {N_MELS}, {N_FRAMES}, 1) to (None, d)"
        )
    return tuple(in_shape), out_shape[1]


def load_keras(path: Path, *, model_id: str) -> KerasEncoder:
    """Load a model and run it once, so that the first real batch is as fast as others.

    Parameters
    ----------
    path
        A ``.keras`` or ``.h5`` file. Models with pickled code (Lambda layers) or
        custom layers are refused.
    model_id
        See :func:`~beetsplug.deejai.embedding.encoder.model_id`.

    Raises
    ------
    NotAnEncoderError
        The file holds no encoder.
    FatalError
        Keras or its backend cannot be imported.
    """
    with _load_lock, quiet_stderr(), without_garbage_collection():
        keras = import_keras()
        try:
            if path.suffix.lower() == ".h5":
                model = _load_h5(keras, path)
            else:
                model = keras.saving.load_model(
                    str(path), compile=False, safe_mode=True
                )
            encoder = KerasEncoder(model, model_id=model_id)
            encoder.encode(np.zeros((1, N_MELS, N_FRAMES), dtype=np.float32))
        except Exception as error:  # damaged files raise whatever the damage hits
            raise NotAnEncoderError(first_line(error)) from error
    return encoder


def _load_h5(keras: Any, path: Path) -> Any:
    """Rebuild the network of a legacy file from its description, then read its weights.

    Keras' own reader rejects settings that Keras 2 wrote for separable convolutions,
    and would have to be told of the loss it was trained with.
    """
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
        has_weights = "layer_names" in file.attrs
    if text is None:
        raise ValueError(
            "it holds weights without the network they belong to"
            if has_weights
            else "it is an HDF5 file, but not of Keras"
        )
    text = text.decode("utf-8") if isinstance(text, bytes) else str(text)
    config = modern_config(text, layers=dir(keras.layers))
    model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    if not model.built:
        raise ValueError("it does not say what it takes as input")
    model.load_weights(str(path))
    return model


def import_keras() -> Any:
    """Import Keras with its backend, at the lowest cost.

    Raises
    ------
    FatalError
        Keras or the backend is missing or broken.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _without_sklearn():
            import keras
    except Exception as error:  # backends that do not fit together raise anything
        raise FatalError(
            f"Keras cannot be imported ({first_line(error)}); install it into the "
            "Python that runs beets: pip install --upgrade tensorflow"
        ) from error
    return keras


@contextlib.contextmanager
def _without_sklearn() -> Iterator[None]:
    """Hide scikit-learn from Keras, whose optional wrappers would import it.

    They are not used here, and scikit-learn, present because librosa needs it, would
    take as long to import as decoding several tracks. None in ``sys.modules`` is
    Python's own way to make an import fail, and Keras goes on without.
    """
    if "sklearn" in sys.modules or "keras" in sys.modules:
        yield
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["sklearn"]
