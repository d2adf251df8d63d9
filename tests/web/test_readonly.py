"""The deck's library: many readers, no writer, and nobody kept waiting."""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from beets.dbcore.db import DBAccessError
from beets.library import Item, Library

from beetsplug.deejai.web.readonly import ReadOnlyLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lib(tmp_path: Path) -> Iterator[Library]:
    # A name that an address would understand otherwise.
    folder = tmp_path / "50% off? #1 \u00fc"
    folder.mkdir()
    lib = Library(folder / "library.db", str(tmp_path / "music"))
    with lib.transaction():
        for number in range(200):
            Item(title=f"track {number}", path=f"/x/{number}.mp3".encode()).add(lib)
    yield lib
    lib._close()


@pytest.fixture
def readers(lib: Library) -> Iterator[ReadOnlyLibrary]:
    readers = ReadOnlyLibrary.like(lib)
    yield readers
    readers.close()


def digest(lib: Library) -> str:
    return hashlib.sha256(lib.path.read_bytes()).hexdigest()


def test_it_reads_what_the_library_holds(lib: Library, readers: Library) -> None:
    assert len(readers.items()) == 200
    assert [item.title for item in readers.items("title:'track 7'")] == [
        item.title for item in lib.items("title:'track 7'")
    ]
    assert len(readers.items("title::^track.1.1$")) == 10
    assert readers.directory == lib.directory


def test_nothing_can_be_written(lib: Library, readers: Library) -> None:
    before, files = digest(lib), sorted(lib.path.parent.iterdir())
    item = readers.items("title:'track 7'").get()
    assert item is not None
    item["title"] = "other"
    with pytest.raises(DBAccessError, match="readonly"):
        item.store()
    with pytest.raises(DBAccessError, match="readonly"):
        item.remove()
    with pytest.raises(DBAccessError, match="readonly"):
        readers.add(Item(title="new", path=b"/x/new.mp3"))
    with readers.transaction() as tx:
        tx.mutate("PRAGMA query_only = OFF")
        with pytest.raises(DBAccessError, match="readonly"):
            tx.mutate("DELETE FROM items")
    assert digest(lib) == before
    assert sorted(lib.path.parent.iterdir()) == files


def test_opening_migrates_nothing(lib: Library, tmp_path: Path) -> None:
    with lib.transaction() as tx:
        tx.mutate("DELETE FROM migrations")
        tx.mutate("DROP INDEX item_attributes_by_entity")
    before = digest(lib)
    readers = ReadOnlyLibrary.like(lib)
    assert len(readers.items()) == 200
    readers.close()
    assert digest(lib) == before


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_what_another_process_commits_is_seen(
    mode: str, lib: Library, readers: Library
) -> None:
    with lib.transaction() as tx:
        assert tx.query(f"PRAGMA journal_mode = {mode}")[0][0] == mode.lower()
    assert len(readers.items()) == 200
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
            "c.execute('UPDATE items SET title = ?', ['new']); c.commit(); c.close()",
            str(lib.path),
        ],
        check=True,
    )
    assert {item.title for item in readers.items()} == {"new"}


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_many_readers_and_a_scan_do_not_block_each_other(
    mode: str, lib: Library, readers: ReadOnlyLibrary
) -> None:
    with lib.transaction() as tx:
        tx.query(f"PRAGMA journal_mode = {mode}")
    stop = threading.Event()
    n_read: list[int] = []
    errors: list[Exception] = []

    def read() -> None:
        count = 0
        try:
            while not stop.is_set():
                # A slow query: the database has long been left when it is answered.
                assert len(readers.items("genre::nothing")) == 0
                assert len(readers.items("title:track")) == 200
                count += 1
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        n_read.append(count)

    threads = [threading.Thread(target=read) for _ in range(10)]
    for thread in threads:
        thread.start()
    longest_s = 0.0
    for number in range(20):
        start = time.perf_counter()
        with lib.transaction() as tx:
            tx.mutate("UPDATE items SET length = ?", [float(number)])
        longest_s = max(longest_s, time.perf_counter() - start)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert min(n_read) > 0
    # beets would give up after 5 s.
    assert longest_s < 3.0


def test_connections_end_with_their_threads(readers: ReadOnlyLibrary) -> None:
    def read() -> None:
        len(readers.items())

    for _ in range(50):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    gc.collect()
    assert len(readers._held) <= 1
    assert len(readers._connections) == 0


def test_it_can_be_used_again_after_it_was_closed(readers: ReadOnlyLibrary) -> None:
    assert len(readers.items()) == 200
    readers.close()
    assert len(readers.items()) == 200
