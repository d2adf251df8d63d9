from __future__ import annotations

import hashlib
import os
import resource
import signal
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.targets import Targets, read_targets, write_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD = [
    "/music/..a/../b.mp3",
    "//two slashes.mp3",
    "/new\nline.mp3",
    "/x.npy",
    "/x",
    "/keys",
    "/smile \U0001f600.mp3",
]
NOT_UTF8 = os.fsdecode(b"/caf\xe9.mp3")


def vectors(n: int, d: int = 4) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


def refused(path: Path) -> str:
    with pytest.raises(FatalError) as caught:
        read_targets(str(path))
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_vectors_of_tracks_with_any_name_come_back(tmp_path: Path) -> None:
    keys, values = [*ODD, NOT_UTF8], vectors(len(ODD) + 1)
    write_targets(str(tmp_path / "t.npz"), Targets(keys, values))
    targets = read_targets(str(tmp_path / "t.npz"))
    assert targets.keys == tuple(keys)
    assert not targets.per_slice
    assert targets.size == 4
    assert np.array_equal(targets.matrix(), values)
    for key, value in zip(keys, values, strict=True):
        assert np.array_equal(targets[key], value)


def test_vectors_of_slices_with_any_name_that_is_text_come_back(
    tmp_path: Path,
) -> None:
    values = [vectors(n + 1) for n in range(len(ODD))]
    write_targets(str(tmp_path / "t.npz"), Targets(ODD, values))
    targets = read_targets(str(tmp_path / "t.npz"))
    assert targets.keys == tuple(ODD)
    assert targets.per_slice
    for key, value in zip(ODD, values, strict=True):
        assert targets[key].dtype == np.float32
        assert np.array_equal(targets[key], value)
    with pytest.raises(ValueError, match="no matrix"):
        targets.matrix()


def test_vectors_of_slices_under_a_name_that_is_no_text_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(FatalError, match="MD5"):
        write_targets(str(tmp_path / "t.npz"), Targets([NOT_UTF8], [vectors(2)]))
    assert os.listdir(tmp_path) == []


def test_the_same_targets_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_targets(str(tmp_path / name), Targets(ODD, vectors(len(ODD))))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_numpy_reads_what_is_written(tmp_path: Path) -> None:
    write_targets(str(tmp_path / "t.npz"), Targets(["/a", "/b"], vectors(2)))
    with np.load(tmp_path / "t.npz", allow_pickle=False) as arrays:
        assert arrays["keys"].tolist() == [b"/a", b"/b"]
        assert np.array_equal(arrays["vectors"], vectors(2))


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_that_numpy_wrote_are_read(tmp_path: Path, compressed: bool) -> None:
    digest = hashlib.md5(b"x").hexdigest()
    save = np.savez_compressed if compressed else np.savez
    halves = vectors(3, 160).astype(np.float16)
    save(tmp_path / "t.npz", **{digest: halves})
    targets = read_targets(str(tmp_path / "t.npz"))
    assert targets.keys == (digest,)
    assert np.array_equal(targets[digest], halves.astype(np.float32))


def test_keys_may_be_text_too(tmp_path: Path) -> None:
    saved(tmp_path / "t.npz", keys=np.array(["/a", "/\xe9"]), vectors=vectors(2))
    assert read_targets(str(tmp_path / "t.npz")).keys == ("/a", "/\xe9")


def test_tracks_are_found_by_path_and_then_by_the_md5_of_the_file(
    tmp_path: Path,
) -> None:
    paths = [str(tmp_path / name) for name in ("named", "summed", "unknown", "gone")]
    for path in paths[:3]:
        Path(path).write_text(path)
    digest = hashlib.md5(paths[1].encode()).hexdigest().upper()
    targets = Targets([paths[0], digest], vectors(2))
    assert targets.match(paths) == {paths[0]: paths[0], paths[1]: digest}
    assert Targets([paths[0]], vectors(1)).match(paths) == {paths[0]: paths[0]}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([[1, np.nan], [1, 2]], "not finite"),
        ([[1, 2], [np.inf, 2]], "not finite"),
        (np.array([[1e300, 1.0], [1, 2]]), "not finite"),
        ([[1, 2], [0, 0]], "zero"),
        ([[], []], "empty"),
        ([["a", "b"], ["c", "d"]], "not a type of numbers"),
        ([[1j, 2], [1, 2]], "not a type of numbers"),
        (np.zeros((0, 3)), "2 keys for 0 vectors"),
        (np.ones((3, 3)), "2 keys for 3 vectors"),
        (np.ones(2), "is no matrix"),
        (np.ones((2, 2, 2)), "is no matrix"),
        (np.array([[1, {}], [1, 2]], dtype=object), "allow_pickle=False"),
    ],
)
def test_a_matrix_that_is_no_target_is_refused(
    tmp_path: Path, value: Any, complaint: str
) -> None:
    path = saved(
        tmp_path / "t.npz", keys=np.array([b"/a", b"/b"]), vectors=np.array(value)
    )
    assert complaint in refused(path)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (np.array([[1, 2, np.nan]]), "not finite"),
        (np.array([[1.0, 2, 3], [0, 0, 0]]), "zero"),
        (np.ones((2, 4)), "has 4 components, others have 3"),
        (np.ones(3), "is of slices where others are of tracks"),
        (np.zeros((0, 3)), "is empty"),
        (np.array([[1, {}, 2]], dtype=object), "allow_pickle=False"),
    ],
)
def test_an_array_that_is_no_target_is_refused_with_its_name(
    tmp_path: Path, value: np.ndarray, complaint: str
) -> None:
    message = refused(saved(tmp_path / "t.npz", **{"/a": np.ones((2, 3)), "/b": value}))
    assert complaint in message
    assert "/b" in message


def test_keys_that_are_no_names_or_there_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    assert "twice" in refused(
        saved(path, keys=np.array([b"/a", b"/a"]), vectors=vectors(2))
    )
    assert "no list of names" in refused(
        saved(path, keys=np.arange(2), vectors=vectors(2))
    )


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    assert "No such file" in refused(path)
    for content in (b"", b"some text", b"PK\3\4 and no more"):
        path.write_bytes(content)
        assert "no .npz file" in refused(path)
    np.save(tmp_path / "t.npy", vectors(2))
    assert "no .npz file" in refused(tmp_path / "t.npy")
    assert "directory" in refused(tmp_path)
    np.savez(path)
    assert "there are no vectors" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no array" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("/a.npy", "hello")
    assert "/a" in refused(path)


def test_damaged_arrays_and_those_that_claim_too_much_are_refused(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path / "t.npz", **{"/a": np.ones((50, 40))})
    content = bytearray(path.read_bytes())
    content[2000] ^= 255
    path.write_bytes(content)
    assert "CRC" in refused(path)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000, 9), }"
    magic = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("/a.npy", magic + header + b"\n1234")
    assert "/a" in refused(path)


@contextmanager
def full_disk(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("per_slice", [False, True])
def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, per_slice: bool
) -> None:
    values = vectors(100, 100)
    targets = (
        Targets(["/a"], [values])
        if per_slice
        else Targets(map(str, range(100)), values)
    )
    with (
        full_disk(10_000),
        pytest.raises(FatalError, match=r"cannot write .*t\.npz: File too large"),
    ):
        write_targets(str(tmp_path / "t.npz"), targets)
    assert os.listdir(tmp_path) == []
