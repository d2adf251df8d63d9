"""What can be told of a model file without loading it."""

from __future__ import annotations

import json
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from pathlib import Path


def model_suffix(path: Path) -> str:
    """Tell by its first bytes what kind of model a file is, whatever its name.

    The encoder that Deej-A.I. publishes has no suffix at all.

    Returns
    -------
    str
        One of the keys of :data:`~beetsplug.deejai.embedding.encoder.MODEL_KINDS`.

    Raises
    ------
    FatalError
        The file cannot be read or is of no such kind.
    """
    shown = displayable_path(path)
    if path.exists() and not path.is_file():
        raise FatalError(f"{shown} is not a file")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise FatalError(f"{shown} cannot be read: {error.strerror}") from error
    members = _members(path) if start.startswith(b"PK") else []
    if "config.json" in members:
        return ".keras"
    if start == b"\x89HDF\r\n\x1a\n":
        return ".h5"
    # ONNX has no mark of its own; the runtime will tell.
    if path.suffix.lower() == ".onnx" and start:
        return ".onnx"
    if any(name.endswith("data.pkl") for name in members) or start[:1] == b"\x80":
        raise FatalError(
            f"{shown} is a PyTorch file, which may hold code and is not read; export "
            "it as .onnx"
        )
    raise FatalError(f"{shown} is no model file: neither .keras, nor .h5, nor .onnx")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return []


Shapes = tuple[tuple[int | None, ...] | None, int | None]
"""Shape of one input without the batch, and components of a vector; None: unknown."""


def shapes_of_keras(path: Path) -> Shapes:
    """Read what a ``.keras`` model takes and gives, as far as its layers say so."""
    try:
        with zipfile.ZipFile(path) as archive:
            config: Any = json.loads(archive.read("config.json"))["config"]
        layers: list[Any] = config["layers"]
        last = layers[-1]
        if "output_layers" in config:
            output: Any = config["output_layers"]
            while isinstance(output[0], list):
                output = output[0]
            last = next(layer for layer in layers if layer["name"] == output[0])
        shape = layers[0]["config"].get("batch_shape")
        size = last["config"].get("units")
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        StopIteration,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        return None, None
    return (
        tuple(shape[1:]) if isinstance(shape, list) else None,
        size if isinstance(size, int) else None,
    )
