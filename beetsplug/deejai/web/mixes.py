"""Mixes that are rendered in the background, to be downloaded."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from beets.util import displayable_path

from beetsplug.deejai.commands.mix_tracks import mix_track
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.web.private_folder import PrivateFolder, remove_left_behind
from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import Logger

    from beets.library import Item

    from beetsplug.deejai.output.mixing.model import MixOptions, MixResult, MixTrack

_FOLDER = "deejai-mixes-"

MAX_MIXES = 10
"""So many are kept; the oldest that is done makes place."""

MAX_LENGTH_S = 6 * 3600.0
KEPT_S = 6 * 3600.0

_SPARE_BYTES = 500_000_000
"""Of the disk, which is left to others."""

# 16 bit stereo at 48 kHz; the others stay far below.
_MAX_BYTES_PER_S = 192_000

_WAKE_S = 60.0

State = Literal["waiting", "rendering", "ready", "failed"]


@dataclass(frozen=True)
class LeftOut:
    """A track that could not be mixed, and why."""

    title: str
    reason: str


@dataclass
class Mix:
    """One mix, and how far it is.

    Attributes
    ----------
    id
        Secret.
    tracks, options
        What is mixed, and how.
    title
        As given; empty: after its first and last track, once that is known.
    suffix
        Of the file: its format.
    state, done_s, total_s, error
        How far it is, in seconds of the mix.
    duration_s, left_out
        What became of it.
    """

    id: str
    tracks: list[MixTrack]
    options: MixOptions
    title: str
    suffix: str
    state: State = "waiting"
    done_s: float = 0.0
    total_s: float = 0.0
    error: str | None = None
    duration_s: float = 0.0
    left_out: list[LeftOut] = field(default_factory=list)
    ended_at: float = 0.0
    is_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ("ready", "failed")


class _CancelledError(Exception):
    """Nobody wants the mix any more."""


class Mixes:
    """Renders mixes, one after the other, into a folder that only this user can read.

    What a deck left that was killed is deleted at once.

    Parameters
    ----------
    log
        Where to say what nobody has foreseen.
    clock
        Tells the time in seconds.
    """

    def __init__(
        self, log: Logger, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._clock = clock
        self._changed = threading.Condition()
        self._mixes: dict[str, Mix] = {}
        self._queue: deque[Mix] = deque()
        self._folder: PrivateFolder | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False
        remove_left_behind(_FOLDER)

    def start(
        self, items: Sequence[Item], *, suffix: str, title: str, options: MixOptions
    ) -> Mix:
        """Queue a mix.

        Parameters
        ----------
        items
            The tracks, in order. Their paths must be absolute: the library's music
            directory is known here, and not where the mix is rendered.
        suffix
            One of :data:`~beetsplug.deejai.output.mixing.encode.FORMATS`.
        title
            Of the mix; empty: it is named after its first and last track.
        options
            How it is rendered.

        Raises
        ------
        Refusal
            It would be too long, or too many are being made.
        """
        if sum(max(0.0, item.length or 0.0) for item in items) > MAX_LENGTH_S:
            raise Refusal(
                400, f"a mix made here takes at most {MAX_LENGTH_S / 3600:.0f} hours"
            )
        mix = Mix(
            id=secrets.token_urlsafe(16),
            tracks=[mix_track(item) for item in items],
            options=options,
            title=title,
            suffix=suffix,
        )
        with self._changed:
            if self._is_closed:
                raise Refusal(503, "the deck is being closed")
            self._drop_old()
            self._make_place()
            if self._folder is None:
                self._folder = PrivateFolder(_FOLDER)
                self._thread = threading.Thread(
                    target=self._work, name="deejai-mixes", daemon=True
                )
                self._thread.start()
            self._mixes[mix.id] = mix
            self._queue.append(mix)
            self._changed.notify_all()
        return mix

    def get(self, mix_id: str) -> Mix:
        """Return a mix.

        Raises
        ------
        Refusal
            There is none, or no longer.
        """
        with self._changed:
            self._drop_old()
            if mix_id not in self._mixes:
                raise Refusal(404, "there is no such mix, or no longer")
            return self._mixes[mix_id]

    def path(self, mix: Mix) -> str:
        """Return where a mix lies.

        Raises
        ------
        Refusal
            It is not ready.
        """
        if mix.state != "ready":
            raise Refusal(409, "the mix is not ready")
        return self._path(mix)

    def _path(self, mix: Mix) -> str:
        assert self._folder is not None
        return os.path.join(self._folder.path, mix.id + mix.suffix)

    def remove(self, mix_id: str) -> None:
        """Stop a mix if it is being made, and delete it.

        Raises
        ------
        Refusal
            There is none.
        """
        mix = self.get(mix_id)
        with self._changed:
            self._drop(mix)

    def close(self) -> None:
        """Stop everything, and delete everything."""
        with self._changed:
            self._is_closed = True
            for mix in list(self._mixes.values()):
                self._drop(mix)
            self._changed.notify_all()
        if self._folder is not None:
            self._folder.close(after=self._thread)

    # Below, whoever calls holds the lock.

    def _make_place(self) -> None:
        if len(self._mixes) < MAX_MIXES:
            return
        over = [mix for mix in self._mixes.values() if mix.is_over]
        if not over:
            raise Refusal(
                429,
                f"{MAX_MIXES} mixes are being made: wait, or delete one",
                {"Retry-After": "60"},
            )
        self._drop(min(over, key=lambda mix: mix.ended_at))

    def _drop_old(self) -> None:
        now = self._clock()
        for mix in list(self._mixes.values()):
            if mix.is_over and now - mix.ended_at > KEPT_S:
                self._drop(mix)

    def _drop(self, mix: Mix) -> None:
        mix.is_cancelled = True
        self._mixes.pop(mix.id, None)
        if mix in self._queue:
            self._queue.remove(mix)
        if mix.state == "ready":
            # On Windows a file that is being downloaded stays until the end.
            with suppress(OSError):
                os.unlink(self._path(mix))

    # The thread that renders.

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_closed:
                    self._changed.wait(_WAKE_S)
                    self._drop_old()
                if self._is_closed:
                    return
                mix = self._queue.popleft()
                mix.state = "rendering"
            try:
                result = self._render(mix)
            except _CancelledError:
                continue
            except Exception as error:  # noqa: BLE001 - the next one may be better
                self._end(mix, error=self._reason(mix, error))
            else:
                self._end(mix, result=result)

    def _render(self, mix: Mix) -> MixResult:
        # PyAV and pydub take a while to import.
        from beetsplug.deejai.output.mixing.render import render_mix

        path = self._path(mix)
        seconds = sum(track.length_s for track in mix.tracks)
        free = shutil.disk_usage(os.path.dirname(path)).free
        if free < _SPARE_BYTES + seconds * _MAX_BYTES_PER_S:
            raise FatalError("the disk has too little room left")

        def progress(done_s: float, total_s: float) -> None:
            if mix.is_cancelled:
                raise _CancelledError
            mix.done_s, mix.total_s = done_s, total_s

        return render_mix(
            mix.tracks,
            path,
            mix.options,
            title=mix.title,
            progress=progress,
        )

    def _end(
        self, mix: Mix, *, result: MixResult | None = None, error: str | None = None
    ) -> None:
        with self._changed:
            mix.ended_at = self._clock()
            mix.error = error
            if result is not None:
                mix.title = result.title
                mix.duration_s = result.duration_s
                mix.left_out = [
                    LeftOut(title, self._without_places(mix, reason))
                    for path, reason in (*result.left_out, *result.cut_short)
                    for title in _titles(mix, path)
                ]
            mix.state = "failed" if result is None else "ready"
            if mix.is_cancelled:
                self._drop(mix)

    def _reason(self, mix: Mix, error: Exception) -> str:
        if isinstance(error, FatalError):
            return self._without_places(mix, str(error))
        self._log.error("the mix {!r} failed: {!r}", mix.title, error)
        return "something went wrong; the terminal tells what"

    def _without_places(self, mix: Mix, message: str) -> str:
        """Leave out of a message where files lie."""
        for track in mix.tracks:
            for path in (track.path, displayable_path(track.path)):
                message = message.replace(path, track.name)
        return message.replace(os.path.dirname(self._path(mix)) + os.sep, "")


def _titles(mix: Mix, path: str) -> list[str]:
    """Return the name of the track at a path, once."""
    return [track.name for track in mix.tracks if track.path == path][:1]
