"""Read ``.npz`` files that may be damaged, or of anybody."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
from numpy.lib.npyio import NpzFile


def open_checked(file: IO[bytes]) -> Any:
    """Open an uncompressed ``.npz`` file; nothing in it is unpickled.

    Parameters
    ----------
    file
        Open, and left open.

    Returns
    -------
    numpy.lib.npyio.NpzFile
        Arrays by name.

    Raises
    ------
    ValueError
        It is none; the message is the reason alone.
    """
    try:
        arrays = np.load(file, allow_pickle=False)
    except Exception as error:
        # What numpy advises is to load it unsafely.
        raise ValueError("it is damaged") from error
    if not isinstance(arrays, NpzFile):
        raise ValueError("it is a single array")
    # What is written here is not compressed, so that nothing in it can be a bomb.
    parts = arrays.zip.infolist() if arrays.zip else []
    if any(part.file_size > part.compress_size for part in parts):
        raise ValueError("it is compressed")
    return arrays
