"""Keep the true peak of a stream under a ceiling, without clipping and without clicks.

The true peak is that of the continuous waveform, which may lie between the samples
(ITU-R BS.1770-4, annex 2). It is looked for at eight times the sampling rate, twice as
finely as the recommendation asks for, so that other tools find no higher one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Audio = npt.NDArray[np.float32]
    Levels = npt.NDArray[np.float64]

_OVERSAMPLING = 8
_N_TAPS = 32  # Samples of which each point between two samples is made.
_KAISER_BETA = 5.0  # With these, points up to 0.45 of the sampling rate are exact.

_STEP = 8  # Samples from one computed gain to the next; it is linear in between.
_BLOCK_STEPS = 2048
_BLOCK_SAMPLES = _BLOCK_STEPS * _STEP

# What lies around a step counts too: a window in whole steps holds all of it.
_BEFORE = _N_TAPS // 2 - 1
_AFTER = _N_TAPS - _BEFORE
_REACH = -(-_N_TAPS // 2 // _STEP)  # Steps on either side that shape a point.

# Where the gain changes, the waveform between the samples is not quite the old one
# times the gain; and other tools interpolate a little otherwise.
_MARGIN_DB = 0.2
_LOOK_AHEAD_S = 0.005
_RELEASE_S = 0.05  # In which a reduction (in dB) falls to 1/e.
_LEAST_DB = 1e-3  # Smaller reductions are none.
_MOST = 1e6  # A sample 120 dB above full scale is damage.

# So few that the linear algebra library stays in this thread: its others would take the
# processor from the encoder.
_ROWS_AT_ONCE = 128


def _interpolation() -> Audio:
    """Make the matrix from the samples around a step to all points within the step.

    Returns
    -------
    ndarray of float32, shape (_STEP * _OVERSAMPLING, _STEP + _N_TAPS - 1)
        A sinc under a Kaiser window in each row.
    """
    points = np.arange(_STEP * _OVERSAMPLING)[:, None] / _OVERSAMPLING + _BEFORE
    distance = points - np.arange(_STEP + _N_TAPS - 1)
    inside = np.clip(1 - (2 * distance / _N_TAPS) ** 2, 0, None)
    window = np.where(inside > 0, np.i0(_KAISER_BETA * np.sqrt(inside)), 0)
    matrix = np.sinc(distance) * window
    # A constant stays what it is.
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix.astype(np.float32)


_MATRIX = _interpolation()
_HIGHEST = float(np.abs(_MATRIX).sum(axis=1).max())
"""How far above the samples around it a point can be."""


def true_peak_db(pcm: Audio) -> float:
    """Measure the true peak of a piece of audio.

    Parameters
    ----------
    pcm
        float32 of shape (n_samples, 2), all finite.

    Returns
    -------
    float
        In dBTP (dB relative to full scale); minus infinity for silence.
    """
    around = _silence(_N_TAPS)
    padding = _silence(-len(pcm) % _STEP)
    padded = np.concatenate([around, pcm, padding, around])
    highest = 0.0
    for start in range(0, len(padded) - _N_TAPS, _BLOCK_SAMPLES):
        piece = padded[start : start + _BLOCK_SAMPLES + _N_TAPS]
        highest = max(highest, float(_step_peaks(piece, above=highest).max()))
    return 20 * math.log10(highest) if highest else -math.inf


def _silence(n_samples: int) -> Audio:
    return np.zeros((n_samples, 2), dtype=np.float32)


def _step_peaks(pcm: Audio, *, above: float) -> Audio:
    """Find the true peak of each step.

    Parameters
    ----------
    pcm
        The steps with `_BEFORE` samples before and `_AFTER` samples after them, shape
        (_BEFORE + n_steps * _STEP + _AFTER, 2).
    above
        Peaks up to this level may be told as 0.

    Returns
    -------
    ndarray of float32, shape (n_steps,)
        The higher one of both channels.
    """
    channels = np.ascontiguousarray(pcm.T)
    coarse = np.abs(channels).max(axis=0).reshape(-1, _STEP).max(axis=1)
    n_around = (_BEFORE + _AFTER) // _STEP
    n_steps = len(coarse) - n_around
    around = sliding_window_view(coarse, n_steps).max(axis=0)
    # Low samples make no high peak: most of the music need not be interpolated.
    (found,) = np.nonzero(around * _HIGHEST > above)
    windows = sliding_window_view(channels, _MATRIX.shape[1], axis=1)[:, ::_STEP]
    peaks = np.zeros(n_steps, dtype=np.float32)
    for start in range(0, len(found), _ROWS_AT_ONCE):
        steps = found[start : start + _ROWS_AT_ONCE]
        for channel in windows:
            points = _MATRIX @ channel[steps].T
            highest = np.maximum(points.max(axis=0), -points.min(axis=0))
            peaks[steps] = np.maximum(peaks[steps], highest)
    return peaks


class Limiter:
    """A look-ahead limiter of stereo audio.

    The gain falls smoothly in the 5 ms before a peak and comes back exponentially after
    it, the same in both channels, so that the stereo image stays. What is out of reach
    of any peak above the ceiling is not changed by a bit. The output has as many
    samples as the input, and does not depend on how the input is cut into blocks.

    Parameters
    ----------
    ceiling_db
        Highest true peak of the output in dBTP.
    sample_rate
        In Hz.
    """

    def __init__(self, *, ceiling_db: float, sample_rate: int) -> None:
        self._ceiling = 10 ** ((ceiling_db - _MARGIN_DB) / 20)
        self._release_steps = _RELEASE_S * sample_rate / _STEP
        n_ahead = max(1, round(_LOOK_AHEAD_S * sample_rate / _STEP))
        attack = np.hanning(n_ahead + 2)[1:-1]
        self._attack = attack / attack.sum()
        # All is computed in blocks of one length, so that no rounding tells where the
        # caller's blocks end. The output runs `delay` behind.
        self._ahead = (n_ahead + _REACH) * _STEP
        delay = self._ahead + (_BEFORE + _AFTER)
        self._pending = _silence(delay)
        self._n_skip = delay
        self._n_owed = 0
        # The state from one block to the next, in dB of reduction.
        self._needed = np.zeros(n_ahead + 2 * _REACH)
        self._released = np.zeros(n_ahead - 1)
        self._level = 0.0
        self._gain = np.float32(1)

    def process(self, block: Audio) -> Audio:
        """Take the next samples and give those that are done.

        Parameters
        ----------
        block
            float32 of shape (n_samples, 2), any number of samples. What is no number,
            or no level of music, becomes silence.

        Returns
        -------
        ndarray of float32, shape (n_done, 2)
            What follows on the samples given before.
        """
        self._n_owed += len(block)
        done = np.concatenate([_silence(0), *self._advance(block)])
        self._n_owed -= len(done)
        return done

    def finish(self) -> Audio:
        """Give the samples that are still owed.

        Returns
        -------
        ndarray of float32, shape (n_samples, 2)
        """
        rest = _silence(self._ahead + _AFTER + _BLOCK_SAMPLES)
        done = np.concatenate(list(self._advance(rest)))[: self._n_owed]
        self._n_owed = 0
        return done

    def _advance(self, block: Audio) -> Iterator[Audio]:
        pending = np.concatenate([self._pending, block])
        start = 0
        while len(pending) - start >= _BLOCK_SAMPLES + self._ahead + _AFTER:
            new = start + self._ahead - _BEFORE
            coming = pending[new : new + _BEFORE + _BLOCK_SAMPLES + _AFTER]
            now = pending[start : start + _BLOCK_SAMPLES]
            yield self._limited(now, self._need(coming))[self._n_skip :]
            self._n_skip = 0
            start += _BLOCK_SAMPLES
        self._pending = pending[start:].copy()

    def _need(self, pcm: Audio) -> Levels:
        """Tell by how many dB each step is above the ceiling."""
        highest = max(float(pcm.max()), -float(pcm.min()))
        if not highest < _MOST:
            pcm[~(np.abs(pcm) < _MOST)] = 0
        elif highest * _HIGHEST <= self._ceiling:
            return np.zeros(_BLOCK_STEPS)
        peaks = _step_peaks(pcm, above=self._ceiling)
        over: Levels = np.maximum(peaks / self._ceiling, 1.0, dtype=np.float64)
        return 20 * np.log10(over)

    def _limited(self, pcm: Audio, need: Levels) -> Audio:
        """Apply the gain to a block, given the need of the steps ahead of it."""
        needed = np.concatenate([self._needed, need])
        self._needed = needed[_BLOCK_STEPS:]
        if not (self._level or needed.any() or self._released.any()):
            return pcm
        ahead = sliding_window_view(needed, _BLOCK_STEPS).max(axis=0)
        released = np.concatenate([self._released, self._release(ahead)])
        self._released = released[_BLOCK_STEPS:]
        # As wide as the look-ahead: all that is averaged is enough for the peak.
        reduction = np.convolve(released, self._attack, mode="valid")
        gains = np.append(self._gain, (10 ** (-reduction / 20)).astype(np.float32))
        self._gain = gains[-1]
        ramp = np.repeat(np.arange(_STEP, dtype=np.float32) / _STEP, 2)
        gain = gains[:-1, None] + np.diff(gains)[:, None] * ramp
        return np.multiply(pcm, gain.reshape(-1, 2), dtype=np.float32)

    def _release(self, ahead: Levels) -> Levels:
        """Let the reductions fall exponentially, from the highest one on."""
        fall = np.arange(1, _BLOCK_STEPS + 1) / self._release_steps
        logarithms = np.log(np.maximum(ahead, _LEAST_DB)) + fall
        carried = math.log(max(self._level, _LEAST_DB))
        highest = np.maximum(np.maximum.accumulate(logarithms), carried)
        released = np.exp(highest - fall)
        released[released < 1.01 * _LEAST_DB] = 0
        self._level = float(released[-1])
        return released
