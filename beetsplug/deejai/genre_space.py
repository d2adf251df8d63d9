"""The genre space: what a track is made of, as probabilities of genres."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.exceptions import UserError
from beets.util import displayable_path, syspath

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.compositions import (
    Compositions,
    read_compositions,
    write_compositions,
)
from beetsplug.deejai.storage.genre_model import (
    SLICES,
    genre_folder,
    read_genre_model,
)
from beetsplug.deejai.storage.library import NO_FILE, signatures_of, stored_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.genre_model import GenreModel
    from beetsplug.deejai.storage.slices import SliceStore, StoredSlices

    Array = npt.NDArray[np.float32]

TRAIN = "run `beet deejai genres train`"

SCAN = "beet deejai genres scan"


@dataclass(frozen=True)
class GenreSpace:
    """The composition of every track that is known by its slices.

    Attributes
    ----------
    genres
        Names of the axes.
    item_ids
        int64, shape (n_tracks,), ascending.
    probabilities
        float32, shape (n_tracks, n_genres); rows add up to 1.
    """

    genres: tuple[str, ...]
    item_ids: npt.NDArray[np.int64]
    probabilities: Array


def load_genre_model(session: Session) -> GenreModel:
    """Read what was learnt of the library's genres, if it can be used with it.

    Raises
    ------
    UserError
        Nothing was learnt yet, or from the vectors of another encoder.
    FatalError
        What was learnt cannot be read.
    """
    folder = genre_folder(session.lib.path)
    model = None if folder is None else read_genre_model(folder)
    if model is None:
        raise UserError(f"no genres are learnt yet; {TRAIN} first")
    if model.kind == "head" and model.encoder != session.model_id:
        raise UserError(
            f"the genres were learnt from vectors of another encoder ({model.encoder}),"
            f" not of {session.model_id}; {TRAIN} again"
        )
    return model


def load_genre_space(session: Session, model: GenreModel) -> GenreSpace:
    """Return the composition of every track whose slices are stored and current.

    No audio is read, and never more than the slices of some hundred tracks are in
    memory. What was found is kept beside the model, so that the next time is quicker.
    """
    folder = genre_folder(session.lib.path)
    assert folder is not None
    signatures = {
        item_id: signature.encode()
        for item_id, signature in _signatures(session, model).items()
    }
    kept = read_compositions(folder, model)
    old = zip(kept.item_ids.tolist(), kept.signatures.tolist(), strict=True)
    holds = [signatures.get(item_id) == signature for item_id, signature in old]
    kept = kept[np.array(holds, dtype=bool)]
    for item_id in kept.item_ids.tolist():
        del signatures[item_id]
    new = _from_slices(session, model, signatures)
    if len(new):
        kept = kept.merged(new)
        # In a folder that cannot be written to it takes as long every time.
        with suppress(FatalError):
            write_compositions(folder, model, kept)
    return GenreSpace(model.genres, kept.item_ids, kept.probabilities)


def _from_slices(
    session: Session, model: GenreModel, signatures: Mapping[int, bytes]
) -> Compositions:
    """Return the compositions of tracks, those of them whose slices are stored."""
    found = [Compositions.none(len(model.genres))]
    store = open_slices(session, model) if signatures else None
    if store is not None:
        texts = {item_id: one.decode() for item_id, one in signatures.items()}
        for part in store.iterate(model.encoder, texts):
            _check_size(model, part.vectors.shape[1])
            own = np.array([signatures[i] for i in part.item_ids.tolist()])
            own_parts = _compositions(model, part)
            found.append(Compositions(part.item_ids, own, own_parts))
    return Compositions(
        np.concatenate([part.item_ids for part in found]),
        np.concatenate([part.signatures for part in found]),
        np.concatenate([part.probabilities for part in found]),
    )


def hear_genres(
    session: Session, model: GenreModel, items: Sequence[Item]
) -> tuple[dict[bytes, Array], dict[bytes, str]]:
    """Return how probable each genre is in each slice of some tracks.

    Slices that are stored and current are taken; all other tracks are heard now, and
    nothing of that is stored.

    Parameters
    ----------
    session
        The library.
    model
        Of this library.
    items
        Of the library, or made for files outside it.

    Returns
    -------
    probabilities
        float32, shape (n_slices, n_genres), by the item's path.
    failures
        Why a track could not be heard, by the item's path.

    Raises
    ------
    FatalError
        The network cannot be loaded.
    """
    heard = stored_probabilities(session, model, items)
    paths = list(dict.fromkeys(item.path for item in items if item.path not in heard))
    failures = {path: NO_FILE for path in paths if not os.path.exists(syspath(path))}
    paths = [path for path in paths if path not in failures]
    if not paths:
        return heard, failures

    from beetsplug.deejai.embedding.decoders import Request
    from beetsplug.deejai.embedding.listen import Heard, listen

    requests = [Request(key, os.fsdecode(path)) for key, path in enumerate(paths)]
    for finished in listen(
        requests,
        load_encoder=encoder_loader(session, model),
        n_threads=min(session.settings.n_threads, len(paths)),
    ):
        for result in finished:
            path = paths[result.key]
            if isinstance(result, Heard):
                heard[path] = model.slice_probabilities(result.slice_vectors)
            else:
                failures[path] = result.reason
    return heard, failures


def scan_for(model: GenreModel) -> str:
    """Return the commands that make the slice vectors which a genre model takes.

    Those of a network of its own count where the library knows the audio, too.
    """
    return "beet deejai scan" if model.kind == "head" else f"beet deejai scan; {SCAN}"


def open_slices(session: Session, model: GenreModel) -> SliceStore | None:
    """Open the side store of the slice vectors that a genre model takes, if it exists.

    For a head it is the library's own, for a network that of the genre folder.
    """
    if model.kind == "head":
        return session.store if session.has_store else None
    folder = genre_folder(session.lib.path)
    if folder is None or not (folder / SLICES).is_file():
        return None
    return open_network_slices(folder)


def open_network_slices(folder: Path) -> SliceStore:
    """Open the side store of a network of its own, made when it does not exist."""
    from beetsplug.deejai.storage.slices import SliceStore

    return SliceStore(str(folder / SLICES), remedy=SCAN)


def _signatures(session: Session, model: GenreModel) -> dict[int, str]:
    """Return the signature of each item's audio, by id.

    A network of its own does not mind which encoder made the item's vector.
    """
    stored = stored_by_id(session.lib)
    if model.kind == "head":
        return signatures_of(stored, model.encoder)
    return {item_id: one.signature for item_id, one in stored.items()}


def _check_size(model: GenreModel, size: int) -> None:
    """Refuse slice vectors of another size than was learnt from."""
    if size != len(model.weights):
        network = "" if model.kind == "head" else " --network cnn"
        raise FatalError(
            f"the genres were learnt from slice vectors of {len(model.weights)} "
            f"numbers, but those of {model.encoder} have {size}; "
            f"run `beet deejai genres train{network}` again"
        )


def _compositions(model: GenreModel, part: StoredSlices) -> Array:
    """Return the compositions of tracks as :meth:`GenreModel.composition` would."""
    probabilities = model.slice_probabilities(part.vectors)
    starts = np.cumsum(part.counts) - part.counts
    sums = np.add.reduceat(probabilities, starts, axis=0, dtype=np.float64)
    return np.asarray(sums / sums.sum(axis=1, keepdims=True), dtype=np.float32)


def stored_probabilities(
    session: Session, model: GenreModel, items: Sequence[Item]
) -> dict[bytes, Array]:
    """Return what :func:`hear_genres` does, of those tracks that need not be heard."""
    path_of = {item.id: item.path for item in items if item.id is not None}
    store = open_slices(session, model) if path_of else None
    if store is None:
        return {}
    signatures = _signatures(session, model)
    wanted = {i: signatures[i] for i in path_of if i in signatures}
    found: dict[bytes, Array] = {}
    for part in store.iterate(model.encoder, wanted):
        _check_size(model, part.vectors.shape[1])
        tracks = np.split(part.vectors, np.cumsum(part.counts)[:-1])
        for item_id, vectors in zip(part.item_ids.tolist(), tracks, strict=True):
            found[path_of[item_id]] = model.slice_probabilities(vectors)
    return found


def encoder_loader(session: Session, model: GenreModel) -> Callable[[], Encoder]:
    """Return what loads the encoder, or the network, whose slice vectors are taken."""
    if model.network is None:

        def load_own() -> Encoder:
            _check_size(model, session.encoder.vector_size)
            return session.encoder

        return load_own
    folder = genre_folder(session.lib.path)
    assert folder is not None
    path = folder / model.network

    def load() -> Encoder:
        from beetsplug.deejai.embedding.encoder import load_encoder

        remedy = "run `beet deejai genres train --network cnn` again"
        if not path.is_file():
            shown = displayable_path(str(path))
            raise FatalError(f"the genre network {shown} is missing; {remedy}")
        encoder = load_encoder(path, remedy=remedy)
        if encoder.model_id != model.encoder:
            raise FatalError(
                f"the genre network {displayable_path(str(path))} is not the one whose "
                f"genres were learnt; {remedy}"
            )
        _check_size(model, encoder.vector_size)
        return encoder

    return load
