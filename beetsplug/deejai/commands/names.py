"""What a track is called where the user has to recognise it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from beets.util import displayable_path

from beetsplug.deejai.output.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beets.library import Item


def name_of(item: Item) -> str:
    """Return the title, or the name of the file where it is not known."""
    stem, _ = os.path.splitext(os.path.basename(displayable_path(item.path)))
    return item.title or stem


def n_tracks(number: int) -> str:
    """Write a number of tracks."""
    return counted(number, "track")


def title_of(item: Item) -> str:
    """Return artist and title, or the name of the file where neither is known."""
    parts = [part for part in (item.artist, item.title) if part]
    return " - ".join(parts) or name_of(item)


def journey_title(waypoints: Sequence[Item], n_steps: int) -> str:
    """Name a journey after its waypoints and the tracks between them."""
    names = " -> ".join(map(name_of, waypoints))
    return f"{names} in {n_steps} step{'s' * (n_steps != 1)}"
