"""Draw batches of pairs: two slices of one track, each changed a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.training.dataset import scale_slices
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.dataset import Spectrograms, Track

    Array = npt.NDArray[np.float32]

N_LABELS = 3
"""Numbers before the target in a row of labels: track, group, whether it is taught."""


class Taught(Protocol):
    """What is to be said of slices, such as :class:`~.lessons.Lessons`."""

    size: int

    def has(self, track: Track) -> bool:
        """Whether a track has a target."""

    def at(self, track: Track, start_frame: int) -> Array:
        """Return the target, shape (size,), of the slice that begins at a frame."""


@dataclass(frozen=True)
class Augmentation:
    """How much slices are changed, each on its own.

    Otherwise the mastering of an album would tell its tracks from others.

    Attributes
    ----------
    max_shift
        Mel bands by which a slice is moved up or down; 2 are about two semitones.
    tilt_db, bump_db
        See :func:`equalise`.
    max_frames, max_bands
        See :func:`mask`.
    mixed
        Share of the slices under which another track is laid, see :func:`mix`.
    """

    max_shift: int = 2
    tilt_db: float = 6.0
    bump_db: float = 2.0
    max_frames: int = 40
    max_bands: int = 12
    mixed: float = 0.25


def draw_pairs(
    spectrograms: Spectrograms,
    tracks: Sequence[Track],
    *,
    n_tracks: int,
    rng: np.random.Generator,
    lessons: Taught | None = None,
    augmentation: Augmentation | None = None,
    part: int = 0,
    n_parts: int = 1,
) -> tuple[Array, Array]:
    """Draw different tracks, two slices of each, and augment every slice on its own.

    Several processes draw a batch together: each its part, without a track in common,
    when all of them have the same music and an `rng` in the same state.

    Parameters
    ----------
    spectrograms, tracks
        What to draw from, each track as often as any other.
    n_tracks
        Tracks in the batch, all its parts together; at most as many as there are.
    rng
        Of all that is random.
    lessons
        The targets, if there are any.
    augmentation
        How slices are changed; the default when None.
    part, n_parts
        Which part is returned, from 0, of how many; they must divide the tracks evenly.
        A slice is mixed with others of its part.

    Returns
    -------
    slices : ndarray of float32, shape (2 * n_tracks / n_parts, 96, 216)
        In [0, 1]. Rows 2i and 2i + 1 are of one track.
    labels : ndarray of float32, shape (2 * n_tracks / n_parts, 3 + d)
        Number of the track and of its group, whether it has a target (1 or 0), and the
        target, a unit vector. Without lessons d is 0.
    """
    augmentation = augmentation or Augmentation()
    n_tracks = min(n_tracks, len(tracks))
    drawn = rng.choice(len(tracks), size=n_tracks, replace=False)
    if n_parts > 1:
        drawn = np.split(drawn, n_parts)[part]
        rng = rng.spawn(n_parts)[part]
    drawn = np.repeat(drawn, 2)
    groups = {name: k for k, name in enumerate(sorted({t.group for t in tracks}))}
    size = lessons.size if lessons else 0
    db = np.empty((len(drawn), N_MELS, N_FRAMES), dtype=np.float32)
    labels = np.zeros((len(drawn), N_LABELS + size), dtype=np.float32)
    for row, number in enumerate(drawn.tolist()):
        track = tracks[number]
        start = int(rng.integers(track.stop - track.start - N_FRAMES + 1))
        crop = spectrograms.frames(track)[start : start + N_FRAMES]
        db[row] = _shifted(crop, augmentation.max_shift, rng)
        labels[row, :2] = number, groups[track.group]
        if lessons and lessons.has(track):
            labels[row, 2] = 1
            labels[row, N_LABELS:] = lessons.at(track, start)
    mix(db, labels, share=augmentation.mixed, rng=rng)
    db = equalise(
        db, rng=rng, tilt_db=augmentation.tilt_db, bump_db=augmentation.bump_db
    )
    slices = mask(
        scale_slices(db),
        rng=rng,
        max_frames=augmentation.max_frames,
        max_bands=augmentation.max_bands,
    )
    return slices, labels


def _shifted(
    crop: npt.NDArray[np.float16], max_shift: int, rng: np.random.Generator
) -> Array:
    """Move a crop a little in pitch, and lay it out as (96, 216)."""
    shift = rng.integers(-max_shift, max_shift + 1)
    bands = np.clip(np.arange(N_MELS) + shift, 0, N_MELS - 1)
    moved: Array = crop.T[bands].astype(np.float32)
    return moved


def mix(db: Array, labels: Array, *, share: float, rng: np.random.Generator) -> None:
    """Lay another track of the batch under some slices, 3 to 15 dB below.

    The target moves towards that of the other track by its share of the power. A slice
    whose fellow is not taught becomes untaught too; it stays the track's own.

    Parameters
    ----------
    db
        Slices in dB, shape (n_slices, 96, 216), pair by pair; changed in place.
    labels
        As :func:`draw_pairs` returns them; changed in place.
    share
        Of the slices, 0 to 1.
    rng
        Chooses slices, their fellows and levels.
    """
    n_rows = len(db)
    if n_rows < 4 or not share:
        return
    chosen = np.flatnonzero(rng.random(n_rows) < share)
    # An even step of at least one pair: never the other slice of the same track.
    steps = 2 * rng.integers(1, n_rows // 2, size=len(chosen))
    power = np.exp(db * np.float32(np.log(10) / 10))
    level = power.mean(axis=(1, 2))
    given = labels.copy()
    for row, step in zip(chosen, steps, strict=True):
        other = (row + step) % n_rows
        below = 10.0 ** (-rng.uniform(3, 15) / 10)
        gain = np.float32(below * level[row] / max(level[other], 1e-20))
        db[row] = 10 * np.log10(power[row] + gain * power[other] + 1e-10)
        own = 1 / (1 + below)
        labels[row, 2] = given[row, 2] * given[other, 2]
        labels[row, N_LABELS:] = unit(
            own * given[row, N_LABELS:] + (1 - own) * given[other, N_LABELS:]
        )


def equalise(
    db: Array, *, rng: np.random.Generator, tilt_db: float = 6.0, bump_db: float = 2.0
) -> Array:
    """Colour each slice with a random smooth frequency response.

    Parameters
    ----------
    db
        Slices in dB, shape (n_slices, 96, 216).
    rng
        Draws the responses.
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
    rng
        Chooses them.
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
