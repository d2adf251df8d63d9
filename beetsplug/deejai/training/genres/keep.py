"""Put a model of genres into its folder, where always a whole one is."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.genre_model import SLICES, write_genre_model
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
    """Write a model and what is told of it, then remove what only former ones need.

    Killed at any moment, or on a full disk, the folder holds the former model or this
    one: what says which is written last.

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
    # What can fail for other reasons than the disk comes before all that is written.
    card, picture = card_text(model.card).encode(), _picture(model)
    with explained(str(folder)):
        folder.mkdir(exist_ok=True)
    if network is not None:
        assert model.network is not None
        kept = str(folder / model.network)
        with atomic_writer(kept) as file, network.open("rb") as source, explained(kept):
            shutil.copyfileobj(source, file)
    for name, data in ((CARD, card), (PICTURE, picture)):
        path = str(folder / name)
        if data is None:
            with explained(path):
                (folder / name).unlink(missing_ok=True)
        else:
            with atomic_writer(path) as file, explained(path):
                file.write(data)
    write_genre_model(folder, model)
    former = [p for p in folder.glob("genres-*.keras") if p.name != model.network]
    if network is None:
        former += folder.glob(f"{SLICES}*")
    for one in former:
        # What cannot be removed does no harm.
        with contextlib.suppress(OSError):
            one.unlink()


def _picture(model: GenreModel) -> bytes | None:
    """Draw who is taken for whom; None where nothing could be measured."""
    # It imports Pillow.
    from beetsplug.deejai.output.genre_pictures import draw_confusion

    measured = model.card["measured"]
    return draw_confusion(measured["confusion"], model.genres) if measured else None
