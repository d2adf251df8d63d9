"""The folder of imported encoders, and which of them is in use.

Beside each model lies what is known of it, so that neither listing them nor asking for
the id of the one in use reads hundreds of megabytes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from beets.util import displayable_path

from beetsplug.deejai.embedding.encoder import (
    MODEL_KINDS,
    load_encoder,
    model_id,
    model_path,
    open_encoder,
)
from beetsplug.deejai.embedding.inference import NotAnEncoderError
from beetsplug.deejai.embedding.model_files import model_suffix, shapes_of_keras
from beetsplug.deejai.embedding.trial import try_encoder
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer, explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from beetsplug.deejai.embedding.encoder import LoadedEncoder
    from beetsplug.deejai.embedding.trial import Trial

DEFAULT = "default"
"""Name of the shipped encoder wherever one is chosen."""

CHOICE_FILE = "chosen.txt"
"""File in the folder that holds the name of the model in use."""

CHOOSE_DEFAULT = "run `beet deejai models choose default`, or import another file"
"""The remedy for a chosen model that cannot be used."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")

_MAX_NOTE_BYTES = 10_000


@dataclass(frozen=True)
class Model:
    """An encoder that can be chosen.

    Attributes
    ----------
    name
        What ``models choose`` takes.
    path
        Its file.
    model_id
        As stored beside vectors.
    kind
        One of the values of :data:`~beetsplug.deejai.embedding.encoder.MODEL_KINDS`.
    size_bytes
        Size of the file.
    input_shape, vector_size, n_parameters
        As for :class:`~beetsplug.deejai.embedding.encoder.LoadedEncoder`; None where
        nothing is known without loading it.
    """

    name: str
    path: Path
    model_id: str
    kind: str
    size_bytes: int
    input_shape: tuple[int | None, ...] | None = None
    vector_size: int | None = None
    n_parameters: int | None = None


@dataclass(frozen=True)
class _Note:
    """What is remembered of a model; it holds while size and time of change do."""

    model_id: str
    size_bytes: int
    changed_ns: int
    input_shape: tuple[int | None, ...] | None
    vector_size: int | None
    n_parameters: int | None

    @classmethod
    def read(cls, path: Path) -> _Note | None:
        """Read a note; None when there is none that makes sense."""
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(_MAX_NOTE_BYTES))
            shape = found["input_shape"]
            note = cls(**{**found, "input_shape": shape and tuple(shape)})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return note if isinstance(note.model_id, str) else None


class ModelFolder:
    """Imported encoders in a folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def chosen(self) -> str:
        """Name of the model in use, ``default`` when none was chosen."""
        try:
            text = (self.folder / CHOICE_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return DEFAULT
        except (OSError, ValueError) as error:
            raise FatalError(
                f"{self._shown(CHOICE_FILE)} cannot be read ({error}); {CHOOSE_DEFAULT}"
            ) from error
        return text.strip() or DEFAULT

    def chosen_path(self) -> Path:
        """Return the file of the model in use.

        Raises
        ------
        FatalError
            It is no longer there.
        """
        name = self.chosen
        path = self._path(name)
        if path is None:
            raise FatalError(
                f"the chosen model {name} is not in {displayable_path(self.folder)} "
                f"any more; {CHOOSE_DEFAULT}"
            )
        return path

    def names(self) -> list[str]:
        """Return what can be chosen: the shipped model, then the imported ones."""
        imported: set[str] = set()
        if self.folder.is_dir():
            imported = {
                path.stem
                for path in self.folder.iterdir()
                if path.suffix in MODEL_KINDS and _NAME.fullmatch(path.stem)
            }
        return [DEFAULT, *sorted(imported - {DEFAULT})]

    def models(self) -> list[Model]:
        """Describe every model that can be chosen."""
        paths = [self._path(name) for name in self.names()]
        return [self.describe(path) for path in paths if path is not None]

    def _path(self, name: str) -> Path | None:
        if name == DEFAULT:
            return model_path(DEFAULT)
        if not _NAME.fullmatch(name):
            return None
        found = (self.folder / f"{name}{suffix}" for suffix in MODEL_KINDS)
        return next((path for path in found if path.is_file()), None)

    def _shown(self, name: str) -> str:
        return displayable_path(self.folder / name)

    def id_of(self, path: Path) -> str:
        """Return the id of a model, from its note if that still holds."""
        note = self._note(path)
        return model_id(path) if note is None else note.model_id

    def _note(self, path: Path) -> _Note | None:
        if path.parent != self.folder:
            return None
        note = _Note.read(path.with_suffix(".json"))
        status = _status(path)
        is_fresh = note is not None and (note.size_bytes, note.changed_ns) == (
            status.st_size,
            status.st_mtime_ns,
        )
        return note if is_fresh else None

    def describe(self, path: Path, *, name: str | None = None) -> Model:
        """Describe a model without loading it, as far as that goes.

        Parameters
        ----------
        path
            Its file, in the folder or elsewhere.
        name
            What to call a file that is not in the folder.
        """
        if name is None:
            name = path.stem if path.parent == self.folder else DEFAULT
        kind, size = MODEL_KINDS[path.suffix.lower()], _status(path).st_size
        note = self._note(path)
        if note is None:
            shapes = shapes_of_keras(path) if kind == "Keras" else (None, None)
            return Model(name, path, model_id(path), kind, size, *shapes)
        return Model(
            name,
            path,
            note.model_id,
            kind,
            size,
            note.input_shape,
            note.vector_size,
            note.n_parameters,
        )

    def choose(self, name: str) -> Model:
        """Put a model to use.

        Raises
        ------
        FatalError
            There is none of that name, or the choice cannot be written.
        """
        path = self._path(name)
        if path is None:
            raise FatalError(
                f"there is no model {name!r}; there is {', '.join(self.names())}"
            )
        self._make()
        with atomic_writer(os.fspath(self.folder / CHOICE_FILE)) as file:
            file.write(f"{name}\n".encode())
        return self.describe(path)

    def _make(self) -> None:
        with explained(os.fspath(self.folder)):
            self.folder.mkdir(parents=True, exist_ok=True)

    def add(
        self, source: Path, *, name: str | None = None, replace: bool = False
    ) -> tuple[Model, Trial]:
        """Check a model file and keep a copy of it.

        What is checked is the copy, in a folder of its own; only when it is found good
        does it get its name.

        Parameters
        ----------
        source
            A model file of any name: its kind is told by what is in it.
        name
            What to call it; by default the name of the file.
        replace
            Whether another model of this name is given up for it.

        Returns
        -------
        model
            The model as it is kept now.
        trial
            What came of running it.

        Raises
        ------
        FatalError
            The file is no encoder, or its name is taken by another one.
        """
        suffix = model_suffix(source)
        name = _check_name(source.stem if name is None else name, given=name)
        self._make()
        with self._workshop() as workshop:
            copy = workshop / f"{name}{suffix}"
            with explained(os.fspath(copy)):
                shutil.copyfile(source, copy)
            copied_id = model_id(copy)
            known = self._path(name)
            if known is not None and self.id_of(known) != copied_id and not replace:
                raise FatalError(
                    f"there is another model {name} already; give this one a --name, "
                    "or --replace that one"
                )
            encoder, trial = _load_and_try(source, copy, copied_id)
            path = self.folder / copy.name
            with explained(os.fspath(path)):
                os.replace(copy, path)
                if known is not None and known != path:
                    known.unlink()
        self._write_note(path, encoder)
        return self.describe(path), trial

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Make a folder within the folder, so that a rename is all that is left."""
        workshop = self.folder / f".importing-{secrets.token_hex(6)}"
        with explained(os.fspath(workshop)):
            workshop.mkdir()
        try:
            yield workshop
        finally:
            shutil.rmtree(workshop, ignore_errors=True)

    def _write_note(self, path: Path, encoder: LoadedEncoder) -> None:
        status = _status(path)
        note = _Note(
            encoder.model_id,
            status.st_size,
            status.st_mtime_ns,
            encoder.input_shape,
            encoder.vector_size,
            encoder.n_parameters,
        )
        with atomic_writer(os.fspath(path.with_suffix(".json"))) as file:
            file.write(json.dumps(asdict(note)).encode())

    def load(self, path: Path) -> LoadedEncoder:
        """Load the model in use, wherever it lies."""
        if path.parent == self.folder:
            return load_encoder(path, remedy=CHOOSE_DEFAULT)
        return load_encoder(path)


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise FatalError(
            f"model {displayable_path(path)} cannot be read: {error.strerror}"
        ) from error


def _check_name(name: str, *, given: str | None) -> str:
    if given is None:
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-")[:100]
    if name == DEFAULT or not _NAME.fullmatch(name):
        raise FatalError(
            f"a model cannot be named {name!r}; give it a --name of letters, digits, "
            "dots, dashes and underscores"
        )
    return name


def _load_and_try(
    source: Path, copy: Path, copied_id: str
) -> tuple[LoadedEncoder, Trial]:
    try:
        encoder = open_encoder(copy, model_id=copied_id)
        return encoder, try_encoder(encoder)
    except NotAnEncoderError as error:
        raise FatalError(
            f"{displayable_path(source)} cannot be used as an encoder: {error}"
        ) from error
