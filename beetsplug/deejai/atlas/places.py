"""The places of tracks on the map, kept in a file beside the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.util import displayable_path

from beetsplug.deejai.atlas.layout import FEWEST, Layout
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.checked_npz import open_checked

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

FORMAT = 1


class BrokenPlacesError(TrackError):
    """The file cannot be used; the map is made anew."""


@dataclass(frozen=True)
class Places:
    """Where each track lies, and what it was when it was put there.

    Attributes
    ----------
    model
        Id of the encoder whose vectors were laid out.
    item_ids
        int64, shape (n_tracks,), ascending.
    signatures
        bytes, shape (n_tracks,): of the audio that was heard.
    layout
        Positions, aligned with `item_ids`.
    n_added
        How many of them were placed after t-SNE had laid out the others.
    """

    model: str
    item_ids: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.bytes_]
    layout: Layout
    n_added: int

    def __len__(self) -> int:
        return len(self.item_ids)


def places_path(library_path: Path) -> Path | None:
    """Return where the places of a library are kept; None for one in memory."""
    if str(library_path) == ":memory:":
        return None
    return library_path.with_suffix(".deejai-map.npz")


def read_places(path: Path) -> Places | None:
    """Read the file; None when there is none.

    Raises
    ------
    BrokenPlacesError
        It is damaged, foreign, or of another version.
    """
    try:
        # numpy leaves a file open that it cannot read.
        with open(path, "rb") as file:
            return _checked(open_checked(file))
    except FileNotFoundError:
        return None
    except Exception as error:
        raise BrokenPlacesError(
            f"{displayable_path(str(path))} is no map that can be used ({error})"
        ) from error


def _checked(arrays: Any) -> Places:
    if int(arrays["format"]) != FORMAT:
        raise ValueError("it is of another version")
    item_ids, signatures = arrays["item_ids"], arrays["signatures"]
    positions, scale = arrays["positions"], float(arrays["scale"])
    n_added, n_tracks = int(arrays["n_added"]), len(item_ids)
    is_whole = (
        item_ids.dtype == np.int64
        and item_ids.shape == (n_tracks,)
        and bool(np.all(np.diff(item_ids) > 0))
        and signatures.dtype.kind == "S"
        and signatures.shape == (n_tracks,)
        and positions.dtype == np.float32
        and positions.shape == (n_tracks, 2)
        and bool(np.all((positions >= 0.0) & (positions <= 1.0)))
        and np.isfinite(scale)
        and (scale > 0.0 or n_tracks < FEWEST)
        and 0 <= n_added <= n_tracks
    )
    if not is_whole:
        raise ValueError("its parts do not fit together")
    layout = Layout(positions, scale)
    return Places(str(arrays["model"]), item_ids, signatures, layout, n_added)


def write_places(path: Path, places: Places) -> None:
    """Write the file in one atomic step.

    Raises
    ------
    FatalError
        It cannot be written.
    """
    with atomic_writer(str(path)) as file, explained(str(path)):
        np.savez(
            file,
            format=np.array(FORMAT),
            model=np.array(places.model),
            item_ids=places.item_ids,
            signatures=places.signatures,
            positions=places.layout.positions,
            scale=np.array(places.layout.scale),
            n_added=np.array(places.n_added),
        )
