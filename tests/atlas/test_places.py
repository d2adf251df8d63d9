from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from beetsplug.deejai.atlas.layout import Layout
from beetsplug.deejai.atlas.places import (
    BrokenPlacesError,
    Places,
    places_path,
    read_places,
    write_places,
)


def made_places(n: int = 6) -> Places:
    positions = np.random.default_rng(0).random((n, 2), dtype=np.float32)
    signatures = np.array([f"{i:032x}".encode() for i in range(n)])
    return Places("model-1", np.arange(10, 10 + n), signatures, Layout(positions, 9), 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.deejai-map.npz"


def test_what_is_written_is_read(path: Path) -> None:
    places = made_places()
    write_places(path, places)
    read = read_places(path)
    assert read is not None
    assert (read.model, read.n_added, read.layout.scale) == ("model-1", 2, 9)
    np.testing.assert_array_equal(read.item_ids, places.item_ids)
    np.testing.assert_array_equal(read.signatures, places.signatures)
    np.testing.assert_array_equal(read.layout.positions, places.layout.positions)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_without_a_file_there_are_no_places(path: Path) -> None:
    assert read_places(path) is None


def test_it_lies_beside_the_library() -> None:
    assert places_path(Path("/a/b/library.db")) == Path("/a/b/library.deejai-map.npz")
    assert places_path(Path(":memory:")) is None


def test_damage_at_any_place_is_noticed_or_harmless(path: Path) -> None:
    write_places(path, made_places())
    whole = path.read_bytes()
    n_noticed = 0
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read = read_places(path)
        except BrokenPlacesError:
            n_noticed += 1
        else:
            assert read is not None
            assert len(read) == 6
    assert n_noticed > len(whole) / 7 / 2


@pytest.mark.parametrize("n_bytes", [0, 1, 30, 400])
def test_a_file_that_was_cut_off_is_broken(path: Path, n_bytes: int) -> None:
    write_places(path, made_places())
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(BrokenPlacesError):
        read_places(path)


@pytest.mark.parametrize("content", [b"hello", b"\x93NUMPY\x01\x00", b"PK\x03\x04"])
def test_a_foreign_file_is_broken(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BrokenPlacesError):
        read_places(path)


def test_a_single_array_is_broken(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(BrokenPlacesError, match="single array"):
        read_places(path)


def parts(**changed: object) -> dict[str, object]:
    places = made_places()
    return {
        "format": 1,
        "model": "model-1",
        "item_ids": places.item_ids,
        "signatures": places.signatures,
        "positions": places.layout.positions,
        "scale": 9.0,
        "n_added": 2,
        **changed,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"item_ids": np.arange(5)},
        {"item_ids": np.array([1, 1, 2, 3, 4, 5])},
        {"item_ids": np.arange(6).astype(float)},
        {"item_ids": np.array([[1, 2]])},
        {"positions": np.full((6, 2), np.nan, dtype=np.float32)},
        {"positions": np.full((6, 2), 2, dtype=np.float32)},
        {"positions": np.zeros((6, 3), dtype=np.float32)},
        {"positions": np.array([object()] * 6)},
        {"signatures": np.arange(6)},
        {"scale": 0.0},
        {"scale": np.nan},
        {"n_added": 7},
        {"n_added": np.arange(3)},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_parts_that_do_not_fit_are_broken(
    path: Path, changed: dict[str, object]
) -> None:
    np.savez(path, **parts(**changed))  # type: ignore[arg-type]
    with pytest.raises(BrokenPlacesError):
        read_places(path)


def test_nothing_is_decompressed(path: Path) -> None:
    np.savez_compressed(path, **parts(item_ids=np.zeros(10**6, dtype=np.int64)))  # type: ignore[arg-type]
    with pytest.raises(BrokenPlacesError, match="compressed"):
        read_places(path)


def test_nothing_is_unpickled(path: Path) -> None:
    np.savez(path, **parts(model=np.array([print], dtype=object)))  # type: ignore[arg-type]
    with pytest.raises(BrokenPlacesError, match="pickle"):
        read_places(path)
