"""The flexible attributes on items, and how a vector becomes text.

beets loads this module at every start, so it does without numpy.
"""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from beets.dbcore import types

if TYPE_CHECKING:
    from collections.abc import Sequence

VECTOR_FIELD = "deejai_vector"
MODEL_FIELD = "deejai_model"
SIGNATURE_FIELD = "deejai_signature"
GENRE_FIELD = "deejai_genre"
CONFIDENCE_FIELD = "deejai_genre_confidence"

CONFIDENCE_DIGITS = 3
"""After the point; more would say nothing."""


def encode_vector(vector: Sequence[float] | Any) -> str:
    """Write a vector as base64 of little-endian float32, as it is stored.

    Parameters
    ----------
    vector
        Numbers, shape (d,): an array or any sequence.
    """
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


class VectorType(types.String):
    """A vector that beets handles as text.

    A numpy value would break ``beet modify`` and the web plugin, so the value stays
    text; only assignment also takes arrays.
    """

    def normalize(self, value: Any) -> Any:
        """Turn an array into text and leave text alone."""
        if hasattr(value, "dtype") or isinstance(value, (list, tuple)):
            return encode_vector(value)
        return super().normalize(value)


ITEM_TYPES: dict[str, types.Type[Any, Any]] = {
    VECTOR_FIELD: VectorType(),
    MODEL_FIELD: types.String(),
    SIGNATURE_FIELD: types.String(),
    GENRE_FIELD: types.String(),
    CONFIDENCE_FIELD: types.Float(CONFIDENCE_DIGITS),
}
