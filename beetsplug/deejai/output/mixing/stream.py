"""Play tracks one into the other as one stream, holding only what overlaps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.mixing.beats import find_pulse, same_tempo
from beetsplug.deejai.output.mixing.crossfade import crossfade
from beetsplug.deejai.output.mixing.joins import NO_JOIN, Cut, Join, join
from beetsplug.deejai.output.mixing.survey import decode_stereo

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.beats import Pulse

    Array = npt.NDArray[np.float32]

MAX_BLOCK_SAMPLES = 1 << 16
"""Longest block that is yielded: 1.5 s, so that Ctrl-C is heard at once."""

PREVIEW_S = 10.0
"""What a preview plays before and after each join."""

_PREVIEW_FADE_S = 0.5
_BROKEN_FADE_S = 3.0
_RAMP_S = 0.005  # Where sound is cut, so that it does not click.
_MIN_CROSSFADE_FOR_BEATS_S = 0.5


@dataclass(frozen=True)
class Part:
    """A track that is about to be played.

    Attributes
    ----------
    path
        The audio file.
    cut
        The part of it that is played.
    gain
        Factor on its samples.
    bpm
        Its tempo where it is known.
    """

    path: str
    cut: Cut
    gain: float
    bpm: float | None = None


@dataclass(frozen=True)
class Played:
    """Where a track lies in the mix, in samples of it.

    Attributes
    ----------
    start, end
        Both include the overlaps with the neighbours.
    """

    start: int
    end: int


class Stream:
    """Joins one track after the other into one stream.

    Memory is bounded by a few times the crossfade, however long the tracks.

    Parameters
    ----------
    crossfade_s
        Longest overlap in seconds; 0 joins the tracks without a gap.
    preview
        Play only what is near the joins.
    check
        Called now and then: raises when the stream is not wanted any more.

    Attributes
    ----------
    n_samples
        Samples of the mix so far.
    played
        The tracks so far.
    passages
        In a preview: the samples at which the way to each next track begins.
    """

    def __init__(
        self,
        *,
        crossfade_s: float,
        preview: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.n_samples = 0
        self.played: list[Played] = []
        self.passages: list[int] = []
        self._crossfade_s = crossfade_s
        self._preview = preview
        self._check = check

    def play(self, parts: Iterable[Part]) -> Iterator[Array]:
        """Play tracks in order.

        Parameters
        ----------
        parts
            Each is asked for when the one before it begins.

        Yields
        ------
        ndarray of float32, shape (n_samples, 2)
            May exceed full scale where tracks overlap or gains are above 1.
        """
        before: Part | None = None
        entering = NO_JOIN
        tail = np.zeros((0, 2), dtype=np.float32)
        for part in parts:
            if before is not None:
                leaving = self._join(before, part)
                tail = yield from self._play(before, entering, tail, leaving)
                entering = leaving
            before = part
        if before is not None:
            yield from self._play(before, entering, tail, None)

    def _join(self, before: Part, after: Part) -> Join:
        return join(
            before.cut,
            after.cut,
            crossfade_s=self._crossfade_s,
            pulses=self._pulses(before, after),
        )

    def _pulses(self, before: Part, after: Part) -> tuple[Pulse, Pulse] | None:
        if self._crossfade_s < _MIN_CROSSFADE_FOR_BEATS_S:
            return None
        if before.bpm and after.bpm and not same_tempo(before.bpm, after.bpm):
            return None
        ending, beginning = before.cut.survey, after.cut.survey
        rate = ending.sample_rate
        outgoing = find_pulse(
            ending.tail, start=ending.tail_start, sample_rate=rate, bpm=before.bpm
        )
        if outgoing is None:
            return None
        incoming = find_pulse(
            beginning.head, start=beginning.head_start, sample_rate=rate, bpm=after.bpm
        )
        if incoming is None or not same_tempo(1 / outgoing.period, 1 / incoming.period):
            return None
        return outgoing, incoming

    def _play(
        self, part: Part, entering: Join, tail: Array, leaving: Join | None
    ) -> Generator[Array, None, Array]:
        """Play a track up to where it leaves, and return what overlaps there."""
        leads_on = leaving is not None
        leaving = leaving or NO_JOIN
        start, end = (
            part.cut.start + entering.n_skipped,
            part.cut.end - leaving.n_hidden,
        )
        part = replace(part, cut=replace(part.cut, start=start, end=end))
        n_between = part.cut.n_samples - entering.n_samples - leaving.n_samples
        place = self.n_samples
        reader = _Reader(self._samples(part, fades=not leaving.n_samples))
        if entering.n_samples:
            head = reader.read(entering.n_samples)
            rate = part.cut.survey.sample_rate
            yield from self._emit(
                crossfade(tail, head, join=entering, sample_rate=rate)
            )
        if self._preview:
            yield from self._preview_of(part, reader, n_between, leads_on=leads_on)
        else:
            yield from self._emit_all(reader.take(n_between))
        tail = reader.read(leaving.n_samples)
        self.played.append(Played(place, self.n_samples + leaving.n_samples))
        return tail

    def _preview_of(
        self, part: Part, reader: _Reader, n_between: int, *, leads_on: bool
    ) -> Iterator[Array]:
        """Play what is near the joins of a track."""
        rate = part.cut.survey.sample_rate
        n_near = round(PREVIEW_S * rate)
        n_first = n_near if self.played else 0
        n_last = n_near if leads_on else 0
        n_fade = round(_PREVIEW_FADE_S * rate)
        n_left_out = n_between - n_first - n_last
        if n_left_out <= 0:
            # What is too short to be cut leads half to the one and half to the other.
            n_first = n_between * n_first // max(1, n_first + n_last)
            n_last = n_between - n_first
            n_left_out = n_fade = 0
        yield from self._emit_all(_faded(reader.take(n_first), n_first, n_out=n_fade))
        for _ in reader.take(n_left_out):
            self._check()
        if leads_on:
            self.passages.append(self.n_samples)
        yield from self._emit_all(_faded(reader.take(n_last), n_last, n_in=n_fade))

    def _samples(self, part: Part, *, fades: bool) -> Iterator[Array]:
        """Decode what is played of a track, at its level."""
        cut, survey, n_track = part.cut, part.cut.survey, part.cut.n_samples
        rate = survey.sample_rate
        n_ramp = round(_RAMP_S * rate)
        n_in = n_ramp if cut.start > survey.first else 0
        n_out = n_ramp if cut.end < survey.last else 0
        if survey.problem and fades:
            n_out = min(round(_BROKEN_FADE_S * rate), n_track // 3)
        reader = _Reader(self._decoded(part))
        for _ in reader.take(cut.start):
            self._check()
        yield from _faded(reader.take(n_track), n_track, n_in=n_in, n_out=n_out)

    def _decoded(self, part: Part) -> Iterator[Array]:
        survey = part.cut.survey
        blocks = decode_stereo(part.path, sample_rate=survey.sample_rate)
        # What the first pass has reported is not reported again.
        with suppress(TrackError):
            for block in blocks:
                self._check()
                if survey.offset.any():
                    block = block - survey.offset
                yield block if part.gain == 1 else block * np.float32(part.gain)

    def _emit_all(self, blocks: Iterable[Array]) -> Iterator[Array]:
        for block in blocks:
            yield from self._emit(block)

    def _emit(self, pcm: Array) -> Iterator[Array]:
        for start in range(0, len(pcm), MAX_BLOCK_SAMPLES):
            block = pcm[start : start + MAX_BLOCK_SAMPLES]
            self.n_samples += len(block)
            yield block


class _Reader:
    """Reads blocks of any length in other lengths."""

    def __init__(self, blocks: Iterator[Array]) -> None:
        self._blocks = blocks
        self._rest = np.zeros((0, 2), dtype=np.float32)

    def take(self, n_samples: int) -> Iterator[Array]:
        """Yield the next samples, fewer when there are no more."""
        while n_samples > 0:
            if not len(self._rest):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._rest = block
            taken, self._rest = self._rest[:n_samples], self._rest[n_samples:]
            n_samples -= len(taken)
            yield taken

    def read(self, n_samples: int) -> Array:
        """Return the next samples; silence follows when there are no more."""
        read = np.zeros((n_samples, 2), dtype=np.float32)
        n_read = 0
        for block in self.take(n_samples):
            read[n_read : n_read + len(block)] = block
            n_read += len(block)
        return read


def _faded(
    blocks: Iterable[Array], n_samples: int, *, n_in: int = 0, n_out: int = 0
) -> Iterator[Array]:
    """Fade in the first and out the last of so many samples."""
    position = 0
    for block in blocks:
        place = np.arange(position, position + len(block))
        position += len(block)
        if place[0] >= n_in and place[-1] < n_samples - n_out:
            yield block
            continue
        rise = np.clip((place + 0.5) / n_in, 0, 1) if n_in else 1.0
        fall = np.clip((n_samples - place - 0.5) / n_out, 0, 1) if n_out else 1.0
        angle = np.minimum(rise, fall) * (np.pi / 2)
        yield block * np.sin(angle).astype(np.float32)[:, None]
