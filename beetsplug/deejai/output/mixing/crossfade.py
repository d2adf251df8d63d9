"""Join tracks at constant power, holding only the seconds that overlap."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Pcm = npt.NDArray[np.int16]

MAX_BLOCK_SAMPLES = 1 << 16
"""Longest block that is yielded: 1.5 s, so that Ctrl-C is heard at once."""

_SHARE = 3  # An overlap takes at most this part of a track, at either end.


@cache
def audio_segment() -> Any:
    """Import pydub's AudioSegment without the noise that its import makes."""
    with warnings.catch_warnings():
        # pydub looks for the ffmpeg program, which is not needed here, and is written
        # for older versions of Python.
        warnings.filterwarnings("ignore", "Couldn't find ffmpeg", RuntimeWarning)
        warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
        for category in (DeprecationWarning, SyntaxWarning):
            warnings.filterwarnings("ignore", ".*invalid escape sequence", category)
        from pydub import AudioSegment
    return AudioSegment


def crossfade(tail: Pcm, head: Pcm, *, sample_rate: int) -> Pcm:
    """Fade from one piece of audio to another of the same length.

    The gains are a cosine and a sine, whose squares add up to 1: two tracks that have
    nothing in common keep their power all through, where linear gains lose 3 dB in the
    middle. Sums beyond full scale are clipped.

    Parameters
    ----------
    tail, head
        Stereo int16, shape (n_samples, 2). Of whole hundredths of a second: pydub
        counts in milliseconds, and other lengths would lose a sample to rounding.
    sample_rate
        In Hz.

    Returns
    -------
    ndarray of int16, shape (n_samples, 2)
    """
    angle = (np.arange(len(tail), dtype=np.float32) + 0.5) * (np.pi / 2 / len(tail))
    outgoing, incoming = (
        audio_segment()(
            data=np.rint(pcm * gain[:, None]).astype(np.int16).tobytes(),
            sample_width=2,
            frame_rate=sample_rate,
            channels=2,
        )
        for pcm, gain in ((tail, np.cos(angle)), (head, np.sin(angle)))
    )
    mixed = outgoing.overlay(incoming).raw_data
    return np.frombuffer(mixed, dtype=np.int16).reshape(-1, 2)


class Crossfader:
    """Joins one track after the other into one stream.

    Two neighbours overlap by `crossfade_s`, or by a third of the shorter one when that
    is less. Memory is bounded by four times the crossfade, however long the tracks.

    Parameters
    ----------
    crossfade_s
        Longest overlap in seconds; 0 joins the tracks without a gap.
    sample_rate
        In Hz.

    Attributes
    ----------
    n_samples
        Samples of the mix so far.
    starts
        The sample of the mix at which each track starts.
    """

    def __init__(self, *, crossfade_s: float, sample_rate: int) -> None:
        self.n_samples = 0
        self.starts: list[int] = []
        self._sample_rate = sample_rate
        self._longest = round(crossfade_s * sample_rate)
        self._n_previous = 0
        self._tail: Pcm = np.zeros((0, 2), dtype=np.int16)

    def add(self, blocks: Iterable[Pcm]) -> Iterator[Pcm]:
        """Append a track, and yield what no later track can change.

        Parameters
        ----------
        blocks
            Stereo int16 blocks of the track, shape (n_samples, 2). An exception before
            enough for the overlap was read leaves the mix as it was.

        Yields
        ------
        ndarray of int16, shape (n_samples, 2)
        """
        blocks = iter(blocks)
        held = self._look_ahead(blocks)
        n_track = len(held)
        if n_track == 0:
            return
        overlap = self._overlap(n_track)
        start = len(self._tail) - overlap
        yield from _split(self._tail[:start])
        if overlap:
            joined = crossfade(
                self._tail[start:], held[:overlap], sample_rate=self._sample_rate
            )
            yield from _split(joined)
        self.starts.append(self.n_samples - overlap)
        self.n_samples += n_track - overlap
        self._tail = held[overlap:]
        yield from self._release()
        for block in blocks:
            n_track += len(block)
            self.n_samples += len(block)
            self._tail = np.concatenate([self._tail, block])
            yield from self._release()
        self._n_previous = n_track

    def finish(self) -> Iterator[Pcm]:
        """Yield the end of the last track."""
        yield from _split(self._tail)
        self._tail = self._tail[:0]

    def _look_ahead(self, blocks: Iterator[Pcm]) -> Pcm:
        """Read as much of a track as tells whether it is long enough to overlap."""
        parts, n_read = [self._tail[:0]], 0
        for block in blocks:
            parts.append(block)
            n_read += len(block)
            if n_read >= max(1, _SHARE * self._longest):
                break
        return np.concatenate(parts)

    def _overlap(self, n_track: int) -> int:
        shorter = min(self._n_previous, n_track)
        overlap = min(self._longest, shorter // _SHARE)
        return overlap - overlap % (self._sample_rate // 100)

    def _release(self) -> Iterator[Pcm]:
        """Yield all but the seconds that the next track may overlap."""
        n_free = max(0, len(self._tail) - self._longest)
        yield from _split(self._tail[:n_free])
        self._tail = self._tail[n_free:]


def _split(pcm: Pcm) -> Iterator[Pcm]:
    for start in range(0, len(pcm), MAX_BLOCK_SAMPLES):
        yield pcm[start : start + MAX_BLOCK_SAMPLES]
