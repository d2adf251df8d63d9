"""Describe a mix in its file's tags."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.mixing.cover import art_of, draw_cover
from beetsplug.deejai.output.mixing.tags import MixTags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beetsplug.deejai.output.mixing.model import MixResult


def describe(result: MixResult, levels: Sequence[float]) -> MixTags:
    """Make the tags of a mix: names, tracklist, chapters and cover.

    Parameters
    ----------
    result
        What was rendered.
    levels
        RMS level of the mix over its time, for the cover that is drawn if the first
        track has none.
    """
    chapters = result.chapters
    first = result.placed[0].track
    cover = art_of(first.path, art_path=first.art_path) or draw_cover(
        title=result.title,
        levels=np.array(levels),
        starts=[chapter.start_s / result.duration_s for chapter in chapters],
    )
    return MixTags(
        title=result.title,
        artist=result.artist,
        date=datetime.date.today().isoformat(),
        comment="\n".join(
            f"{format_duration(chapter.start_s)} {chapter.title}"
            for chapter in chapters
        ),
        chapters=chapters,
        cover=cover,
    )
