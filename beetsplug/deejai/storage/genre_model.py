"""What was learnt of genres, kept in a folder beside the library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.checked_npz import open_checked
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

Kind = Literal["head", "cnn"]

FORMAT = 1

FILE = "genres.npz"
"""Name of the file in the folder; it is written last."""

SLICES = "slices.db"
"""Name of the side store of a network of its own, in the same folder."""

OTHER = "other"
"""Stands for all genres that are too rare to be learnt."""


@dataclass(frozen=True)
class GenreModel:
    """Turns slice vectors into probabilities of genres.

    Attributes
    ----------
    genres
        The commonest first; :data:`OTHER` last, where rare ones were gathered.
    kind
        ``head``: a softmax layer on the slice vectors of the library's encoder;
        ``cnn``: a network of its own, whose slice vectors are logits.
    encoder
        Id of the encoder, or of the network, that makes the slice vectors.
    weights, bias
        Float32, shapes (d, n_genres) and (n_genres,): of unit slice vectors for a head,
        of slice vectors as they are for a network. They include the temperature that
        makes probabilities honest.
    network
        File name of the network in the folder; None for a head.
    card
        How it was made and what it is worth: what JSON can hold.

    Raises
    ------
    ValueError
        The parts do not fit together.
    """

    genres: tuple[str, ...]
    kind: Kind
    encoder: str
    weights: Array
    bias: Array
    network: str | None = None
    card: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_genres = len(self.genres)
        fits = (
            n_genres >= 2
            and len(set(self.genres)) == n_genres
            and self.kind in ("head", "cnn")
            and (self.network is None) == (self.kind == "head")
            and self.weights.ndim == 2
            and self.weights.shape[0] > 0
            and self.weights.shape[1] == n_genres
            and self.bias.shape == (n_genres,)
            and bool(np.isfinite(self.weights).all() and np.isfinite(self.bias).all())
        )
        if not fits:
            raise ValueError("its parts do not fit together")

    def slice_probabilities(self, slice_vectors: npt.ArrayLike) -> Array:
        """Return the probability of each genre in each slice.

        Parameters
        ----------
        slice_vectors
            Shape (n_slices, d).

        Returns
        -------
        ndarray of float32, shape (n_slices, n_genres)
            Rows add up to 1.
        """
        vectors = np.asarray(slice_vectors, dtype=np.float32)
        if self.kind == "head":
            vectors = unit(vectors)
        logits = vectors @ self.weights + self.bias
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True))

    def composition(self, slice_vectors: npt.ArrayLike) -> Array:
        """Return the probability of each genre in a track: the mean over its slices.

        Parameters
        ----------
        slice_vectors
            Shape (n_slices, d), at least one.

        Returns
        -------
        ndarray of float32, shape (n_genres,)
            They add up to 1.
        """
        mean = self.slice_probabilities(slice_vectors).mean(axis=0, dtype=np.float64)
        return np.asarray(mean / mean.sum(), dtype=np.float32)


def genre_folder(library_path: Path) -> Path | None:
    """Return where what was learnt of genres is kept; None for a library in memory."""
    if str(library_path) == ":memory:":
        return None
    return library_path.with_suffix(".deejai-genres")


def read_genre_model(folder: Path) -> GenreModel | None:
    """Read what was learnt; None when nothing was.

    Raises
    ------
    FatalError
        The file is damaged, foreign, or of another version.
    """
    path = folder / FILE
    try:
        with open(path, "rb") as file:
            return _checked(file)
    except FileNotFoundError:
        return None
    except _NewerError as error:
        raise FatalError(
            f"{displayable_path(str(path))} was made by a newer version of "
            "beets-deejai; upgrade the plugin"
        ) from error
    except Exception as error:
        raise FatalError(
            f"{displayable_path(str(path))} cannot be used ({error}); "
            "run `beet deejai genres train`, which makes it anew"
        ) from error


class _NewerError(Exception):
    """The file is of a format that came later."""


def _checked(file: IO[bytes]) -> GenreModel:
    arrays = open_checked(file)
    if int(arrays["format"]) > FORMAT:
        raise _NewerError
    if int(arrays["format"]) != FORMAT:
        raise ValueError("it is of another version")
    weights, bias = arrays["weights"], arrays["bias"]
    about = json.loads(bytes(arrays["about"]).decode())
    network = about["network"]
    is_whole = (
        weights.dtype == np.float32
        and bias.dtype == np.float32
        and all(isinstance(genre, str) for genre in about["genres"])
        and isinstance(about["encoder"], str)
        and isinstance(about["card"], dict)
        # It names a file of the folder, and no other one.
        and (network is None or (isinstance(network, str) and _is_plain(network)))
    )
    if not is_whole:
        raise ValueError("its parts do not fit together")
    return GenreModel(
        genres=tuple(about["genres"]),
        kind=about["kind"],
        encoder=about["encoder"],
        weights=weights,
        bias=bias,
        network=network,
        card=about["card"],
    )


def _is_plain(name: str) -> bool:
    return name.endswith(".keras") and not set(name) & set("/\\\0")


def write_genre_model(folder: Path, model: GenreModel) -> None:
    """Write what was learnt in one atomic step; make the folder if there is none.

    A network that the model names must have been written before.

    Raises
    ------
    FatalError
        It cannot be written.
    """
    about = {
        "genres": list(model.genres),
        "kind": model.kind,
        "encoder": model.encoder,
        "network": model.network,
        "card": dict(model.card),
    }
    path = str(folder / FILE)
    with explained(path):
        folder.mkdir(exist_ok=True)
    with atomic_writer(path) as file, explained(path):
        np.savez(
            file,
            format=np.array(FORMAT),
            weights=model.weights.astype(np.float32),
            bias=model.bias.astype(np.float32),
            about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        )
