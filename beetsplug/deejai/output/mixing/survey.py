"""Listen through a track once before it is mixed: how loud, how long, how it ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.mixing.loudness import LoudnessMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

WINDOW_S = 0.02
"""Length of the windows whose levels are kept."""

SILENCE = 10 ** (-60 / 20)
"""A sample up to here is silence: 60 dB below full scale."""

EXCERPT_S = 30.0
"""How much of a track's beginning and of its end is kept to find the beat."""

MAX_LOSS_S = 0.5
"""A track that misses more than this ends where the damage begins."""

# The mean of a short piece is not that of the whole recording, and a small offset is
# not heard: no reason to touch samples.
_MAX_OFFSET = 0.01
_MIN_OFFSET_S = 10.0


@dataclass(frozen=True)
class Survey:
    """What one pass over a track has found.

    Attributes
    ----------
    sample_rate
        In Hz, of all samples that are counted here.
    n_samples
        Length of what can be decoded.
    first, last
        The first audible sample, and the one after the last.
    peak
        Greatest magnitude, 1 for full scale.
    offset
        Mean of each channel where it is worth removing, else 0; shape (2,).
    levels
        RMS level of each window, both channels, shape (n_windows,).
    loudness
        Integrated loudness in LUFS; None where it was not measured or has none.
    head, tail
        The beginning and the end of what is audible, mixed down to mono, shape
        (n_samples,), for the beat.
    head_start, tail_start
        Where they begin in the track.
    problem
        Why the track ends early; empty if it does not.
    """

    sample_rate: int
    n_samples: int
    first: int
    last: int
    peak: float
    offset: Array
    levels: Array
    loudness: float | None
    head: Array
    head_start: int
    tail: Array
    tail_start: int
    problem: str = ""


def decode_stereo(path: str, *, sample_rate: int) -> Iterator[Array]:
    """Decode a file to stereo; both channels of a mono file are the same.

    Yields
    ------
    ndarray of float32, shape (n_samples, 2)
        Consecutive blocks, full scale at 1.

    Raises
    ------
    TrackError
        Nothing can be decoded; or after the last block before serious damage.
    """
    # PyAV takes a while to import.
    from beetsplug.deejai.audio.decode import stream_audio

    for block in stream_audio(
        path,
        sample_rate=sample_rate,
        layout="stereo",
        sample_format="flt",
        max_loss_s=MAX_LOSS_S,
    ):
        yield np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block


def survey(
    path: str,
    *,
    sample_rate: int,
    measure_loudness: bool,
    check: Callable[[int], None] = lambda n_samples: None,
) -> Survey:
    """Decode a track once and note what its mixing needs.

    Memory does not depend on its length, but for 200 bytes a second.

    Parameters
    ----------
    path
        The audio file.
    sample_rate
        Of the mix, in Hz.
    measure_loudness
        Whether its loudness is not known otherwise.
    check
        Called now and then with the samples heard so far: raises when the survey is
        not wanted any more.

    Raises
    ------
    TrackError
        Nothing can be decoded, or there is nothing to hear.
    """
    surveyor = _Surveyor(sample_rate=sample_rate, measure_loudness=measure_loudness)
    problem = ""
    try:
        for block in decode_stereo(path, sample_rate=sample_rate):
            surveyor.add(block)
            check(surveyor.n_samples)
    except TrackError as error:
        if surveyor.n_samples == 0:
            raise
        problem = str(error)
    return surveyor.result(problem)


class _Surveyor:
    def __init__(self, *, sample_rate: int, measure_loudness: bool) -> None:
        self.n_samples = 0
        self._rate = sample_rate
        self._first: int | None = None
        self._last = 0
        self._peak = 0.0
        self._offset = _Offset()
        self._levels: list[Array] = []
        self._rest = np.zeros((0, 2), dtype=np.float32)
        self._excerpts = _Excerpts(round(EXCERPT_S * sample_rate))
        self._meter = (
            LoudnessMeter(sample_rate=sample_rate) if measure_loudness else None
        )

    def add(self, block: Array) -> None:
        # Column by column: numpy is slow along an axis of two.
        left, right = np.ascontiguousarray(block.T)
        magnitude = np.maximum(np.abs(left), np.abs(right))
        audible = np.flatnonzero(magnitude > SILENCE)
        if len(audible):
            if self._first is None:
                self._first = self.n_samples + int(audible[0])
            self._last = self.n_samples + int(audible[-1]) + 1
            self._peak = max(self._peak, float(magnitude.max()))
        self._offset.add(block, audible)
        self._excerpts.add(
            (left + right) / 2, start=self.n_samples, audible=bool(len(audible))
        )
        self._add_levels(block)
        if self._meter:
            self._meter.add(block)
        self.n_samples += len(block)

    def _add_levels(self, block: Array) -> None:
        window = round(WINDOW_S * self._rate)
        block = np.concatenate([self._rest, block])
        n_whole = len(block) // window
        whole = block[: n_whole * window].reshape(n_whole, 2 * window)
        self._levels.append(np.sqrt(np.einsum("ij,ij->i", whole, whole) / (2 * window)))
        self._rest = block[n_whole * window :].copy()

    def result(self, problem: str) -> Survey:
        if self._first is None or self._offset.is_constant():
            raise TrackError("only silence")
        n_audible = self._last - self._first
        is_long = n_audible >= _MIN_OFFSET_S * self._rate
        offset = self._offset.mean() if is_long else np.zeros(2)
        offset = np.where(np.abs(offset) > _MAX_OFFSET, offset, 0.0)
        if len(self._rest):
            self._levels.append(
                np.sqrt(np.mean(np.square(self._rest), keepdims=True))[0]
            )
        excerpts = self._excerpts
        head, head_start = excerpts.head()
        tail, tail_start = excerpts.tail()
        levels = np.concatenate(self._levels).astype(np.float32)
        constant = np.mean(np.square(offset))
        return Survey(
            sample_rate=self._rate,
            n_samples=self.n_samples,
            first=self._first,
            last=self._last,
            peak=self._peak + float(np.abs(offset).max()),
            offset=offset.astype(np.float32),
            levels=np.sqrt(np.maximum(0, np.square(levels) - np.float32(constant))),
            loudness=self._meter.integrated() if self._meter else None,
            head=head,
            head_start=head_start,
            tail=tail,
            tail_start=tail_start,
            problem=problem,
        )


class _Offset:
    """The mean of what lies between the first and the last audible sample."""

    def __init__(self) -> None:
        self._n_samples, self._n_since = 0, 0
        self._sums, self._squares = np.zeros(2), np.zeros(2)
        self._since = np.zeros(2)

    def add(self, block: Array, audible: npt.NDArray[np.intp]) -> None:
        """Hear a block, given which of its samples are audible."""
        if not len(audible):
            if self._n_samples:
                self._n_since += len(block)
                self._since += block.sum(axis=0, dtype=np.float64)
            return
        start = 0 if self._n_samples else int(audible[0])
        end = int(audible[-1]) + 1
        exact = np.ascontiguousarray(block.T, dtype=np.float64)
        self._n_samples += self._n_since + end - start
        self._sums += self._since + exact[:, start:end].sum(axis=1)
        # Silence adds next to nothing to these.
        self._squares += np.einsum("ij,ij->i", exact, exact)
        self._n_since = len(block) - end
        self._since = exact[:, end:].sum(axis=1)

    def mean(self) -> npt.NDArray[np.float64]:
        """Return the mean of each channel, shape (2,)."""
        return self._sums / self._n_samples

    def is_constant(self) -> bool:
        """Whether nothing is heard, for all that the samples are not zero."""
        mean = self.mean()
        power = self._squares / self._n_samples - mean**2
        return bool(np.abs(mean).max() > SILENCE and power.max() < SILENCE**2)


class _Excerpts:
    """The first and the last seconds of what is audible."""

    def __init__(self, n_samples: int) -> None:
        self._n_samples = n_samples
        self._head: list[Array] = []
        self._head_start = 0
        self._n_head = 0
        self._tail: deque[tuple[int, Array]] = deque()
        self._silent: deque[tuple[int, Array]] = deque()

    def add(self, mono: Array, *, start: int, audible: bool) -> None:
        if audible and not self._head:
            self._head_start = start
        if (audible or self._head) and self._n_head < self._n_samples:
            self._head.append(mono)
            self._n_head += len(mono)
        # Silence belongs to the end only if something follows it.
        self._silent.append((start, mono))
        if audible:
            self._tail.extend(self._silent)
            self._silent.clear()
            self._drop(self._tail)
        self._drop(self._silent)

    def _drop(self, blocks: deque[tuple[int, Array]]) -> None:
        while blocks and blocks[-1][0] - blocks[0][0] > self._n_samples:
            blocks.popleft()

    def head(self) -> tuple[Array, int]:
        return np.concatenate(self._head)[: self._n_samples], self._head_start

    def tail(self) -> tuple[Array, int]:
        return np.concatenate([mono for _, mono in self._tail]), self._tail[0][0]
