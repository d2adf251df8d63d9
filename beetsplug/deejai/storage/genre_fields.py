"""The genre that is heard, as fields of the library's items, in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beetsplug.deejai.storage.fields import (
    CONFIDENCE_DIGITS,
    CONFIDENCE_FIELD,
    GENRE_FIELD,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from beets.library import Library

BATCH_TRACKS = 5_000
"""Tracks written in one transaction: others wait less than a second for it."""


@dataclass(frozen=True)
class HeardGenre:
    """A genre and how probable it is, both as the library keeps them."""

    genre: str
    confidence: str

    @classmethod
    def of(cls, genre: str, probability: float) -> HeardGenre:
        """Round a probability, 0 to 1, as it is kept."""
        return cls(genre, str(round(probability, CONFIDENCE_DIGITS)))

    def __str__(self) -> str:
        return f"{self.genre} {self.confidence}".rstrip()


def load_heard_genres(lib: Library) -> dict[int, HeardGenre]:
    """Read the genre of every item that has one or the other field, by id."""
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT entity_id, MAX(CASE key WHEN ?1 THEN value END),"
            " MAX(CASE key WHEN ?2 THEN value END) FROM item_attributes"
            " WHERE key IN (?1, ?2) GROUP BY entity_id",
            (GENRE_FIELD, CONFIDENCE_FIELD),
        )
    return {row[0]: HeardGenre(str(row[1] or ""), str(row[2] or "")) for row in rows}


def write_heard_genres(lib: Library, genres: Mapping[int, HeardGenre | None]) -> None:
    """Write the genres of items, by id, or take them away where there is None.

    Killed at any moment, every item has both fields or neither, as before or as wanted.
    """
    wanted = list(genres.items())
    for start in range(0, len(wanted), BATCH_TRACKS):
        batch = wanted[start : start + BATCH_TRACKS]
        written = [
            (item_id, key, value)
            for item_id, heard in batch
            if heard is not None
            for key, value in (
                (GENRE_FIELD, heard.genre),
                (CONFIDENCE_FIELD, heard.confidence),
            )
        ]
        removed = [
            (item_id, key)
            for item_id, heard in batch
            if heard is None
            for key in (GENRE_FIELD, CONFIDENCE_FIELD)
        ]
        with lib.transaction() as tx:
            # An item may have been removed meanwhile.
            tx.mutate_many(
                "INSERT INTO item_attributes (entity_id, key, value)"
                " SELECT id, ?2, ?3 FROM items WHERE id = ?1",
                written,
            )
            tx.mutate_many(
                "DELETE FROM item_attributes WHERE entity_id = ? AND key = ?", removed
            )
