"""Find the steady beat of a few seconds of music.

librosa's beat tracker follows a changing tempo, for 280 MB of memory and 2 s of
start-up, more than all of the rest of a mix. Where two tracks meet, only a steady beat
is of use, and that is one line of a Fourier transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from beetsplug.deejai.audio.spectrogram import mel_filterbank

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

SAME_TEMPO = 0.04
"""Tempi that differ by at most this part are the same to a listener."""

MIN_BPM, MAX_BPM = 60.0, 180.0

_USUAL_BPM = 120.0
_HOP_S = 0.005
_N_FFT = 1024
_N_MELS = 40
_MIN_S = 8.0
_MIN_CLARITY = 0.2
_N_PADDED = 1 << 19


@dataclass(frozen=True)
class Pulse:
    """A steady beat.

    Attributes
    ----------
    period
        Samples from beat to beat.
    first
        The sample of a beat, a fraction.
    """

    period: float
    first: float

    def nearest(self, position: float) -> float:
        """Return the beat that is nearest to a sample."""
        return self.first + round((position - self.first) / self.period) * self.period

    def phase(self, position: float) -> float:
        """Return how many samples after a position the next beat comes.

        A beat that is hardly over counts: the result lies between -1/8 and 7/8 of the
        period.
        """
        shifted = (self.first - position + self.period / 8) % self.period
        return shifted - self.period / 8


def known_tempo(bpm: float | None) -> float | None:
    """Return a tempo from a tag, or None for what can be none: under 30, over 360."""
    return bpm if bpm and MIN_BPM / 2 <= bpm <= MAX_BPM * 2 else None


def same_tempo(bpm: float, other_bpm: float) -> bool:
    """Whether two tempi are the same to a listener."""
    return abs(bpm - other_bpm) <= SAME_TEMPO * min(bpm, other_bpm)


def find_pulse(
    mono: Array, *, start: int, sample_rate: int, bpm: float | None = None
) -> Pulse | None:
    """Find the beat of a piece of music.

    Parameters
    ----------
    mono
        The piece, shape (n_samples,); 10 s or more.
    start
        Where it begins, in samples of its track; the result is counted like that.
    sample_rate
        In Hz.
    bpm
        Its tempo where it is known, as :func:`known_tempo` tells: only tempi like that
        are tried.

    Returns
    -------
    Pulse or None
        None if no steady beat stands out. One that is not known is sought from 60 to
        180 a minute.

    Notes
    -----
    The onsets of a steady beat are a pulse train: of the Fourier transform of the onset
    strength (the rising part of the log-mel spectrogram), the tempo and its double are
    added, weighted by how usual the tempo is (Ellis, "Beat Tracking by Dynamic
    Programming", 2007), and the phase of the greatest tells where the beats are.
    """
    onsets, rate = _onset_strength(mono, sample_rate=sample_rate)
    if len(onsets) < _MIN_S * rate:
        return None
    low, high = MIN_BPM, MAX_BPM
    if bpm is not None:
        low, high = bpm * (1 - SAME_TEMPO / 2), bpm * (1 + SAME_TEMPO / 2)
    # Padded so far that a tempo between two bins is known to 0.01 beats a minute.
    spectrum = scipy.fft.rfft(onsets, _N_PADDED)
    bpm_per_bin = 60 * rate / _N_PADDED
    bins = np.arange(round(low / bpm_per_bin), round(high / bpm_per_bin) + 1)
    usual = np.exp(-0.5 * np.square(np.log2(bins * bpm_per_bin / _USUAL_BPM)))
    score = (np.abs(spectrum[bins]) + np.abs(spectrum[2 * bins])) * usual
    best = int(bins[np.argmax(score)])
    single, double = spectrum[best], spectrum[2 * best]
    if abs(single) + abs(double) <= _MIN_CLARITY * onsets.sum():
        return None
    # A beat is where the train's fundamental and its double are at their crest.
    turns = np.arange(0, 1, 0.001)
    waves = np.exp(2j * np.pi * turns)
    crest = np.real(single * waves + double * waves**2)
    period_s = 60 / (best * bpm_per_bin)
    first_s = float(turns[int(np.argmax(crest))]) * period_s
    return Pulse(period_s * sample_rate, start + first_s * sample_rate)


@cache
def _filters(sample_rate: int) -> Array:
    return mel_filterbank(sample_rate=sample_rate, n_fft=_N_FFT, n_mels=_N_MELS)


def _onset_strength(mono: Array, *, sample_rate: int) -> tuple[Array, float]:
    """Return how much sound begins in each frame, and the rate of frames in Hz."""
    hop = round(_HOP_S * sample_rate)
    padded = np.concatenate([np.zeros(_N_FFT, dtype=np.float32), mono])
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::hop]
    window = np.hanning(_N_FFT).astype(np.float32)
    parts = []
    for part in np.array_split(frames, max(1, len(frames) // 512)):
        power = np.square(np.abs(scipy.fft.rfft(part * window)))
        parts.append(power @ _filters(sample_rate).T)
    mel = np.concatenate(parts)
    loudest = max(float(mel.max()), 1e-9)
    log_mel = np.log(mel / loudest + 1e-5)
    rises = np.maximum(0.0, np.diff(log_mel, axis=0)).sum(axis=1)
    return rises.astype(np.float32), sample_rate / hop
