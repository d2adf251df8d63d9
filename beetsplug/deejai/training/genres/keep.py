"""Put a model of genres into its folder, where always a whole one is."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.genre_model import write_genre_model
from beetsplug.deejai.training.genres.card import card_text

if TYPE_CHECKING:
    from pathlib import Path

    from beetsplug.deejai.storage.genre_model import GenreModel

CARD = "card.md"
PICTURE = "confusion.png"


def name_network(network: Path) -> tuple[str, str]:
    """Name a trained network by its content.

    Returns
    -------
    name : str
        Of its file in the genre folder.
    model_id : str
        Id that it has under this name.
    """
    digest = model_id(network).rpartition("-")[2]
    return f"genres-{digest}.keras", f"genres-{digest}-{digest}"


def keep_model(folder: Path, model: GenreModel, network: Path | None = None) -> None:
    """Write a model and what is told of it, then remove networks of former ones.

    Killed at any moment, the folder holds the former model or this one.

    Parameters
    ----------
    folder
        The library's genre folder, made when it does not exist.
    model
        With its card.
    network
        The file of its network; None for a head.

    Raises
    ------
    FatalError
        Something cannot be written.
    """
    # It imports Pillow.
    from beetsplug.deejai.output.genre_pictures import draw_confusion

    if network is not None:
        assert model.network is not None
        kept = str(folder / model.network)
        with explained(kept):
            folder.mkdir(exist_ok=True)
        with atomic_writer(kept) as file, network.open("rb") as source:
            shutil.copyfileobj(source, file)
    write_genre_model(folder, model)
    with atomic_writer(str(folder / CARD)) as file:
        file.write(card_text(model.card).encode())
    measured = model.card["measured"]
    if measured is None:
        (folder / PICTURE).unlink(missing_ok=True)
    else:
        with atomic_writer(str(folder / PICTURE)) as file:
            file.write(draw_confusion(measured["confusion"], model.genres))
    for path in folder.glob("genres-*.keras"):
        if path.name != model.network:
            # What cannot be removed does no harm.
            with contextlib.suppress(OSError):
                path.unlink()
