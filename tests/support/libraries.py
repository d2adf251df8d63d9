"""Ways to fill a test's beets library."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.library import Item
from mediafile import MediaFile
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.embedding.encoder import model_id, model_path

if TYPE_CHECKING:
    from pathlib import Path

    from beets.library import Library

WAVES = {
    "low": lambda: tone(110),
    "middle": lambda: tone(440),
    "high": lambda: tone(1760),
    "hiss": lambda: noise(),
    "beat": lambda: clicks(),
}
"""Five short sounds that are nothing alike, by title."""


def make_album(folder: Path, *, suffix: str = ".flac", **tags: Any) -> list[Path]:
    """Write the five sounds as one tagged album."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for track, (title, wave) in enumerate(WAVES.items(), 1):
        path = write_sound(folder / f"{title}{suffix}", wave())
        media = MediaFile(path)
        media.update(
            {
                "title": title,
                "artist": f"artist {title}",
                "album": "sounds",
                "albumartist": "various",
                "track": track,
                **tags,
            }
        )
        media.save()
        paths.append(path)
    return paths


def add_files(lib: Library, paths: list[Path] | list[bytes]) -> list[Item]:
    """Add files to the library where they are, without an import."""
    items = []
    for path in paths:
        item = Item.from_path(os.fsencode(path))
        item.add(lib)
        items.append(item)
    return items


def current_model() -> str:
    """Return the id of the shipped encoder."""
    return model_id(model_path("default"))


def add_made_tracks(
    lib: Library, vectors: np.ndarray, *, n_artists: int | None = None
) -> list[Item]:
    """Add tracks that have a vector and no file: ``track 0``, ``track 1``, ..."""
    model, items = current_model(), []
    with lib.transaction():
        for number, vector in enumerate(vectors):
            artist = number if n_artists is None else number % n_artists
            item = Item(
                title=f"track {number}",
                artist=f"artist {artist}",
                length=180.0,
                path=f"/nowhere/{number}.mp3".encode(),
                deejai_vector=(vector / np.linalg.norm(vector)).astype("f4"),
                deejai_model=model,
                deejai_signature="s",
            )
            item.add(lib)
            items.append(item)
    return items


def circle(n: int, d: int = 100) -> np.ndarray:
    """Make unit vectors on a quarter circle, evenly: neighbours are neighbours."""
    angles = np.linspace(0, np.pi / 2, n)
    vectors = np.zeros((n, d), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors
