"""What of the map is shown, with the names of its regions and how far to trust it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.atlas.columns import load_columns
from beetsplug.deejai.atlas.faithfulness import measure_faithfulness
from beetsplug.deejai.atlas.regions import KINDS, find_regions
from beetsplug.deejai.storage.library import load_vectors
from beetsplug.deejai.storage.track_tags import load_track_tags

if TYPE_CHECKING:
    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.atlas.columns import Columns
    from beetsplug.deejai.atlas.faithfulness import Faithfulness
    from beetsplug.deejai.atlas.layout import Array
    from beetsplug.deejai.atlas.places import Places
    from beetsplug.deejai.atlas.regions import Region


@dataclass(frozen=True)
class Shown:
    """Tracks of a map, all or some, and what is to be said of them together.

    Attributes
    ----------
    columns
        The tracks.
    positions
        Where they lie, shape (n_tracks, 2).
    regions
        Of these tracks, the largest first.
    faithfulness
        Of this part of the map; None for a few tracks.
    basis
        Digest of all that these two rest on.
    """

    columns: Columns
    positions: Array
    regions: list[Region]
    faithfulness: Faithfulness | None
    basis: bytes = b""


def load_shown(
    lib: Library,
    places: Places,
    item_ids: npt.NDArray[np.int64] | None = None,
    *,
    earlier: Shown | None = None,
) -> Shown:
    """Read tracks of the map, name their regions and measure how faithful it is.

    Parameters
    ----------
    lib
        The library.
    places
        Where all tracks lie.
    item_ids
        Those that are shown, ascending; None: all. Those that are not in the library
        are left out.
    earlier
        What was shown before. If nothing has changed that regions and faithfulness rest
        on, they are taken over, which saves seconds with tens of thousands of tracks.
    """
    wanted = places.item_ids if item_ids is None else item_ids
    columns = load_columns(lib, wanted.tolist())
    rows = np.searchsorted(places.item_ids, columns.item_ids)
    positions = places.layout.positions[rows]
    tags = load_track_tags(lib, columns.item_ids.tolist(), kinds=KINDS)
    stored = load_vectors(lib, places.model)
    # A track on the map may have lost its vector since.
    _, rows, stored_rows = np.intersect1d(
        columns.item_ids, stored.item_ids, assume_unique=True, return_indices=True
    )
    vectors = stored.vectors[stored_rows]
    digest = hashlib.blake2b(repr(tags).encode())
    for part in (positions, rows, vectors):
        digest.update(part.tobytes())
    basis = digest.digest()
    if earlier is not None and earlier.basis == basis:
        regions, faithfulness = earlier.regions, earlier.faithfulness
    else:
        regions = find_regions(positions, tags)
        faithfulness = measure_faithfulness(vectors, positions[rows])
    return Shown(columns, positions, regions, faithfulness, basis)
