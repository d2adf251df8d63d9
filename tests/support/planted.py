"""Tracks that carry a sound or none, each over a background of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Wave = npt.NDArray[np.float64]
    Rng = np.random.Generator

PLANTED_RATE = 22_050


def _times(seconds: float) -> Wave:
    return np.arange(round(seconds * PLANTED_RATE)) / PLANTED_RATE


def sweep(rng: Rng, seconds: float) -> Wave:
    """A sine that rises three octaves or more in a second, again and again."""
    t = _times(seconds)
    low, high = rng.uniform(250, 500), rng.uniform(4000, 8000)
    part = (t * rng.uniform(0.7, 1.2)) % 1
    return np.sin(2 * np.pi * np.cumsum(low * (high / low) ** part) / PLANTED_RATE)


def hi_hat(rng: Rng, seconds: float) -> Wave:
    """Short bursts of the highest noise."""
    t = _times(seconds)
    spectrum = np.fft.rfft(rng.standard_normal(t.size))
    spectrum[np.fft.rfftfreq(t.size, 1 / PLANTED_RATE) < rng.uniform(6000, 8000)] = 0
    beat = (t * rng.uniform(4, 8)) % 1
    return np.fft.irfft(spectrum, t.size) * np.exp(-beat * rng.uniform(8, 14))


def choir(rng: Rng, seconds: float) -> Wave:
    """Voices on a triad, each with its own vibrato, all on one vowel."""
    t = _times(seconds)
    root = rng.uniform(180, 330)
    formants = np.array([800, 1150, 2900]) * rng.uniform(0.9, 1.1)
    wave = np.zeros(t.size)
    for step in (1.0, 1.25, 1.5, 2.0):
        for _ in range(3):
            vibrato = 0.012 * np.sin(
                2 * np.pi * rng.uniform(4.8, 6.2) * t + rng.uniform(0, 2 * np.pi)
            )
            f0 = root * step * (1 + vibrato + 0.004 * rng.standard_normal())
            turn = np.exp(2j * np.pi * np.cumsum(f0) / PLANTED_RATE)
            harmonic = turn.copy()
            for k in range(1, 11):
                away = (k * root * step - formants) / (0.12 * formants + 60)
                wave += np.sum(np.exp(-(away**2))) * harmonic.imag
                harmonic *= turn
    return wave


PLANTED: dict[str, Callable[[Rng, float], Wave]] = {
    "Sweep": sweep,
    "Hi-Hat": hi_hat,
    "Choir": choir,
}
"""What tracks carry, by the genre that they are tagged with."""


def background(rng: Rng, seconds: float) -> Wave:
    """A bass line, a pad, a soft drum and hiss, as loud as chance wants each."""
    t = _times(seconds)
    note = np.floor(t * rng.uniform(1, 4)).astype(int)
    steps = rng.integers(0, 12, note.max() + 1)
    bass = np.sin(2 * np.pi * np.cumsum(55 * 2 ** (steps[note] / 12)) / PLANTED_RATE)
    pad = sum(
        np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) / k
        for k, f in enumerate(rng.uniform(150, 1500, 5), 1)
    )
    beat = (t * rng.uniform(1.5, 3)) % 1
    drum = np.sin(2 * np.pi * (90 * np.exp(-8 * beat) + 45) * beat) * np.exp(-7 * beat)
    hiss = np.cumsum(rng.standard_normal(t.size))
    hiss -= np.linspace(0, hiss[-1], t.size)
    parts = (bass, pad, drum, hiss)
    loudness = rng.uniform(0.1, 1.0, len(parts))
    return sum(
        level * part / np.sqrt(np.mean(part**2))
        for level, part in zip(loudness, parts, strict=True)
    )


def planted_wave(
    kind: str | None, *, seed: int, seconds: float = 6.0
) -> npt.NDArray[np.float32]:
    """Make a track at :data:`PLANTED_RATE`, mono, peak 0.7.

    Parameters
    ----------
    kind
        Of :data:`PLANTED`; None for the background alone.
    seed
        Another one is another track.
    seconds
        Its length.
    """
    rng = np.random.default_rng(seed)
    wave = background(rng, seconds)
    wave /= np.sqrt(np.mean(wave**2))
    if kind is not None:
        carried = PLANTED[kind](rng, seconds)
        wave += rng.uniform(0.5, 1.0) * carried / np.sqrt(np.mean(carried**2))
    return (0.7 * wave / np.abs(wave).max()).astype(np.float32)
