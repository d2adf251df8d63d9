"""Between beets' library and arrays, in bulk."""

from __future__ import annotations

import base64
import os
import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.dbcore.query import InQuery
from beets.dbcore.sort import NullSort
from beets.library import Item, parse_query_parts
from beets.util import displayable_path

from beetsplug.deejai.storage.fields import (
    MODEL_FIELD,
    SIGNATURE_FIELD,
    VECTOR_FIELD,
    encode_vector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from beets.library import Library

    Vectors = npt.NDArray[np.float32]


def item_id(item: Item) -> int:
    """Return the id of an item that is in the library, as every stored one has."""
    assert item.id is not None
    return item.id


def shown_path(path: str) -> str:
    """Turn a path that :func:`os.fsdecode` made into text that any terminal prints."""
    return displayable_path(os.fsencode(path))


def file_state(path: str) -> str:
    """Return time of change and size of a file; empty when out of reach."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


@dataclass(frozen=True)
class Track:
    """One item of the library: its id, and its path as :func:`os.fsdecode` gives it."""

    item_id: int
    path: str

    @classmethod
    def from_item(cls, item: Item) -> Track:
        """Take what matters from an item of the library."""
        return cls(item_id=item_id(item), path=os.fsdecode(item.path))

    @property
    def shown(self) -> str:
        """The path as text that any terminal prints."""
        return shown_path(self.path)

    def file_state(self) -> str:
        """Return :func:`file_state` of the track's file."""
        return file_state(self.path)


@dataclass(frozen=True)
class Stored:
    """The model and the signature on an item that has a vector."""

    model: str
    signature: str


@dataclass(frozen=True)
class TrackVectors:
    """All stored vectors of one model.

    Attributes
    ----------
    item_ids
        int64, shape (n_tracks,), ascending.
    vectors
        float32, shape (n_tracks, d), unit length.
    """

    item_ids: npt.NDArray[np.int64]
    vectors: Vectors


@dataclass(frozen=True)
class TrackFacts:
    """What rules ask about tracks, row by row.

    Attributes
    ----------
    artists, albums
        int64: equal where the artist, the album is the same (case ignored), -1 where
        unknown.
    lengths_s
        float64: duration in seconds.
    artist_codes, album_codes
        The numbers in `artists` and `albums`, by :func:`artist_key` and
        :func:`album_key`.
    """

    artists: npt.NDArray[np.int64]
    albums: npt.NDArray[np.int64]
    lengths_s: npt.NDArray[np.float64]
    artist_codes: dict[str, int]
    album_codes: dict[str, int]


def artist_key(artist: str | None) -> str:
    """Reduce an artist's name to what tells artists apart; empty when unknown."""
    return (artist or "").strip().casefold()


def album_key(album: str | None, albumartist: str | None, artist: str | None) -> str:
    """Reduce an album's name to what tells albums apart; empty when unknown.

    Without an album artist the track's artist stands in: albums of several artists are
    called "Greatest Hits".
    """
    name = artist_key(album)
    return name and f"{artist_key(albumartist) or artist_key(artist)}\n{name}"


def split_query(text: str) -> list[str]:
    """Split one line into the terms of a query, quotes as in a shell.

    A lone quote is a letter: ``don't stop`` is two words.
    """
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def query_items(lib: Library, query: Sequence[str] | str) -> list[Item]:
    """Return the items that a beets query matches, in the library's order.

    Parameters
    ----------
    lib
        The library.
    query
        Terms, or one line for :func:`split_query`.
    """
    return list(lib.items(split_query(query) if isinstance(query, str) else query))


def matching_ids(lib: Library, query: str) -> set[int]:
    """Return the ids of the items that a beets query in one line matches.

    Making 20 000 items costs seconds, so queries that SQL can answer are left to it.
    """
    with lib.music_dir_context():
        parsed, _ = parse_query_parts(split_query(query), Item)
    where, values = parsed.clause()
    if not where:
        return {item_id(item) for item in lib.items(parsed, NullSort())}
    table = Item._table
    if parsed.field_names & Item.other_db_fields:
        table += f" {Item.relation_join}"
    with lib.transaction() as tx:
        rows = tx.query(f"SELECT DISTINCT items.id FROM {table} WHERE {where}", values)
    return {row[0] for row in rows}


def items_by_id(lib: Library, item_ids: Sequence[int]) -> list[Item]:
    """Fetch items in the order of their ids as given."""
    found = {
        item.id: item for item in lib.items(InQuery("id", list(item_ids)), NullSort())
    }
    return [found[wanted] for wanted in item_ids if wanted in found]


def all_ids(lib: Library) -> set[int]:
    """Return the id of every item."""
    with lib.transaction() as tx:
        return {row[0] for row in tx.query("SELECT id FROM items")}


def stored_by_id(lib: Library) -> dict[int, Stored]:
    """Return model and signature of every item that has a vector."""
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT v.entity_id, m.value, s.value FROM item_attributes v"
            " JOIN item_attributes m ON m.entity_id = v.entity_id AND m.key = ?"
            " JOIN item_attributes s ON s.entity_id = v.entity_id AND s.key = ?"
            " WHERE v.key = ? AND v.value != ''",
            (MODEL_FIELD, SIGNATURE_FIELD, VECTOR_FIELD),
        )
    return {row[0]: Stored(str(row[1]), str(row[2])) for row in rows}


def count_by_model(lib: Library) -> dict[str, int]:
    """Count the items that have a vector of each model, most first."""
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT m.value, COUNT(*) FROM item_attributes v"
            " JOIN item_attributes m ON m.entity_id = v.entity_id AND m.key = ?"
            " WHERE v.key = ? AND v.value != ''"
            " GROUP BY m.value ORDER BY COUNT(*) DESC, m.value",
            (MODEL_FIELD, VECTOR_FIELD),
        )
    return {str(row[0]): row[1] for row in rows}


def load_vectors(lib: Library, model: str) -> TrackVectors:
    """Read every vector that a model made, in one query.

    Values that are no vectors (somebody edited them) are left out.
    """
    with lib.transaction() as tx:
        rows = tx.query(
            "SELECT v.entity_id, v.value FROM item_attributes v"
            " JOIN item_attributes m ON m.entity_id = v.entity_id"
            " AND m.key = ? AND m.value = ? WHERE v.key = ? ORDER BY v.entity_id",
            (MODEL_FIELD, model, VECTOR_FIELD),
        )
    lengths = Counter(len(row[1] or "") for row in rows)
    length = lengths.most_common(1)[0][0] if lengths else 0
    item_ids: list[int] = []
    raw: list[bytes] = []
    for row_id, text in rows:
        if length and len(text or "") == length:
            try:
                raw.append(base64.b64decode(text, validate=True))
            except ValueError:
                continue
            item_ids.append(row_id)
    if not raw or len(raw[0]) % 4:
        return TrackVectors(np.zeros(0, np.int64), np.zeros((0, 1), np.float32))
    vectors = np.frombuffer(b"".join(raw), dtype="<f4").astype(np.float32)
    vectors = vectors.reshape(len(raw), -1)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    valid = np.isfinite(norms[:, 0]) & (norms[:, 0] > 0)
    return TrackVectors(
        np.array(item_ids, dtype=np.int64)[valid], (vectors / norms)[valid]
    )


def load_facts(lib: Library, item_ids: npt.NDArray[np.int64]) -> TrackFacts:
    """Read what rules ask about tracks, aligned with `item_ids`."""
    with lib.transaction() as tx:
        rows = tx.query("SELECT id, length, artist, album, albumartist FROM items")
    row_of = {int(wanted): row for row, wanted in enumerate(item_ids)}
    artists, albums = np.full((2, len(item_ids)), -1, dtype=np.int64)
    lengths_s = np.zeros(len(item_ids))
    artist_codes: dict[str, int] = {}
    album_codes: dict[str, int] = {}
    for row_id, length, artist, album, albumartist in rows:
        row = row_of.get(row_id)
        if row is None:
            continue
        lengths_s[row] = length if length and 0 < length < np.inf else 0.0
        if key := artist_key(artist):
            artists[row] = artist_codes.setdefault(key, len(artist_codes))
        if key := album_key(album, albumartist, artist):
            albums[row] = album_codes.setdefault(key, len(album_codes))
    return TrackFacts(artists, albums, lengths_s, artist_codes, album_codes)


def write_vectors(
    lib: Library, vectors: Iterable[tuple[int, npt.NDArray[np.floating], Stored]]
) -> None:
    """Store track vectors on items, all in one transaction.

    Parameters
    ----------
    lib
        The library.
    vectors
        Item id, vector of shape (d,), and what made it.
    """
    rows = [
        (entity_id, key, value)
        for entity_id, vector, stored in vectors
        for key, value in (
            (VECTOR_FIELD, encode_vector(vector)),
            (MODEL_FIELD, stored.model),
            (SIGNATURE_FIELD, stored.signature),
        )
    ]
    if not rows:
        return
    with lib.transaction() as tx:
        # An item may have been removed since its track was taken up.
        tx.mutate_many(
            "INSERT INTO item_attributes (entity_id, key, value)"
            " SELECT id, ?2, ?3 FROM items WHERE id = ?1",
            rows,
        )
