"""Overlap the end of a track with the beginning of the next."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.joins import Join

    Array = npt.NDArray[np.float32]

_FULL_SCALE = 1 << 28  # Of 32 bits: 18 dB are left for what is louder than full scale.
_MIN_CORRELATION = -0.5


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


def crossfade(tail: Array, head: Array, *, join: Join, sample_rate: int) -> Array:
    """Fade from one piece of audio to another.

    The gains of a join keep the power of two tracks that have nothing in common. Where
    they have, their sum is louder (two takes of one song) or softer, and both gains are
    corrected for it.

    Parameters
    ----------
    tail, head
        Stereo, shape (n_samples, 2), both as long as the join.
    join
        Tells the gains.
    sample_rate
        In Hz.

    Returns
    -------
    ndarray of float32, shape (n_samples, 2)
        May exceed full scale.
    """
    outgoing, incoming = join.outgoing, join.incoming
    if join.crosses:
        common = max(_MIN_CORRELATION, _correlation(tail, head))
        balance = 1 / np.sqrt(1 + 2 * common * outgoing * incoming)
        outgoing, incoming = outgoing * balance, incoming * balance
    # pydub counts in milliseconds and would lose what is over.
    n_padding = -len(tail) % (sample_rate // 100)
    first, second = (
        audio_segment()(
            data=np.pad(
                np.rint(pcm * gain[:, None] * _FULL_SCALE).astype(np.int32),
                ((0, n_padding), (0, 0)),
            ).tobytes(),
            sample_width=4,
            frame_rate=sample_rate,
            channels=2,
        )
        for pcm, gain in ((tail, outgoing), (head, incoming))
    )
    mixed = np.frombuffer(first.overlay(second).raw_data, dtype=np.int32)
    mixed = mixed.reshape(-1, 2)[: len(tail)]
    return mixed.astype(np.float32) / np.float32(_FULL_SCALE)


def _correlation(tail: Array, head: Array) -> float:
    """Return the correlation of two pieces, -1 to 1; 0 where one is silent."""
    powers = [float(np.vdot(pcm, pcm)) for pcm in (tail, head)]
    if min(powers) <= 0:
        return 0.0
    return float(np.vdot(tail, head)) / float(np.sqrt(powers[0] * powers[1]))
