"""The genres that each track of the library is made of, kept so as to be at hand.

Going through the slices of 20 000 tracks takes seconds, and gives the same until
something new is learnt or heard. The file can be deleted at any time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np

from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.checked_npz import open_checked

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.storage.genre_model import GenreModel

FORMAT = 1

FILE = "compositions.npz"
"""Name of the file in the genre folder."""


SUM_TOLERANCE = 1e-3
"""How far the probabilities of a track may be from adding up to 1."""


@dataclass(frozen=True)
class Compositions:
    """What tracks are made of, and of which audio that was found.

    Attributes
    ----------
    item_ids
        int64, shape (n_tracks,), ascending.
    signatures
        bytes, shape (n_tracks,): of the audio that was heard.
    probabilities
        float32, shape (n_tracks, n_genres).
    """

    item_ids: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.bytes_]
    probabilities: npt.NDArray[np.float32]

    @classmethod
    def none(cls, n_genres: int) -> Compositions:
        """Return those of no tracks."""
        probabilities = np.zeros((0, n_genres), dtype=np.float32)
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype="S1"), probabilities)

    def __len__(self) -> int:
        return len(self.item_ids)

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> Compositions:
        """Return some of them."""
        return Compositions(
            self.item_ids[rows], self.signatures[rows], self.probabilities[rows]
        )

    def merged(self, other: Compositions) -> Compositions:
        """Return these and those of other tracks, in the order of their ids."""
        item_ids = np.concatenate([self.item_ids, other.item_ids])
        order = np.argsort(item_ids)
        return Compositions(
            item_ids[order],
            np.concatenate([self.signatures, other.signatures])[order],
            np.concatenate([self.probabilities, other.probabilities])[order],
        )


def read_compositions(folder: Path, model: GenreModel) -> Compositions:
    """Read what a model made of tracks; none where there is nothing that can be used.

    Whatever is wrong with the file, it can be made anew.
    """
    try:
        with open(folder / FILE, "rb") as file:
            return _checked(file, model)
    except Exception:  # noqa: BLE001 - damaged files fail in many ways
        return Compositions.none(len(model.genres))


def _checked(file: IO[bytes], model: GenreModel) -> Compositions:
    arrays = open_checked(file)
    item_ids, signatures = arrays["item_ids"], arrays["signatures"]
    probabilities, n_tracks = arrays["probabilities"], item_ids.size
    is_whole = (
        int(arrays["format"]) == FORMAT
        and str(arrays["model"]) == _fingerprint(model)
        and item_ids.dtype == np.int64
        and item_ids.ndim == 1
        and bool(np.all(np.diff(item_ids) > 0))
        and signatures.dtype.kind == "S"
        and signatures.shape == (n_tracks,)
        and probabilities.dtype == np.float32
        and probabilities.shape == (n_tracks, len(model.genres))
        and bool((probabilities >= 0).all())
        and bool((np.abs(probabilities.sum(axis=1) - 1) < SUM_TOLERANCE).all())
    )
    if not is_whole:
        raise ValueError("it is of another model, or its parts do not fit together")
    return Compositions(item_ids, signatures, probabilities)


def write_compositions(
    folder: Path, model: GenreModel, compositions: Compositions
) -> None:
    """Write the file in one atomic step.

    Raises
    ------
    FatalError
        It cannot be written.
    """
    path = str(folder / FILE)
    with atomic_writer(path) as file, explained(path):
        np.savez(
            file,
            format=np.array(FORMAT),
            model=np.array(_fingerprint(model)),
            item_ids=compositions.item_ids,
            signatures=compositions.signatures,
            probabilities=compositions.probabilities,
        )


def _fingerprint(model: GenreModel) -> str:
    """Hash what decides which probabilities a model gives."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((model.genres, model.kind, model.encoder)).encode())
    digest.update(model.weights.astype("<f4").tobytes())
    digest.update(model.bias.astype("<f4").tobytes())
    return digest.hexdigest()
