"""What an encoder is to reproduce: vectors of tracks or slices, in an ``.npz`` file.

Two layouts are read:

- one array for each track, of shape (d,) or (n_slices, d), whose name is the track's
  absolute path, or the MD5 of its file as 32 hexadecimal digits;
- an array ``keys`` of n such names, and a matrix ``vectors`` of shape (n, d).

The second is what vectors of whole tracks are written in: a path need not be text, and
a member of a zip file must have a name that is.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.lib import format as npy

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.library import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

KEYS, VECTORS = "keys", "vectors"
"""Names of the two arrays of the second layout."""

_MD5 = re.compile(r"[0-9a-fA-F]{32}")


class Rows(Protocol):
    """Arrays by number; where they come from is their own affair."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> Any: ...


class Targets:
    """Vectors by key, every one of them checked.

    Parameters
    ----------
    keys
        Absolute paths as :func:`os.fsdecode` gives them, or MD5s of files.
    vectors
        For each key an array of shape (d,), or for each one of shape (n_slices, d);
        a matrix of shape (n, d) will do. Finite, and no vector is zero.

    Attributes
    ----------
    keys : tuple of str
    size : int
        d.
    per_slice : bool
        Whether a key has a vector for each of its slices.

    Raises
    ------
    ValueError
        Keys or vectors are not as described.
    """

    def __init__(
        self, keys: Iterable[str], vectors: Rows | npt.NDArray[np.floating]
    ) -> None:
        self.keys = tuple(keys)
        self._vectors = vectors
        self._rows = {key: row for row, key in enumerate(self.keys)}
        if not self.keys:
            raise ValueError("there are no vectors")
        if len(self.keys) != len(vectors):
            raise ValueError(f"{len(self.keys)} keys for {len(vectors)} vectors")
        if len(self._rows) != len(self.keys):
            raise ValueError("some keys are there twice")
        first = self._load(self.keys[0])
        if first.ndim not in (1, 2):
            raise ValueError(f"{shown_path(self.keys[0])} has the shape {first.shape}")
        self.per_slice = first.ndim == 2
        self.size = int(first.shape[-1])
        if not _is_sound(vectors):
            for key in self.keys:
                self[key]

    def __getitem__(self, key: str) -> Array:
        """Return the vector, or the vectors, of a key, as float32."""
        vectors = self._load(key)
        problem = None
        if vectors.ndim != 1 + self.per_slice:
            problem = "is of slices where others are of tracks, or the other way round"
        elif vectors.shape[-1] != self.size:
            problem = f"has {vectors.shape[-1]} components, others have {self.size}"
        elif not vectors.size:
            problem = "is empty"
        elif not np.isfinite(vectors).all():
            problem = "is not finite (NaN or infinity)"
        elif not vectors.any(axis=-1).all():
            problem = "is zero, which has no direction"
        if problem:
            raise ValueError(f"the vector of {shown_path(key)} {problem}")
        return vectors

    def _load(self, key: str) -> Array:
        row = self._rows[key]
        try:
            loaded = np.asarray(self._vectors[row])
            if loaded.dtype.kind not in "fiu":
                raise ValueError(f"{loaded.dtype} is not a type of numbers")
        except (ValueError, EOFError, MemoryError) as error:
            raise ValueError(f"{shown_path(key)}: {error}") from error
        # What is too big for float32 becomes infinite, and is refused as that.
        with np.errstate(over="ignore"):
            return loaded.astype(np.float32, copy=False)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def matrix(self) -> Array:
        """Return all vectors of whole tracks, shape (n, d), in the order of `keys`."""
        if self.per_slice:
            raise ValueError("vectors of slices make no matrix")
        if _is_sound(self._vectors):
            return np.asarray(self._vectors)
        return np.stack([self[key] for key in self.keys])

    def match(self, paths: Iterable[str]) -> dict[str, str]:
        """Find the keys of tracks.

        Parameters
        ----------
        paths
            As :func:`os.fsdecode` gives them.

        Returns
        -------
        dict of str to str
            The key by path. A track whose path is no key is looked up by the MD5 of
            its file if any key is one. What has no vector is left out.
        """
        digests = {key.lower(): key for key in self.keys if _MD5.fullmatch(key)}
        found = {}
        for path in paths:
            # Zip files keep "/" for the separator of any system.
            names = (path, path.replace(os.sep, "/"))
            key = next((name for name in names if name in self._rows), None)
            if key is None and digests:
                key = digests.get(_md5(path))
            if key is not None:
                found[path] = key
        return found


def _is_sound(vectors: object) -> bool:
    """Tell of a matrix at once what takes seconds to tell of 100 000 vectors."""
    return (
        isinstance(vectors, np.ndarray)
        and vectors.ndim == 2
        and vectors.dtype == np.float32
        and bool(np.isfinite(vectors).all() and vectors.any(axis=1).all())
    )


def _md5(path: str) -> str:
    """Return the MD5 of a file; empty when it cannot be read."""
    try:
        with open(path, "rb") as file:
            new = hashlib.new("md5", usedforsecurity=False)
            return hashlib.file_digest(file, lambda: new).hexdigest()
    except OSError:
        return ""


def write_targets(path: str | bytes, targets: Targets) -> None:
    """Write an ``.npz`` file, whole or not at all.

    The same targets make the same bytes.

    Raises
    ------
    FatalError
        The file cannot be written: a full disk, a missing folder; or vectors of slices
        belong to a file whose name is not text.
    """
    members: Iterable[tuple[str, npt.NDArray[Any]]]
    if targets.per_slice:
        members = ((key, targets[key]) for key in targets)
    else:
        keys = np.array([os.fsencode(key) for key in targets])
        members = ((KEYS, keys), (VECTORS, targets.matrix()))
    with (
        atomic_writer(path) as file,
        explained(path),
        zipfile.ZipFile(file, "w") as archive,
    ):
        for name, array in members:
            try:
                name.encode("utf-8")
            except UnicodeEncodeError:
                raise FatalError(
                    f"{shown_path(name)} is not UTF-8, so that vectors of its slices "
                    "cannot be stored under it: use the MD5 of the file for a key"
                ) from None
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


class _Members:
    """The arrays of an ``.npz`` file, read when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        self._archive = archive
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, row: int) -> npt.NDArray[Any]:
        try:
            with self._archive.open(f"{self._names[row]}.npy") as member:
                array: npt.NDArray[Any] = npy.read_array(member, allow_pickle=False)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError) as error:
            raise ValueError(str(error)) from error
        return array


def read_targets(path: str | bytes) -> Targets:
    """Open an ``.npz`` file, and check every vector in it once.

    One array for each track is read again when it is asked for: only keys stay in
    memory. Nothing is unpickled.

    Raises
    ------
    FatalError
        The file is missing, is no ``.npz``, or its vectors are not as :class:`Targets`
        needs them; the message says which.
    """
    name = shown_path(os.fsdecode(path))
    try:
        archive = zipfile.ZipFile(os.fsdecode(path))
    except OSError as error:
        raise FatalError(f"cannot read {name}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FatalError(
            f"{name} is no .npz file of vectors; `beet deejai train track2vec` and "
            "`beet deejai train factors` write such files"
        ) from error
    try:
        return _open(archive)
    except ValueError as error:
        archive.close()
        raise FatalError(f"{name}: {error}") from error


def _open(archive: zipfile.ZipFile) -> Targets:
    members = [info.filename for info in archive.infolist()]
    strange = [member for member in members if not member.endswith(".npy")]
    if strange:
        raise ValueError(f"it is no .npz file: {strange[0]!r} is no array")
    names = [member.removesuffix(".npy") for member in members]
    if set(names) != {KEYS, VECTORS}:
        return Targets(names, _Members(archive, names))
    with archive:
        arrays = _Members(archive, [KEYS, VECTORS])
        keys, vectors = arrays[0], arrays[1]
    if keys.ndim != 1 or keys.dtype.kind not in "SU":
        raise ValueError(f"{KEYS} is no list of names")
    if vectors.ndim != 2:
        raise ValueError(f"{VECTORS} is no matrix but has the shape {vectors.shape}")
    return Targets((os.fsdecode(key) for key in keys.tolist()), vectors)
