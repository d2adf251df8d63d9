"""Encoders in ``.onnx`` files, run by ONNX Runtime: no TensorFlow is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.embedding.inference import (
    BATCH_SLICES,
    NotAnEncoderError,
    encode_in_batches,
    first_line,
)
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

LAYOUTS = ((N_MELS, N_FRAMES, 1), (1, N_MELS, N_FRAMES), (N_MELS, N_FRAMES))
"""Shapes of one slice that a network may want: channels last, channels first, none."""

_FOLDER_OF_OTHER_FILES = "session.model_external_initializers_file_folder_path"

_FATAL_ONLY = 4
"""ONNX Runtime's log level: what goes wrong is raised as well."""


class OnnxEncoder:
    """An ONNX network on the processor.

    Parameters
    ----------
    session
        An ``onnxruntime.InferenceSession`` that maps float32 (n, 96, 216, 1),
        (n, 1, 96, 216) or (n, 96, 216) to float32 (n, d). `n` may be fixed.
    model_id
        See :func:`~beetsplug.deejai.embedding.encoder.model_id`.

    Attributes
    ----------
    input_shape
        Shape of one input, without the batch; None where any size is taken.
    vector_size
        Components of a slice vector.

    Raises
    ------
    ValueError
        The network has other inputs or outputs.
    """

    n_parameters: int | None = None
    """Not known: ONNX Runtime does not tell."""

    def __init__(self, session: Any, *, model_id: str) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError("it has more than one input or output")
        if inputs[0].type != "tensor(float)":
            raise ValueError(f"it takes {inputs[0].type}, not float32 numbers")
        n_any, *in_shape = (
            size if isinstance(size, int) and size > 0 else None
            for size in inputs[0].shape or [None]
        )
        self.input_shape = tuple(in_shape)
        self.model_id = model_id
        self._session = session
        self._input_name: str = inputs[0].name
        self._layout = _layout(self.input_shape)
        self._batch_slices = n_any or BATCH_SLICES
        zeros = np.zeros((self._batch_slices, N_MELS, N_FRAMES), dtype=np.float32)
        shape = self._encode_batch(zeros).shape
        if len(shape) != 2 or shape[0] != self._batch_slices:
            raise ValueError(
                f"it maps {self._batch_slices} slices to numbers of shape {shape}; an "
                f"encoder maps them to ({self._batch_slices}, d)"
            )
        self.vector_size = shape[1]

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
        return encode_in_batches(
            slices,
            self._encode_batch,
            vector_size=self.vector_size,
            batch_slices=self._batch_slices,
        )

    def _encode_batch(self, batch: Array) -> Array:
        shaped = np.ascontiguousarray(batch.reshape(len(batch), *self._layout))
        (out,) = self._session.run(None, {self._input_name: shaped})
        return np.asarray(out, dtype=np.float32)


def _layout(in_shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Find out how a slice must be shaped for a network.

    Raises
    ------
    ValueError
        No layout fits, or several do: a wrong guess would give vectors of nonsense.
    """
    fitting = [
        layout
        for layout in LAYOUTS
        if len(layout) == len(in_shape)
        and all(
            have in (None, want) for have, want in zip(in_shape, layout, strict=True)
        )
    ]
    if len(fitting) != 1:
        shown = str((None, *in_shape))
        problem = "may mean several things" if fitting else "does not fit"
        raise ValueError(
            f"its input {shown} {problem}; an encoder takes "
            + ", ".join(str((None, *layout)) for layout in LAYOUTS)
        )
    return fitting[0]


def load_onnx(path: Path, *, model_id: str) -> OnnxEncoder:
    """Load a model for the processor.

    Parameters
    ----------
    path
        An ``.onnx`` file.
    model_id
        See :func:`~beetsplug.deejai.embedding.encoder.model_id`.

    Raises
    ------
    NotAnEncoderError
        The file holds no encoder.
    FatalError
        ONNX Runtime is missing or broken.
    """
    runtime = _import_runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = _n_cores()
    options.inter_op_num_threads = 1
    # Threads that wait by spinning would take the cores from the decoders.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The id names this one file, so no weights may come from another.
    options.add_session_config_entry(_FOLDER_OF_OTHER_FILES, os.devnull)
    try:
        session = runtime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        return OnnxEncoder(session, model_id=model_id)
    except Exception as error:  # damaged files raise whatever the damage hits
        reason = first_line(error)
        if "external" in reason.lower():
            reason = "its weights lie in another file; export it with them inside"
        raise NotAnEncoderError(reason) from error


def _n_cores() -> int:
    """Count the cores that this process may use, which may be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _import_runtime() -> Any:
    try:
        import onnxruntime
    except Exception as error:  # a runtime that does not fit raises anything
        raise FatalError(
            f"ONNX Runtime cannot be imported ({first_line(error)}), which .onnx "
            "models need; install it into the Python that runs beets: "
            "pip install 'beets-deejai[onnx]'"
        ) from error
    return onnxruntime
