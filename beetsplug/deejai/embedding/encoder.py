"""The encoder: log-mel slices in, slice vectors out.

Finding and naming a model costs nothing; what runs it (Keras with its backend, or ONNX
Runtime) is imported when it is loaded.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from beetsplug.deejai.embedding.inference import NotAnEncoderError
from beetsplug.deejai.embedding.keras_encoder import load_keras
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

DEFAULT_MODEL = "compact.keras"
"""File name of the encoder that is shipped."""

MODEL_KINDS = {".keras": "Keras", ".h5": "legacy Keras", ".onnx": "ONNX"}
"""Kinds of model file that can be read, by suffix."""

SET_ANOTHER = "set deejai.model to another file, or to default"
"""The remedy for a model that the configuration names."""


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


class LoadedEncoder(Encoder, Protocol):
    """An encoder that came from a file, and what can be said of it."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of one input, without the batch; None where any size is taken."""

    @property
    def n_parameters(self) -> int | None:
        """How many numbers the network has learnt; None where that is not known."""


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
    if path.suffix.lower() not in MODEL_KINDS:
        *others, last = MODEL_KINDS
        raise FatalError(
            f"model {model}: only {', '.join(others)} and {last} files can be read; "
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
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FatalError(f"model {path} cannot be read: {error.strerror}") from error
    return f"{path.stem}-{digest[:12]}"


def load_encoder(path: Path, *, remedy: str = SET_ANOTHER) -> LoadedEncoder:
    """Load a model file and run it once, so that the first real batch is as fast.

    Parameters
    ----------
    path
        A file of one of :data:`MODEL_KINDS`. No code in it is run.
    remedy
        What to do when it cannot be used, for the message.

    Raises
    ------
    FatalError
        What runs the model cannot be imported, or the file holds no encoder.
    """
    try:
        return open_encoder(path, model_id=model_id(path))
    except NotAnEncoderError as error:
        library = "ONNX Runtime" if path.suffix.lower() == ".onnx" else "Keras"
        raise FatalError(
            f"model {path} is not an encoder that {library} can load: {error}; {remedy}"
        ) from error


def open_encoder(path: Path, *, model_id: str) -> LoadedEncoder:
    """Load a model file whose id is known; see :func:`load_encoder`.

    Raises
    ------
    NotAnEncoderError
        The file holds no encoder; the message is the reason alone.
    FatalError
        What runs the model cannot be imported.
    """
    if path.suffix.lower() == ".onnx":
        from beetsplug.deejai.embedding.onnx_encoder import load_onnx

        return load_onnx(path, model_id=model_id)
    return load_keras(path, model_id=model_id)
