"""What is heard in the last seconds, as one direction among the slice vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import SAMPLE_RATE, SLICE_SAMPLES
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.ends import N_SLICES, ends
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

    Array = npt.NDArray[np.float32]

WINDOW_SAMPLES = N_SLICES * SLICE_SAMPLES
"""What is listened to at once, at 22 050 Hz: as long as a beginning, 15 s."""

QUIET_DB = -60.0
"""Below this nothing is proposed.

Slices are relative to their own maximum, so that the hiss of a microphone would be
heard as some kind of music.
"""

SILENCE_DB = -120.0
"""The lowest level that is told."""


@dataclass(frozen=True)
class Impression:
    """What is heard.

    Attributes
    ----------
    level_db
        Of the last slice: RMS relative to full scale, -120 at the least.
    direction
        Unit vector, shape (d,); None when it is too quiet.
    """

    level_db: float
    direction: Array | None

    @property
    def complaint(self) -> str:
        """Why there is no direction; empty when there is one."""
        if self.direction is not None:
            return ""
        if self.level_db <= SILENCE_DB:
            return "silence: is the sound on, and not muted?"
        return f"too quiet: {self.level_db:.0f} dB"


def level_db(waveform: Array) -> float:
    """Measure a level: RMS relative to full scale in dB, without a constant offset."""
    # Cheap microphones have an offset, which nobody hears.
    rms = float(np.std(waveform, dtype=np.float64)) if waveform.size else 0.0
    return max(SILENCE_DB, 20.0 * math.log10(rms)) if rms > 0.0 else SILENCE_DB


def hear(waveform: Array, encoder: Encoder) -> Impression:
    """Listen to the end of a waveform.

    Parameters
    ----------
    waveform
        Mono, 22 050 Hz, shape (n_samples,), finite; its last :data:`WINDOW_SAMPLES`
        count. What is shorter than a slice is repeated to fill one.
    encoder
        Made the vectors of the library, too.

    Raises
    ------
    FatalError
        The encoder gave no finite numbers.
    """
    n_slices = min(N_SLICES, waveform.size // SLICE_SAMPLES)
    recent = waveform[waveform.size - n_slices * SLICE_SAMPLES :]
    parts = np.split(recent, n_slices) if n_slices else [waveform]
    levels = [level_db(part) for part in parts]
    if levels[-1] < QUIET_DB:
        return Impression(levels[-1], None)
    is_loud = np.array(levels) >= QUIET_DB
    vectors = encoder.encode(log_mel_slices(recent if n_slices else waveform)[is_loud])
    if not np.isfinite(vectors).all():
        raise FatalError("the encoder gave no finite numbers; use another one")
    _, ending = ends(vectors)
    return Impression(levels[-1], ending)


def windows(
    blocks: Iterable[Array], *, every_s: float, limit_s: float = math.inf
) -> Iterator[tuple[float, Array]]:
    """Cut the last seconds out of a stream, again and again.

    Parameters
    ----------
    blocks
        Consecutive blocks of a mono 22 050 Hz waveform, of any lengths and number: no
        more than a window of them is kept.
    every_s
        Seconds from one window to the next. The first comes after one slice, and the
        last where the stream ends.
    limit_s
        Where to stop, in seconds.

    Yields
    ------
    float
        Seconds of the stream so far.
    ndarray of float32, shape (n_samples,)
        At most the last :data:`WINDOW_SAMPLES`.
    """
    limit = math.inf if math.isinf(limit_s) else round(limit_s * SAMPLE_RATE)
    due = min(SLICE_SAMPLES, limit)
    window = np.zeros(0, dtype=np.float32)
    n_samples = n_told = 0
    for block in blocks:
        while block.size:
            part, block = np.split(block, [int(due) - n_samples])
            window = np.concatenate([window, part])[-WINDOW_SAMPLES:]
            n_samples += part.size
            if n_samples == due:
                yield n_samples / SAMPLE_RATE, window
                if n_samples == limit:
                    return
                n_told = n_samples
                due = min(n_samples + round(every_s * SAMPLE_RATE), limit)
    if n_samples > n_told:
        yield n_samples / SAMPLE_RATE, window
