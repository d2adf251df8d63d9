"""Render tracks into one continuous file, in bounded memory.

Three threads work at once: one surveys the tracks to come, one decodes and joins, and
the caller's encodes. FFmpeg and numpy work outside Python's lock in all of them, so
that two cores are busy.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError, TrackError
from beetsplug.deejai.output.atomic import atomic_writer
from beetsplug.deejai.output.mixing.beats import known_tempo
from beetsplug.deejai.output.mixing.crossfade import audio_segment
from beetsplug.deejai.output.mixing.describe import describe
from beetsplug.deejai.output.mixing.encode import format_of, open_encoder
from beetsplug.deejai.output.mixing.joins import cut
from beetsplug.deejai.output.mixing.limiter import Limiter
from beetsplug.deejai.output.mixing.loudness import gain_db
from beetsplug.deejai.output.mixing.model import (
    MixOptions,
    MixResult,
    MixTrack,
    Placed,
)
from beetsplug.deejai.output.mixing.read_ahead import read_ahead
from beetsplug.deejai.output.mixing.stream import PREVIEW_S, Part, Stream
from beetsplug.deejai.output.mixing.survey import survey
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.encode import Format

    Array = npt.NDArray[np.float32]

_MAX_WAITING_BLOCKS = 16
_MAX_WAITING_SURVEYS = 2


def render_mix(
    tracks: Sequence[MixTrack],
    destination: str,
    options: MixOptions | None = None,
    *,
    title: str = "",
    progress: Callable[[float, float], None] | None = None,
) -> MixResult:
    """Render tracks, in order, into one file.

    A track that cannot be decoded, or holds only silence, is left out; one that is
    damaged half way is faded out there. The file appears when it is complete; when
    anything interrupts, Ctrl-C included, nothing is left behind.

    Parameters
    ----------
    tracks
        At least one that can be decoded; two for a preview.
    destination
        The file; its suffix, one of :data:`.encode.FORMATS`, tells the format.
    options
        How they are mixed.
    title
        The title tag; otherwise it names the first and the last track.
    progress
        Called in this thread with how much is done, in seconds of the mix, and an
        estimate of all. Half of that is listening to the tracks before they are mixed.

    Returns
    -------
    MixResult

    Raises
    ------
    FatalError
        No track can be decoded, or the file cannot be written as asked.
    """
    options = options or MixOptions()
    target = format_of(
        destination,
        bitrate_kbps=options.bitrate_kbps,
        quality=options.quality,
        sample_rate=options.sample_rate,
    )
    _check_overwrites_none(tracks, destination)
    # The import is not safe in a thread: it changes Python's warning filters.
    audio_segment()
    rendering = _Rendering(tracks, options, target)
    with (
        atomic_writer(destination) as file,
        open_encoder(
            file,
            target,
            destination=destination,
            tags=lambda: describe(rendering.result(title), rendering.levels),
        ) as encode,
        rendering.blocks() as blocks,
    ):
        for block in blocks:
            if len(block):
                encode(block)
                rendering.heard(block)
            if progress:
                progress(*rendering.progress())
    result = rendering.result(title)
    if progress:
        progress(result.duration_s, result.duration_s)
    return result


class _Rendering:
    """One mix in the making."""

    def __init__(
        self, tracks: Sequence[MixTrack], options: MixOptions, target: Format
    ) -> None:
        self._tracks = tracks
        self._options = options
        self._rate = target.sample_rate
        self._ceiling_db = 0.0 if options.loudness is None else target.ceiling_db
        self._mixed: list[int] = []
        self._left_out: list[tuple[str, str]] = []
        self._cut_short: list[tuple[str, str]] = []
        self.levels: list[float] = []
        self._n_samples = 0
        self._surveyed_s = 0.0
        self._lengths_s = sum(max(0.0, track.length_s) for track in tracks)
        self._estimate_s = _estimate_s(tracks, options)
        self._stopped = Event()
        self._stream = Stream(
            crossfade_s=options.crossfade_s, preview=options.preview, check=self._check
        )

    @contextmanager
    def blocks(self) -> Iterator[Iterator[Array]]:
        """Compute the mix in other threads, which end when the context is left."""
        with (
            read_ahead(self._parts(), max_blocks=_MAX_WAITING_SURVEYS) as parts,
            read_ahead(
                self._limited(parts),
                max_blocks=_MAX_WAITING_BLOCKS,
                meanwhile=np.zeros((0, 2), dtype=np.float32),
            ) as blocks,
        ):
            try:
                yield blocks
            finally:
                self._stopped.set()

    def heard(self, block: Array) -> None:
        """Note a block that was encoded."""
        self._n_samples += len(block)
        self.levels.append(float(np.sqrt(np.mean(np.square(block)))))

    def progress(self) -> tuple[float, float]:
        """Return how much is done, in seconds of the mix, and how long it will be."""
        done_s = self._n_samples / self._rate
        total_s = max(self._estimate_s, done_s)
        if self._lengths_s:
            heard = min(1.0, self._surveyed_s / self._lengths_s)
            done_s = (heard * total_s + done_s) / 2
        return done_s, total_s

    def result(self, title: str) -> MixResult:
        """Tell what was rendered."""
        placed = [
            Placed(
                number,
                self._tracks[number],
                played.start / self._rate,
                played.end / self._rate,
            )
            for number, played in zip(self._mixed, self._stream.played, strict=True)
        ]
        ends = dict.fromkeys([placed[0].track.name, placed[-1].track.name])
        return MixResult(
            title or " -> ".join(ends),
            self._n_samples / self._rate,
            tuple(placed),
            tuple(start / self._rate for start in self._stream.passages),
            tuple(self._left_out),
            tuple(self._cut_short),
        )

    def _parts(self) -> Iterator[Part]:
        """Survey one track after the other."""
        reason = "there are none"
        for number, track in enumerate(self._tracks):
            try:
                part = self._part(track)
            except TrackError as error:
                reason = f"{displayable_path(track.path)}: {error}"
                self._left_out.append((track.path, str(error)))
                continue
            if part.cut.survey.problem:
                self._cut_short.append((track.path, part.cut.survey.problem))
            self._mixed.append(number)
            yield part
        if not self._mixed:
            raise FatalError(f"no track can be mixed ({reason})")
        if self._options.preview and len(self._mixed) < 2:
            raise FatalError("a preview needs two tracks that can be decoded")

    def _part(self, track: MixTrack) -> Part:
        target = self._options.loudness
        surveyed_s = self._surveyed_s
        surveyed = survey(
            track.path,
            sample_rate=self._rate,
            measure_loudness=target is not None and track.loudness is None,
            check=lambda n_samples: self._surveyed(surveyed_s, n_samples),
        )
        if self._is_unchanged:
            surveyed = replace(surveyed, offset=np.zeros(2, dtype=np.float32))
        gain = 0.0
        if target is not None:
            loudness = surveyed.loudness if track.loudness is None else track.loudness
            gain = gain_db(
                loudness,
                target=target,
                peak=surveyed.peak,
                ceiling_db=self._ceiling_db,
            )
        return Part(
            track.path,
            cut(surveyed, trim=self._options.trim),
            10 ** (gain / 20),
            known_tempo(track.bpm),
        )

    def _limited(self, parts: Iterable[Part]) -> Iterator[Array]:
        blocks = self._stream.play(parts)
        if self._is_unchanged:
            yield from blocks
            return
        limiter = Limiter(ceiling_db=self._ceiling_db, sample_rate=self._rate)
        for block in blocks:
            yield limiter.process(block)
        yield limiter.finish()

    @property
    def _is_unchanged(self) -> bool:
        """Every sample stays what it is: nothing overlaps, nothing gets louder."""
        return self._options.loudness is None and self._options.crossfade_s == 0

    def _surveyed(self, before_s: float, n_samples: int) -> None:
        """Note how far a survey has come."""
        self._surveyed_s = before_s + n_samples / self._rate
        self._check()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError


class _StoppedError(Exception):
    """Nobody waits for the mix any more."""


def _check_overwrites_none(tracks: Iterable[MixTrack], destination: str) -> None:
    if not os.path.exists(destination):
        return
    for track in tracks:
        if os.path.exists(track.path) and os.path.samefile(track.path, destination):
            raise FatalError(
                f"{displayable_path(destination)} is one of the tracks to be mixed: "
                "choose another name"
            )


def _estimate_s(tracks: Sequence[MixTrack], options: MixOptions) -> float:
    lengths_s = np.array([max(0.0, track.length_s) for track in tracks])
    if options.preview:
        return float(np.minimum(2 * PREVIEW_S, lengths_s).sum())
    return Clock(lengths_s, options.crossfade_s).played_s(range(len(tracks)), 0.0, 0.0)
