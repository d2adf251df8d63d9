"""Files that somebody drops on the deck: kept for a while, heard, and deleted."""

from __future__ import annotations

import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, Protocol

from beets.library import Item

from beetsplug.deejai.audio.seeking import shape_of
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.errors import DeejaiError, TrackError
from beetsplug.deejai.output.text import one_line
from beetsplug.deejai.storage.library import item_of_file
from beetsplug.deejai.web.private_folder import PrivateFolder, remove_left_behind
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.streams import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beetsplug.deejai.embedding.outside import Outsider

    class _Hear(Protocol):
        """As :meth:`beetsplug.deejai.session.Session.hear`."""

        def __call__(
            self, names: Sequence[str], *, progress: Callable[[float], None]
        ) -> tuple[dict[str, Outsider], list[tuple[str, str]]]: ...


_FOLDER = "deejai-uploads-"
_BLOCK_BYTES = 1 << 20

_LOOK_S = 60.0
"""How often the worker looks for uploads that are too old, in seconds."""


@dataclass(frozen=True)
class UploadLimits:
    """What uploads may take.

    Attributes
    ----------
    file_bytes, total_bytes
        Size of one, and of all together.
    n_files
        How many are kept; those that were not used for longest go first.
    age_s
        How long each is kept, in seconds.
    duration_s
        How long the music may be, in seconds.
    """

    file_bytes: int = 200_000_000
    total_bytes: int = 1_000_000_000
    n_files: int = 20
    age_s: float = 12 * 3600.0
    duration_s: float = 3 * 3600.0


@dataclass
class Upload:
    """One file.

    Attributes
    ----------
    ref
        Its name here; whoever knows it may hear it.
    name
        What it was called.
    item
        Its tags and where it is; without an id.
    n_bytes, duration_s
        Its size and length.
    added_at, used_at
        When it came, and when it was last asked for, in seconds of the clock.
    state, progress
        How far it is heard; the part, 0 to 1.
    error
        Why it cannot be heard.
    heard
        What recommending takes, once it is ready.
    """

    ref: str
    name: str
    item: Item
    n_bytes: int
    duration_s: float
    added_at: float
    used_at: float
    state: Literal["listening", "ready", "failed"] = "listening"
    progress: float = 0.0
    error: str | None = None
    heard: Outsider | None = None


class Uploads:
    """Keeps files that are not in the library, and hears them one after the other.

    What a deck left that was killed is deleted at once.

    Parameters
    ----------
    hear
        Makes the vector of a file.
    limits
        What they may take.
    clock
        Seconds, as of :func:`time.monotonic`.
    """

    def __init__(
        self,
        hear: _Hear,
        *,
        limits: UploadLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hear = hear
        self._limits = limits or UploadLimits()
        self._clock = clock
        self._receiving = threading.Lock()
        self._changed = threading.Condition()
        self._uploads: dict[str, Upload] = {}
        self._waiting: list[Upload] = []
        self._is_closed = False
        self._folder: PrivateFolder | None = None
        self._worker: threading.Thread | None = None
        remove_left_behind(_FOLDER)

    def add(self, source: IO[bytes], name: str) -> Upload:
        """Take a file in; it is heard in the background.

        Parameters
        ----------
        source
            Its content.
        name
            What it is called; only shown.

        Raises
        ------
        Refusal
            It is too large or too long (413), empty (422) or no audio (415), or there
            is no room for it (507).
        """
        # One at a time: what is not yet counted is then one file at most.
        with self._receiving:
            try:
                upload = self._receive(source, name)
            except OSError as error:
                reason = error.strerror or "no room"
                message = f"the upload cannot be kept on the deck's disk: {reason}"
                raise Refusal(507, message) from error
            with self._changed:
                self._check_open()
                self._uploads[upload.ref] = upload
                self._waiting.append(upload)
                if self._worker is None:
                    self._worker = threading.Thread(
                        target=self._work, name="deejai-uploads", daemon=True
                    )
                    self._worker.start()
                self._changed.notify_all()
        return upload

    def get(self, ref: str) -> Upload:
        """Return an upload.

        Raises
        ------
        Refusal
            404: there is none of this name (any more).
        """
        with self._changed:
            self._drop_old()
            upload = self._uploads.get(ref)
            if upload is None:
                raise Refusal(404, f"there is no upload {ref} (any more)")
            upload.used_at = self._clock()
            return upload

    def item(self, ref: str) -> Item | None:
        """Return the item of an upload; None where there is none of this name."""
        with suppress(Refusal):
            return self.get(ref).item
        return None

    def heard(self, ref: str) -> Outsider | None:
        """Return the vectors of an upload; None until, or unless, it is heard."""
        with suppress(Refusal):
            return self.get(ref).heard
        return None

    def remove(self, ref: str) -> None:
        """Delete an upload; if it is being heard, that ends.

        Raises
        ------
        Refusal
            404: there is none of this name (any more).
        """
        upload = self.get(ref)
        with self._changed:
            self._drop(upload)

    def close(self) -> None:
        """Stop hearing and delete everything."""
        with self._changed:
            self._is_closed = True
            self._uploads.clear()
            self._changed.notify_all()
        with self._receiving:
            if self._folder is not None:
                self._folder.close(after=self._worker)

    def _receive(self, source: IO[bytes], name: str) -> Upload:
        """Store a file under a name of our own and look at it."""
        ref = "u" + secrets.token_urlsafe(16)
        path = os.path.join(self._folder_path(), ref)
        try:
            n_bytes = _copy(source, path, max_bytes=self._limits.file_bytes)
            kind, duration_s = self._look(path)
            # By the suffix beets knows where the tags are.
            final = path + kind.suffix
            os.replace(path, final)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise
        with self._changed:
            self._drop_old()
            self._make_room(n_bytes)
        name = shown_name(name)
        now = self._clock()
        item = _item(final, name, duration_s)
        return Upload(ref, name, item, n_bytes, duration_s, now, now)

    def _folder_path(self) -> str:
        self._check_open()
        if self._folder is None:
            self._folder = PrivateFolder(_FOLDER)
        return self._folder.path

    def _check_open(self) -> None:
        if self._is_closed:
            raise Refusal(503, "the deck is being closed")

    def _look(self, path: str) -> tuple[Kind, float]:
        try:
            shape = shape_of(path)
        except TrackError as error:
            raise Refusal(415, f"this file cannot be played: {error}") from error
        kind = Kind(shape.container, shape.codec)
        if not kind.suffix:
            raise Refusal(415, f"files of the format {kind.container} are not taken")
        if shape.duration_s > self._limits.duration_s:
            raise Refusal(413, self._too_long())
        return kind, shape.duration_s

    def _too_long(self) -> str:
        longest = format_duration(self._limits.duration_s)
        return f"this file is longer than {longest}"

    def _make_room(self, n_bytes: int) -> None:
        """Drop what was not used for longest until one more fits."""
        by_use = sorted(self._uploads.values(), key=lambda upload: upload.used_at)
        total = n_bytes + sum(upload.n_bytes for upload in by_use)
        for upload in by_use:
            is_one_too_many = len(self._uploads) >= self._limits.n_files
            if total <= self._limits.total_bytes and not is_one_too_many:
                break
            self._drop(upload)
            total -= upload.n_bytes

    def _drop_old(self) -> None:
        oldest = self._clock() - self._limits.age_s
        for upload in list(self._uploads.values()):
            if upload.added_at <= oldest:
                self._drop(upload)

    def _drop(self, upload: Upload) -> None:
        self._uploads.pop(upload.ref, None)
        with suppress(OSError):
            os.unlink(upload.item.path)

    def _is_wanted(self, upload: Upload) -> bool:
        with self._changed:
            return upload.ref in self._uploads

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closed:
                    self._changed.wait(_LOOK_S)
                    self._drop_old()
                if self._is_closed:
                    return
                upload = self._waiting.pop(0)
            if self._is_wanted(upload):
                self._listen_to(upload)

    def _listen_to(self, upload: Upload) -> None:
        def note(part: float) -> None:
            if not self._is_wanted(upload):
                raise TrackError("it was deleted")
            if part * upload.duration_s > self._limits.duration_s:
                raise TrackError(self._too_long())
            # When all is decoded, it is compared with the library.
            upload.progress = min(part, 0.99)

        name = os.fsdecode(upload.item.path)
        try:
            heard, failures = self._hear([name], progress=note)
        except DeejaiError as error:
            self._fail(upload, str(error))
        except Exception as error:  # noqa: BLE001 - the next one may be heard
            self._fail(upload, f"{type(error).__name__}: {error}")
        else:
            if name in heard:
                upload.heard = heard[name]
                upload.progress, upload.state = 1.0, "ready"
            else:
                self._fail(upload, failures[0][1])

    def _fail(self, upload: Upload, reason: str) -> None:
        path = os.fsdecode(upload.item.path)
        reason = one_line(reason.replace(path, upload.name))
        upload.error = f"cannot be heard: {reason}"
        upload.state = "failed"


def shown_name(name: str) -> str:
    """Return the name of a file without folders, fit to be shown."""
    return one_line(name.replace("\\", "/").rpartition("/")[2]) or "file"


def _copy(source: IO[bytes], path: str, *, max_bytes: int) -> int:
    """Copy a file, up to so many bytes.

    Raises
    ------
    Refusal
        It is empty, or has more.
    OSError
        The disk is full.
    """
    n_bytes = 0
    with open(path, "xb") as file:
        while block := source.read(_BLOCK_BYTES):
            n_bytes += len(block)
            if n_bytes > max_bytes:
                limit = max_bytes // 1_000_000
                raise Refusal(413, f"this file has more than {limit} MB")
            file.write(block)
    if n_bytes == 0:
        raise Refusal(422, "this file is empty")
    return n_bytes


def _item(path: str, name: str, duration_s: float) -> Item:
    """Read the tags of a file; what they do not tell is filled in."""
    stem = os.path.splitext(name)[0] or name
    try:
        item = item_of_file(os.fsencode(path), stem)
    except Exception:  # noqa: BLE001 - tags are broken in many ways, and no need
        item = Item(path=os.fsencode(path))
    item.title = item.title or stem
    item.length = item.length or duration_s
    return item
