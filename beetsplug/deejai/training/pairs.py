"""Draw batches of pairs: two slices of one track, each changed a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.training.dataset import scale_slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.dataset import Spectrograms, Track

    Array = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.int32]

MAX_SHIFT = 2
"""Mel bands by which a slice is moved up or down: about two semitones."""


def draw_pairs(
    spectrograms: Spectrograms,
    tracks: Sequence[Track],
    *,
    n_tracks: int,
    rng: np.random.Generator,
) -> tuple[Array, Labels]:
    """Draw different tracks, two slices of each, and augment every slice on its own.

    Parameters
    ----------
    spectrograms, tracks
        What to draw from, each track as often as any other.
    n_tracks
        Tracks in the batch; at most as many as there are.
    rng
        Of all that is random.

    Returns
    -------
    slices : ndarray of float32, shape (2 * n_tracks, 96, 216)
        In [0, 1]. Row i and row ``i + n_tracks`` are of one track.
    labels : ndarray of int32, shape (2 * n_tracks, 2)
        Number of the track and of its group.
    """
    n_tracks = min(n_tracks, len(tracks))
    drawn = rng.choice(len(tracks), size=n_tracks, replace=False)
    groups = sorted({track.group for track in tracks})
    db = np.empty((2 * n_tracks, N_MELS, N_FRAMES), dtype=np.float32)
    for row, number in enumerate(drawn):
        frames = spectrograms.frames(tracks[number])
        for half in (row, row + n_tracks):
            db[half] = _crop(frames, rng)
    labels = [(number, groups.index(tracks[number].group)) for number in drawn]
    slices = mask(scale_slices(equalise(db, rng=rng)), rng=rng)
    return slices, np.asarray([*labels, *labels], dtype=np.int32)


def _crop(frames: npt.NDArray[np.float16], rng: np.random.Generator) -> Array:
    """Cut a slice anywhere, and move it a little in pitch."""
    start = rng.integers(len(frames) - N_FRAMES + 1)
    shift = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1)
    bands = np.clip(np.arange(N_MELS) + shift, 0, N_MELS - 1)
    crop = frames[start : start + N_FRAMES].astype(np.float32)
    moved: Array = crop.T[bands]
    return moved


def equalise(
    db: Array, *, rng: np.random.Generator, tilt_db: float = 6.0, bump_db: float = 2.0
) -> Array:
    """Colour each slice with a random smooth frequency response.

    Otherwise the mastering of an album would tell its tracks from others.

    Parameters
    ----------
    db
        Slices in dB, shape (n_slices, 96, 216).
    tilt_db
        Largest change at either end of the scale by a tilt.
    bump_db
        Standard deviation of each of four slower and faster waves over it.
    """
    position = np.linspace(0.0, 1.0, N_MELS)
    waves = np.cos(np.pi * np.arange(1, 5)[:, None] * position)
    response = rng.normal(0.0, bump_db, (len(db), 4)) @ waves
    response += rng.uniform(-tilt_db, tilt_db, (len(db), 1)) * (2 * position - 1)
    return db + response[:, :, None].astype(np.float32)


def mask(
    slices: Array,
    *,
    rng: np.random.Generator,
    max_frames: int = 40,
    max_bands: int = 12,
) -> Array:
    """Silence a random stretch of time and a random range of bands (SpecAugment).

    Parameters
    ----------
    slices
        Shape (n_slices, 96, 216); changed in place.
    max_frames, max_bands
        Largest extent of the two.
    """
    for one in slices:
        width, height = rng.integers(max_frames + 1), rng.integers(max_bands + 1)
        left = rng.integers(N_FRAMES - width + 1)
        low = rng.integers(N_MELS - height + 1)
        one[:, left : left + width] = 0.0
        one[low : low + height] = 0.0
    return slices
