"""The encoder: log-mel slices in, slice vectors out.

Keras and its backend are imported when a model is loaded and not before: that costs
seconds, and most commands only read vectors that are already stored.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import re
import sys
import tempfile
import threading
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

BATCH_SLICES = 64
"""Slices the network sees at once; a last, smaller batch is filled with zeros."""

DEFAULT_MODEL = "compact.keras"
"""File name of the encoder that is shipped."""

MODEL_SUFFIXES = (".keras", ".h5")
"""Kinds of model file that can be read."""

_load_lock = threading.Lock()

# The loggers of TensorFlow and absl write such lines whatever their level is set to.
_NOISE = re.compile(
    rb"[IWE]\d{4} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|WARNING: All log messages before absl|To enable the following instructions"
)


class Encoder(Protocol):
    """Anything that turns slices into slice vectors."""

    @property
    def model_id(self) -> str:
        """Name that changes whenever the model's vectors would."""

    @property
    def vector_size(self) -> int:
        """Components of a slice vector."""

    def encode(self, slices: Array) -> Array:
        """Map slices, shape (n, 96, 216), to slice vectors, shape (n, vector_size)."""


def model_path(model: str) -> Path:
    """Find the file of a model.

    Parameters
    ----------
    model
        ``default`` for the shipped encoder, else the path of a model file.

    Raises
    ------
    FatalError
        There is no such file, or it is of a kind that cannot be read.
    """
    if model == "default":
        return _shipped(DEFAULT_MODEL)
    path = Path(model).expanduser()
    if path.suffix.lower() not in MODEL_SUFFIXES:
        raise FatalError(
            f"model {model}: only {' and '.join(MODEL_SUFFIXES)} files can be read; "
            "set deejai.model to one, or to default"
        )
    if not path.is_file():
        raise FatalError(
            f"model {path} does not exist; set deejai.model to an existing file, "
            "or to default"
        )
    return path


def _shipped(name: str) -> Path:
    installed = Path(str(files("beetsplug.deejai").joinpath("weights", name)))
    # Installed, weights/ lies inside the package; in a checkout, and so in an editable
    # install, it lies beside beetsplug/.
    for path in (installed, Path(__file__).parents[3] / "weights" / name):
        if path.is_file():
            return path
    raise FatalError(f"the shipped model {name} is missing; reinstall beets-deejai")


def model_id(path: Path) -> str:
    """Name a model by its file name and content, without loading it.

    Returns
    -------
    str
        The file's stem and the first 12 hexadecimal digits of its SHA-256.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise FatalError(f"model {path} cannot be read: {error.strerror}") from error
    return f"{path.stem}-{digest[:12]}"


class KerasEncoder:
    """A Keras model that is used for inference alone.

    Parameters
    ----------
    model
        Maps (None, 96, 216, 1) or (None, 96, 216) to (None, d).
    model_id
        See :func:`model_id`.

    Raises
    ------
    ValueError
        The model has other shapes.
    """

    def __init__(self, model: Any, *, model_id: str) -> None:
        self._in_shape, self.vector_size = _check_shapes(model)
        self.model_id = model_id
        self._model = model
        self._lock = threading.Lock()

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
        if slices.shape[1:] != (N_MELS, N_FRAMES):
            raise ValueError(f"slices of shape {slices.shape}, not (n, 96, 216)")
        vectors = np.empty((len(slices), self.vector_size), dtype=np.float32)
        with self._lock:
            for start in range(0, len(slices), BATCH_SLICES):
                part = slices[start : start + BATCH_SLICES]
                vectors[start : start + len(part)] = self._encode_batch(part)
        return vectors

    def _encode_batch(self, part: Array) -> Array:
        # One batch size for all calls: every new one would be traced anew.
        batch = np.asarray(part, dtype=np.float32)
        if len(part) < BATCH_SLICES:
            batch = np.zeros((BATCH_SLICES, N_MELS, N_FRAMES), dtype=np.float32)
            batch[: len(part)] = part
        out = self._model.predict_on_batch(batch.reshape(BATCH_SLICES, *self._in_shape))
        return np.asarray(out, dtype=np.float32)[: len(part)]


def _check_shapes(model: Any) -> tuple[tuple[int, ...], int]:
    """Return the shape of one input and the size of one output."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError("it has more than one input or output")
    n_any, *in_shape = model.inputs[0].shape
    out_shape = tuple(model.outputs[0].shape)
    if n_any is not None or in_shape[:2] != [N_MELS, N_FRAMES]:
        fits = False
    else:
        fits = in_shape[2:] in ([], [1])
    if not fits or len(out_shape) != 2 or not isinstance(out_shape[1], int):
        raise ValueError(
            f"it maps {tuple(model.inputs[0].shape)} to {out_shape}; an encoder maps "
            f"(None, {N_MELS}, {N_FRAMES}, 1) to (None, d)"
        )
    return tuple(in_shape), out_shape[1]


def load_encoder(path: Path) -> Encoder:
    """Load a model file and run it once, so that the first real batch is as fast.

    Parameters
    ----------
    path
        A ``.keras`` or ``.h5`` file. Models with pickled code (Lambda layers) or
        custom layers are refused.

    Raises
    ------
    FatalError
        Keras or its backend cannot be imported, or the file holds no encoder.
    """
    name = model_id(path)
    with _load_lock, quiet_stderr(), _without_garbage_collection():
        keras = import_keras()
        try:
            model = keras.saving.load_model(str(path), compile=False, safe_mode=True)
            encoder = KerasEncoder(model, model_id=name)
            encoder.encode(np.zeros((1, N_MELS, N_FRAMES), dtype=np.float32))
        except Exception as error:  # damaged files raise whatever the damage hits
            raise FatalError(
                f"model {path} is not an encoder that Keras can load: "
                f"{_first_line(error)}; set deejai.model to another file, or to default"
            ) from error
    return encoder


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


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
            f"Keras cannot be imported ({_first_line(error)}); install it into the "
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


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Spare the search for reference cycles what is made in this context.

    The framework's thousands of modules stay to the end. Looking through their objects
    again and again, and once more at exit, takes as long as decoding a dozen tracks.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 and drop TensorFlow's noise.

    Native code writes there past :data:`sys.stderr`. Other threads may log meanwhile:
    their lines are written when the context ends.
    """
    try:
        saved = os.dup(2)
    except OSError:
        # Without a standard error there is nothing to keep quiet.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not _NOISE.match(line):
                    with contextlib.suppress(OSError):
                        os.write(2, line)
