from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.slices import (
    Failure,
    SliceRow,
    SliceStore,
    store_path,
)


def row(item_id: int, *, model: str = "m", signature: str = "s") -> SliceRow:
    return SliceRow(item_id, model, signature, "1:2", pooled=False)


def vectors(n: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 100)).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path) -> SliceStore:
    return SliceStore(str(tmp_path / "library.deejai.db"))


def test_slices_come_back_as_float16_in_the_order_of_ids(store: SliceStore) -> None:
    store.put([(row(5), vectors(4, 1)), (row(2), vectors(3, 2))])
    loaded = store.load("m", {2: "s", 5: "s"})
    assert loaded.item_ids.tolist() == [2, 5]
    assert loaded.counts.tolist() == [3, 4]
    expected = np.concatenate([vectors(3, 2), vectors(4, 1)]).astype(np.float16)
    assert np.array_equal(loaded.vectors, expected)


def test_a_reused_id_does_not_bring_back_old_slices(store: SliceStore) -> None:
    store.put([(row(1, signature="old"), vectors())])
    assert store.load("m", {1: "new"}).item_ids.size == 0
    assert store.load("m", {}).item_ids.size == 0


def test_slices_of_another_model_are_not_mixed_in(store: SliceStore) -> None:
    store.put([(row(1, model="a"), vectors()), (row(2, model="b"), vectors())])
    assert store.load("b", {1: "s", 2: "s"}).item_ids.tolist() == [2]


def test_slices_can_be_read_some_tracks_at_a_time(store: SliceStore) -> None:
    store.put((row(i), vectors(i, i)) for i in range(1, 8))
    store.put([(row(4, signature="old"), vectors()), (row(9, model="b"), vectors())])
    wanted = dict.fromkeys(range(1, 12), "s")
    whole = store.load("m", wanted)
    parts = list(store.iterate("m", wanted, batch_tracks=2))
    assert all(0 < len(part.item_ids) <= 2 for part in parts)
    for name in ("item_ids", "counts", "vectors"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name))
    assert whole.item_ids.tolist() == [1, 2, 3, 5, 6, 7]
    assert list(store.iterate("none", wanted)) == []


def test_hearing_a_track_again_replaces_its_slices_and_its_failure(
    store: SliceStore,
) -> None:
    store.put_failures([Failure(1, "1:2", "silent")])
    assert store.failures() == {1: Failure(1, "1:2", "silent")}
    store.put([(row(1), vectors(3))])
    store.put([(row(1), vectors(7))])
    assert store.failures() == {}
    assert store.load("m", {1: "s"}).counts.tolist() == [7]


def test_removed_tracks_leave_nothing(store: SliceStore) -> None:
    store.put([(row(1), vectors()), (row(2), vectors())])
    store.put_failures([Failure(3, "", "gone")])
    store.remove([1, 3])
    assert store.item_ids() == {2}


def test_a_failed_write_changes_nothing(store: SliceStore) -> None:
    store.put([(row(1), vectors(3))])
    bad = SliceRow(2, "m", None, "1:2", pooled=False)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        store.put([(row(1), vectors(9)), (bad, vectors())])
    assert store.load("m", {1: "s"}).counts.tolist() == [3]


def test_flags_and_file_states_are_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "a.deejai.db")
    store = SliceStore(path)
    store.put([(row(1), vectors()), (row(2), vectors())])
    store.set_pooled([2])
    store.set_file_states({1: "9:9"})
    store.close()
    again = SliceStore(path)
    assert again.row(1) == SliceRow(1, "m", "s", "9:9", pooled=False)
    assert again.rows()[2].pooled
    assert again.row(3) is None


def test_several_threads_may_write(store: SliceStore) -> None:
    def work(start: int) -> None:
        for item_id in range(start, start + 25):
            store.put([(row(item_id), vectors())])

    threads = [threading.Thread(target=work, args=(n * 25,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.rows()) == 100


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\x00" * 4096])
def test_a_file_that_is_no_store_is_refused_with_the_remedy(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "library.deejai.db"
    path.write_bytes(content)
    with pytest.raises(FatalError, match="beet deejai scan"):
        SliceStore(str(path))


def damage(path: Path) -> None:
    """Overwrite all but the first page, as a failing disk may."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xaa" * (len(content) - 4096))


def test_a_damaged_store_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "library.deejai.db"
    store = SliceStore(str(path))
    store.put((row(item_id), vectors(9)) for item_id in range(1, 40))
    store.close()
    damage(path)
    damaged = SliceStore(str(path), remedy="the remedy")
    for use in (
        damaged.rows,
        lambda: damaged.load("m", {3: "s"}),
        lambda: damaged.put([(row(3), vectors())]),
        lambda: damaged.remove([3]),
    ):
        with pytest.raises(FatalError, match=r"is damaged .* run `the remedy`"):
            use()


def test_a_store_that_is_not_at_fault_is_not_to_be_moved_away(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="cannot be opened") as caught:
        SliceStore(str(tmp_path / "no such folder" / "library.deejai.db"))
    assert "move it away" not in str(caught.value)
    store = SliceStore(":memory:")
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.rows()


def test_a_store_that_another_program_holds_is_not_to_be_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beetsplug.deejai.storage.database.TIMEOUT_S", 0.1)
    path = str(tmp_path / "library.deejai.db")
    SliceStore(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(FatalError, match="another program"):
        SliceStore(path)
    other.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "library.deejai.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(FatalError, match="newer version"):
        SliceStore(str(path))


def test_the_store_lies_beside_the_library(tmp_path: Path) -> None:
    assert store_path(tmp_path / "library.db") == str(tmp_path / "library.deejai.db")
    assert store_path(Path(":memory:")) == ":memory:"
