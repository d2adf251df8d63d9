"""Between beets' library and arrays, in bulk."""

from __future__ import annotations

import gc
import os
import shlex
from binascii import a2b_base64
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.dbcore.query import InQuery, Query
from beets.dbcore.sort import NullSort
from beets.library import Item, parse_query_parts
from beets.library.exceptions import FileOperationError
from beets.util import displayable_path, syspath

from beetsplug.deejai.storage.fields import (
    MODEL_FIELD,
    SIGNATURE_FIELD,
    VECTOR_FIELD,
    encode_vector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    from beets.library import Library

    Vectors = npt.NDArray[np.float32]


NO_FILE = "there is no such file"
"""Why a file that is not there cannot be heard."""

_MAX_PARAMETERS = 10_000
"""Of one query; SQLite allows about three times as many."""


def item_id(item: Item) -> int:
    """Return the id of an item that is in the library, as every stored one has."""
    assert item.id is not None
    return item.id


def item_of_file(path: bytes, title: str = "") -> Item:
    """Make an item of a file that is not in the library.

    Parameters
    ----------
    path
        Of the file; it need not exist.
    title
        Where the file has no tags that can be read; else the name of the file.
    """
    # Of what is no file, a named pipe above all, reading might never end.
    if os.path.isfile(syspath(path)):
        # beets reads the tags of fewer formats than FFmpeg decodes.
        with suppress(FileOperationError):
            return Item.from_path(path)
    name = os.path.basename(displayable_path(path))
    return Item(path=path, title=title or name)


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
    counts
        How many vectors there are of each model, this one and others.
    """

    item_ids: npt.NDArray[np.int64]
    vectors: Vectors
    counts: Counter[str]


def artist_key(artist: str | None) -> str:
    """Reduce an artist's name to what tells artists apart; empty when unknown."""
    return (artist or "").strip().casefold()


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


def matching_ids(lib: Library, query: Query | Sequence[str] | str) -> set[int]:
    """Return the ids of the items that a beets query matches.

    Making 20 000 items costs seconds, so queries that SQL can answer are left to it.

    Parameters
    ----------
    lib
        The library.
    query
        Read already, terms, or one line for :func:`split_query`.
    """
    if isinstance(query, Query):
        parsed = query
    else:
        terms = split_query(query) if isinstance(query, str) else query
        with lib.music_dir_context():
            parsed, _ = parse_query_parts(terms, Item)
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
    starts = range(0, len(item_ids), _MAX_PARAMETERS)
    some = (list(item_ids[start : start + _MAX_PARAMETERS]) for start in starts)
    found = {
        item.id: item
        for ids in some
        for item in lib.items(InQuery("id", ids), NullSort())
    }
    return [found[wanted] for wanted in item_ids if wanted in found]


def ids_by_path(lib: Library, paths: Iterable[bytes]) -> dict[bytes, int]:
    """Find the items of files, all in one query.

    Parameters
    ----------
    lib
        The library.
    paths
        Absolute and normalised.

    Returns
    -------
    dict
        Id by path, for those that are in the library by just this path.
    """
    with lib.music_dir_context():
        wanted = {Item._type("path").to_sql(path): path for path in paths}
    with lib.transaction() as tx:
        rows = tx.query("SELECT id, path FROM items")
    return {wanted[row[1]]: row[0] for row in rows if row[1] in wanted}


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


def signatures_of(stored: Mapping[int, Stored], model: str) -> dict[int, str]:
    """Return the signatures of the items whose vector is of one model, by id."""
    return {i: one.signature for i, one in stored.items() if one.model == model}


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


@contextmanager
def in_bulk() -> Iterator[None]:
    """Keep Python from looking for garbage while it makes rows by the 100 000.

    There is none, and the search takes a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@in_bulk()
def load_vectors(lib: Library, model: str) -> TrackVectors:
    """Read every vector that a model made, in one query.

    Values that are no vectors (somebody edited them) are left out.
    """
    with lib.transaction() as tx:
        # Bytes are not checked for being text.
        rows = tx.query(
            "SELECT v.entity_id, m.value, CAST(v.value AS BLOB) FROM item_attributes v"
            " JOIN item_attributes m ON m.entity_id = v.entity_id AND m.key = ?"
            " WHERE v.key = ? AND v.value != '' ORDER BY v.entity_id",
            (MODEL_FIELD, VECTOR_FIELD),
        )
    counts = Counter(str(row[1]) for row in rows)
    raw: dict[int, bytes] = {}
    for row_id, its_model, text in rows:
        if its_model == model:
            try:
                raw[row_id] = a2b_base64(text, strict_mode=True)
            except ValueError:
                continue
    sizes = Counter(map(len, raw.values()))
    size = sizes.most_common(1)[0][0] if sizes else 0
    if not size or size % 4:
        nothing = np.zeros(0, np.int64), np.zeros((0, 1), np.float32)
        return TrackVectors(*nothing, counts)
    if len(sizes) > 1:
        raw = {row_id: vector for row_id, vector in raw.items() if len(vector) == size}
    vectors = np.frombuffer(b"".join(raw.values()), dtype="<f4").reshape(len(raw), -1)
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    valid = np.isfinite(norms) & (norms > 0.0)
    unit_vectors = vectors[valid].astype(np.float32, copy=False)
    unit_vectors /= norms[valid, None]
    return TrackVectors(np.array(list(raw))[valid], unit_vectors, counts)


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
