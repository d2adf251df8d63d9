"""Short pieces of music in clearly different styles, made of nothing (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    Wave = npt.NDArray[np.float32]
    Style = Callable[[np.random.Generator], Wave]

RATE = 44_100
"""Sampling rate of the pieces, in Hz."""

DURATION_S = 24.0
"""Duration of each piece, in seconds."""

# Roots of the chords, in semitones above the key's.
_PROGRESSIONS = ((0, 9, 5, 7), (0, 5, 9, 7), (9, 5, 0, 7))


def slow_pads(rng: np.random.Generator) -> Wave:
    """Make soft chords that swell and overlap."""
    root, chord_s = int(rng.integers(43, 50)), rng.uniform(4, 7)
    partials = range(1, rng.integers(3, 6))
    wave = _silence()
    for bar, chord in enumerate(_chords(rng, root, n=int(DURATION_S / chord_s) + 1)):
        for note in (chord[0] - 12, *chord, chord[0] + 12):
            t = _times(chord_s + 2.0)
            voices = sum(
                np.sin(2 * np.pi * _hz(note + cents / 100) * k * t) / k**1.5
                for cents in (-6, 5)
                for k in partials
            )
            swell = np.sin(np.pi * t / t[-1]) ** 1.5
            _add(wave, voices * swell, start_s=bar * chord_s - 0.5)
    return _levelled(wave)


def club_beat(rng: np.random.Generator) -> Wave:
    """Make a four-on-the-floor beat with a bass between its kicks."""
    beat_s = 60.0 / rng.uniform(120, 130)
    root = int(rng.integers(31, 37))
    n_beats = int(DURATION_S / beat_s)
    chords = _chords(rng, root, n=-(-n_beats // 8))
    t = _times(0.3)
    kick = 1.6 * np.sin(2 * np.pi * (45 * t + 6 * (1 - np.exp(-30 * t))))
    kick *= np.exp(-9 * t)
    hat = np.diff(rng.standard_normal(t.size + 1)) * np.exp(-60 * t) * 0.2
    clap = rng.standard_normal(t.size) * np.exp(-25 * t) * 0.35
    wave = _silence()
    for beat in range(n_beats):
        start_s = beat * beat_s
        _add(wave, kick, start_s=start_s)
        _add(wave, hat, start_s=start_s + beat_s / 2)
        if beat % 2:
            _add(wave, clap, start_s=start_s)
        note = _hz(chords[beat // 8][0])
        for quarter in (1, 2, 3):
            t_bass = _times(beat_s / 4)
            saw = sum(np.sin(2 * np.pi * note * k * t_bass) / k for k in range(1, 9))
            bass = 0.5 * saw * np.exp(-8 * t_bass)
            _add(wave, bass, start_s=start_s + quarter * beat_s / 4)
    return _levelled(wave)


def chip_tune(rng: np.random.Generator) -> Wave:
    """Make square-wave arpeggios over a triangle bass, as old consoles did."""
    step_s = 60.0 / rng.uniform(130, 160) / 4
    root = int(rng.integers(55, 62))
    n_steps = int(DURATION_S / step_s)
    chords = _chords(rng, root, n=-(-n_steps // 16))
    t = _times(step_s)
    wave = _silence()
    for step in range(n_steps):
        chord = chords[step // 16]
        lead = _hz((*chord, chord[0] + 12)[step % 4])
        square = np.where((lead * t) % 1.0 < 0.25, 0.5, -0.5) * np.exp(-4 * t)
        _add(wave, square, start_s=step * step_s)
        if step % 2 == 0:
            bass = _hz(chord[0] - 24 + 12 * (step // 2 % 2))
            triangle = 2 * np.abs(2 * ((bass * t) % 1.0) - 1) - 1
            _add(wave, 0.6 * triangle, start_s=step * step_s)
    return _levelled(wave)


def plucked_strings(rng: np.random.Generator) -> Wave:
    """Make picked chords on strings (Karplus and Strong 1983)."""
    step_s = 60.0 / rng.uniform(80, 100) / 2
    root = int(rng.integers(45, 52))
    n_steps = int(DURATION_S / step_s)
    chords = _chords(rng, root, n=-(-n_steps // 8))
    wave = _silence()
    for step in range(n_steps):
        chord = chords[step // 8]
        strings = (chord[0] - 12, *chord, chord[0] + 12)
        note = strings[0] if step % 8 == 0 else rng.choice(strings[1:])
        pluck = _string(_hz(note), seconds=2.0, rng=rng)
        _add(wave, pluck, start_s=step * step_s + rng.uniform(0, 0.01))
    return _levelled(wave)


def _string(hz: float, *, seconds: float, rng: np.random.Generator) -> Wave:
    """Let noise run round a delay line that averages neighbours."""
    period = round(RATE / hz)
    line = rng.uniform(-1, 1, period)
    turns = []
    for _ in range(int(seconds * hz)):
        turns.append(line)
        line = 0.498 * (line + np.roll(line, 1))
    return np.concatenate(turns).astype(np.float32)


def _chords(
    rng: np.random.Generator, root: int, *, n: int
) -> list[tuple[int, int, int]]:
    """Return triads as MIDI notes: minor on the sixth, major elsewhere."""
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    degrees = [progression[bar % len(progression)] for bar in range(n)]
    return [
        (root + degree, root + degree + (3 if degree == 9 else 4), root + degree + 7)
        for degree in degrees
    ]


def _silence() -> Wave:
    return np.zeros(round(DURATION_S * RATE), dtype=np.float32)


def _times(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def _hz(note: float) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def _add(wave: Wave, sound: npt.NDArray[np.floating], *, start_s: float) -> None:
    """Mix a sound into a wave; what lies outside the wave is lost."""
    start = round(start_s * RATE)
    sound = sound[max(0, -start) :]
    part = wave[max(0, start) :][: sound.size]
    part += sound[: part.size]


def _levelled(wave: Wave) -> Wave:
    """Bring the peak to -3 dB and fade out over the last second."""
    wave[-RATE:] *= np.linspace(1, 0, RATE, dtype=np.float32)
    return wave * np.float32(0.7 / np.abs(wave).max())


STYLES: dict[str, tuple[Style, tuple[str, ...]]] = {
    "Slow Pads": (slow_pads, ("Fog", "Harbour", "First Light")),
    "Club Beat": (club_beat, ("Night Bus", "Concrete", "Neon")),
    "Chip Tune": (chip_tune, ("Extra Life", "Level Two", "High Score")),
    "Plucked Strings": (plucked_strings, ("Porch", "Raindrops", "Old Road")),
}
"""The styles by name, with the titles of their pieces."""


def compose() -> Iterator[tuple[str, str, Wave]]:
    """Make every piece, always the same.

    Yields
    ------
    style, title : str
    wave : ndarray of float32, shape (n_samples,)
        Mono, at :data:`RATE`, peak 0.7.
    """
    for number, (style, (make, titles)) in enumerate(STYLES.items()):
        for rng, title in zip(
            np.random.default_rng(number).spawn(len(titles)), titles, strict=True
        ):
            yield style, title, make(rng)
