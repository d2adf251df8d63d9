"""Decide how two tracks join: where each begins and ends, and how long they overlap.

Pure: all of it is told by what :mod:`.survey` found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.output.mixing.survey import WINDOW_S
from beetsplug.deejai.recommend.timing import MAX_OVERLAP_SHARE

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.beats import Pulse
    from beetsplug.deejai.output.mixing.survey import Survey

    Array = npt.NDArray[np.float32]

MIN_SILENCE_S = 0.05
"""Shorter silence is left, so that pieces of one recording join without a seam."""

MAX_QUIET_S = 3.0
"""How much is kept of a quiet beginning or end."""

QUIET_DB = -40.0
"""What is this far below the track's usual level is quiet."""

HARD_OVERLAP_S = 2.0
"""Longest overlap of an ending and a beginning that do not fade by themselves."""

_EDGE_S = 30.0  # The part of a track that tells how loud it is before it ends.
_SMOOTHING_S = 0.4  # As long as momentary loudness (EBU R128) listens.
_STARTS_TO_FADE_DB = -6.0
_HAS_FADED_DB = -20.0
_MASKED_DB = -30.0  # Nobody hears it below the next track.
_WEAK_DB = -15.0  # Not to be heard alone for long: the mix would seem to stop.
_MIN_FADE_S = 0.7
_HARDLY_UP = 0.1
_MIN_OVERLAP_S = 0.05
_RAMP_S = 0.002  # Without it, what is cut out of the middle of a sound clicks.


@dataclass(frozen=True)
class Edge:
    """How a track ends; turned round, how it begins.

    Attributes
    ----------
    fade_s
        How long it fades by itself, in seconds; 0 if it ends hard.
    masked_s
        How much of the end, after the fade, is so quiet that another track hides it.
    weak_s
        How much of the end is weak; at least `masked_s`.
    envelope
        Level of each window relative to what it is before the end, at most 1, never
        rising; shape (n_windows,), the last one ends the track.
    """

    fade_s: float
    masked_s: float
    weak_s: float
    envelope: Array

    def n_left_out(self, n_samples: int, *, sample_rate: int) -> int:
        """Return how many samples of the end are not played.

        A fade that is longer than the overlap of `n_samples` is shortened: what is weak
        is not heard alone.
        """
        overlap_s = n_samples / sample_rate
        return round(max(self.masked_s, self.weak_s - overlap_s) * sample_rate)


@dataclass(frozen=True)
class Cut:
    """The part of a track that is played.

    Attributes
    ----------
    survey
        Of the whole track.
    start, end
        Samples of the track.
    whole
        Nothing of it shall be left out.
    """

    survey: Survey
    start: int
    end: int
    whole: bool = False

    @property
    def n_samples(self) -> int:
        """Samples that are played, joins included."""
        return self.end - self.start

    @cached_property
    def beginning(self) -> Edge:
        """How it begins; the envelope runs backwards, from inside to the start."""
        return _edge(self._levels[::-1], usual=self._usual_level)

    @cached_property
    def ending(self) -> Edge:
        """How it ends."""
        if self.survey.problem:
            # What it is cut off in the middle of is no fade, however quiet.
            return Edge(0.0, 0.0, 0.0, np.ones(1, dtype=np.float32))
        return _edge(self._levels, usual=self._usual_level)

    @property
    def n_core(self) -> int:
        """Samples without the weak beginning and end."""
        weak_s = self.beginning.weak_s + self.ending.weak_s
        return max(0, self.n_samples - round(weak_s * self.survey.sample_rate))

    @cached_property
    def _usual_level(self) -> float:
        return _usual_level(_smoothed(self.survey.levels))

    @property
    def _levels(self) -> Array:
        window = WINDOW_S * self.survey.sample_rate
        first = int(self.start / window)
        return self.survey.levels[first : max(first + 1, round(self.end / window))]


@dataclass(frozen=True)
class Join:
    """How one track leads to the next.

    Attributes
    ----------
    n_samples
        Samples in which both are heard; 0 where the next one begins after the last.
    n_hidden
        Samples of the outgoing track's end that are left out.
    n_skipped
        Samples of the incoming track's beginning that are left out.
    outgoing, incoming
        Gain of each sample in the overlap, shape (n_samples,).
    crosses
        The gains are a cosine and a sine: neither track fades by itself.
    """

    n_samples: int
    n_hidden: int
    n_skipped: int
    outgoing: Array
    incoming: Array
    crosses: bool = True


NO_JOIN = Join(0, 0, 0, np.zeros(0, np.float32), np.zeros(0, np.float32))
"""One track begins where the other has ended."""


def cut(survey: Survey, *, trim: bool = True) -> Cut:
    """Leave the silence at either end of a track, and most of what is hardly heard.

    Parameters
    ----------
    survey
        The track.
    trim
        False plays all of it.
    """
    if not trim:
        return Cut(survey, 0, survey.n_samples, whole=True)
    rate = survey.sample_rate
    levels = survey.levels
    loud = np.flatnonzero(levels >= 10 ** (QUIET_DB / 20) * _usual_level(levels))
    shortest = MIN_SILENCE_S * rate
    start = survey.first if survey.first >= shortest else 0
    end = survey.last if survey.n_samples - survey.last >= shortest else None
    end = survey.n_samples if end is None else end
    if len(loud):
        kept_s = MAX_QUIET_S
        start = max(start, round((loud[0] * WINDOW_S - kept_s) * rate))
        end = min(end, round(((loud[-1] + 1) * WINDOW_S + kept_s) * rate))
    return Cut(survey, start, end)


def join(
    before: Cut,
    after: Cut,
    *,
    crossfade_s: float,
    pulses: tuple[Pulse, Pulse] | None = None,
) -> Join:
    """Choose the overlap of two tracks.

    An ending that fades by itself is left as it is, and so is such a beginning: the
    overlap is as long as the fade, and the other track gives way just as much as keeps
    the power constant. A hard ending meets a hard beginning in a short crossfade. One
    that broke off is faded out over the whole crossfade. Nothing overlaps for longer
    than `crossfade_s` or a third of either track.

    Parameters
    ----------
    before, after
        The tracks.
    crossfade_s
        Longest overlap in seconds; 0 joins without a gap.
    pulses
        The beat of the first one's end and of the second one's beginning, in samples of
        each track, when they are so much alike that the beats shall coincide.
    """
    rate = before.survey.sample_rate
    ending, beginning = before.ending, after.beginning
    core = min(before.n_core, after.n_core)
    longest = min(round(crossfade_s * rate), int(core * MAX_OVERLAP_SHARE))
    if longest <= 0:
        return NO_JOIN
    n_samples = longest
    if not before.survey.problem:
        own_s = max(ending.fade_s, beginning.fade_s) or HARD_OVERLAP_S
        n_samples = min(longest, round(own_s * rate))
    n_hidden = n_skipped = 0
    if not (before.whole or after.whole):
        n_hidden = ending.n_left_out(n_samples, sample_rate=rate)
        n_skipped = beginning.n_left_out(n_samples, sample_rate=rate)
    if pulses:
        before = replace(before, end=before.end - n_hidden)
        after = replace(after, start=after.start + n_skipped)
        n_samples = _on_the_beat(before, after, n_samples, longest, pulses)
    if not (ending.fade_s or beginning.fade_s):
        angle = _quarter(n_samples)
        gains = np.cos(angle), np.sin(angle)
        return Join(n_samples, n_hidden, n_skipped, *gains, crosses=True)
    if ending.fade_s:
        outgoing = _own_gain(ending, n_samples, n_hidden, rate=rate)
    else:
        own = _at_samples(beginning.envelope, n_samples, n_skipped, rate=rate)[::-1]
        outgoing = _giving_way(own)
    incoming = _own_gain(beginning, n_samples, n_skipped, rate=rate)[::-1]
    if not beginning.fade_s:
        own = _at_samples(ending.envelope, n_samples, n_hidden, rate=rate)
        incoming = incoming * _complement(own)
    return Join(n_samples, n_hidden, n_skipped, outgoing, incoming, crosses=False)


def _usual_level(levels: Array) -> float:
    """Return the RMS level of what is not quiet (gated as in ITU-R BS.1770)."""
    power = np.square(levels, dtype=np.float64)
    gate = power[power > 0].mean() / 10
    return float(np.sqrt(power[power >= gate].mean()))


def _edge(levels: Array, *, usual: float) -> Edge:
    """Find how the last windows of a row fade from a level that is usual before."""
    levels = levels[-round(_EDGE_S / WINDOW_S) :]
    smooth = _smoothed(levels)
    usual = max(float(np.quantile(smooth, 0.9)), usual)
    relative_db = 20 * np.log10(np.maximum(smooth / usual, 1e-6))
    envelope = np.minimum.accumulate(np.minimum(1.0, smooth / usual))
    envelope = envelope.astype(np.float32)
    if relative_db[-1] > _HAS_FADED_DB:
        return Edge(0.0, 0.0, 0.0, np.ones_like(envelope))
    fading_s, weak_s, masked_s = (
        WINDOW_S * _since(relative_db >= threshold)
        for threshold in (_STARTS_TO_FADE_DB, _WEAK_DB, _MASKED_DB)
    )
    fade_s = fading_s - masked_s
    return Edge(fade_s if fade_s >= _MIN_FADE_S else 0.0, masked_s, weak_s, envelope)


def _smoothed(levels: Array) -> Array:
    kernel = np.ones(round(_SMOOTHING_S / WINDOW_S))
    kernel = kernel[: len(levels)]
    power = np.convolve(np.square(levels, dtype=np.float64), kernel, "same")
    counts = np.convolve(np.ones(len(levels)), kernel, "same")
    return np.sqrt(power / counts).astype(np.float32)


def _since(flags: npt.NDArray[np.bool_]) -> int:
    """Count what follows the last True."""
    return int(np.argmax(flags[::-1])) if flags.any() else len(flags)


def _on_the_beat(
    before: Cut, after: Cut, n_samples: int, longest: int, pulses: tuple[Pulse, Pulse]
) -> int:
    """Change the overlap by at most half a beat so that both beat together.

    The overlap starts on a beat of the track that ends, less what the other one plays
    before its own first beat.
    """
    outgoing, incoming = pulses
    upbeat = incoming.phase(after.start)
    beat = outgoing.nearest(before.end - n_samples + upbeat)
    period = outgoing.period
    start = round(beat - upbeat)
    while before.end - start > longest:
        start = round(start + period)
    aligned = before.end - start
    return (
        aligned if aligned >= _MIN_OVERLAP_S * before.survey.sample_rate else n_samples
    )


def _own_gain(edge: Edge, n_samples: int, n_left_out: int, *, rate: int) -> Array:
    """Return the gain of a track that fades by itself.

    It stays 1, but for a ramp where sound is cut: so short that it only does not click
    if that is very quiet, else over half of the overlap.
    """
    if n_left_out == 0:
        return np.ones(n_samples, dtype=np.float32)
    n_ramp = round(_RAMP_S * rate)
    if n_left_out > round(edge.masked_s * rate):
        n_ramp = n_samples // 2
    rest = (np.arange(n_samples, 0, -1, dtype=np.float32) - 0.5) / max(1, n_ramp)
    return np.sin(np.minimum(1, rest) * np.float32(np.pi / 2))


def _quarter(n_samples: int) -> Array:
    """Return angles that turn from 0 to a right angle."""
    return (np.arange(n_samples, dtype=np.float32) + 0.5) * (np.pi / 2 / n_samples)


def _giving_way(own: Array) -> Array:
    """Return the gain of a track that shall be gone when the other one has come up."""
    if own[-1] < _HARDLY_UP:
        # There is a pause in what comes up: it tells nothing.
        return np.cos(_quarter(len(own)))
    return _complement(np.minimum(1.0, own / own[-1]))


def _complement(gain: Array) -> Array:
    """Return the gain with which another track makes the power constant."""
    return np.sqrt(np.maximum(0.0, 1.0 - np.square(gain)))


def _at_samples(
    envelope: Array, n_samples: int, n_left_out: int, *, rate: int
) -> Array:
    """Interpolate the envelope where two tracks overlap."""
    position_s = (np.arange(-n_samples, 0, dtype=np.float64) + 0.5 - n_left_out) / rate
    window = (position_s / WINDOW_S) + len(envelope) - 0.5
    return np.interp(window, np.arange(len(envelope)), envelope).astype(np.float32)
