"""Pictures from files that anybody made: found, checked and made small enough."""

from __future__ import annotations

import io
import os
import warnings

from mediafile import MediaFile  # type: ignore[import-untyped]
from PIL import Image, ImageOps

MAX_SOURCE_BYTES = 64 << 20
MAX_SOURCE_PIXELS = 40_000_000
"""Pictures beyond these are not opened: a small file can claim any size."""


def embedded_picture(path: str) -> bytes | None:
    """Return the picture inside an audio file, as it is; None where there is none."""
    # Of what is no file, a named pipe above all, reading might never end.
    try:
        art: bytes | None = MediaFile(path).art if os.path.isfile(path) else None
    except Exception:  # noqa: BLE001 - broken tags fail in many ways; art is no need
        return None
    return art


def picture_file(path: str | None) -> bytes | None:
    """Read a picture from its own file; None where it cannot be, or is enormous."""
    if path is None:
        return None
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MAX_SOURCE_BYTES:
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def fitted(
    data: bytes | None,
    *,
    max_side: int,
    max_bytes: int,
    kinds: tuple[str, ...] = ("JPEG", "PNG"),
) -> bytes | None:
    """Return a picture that is fit for use.

    Parameters
    ----------
    data
        What may be a picture; None is passed on.
    max_side
        Longest side in pixels; what is larger is scaled down to a JPEG.
    max_bytes
        What has more is written anew, as a JPEG.
    kinds
        Pillow's names of the formats that are taken, told by their content.

    Returns
    -------
    bytes or None
        The same if it is small enough. None for what is broken, enormous or of another
        kind.
    """
    if not data or len(data) > MAX_SOURCE_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            # Of a picture that is large beyond reason; the same becomes of less below.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=kinds)
            if image.width * image.height > MAX_SOURCE_PIXELS:
                return None
            if max(image.size) <= max_side and len(data) <= max_bytes:
                image.load()
                return data
            return _scaled(image, max_side)
    except Exception:  # noqa: BLE001 - broken pictures fail in many ways
        return None


def _scaled(image: Image.Image, max_side: int) -> bytes:
    # A JPEG can be decoded at a part of its size, in a part of the memory.
    image.draft("RGB", (max_side, max_side))
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    return jpeg(image.convert("RGB"))


def jpeg(image: Image.Image) -> bytes:
    """Write a picture as a JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, optimize=True)
    return file.getvalue()
