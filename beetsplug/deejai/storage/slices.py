"""The side store: slice vectors of every track, beside the library.

Slices are large and only pooling needs them, so they stay out of ``library.db``. The
library remains the authority: a row counts only when its model and signature equal
those on the item, so an id that beets gave to another track never brings back old
slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

SCHEMA_VERSION = 1

BATCH_TRACKS = 512
"""Tracks whose slices are read at once: 5 MB for songs."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tracks (
    item_id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    signature TEXT NOT NULL,
    file_state TEXT NOT NULL,
    pooled INTEGER NOT NULL,
    n_slices INTEGER NOT NULL,
    slices BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (
    item_id INTEGER PRIMARY KEY,
    file_state TEXT NOT NULL,
    reason TEXT NOT NULL
);
"""

_ROW = "item_id, model, signature, file_state, pooled"


@dataclass(frozen=True)
class SliceRow:
    """What is known of one track, without its slices.

    Attributes
    ----------
    item_id
        The item's id in the library.
    model
        Id of the encoder that made the slices.
    signature
        Of the audio that was heard.
    file_state
        Time of change and size of the file when it was last found to hold that audio:
        while they stay, the file need not be read again.
    pooled
        Whether the track vector was pooled against the whole library.
    """

    item_id: int
    model: str
    signature: str
    file_state: str
    pooled: bool


@dataclass(frozen=True)
class Failure:
    """A track that could not be heard, and why."""

    item_id: int
    file_state: str
    reason: str


@dataclass(frozen=True)
class StoredSlices:
    """The slices of many tracks in one matrix.

    Attributes
    ----------
    item_ids
        int64, shape (n_tracks,), ascending.
    counts
        int64, shape (n_tracks,): slices of each track.
    vectors
        float16, shape (counts.sum(), d): tracks one after another.
    """

    item_ids: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float16]


@dataclass(frozen=True)
class StoredEnds:
    """The first and the last slices of many tracks.

    Attributes
    ----------
    item_ids
        int64, shape (n_tracks,), ascending.
    first, last
        float16, shape (n_tracks, n, d). Where a track has fewer than n, the rest is 0.
    """

    item_ids: npt.NDArray[np.int64]
    first: npt.NDArray[np.float16]
    last: npt.NDArray[np.float16]


def _slice_row(row: tuple[Any, ...]) -> SliceRow:
    item_id, model, signature, file_state, pooled = row
    return SliceRow(item_id, model, signature, file_state, bool(pooled))


def store_path(library_path: Path) -> str:
    """Return where the side store of a library lies (in memory for one in memory)."""
    if str(library_path) == ":memory:":
        return ":memory:"
    return str(library_path.with_suffix(".deejai.db"))


class SliceStore:
    """SQLite file of slice vectors; safe to use from several threads.

    Parameters
    ----------
    path
        The file, made when it does not exist, or ``:memory:``.
    remedy
        What makes a new one, for the message when it cannot be opened.

    Raises
    ------
    FatalError
        The file is no side store, a damaged one, or of a newer version; methods raise
        it, too, when they come upon damage.
    """

    def __init__(self, path: str, *, remedy: str = "beet deejai scan") -> None:
        self.path = path
        self._database = Database(
            path, schema=_SCHEMA, version=SCHEMA_VERSION, remedy=remedy
        )

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self._database.close()

    def put(self, tracks: Iterable[tuple[SliceRow, npt.NDArray[np.floating]]]) -> None:
        """Write tracks and their slice vectors, shape (n_slices, d), at once."""
        rows = [
            (
                row.item_id,
                row.model,
                row.signature,
                row.file_state,
                int(row.pooled),
                len(vectors),
                np.ascontiguousarray(vectors, dtype="<f2").tobytes(),
            )
            for row, vectors in tracks
        ]
        with self._database.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )
            db.executemany(
                "DELETE FROM failures WHERE item_id = ?", [row[:1] for row in rows]
            )

    def put_failures(self, failures: Iterable[Failure]) -> None:
        """Remember tracks that could not be heard."""
        with self._database.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?)",
                [(f.item_id, f.file_state, f.reason) for f in failures],
            )

    def rows(self) -> dict[int, SliceRow]:
        """Return what is known of every track, by item id."""
        with self._database.reading() as db:
            found = db.execute(f"SELECT {_ROW} FROM tracks").fetchall()
        return {row[0]: _slice_row(row) for row in found}

    def row(self, item_id: int) -> SliceRow | None:
        """Return what is known of one track."""
        with self._database.reading() as db:
            row = db.execute(
                f"SELECT {_ROW} FROM tracks WHERE item_id = ?", (item_id,)
            ).fetchone()
        return _slice_row(row) if row else None

    def item_ids(self) -> set[int]:
        """Return the id of every item of which anything is remembered."""
        with self._database.reading() as db:
            found = db.execute(
                "SELECT item_id FROM tracks UNION SELECT item_id FROM failures"
            ).fetchall()
        return {row[0] for row in found}

    def failures(self) -> dict[int, Failure]:
        """Return every remembered failure, by item id."""
        with self._database.reading() as db:
            found = db.execute(
                "SELECT item_id, file_state, reason FROM failures"
            ).fetchall()
        return {row[0]: Failure(*row) for row in found}

    def load(self, model: str, signatures: Mapping[int, str]) -> StoredSlices:
        """Read the slices of one model, of those tracks that still are what they were.

        Parameters
        ----------
        model
            Id of the encoder.
        signatures
            The signature that each item carries in the library, by item id.
        """
        item_ids, counts = [], []
        blobs, size = bytearray(), 1
        for part in self.iterate(model, signatures):
            item_ids += part.item_ids.tolist()
            counts += part.counts.tolist()
            blobs += part.vectors.tobytes()
            size = part.vectors.shape[1]
        return StoredSlices(
            item_ids=np.array(item_ids, dtype=np.int64),
            counts=np.array(counts, dtype=np.int64),
            vectors=np.frombuffer(blobs, dtype="<f2").reshape(-1, size),
        )

    def iterate(
        self,
        model: str,
        signatures: Mapping[int, str],
        *,
        batch_tracks: int = BATCH_TRACKS,
    ) -> Iterator[StoredSlices]:
        """Read what :meth:`load` reads, but never more than some tracks at once.

        Parameters
        ----------
        model, signatures
            As for :meth:`load`.
        batch_tracks
            How many tracks are in memory at the same time.

        Yields
        ------
        StoredSlices
            Tracks in the order of their ids, never none at all.
        """
        wanted, size = sorted(signatures), 0
        for start in range(0, len(wanted), batch_tracks):
            some = wanted[start : start + batch_tracks]
            with self._database.reading() as db:
                found = db.execute(
                    "SELECT item_id, signature, n_slices, slices FROM tracks"
                    f" WHERE item_id IN ({','.join('?' * len(some))})"
                    " AND model = ? AND n_slices > 0 ORDER BY item_id",
                    (*some, model),
                ).fetchall()
            item_ids, counts, blobs = [], [], []
            for item_id, signature, n_slices, blob in found:
                if signatures[item_id] != signature or len(blob) % (2 * n_slices):
                    continue
                width = len(blob) // (2 * n_slices)
                if size not in (0, width):
                    continue
                size = width
                item_ids.append(item_id)
                counts.append(n_slices)
                blobs.append(blob)
            if item_ids:
                yield StoredSlices(
                    item_ids=np.array(item_ids, dtype=np.int64),
                    counts=np.array(counts, dtype=np.int64),
                    vectors=np.frombuffer(b"".join(blobs), "<f2").reshape(-1, size),
                )

    def load_ends(
        self, model: str, signatures: Mapping[int, str], *, n_slices: int, size: int
    ) -> StoredEnds:
        """Read how tracks begin and end, of those that :meth:`load` would read.

        Parameters
        ----------
        model, signatures
            As for :meth:`load`.
        n_slices
            How many slices from either end.
        size
            Components of a slice vector; tracks with others are left out.
        """
        width = 2 * size
        with self._database.reading() as db:
            # Whole blobs would be 20 times as much to copy.
            found = db.execute(
                "SELECT item_id, signature, n_slices, length(slices),"
                " substr(slices, 1, ?1), substr(slices, -?1) FROM tracks"
                " WHERE model = ?2 AND n_slices > 0 ORDER BY item_id",
                (n_slices * width, model),
            )
            item_ids: list[int] = []
            first, last = bytearray(), bytearray()
            for item_id, signature, n_stored, n_bytes, start, end in found:
                if signatures.get(item_id) == signature and n_bytes == n_stored * width:
                    item_ids.append(item_id)
                    first += start.ljust(n_slices * width, b"\0")
                    last += end.ljust(n_slices * width, b"\0")
        shape = (len(item_ids), n_slices, size)
        return StoredEnds(
            item_ids=np.array(item_ids, dtype=np.int64),
            first=np.frombuffer(first, dtype="<f2").reshape(shape),
            last=np.frombuffer(last, dtype="<f2").reshape(shape),
        )

    def set_pooled(self, item_ids: Sequence[int]) -> None:
        """Mark tracks whose vector was pooled against the whole library."""
        with self._database.transaction() as db:
            db.executemany(
                "UPDATE tracks SET pooled = 1 WHERE item_id = ?",
                [(item_id,) for item_id in item_ids],
            )

    def set_file_states(self, states: Mapping[int, str]) -> None:
        """Remember in which state files still are what was heard, or not, in them."""
        with self._database.transaction() as db:
            for table in ("tracks", "failures"):
                db.executemany(
                    f"UPDATE {table} SET file_state = ? WHERE item_id = ?",
                    [(state, item_id) for item_id, state in states.items()],
                )

    def remove(self, item_ids: Collection[int]) -> None:
        """Forget tracks."""
        with self._database.transaction() as db:
            for table in ("tracks", "failures"):
                db.executemany(
                    f"DELETE FROM {table} WHERE item_id = ?",
                    [(item_id,) for item_id in item_ids],
                )

    def size_bytes(self) -> int:
        """Return the size of the store."""
        with self._database.reading() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            return int(pages * db.execute("PRAGMA page_size").fetchone()[0])
