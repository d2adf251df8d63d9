"""What a mix has to know of an item."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from beets.util import normpath

from beetsplug.deejai.commands.levels import tagged_loudness
from beetsplug.deejai.commands.names import name_of
from beetsplug.deejai.output.mixing.model import MixTrack

if TYPE_CHECKING:
    from beets.library import Item


def mix_track(item: Item) -> MixTrack:
    """Describe an item as a track of a mix."""
    return MixTrack(
        path=os.fsdecode(item.path),
        title=name_of(item),
        artist=item.artist,
        length_s=item.length or 0.0,
        loudness=tagged_loudness(item),
        bpm=item.bpm or None,
        art_path=art_path_of(item),
    )


def art_path_of(item: Item) -> str | None:
    """Return where the art of an item's album is; None where it has none."""
    album = item.get_album()
    art = album.artpath if album else None
    return os.fsdecode(normpath(art)) if art else None
