"""What the library says of tracks, as tags that groups of tracks may share."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.library import Item

from beetsplug.deejai.evaluation.overrepresented import FAMILIES, Tag
from beetsplug.deejai.output.text import one_line
from beetsplug.deejai.storage.library import in_bulk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import numpy.typing as npt
    from beets.library import Library

    from beetsplug.deejai.recommend.recordings.versions import Versions

    Ints = npt.NDArray[np.int64]

KINDS = tuple(kind for family in FAMILIES for kind in family)
"""Kinds of tags, those that say most of the sound first."""

# Fields that hold several values in one text.
_SEPARATOR = re.compile(r"\s*[;,]\s*")


@in_bulk()
def load_track_tags(
    lib: Library, item_ids: Iterable[int], *, kinds: Collection[str] = KINDS
) -> list[tuple[Tag, ...]]:
    """Read the tags of tracks, in bulk.

    Values that differ in case are one, in the commonest spelling.

    Parameters
    ----------
    lib
        The library.
    item_ids
        The tracks; one that is not in the library has no tags.
    kinds
        Which of :data:`KINDS`.

    Returns
    -------
    list of tuple of Tag
        For each of `item_ids`, in their order.
    """
    wanted = list(item_ids)
    found: dict[int, list[Tag]] = {item_id: [] for item_id in wanted}
    genres_type = Item._type("genres")

    @cache
    def values_of(kind: str, value: Any) -> tuple[str, ...]:
        if kind == "genre":
            texts = genres_type.from_sql(value)
        elif kind in ("style", "mood", "grouping", "language"):
            texts = _SEPARATOR.split(str(value or ""))
        else:
            texts = [str(value or "")]
        cleaned = (one_line(str(text)) for text in texts)
        return tuple(dict.fromkeys(filter(None, cleaned)))

    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT id, genres, style, grouping, language, artist, album,"
            " original_year, year FROM items"
        )
        moods = tx.query(
            "SELECT entity_id, value FROM item_attributes WHERE key = 'mood'"
        )
    for item_id, genres, style, grouping, language, artist, album, first, year in rows:
        if item_id not in found:
            continue
        for kind, value in (
            ("genre", genres),
            ("style", style),
            ("grouping", grouping),
            ("language", language),
            ("decade", _decade(first) or _decade(year)),
            ("artist", artist),
            ("album", album),
        ):
            if kind in kinds:
                found[item_id] += (Tag(kind, text) for text in values_of(kind, value))
    if "mood" in kinds:
        for item_id, value in moods:
            if item_id in found:
                found[item_id] += (
                    Tag("mood", text) for text in values_of("mood", value)
                )
    shown = _commonest_spellings(found.values())
    return [tuple(dict.fromkeys(shown[tag] for tag in found[i])) for i in wanted]


def load_recording_tags(
    lib: Library,
    item_ids: Ints,
    versions: Versions,
    *,
    kinds: Collection[str] = KINDS,
) -> tuple[list[list[Tag]], Ints]:
    """Read the tags of recordings, each those of all its versions.

    Ten versions of one recording are one piece of evidence of what its tags go with.

    Parameters
    ----------
    lib
        The library.
    item_ids
        The tracks, ascending.
    versions
        Which of them are one recording, in the same order.
    kinds
        Which of :data:`KINDS`.

    Returns
    -------
    tags
        Of each recording; one may be there twice.
    recordings
        int64, shape (n_tracks,): of each track its recording's row of `tags`.
    """
    codes, recordings = np.unique(versions[:], return_inverse=True)
    tags: list[list[Tag]] = [[] for _ in codes]
    of_tracks = load_track_tags(lib, item_ids.tolist(), kinds=kinds)
    for recording, some in zip(recordings.tolist(), of_tracks, strict=True):
        tags[recording] += some
    return tags, recordings.astype(np.int64)


def _decade(year: object) -> str:
    is_year = isinstance(year, int) and 1000 <= year < 10_000
    return f"{year // 10 * 10}s" if is_year else ""  # type: ignore[operator]


def _commonest_spellings(tags: Iterable[Collection[Tag]]) -> dict[Tag, Tag]:
    """Map every tag to the one that stands for all its spellings."""
    counts = Counter(tag for some in tags for tag in some)
    best: dict[tuple[str, str], Tag] = {}
    for tag in sorted(counts, key=lambda tag: (-counts[tag], tag)):
        best.setdefault((tag.kind, tag.value.casefold()), tag)
    return {tag: best[tag.kind, tag.value.casefold()] for tag in counts}
