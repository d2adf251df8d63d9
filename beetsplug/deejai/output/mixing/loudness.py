"""Measure the loudness of a stream, and the gain that brings it to a target."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Audio = npt.NDArray[np.float32]

SILENCE_LUFS = -70.0
"""The absolute gate of EBU R128: what is quieter is not music."""

_INTEGRATED = "lavfi.r128.I"


class LoudnessMeter:
    """The integrated loudness of EBU R128, measured by FFmpeg's ``ebur128``.

    It works outside Python's lock, prints nothing, and needs no more memory for a set
    of three hours than for a jingle.

    Parameters
    ----------
    sample_rate
        In Hz.

    References
    ----------
    EBU R 128, "Loudness normalisation and permitted maximum level of audio signals";
    ITU-R BS.1770-4.
    """

    def __init__(self, *, sample_rate: int) -> None:
        # PyAV takes a while to import.
        import av
        from av.filter import Graph

        self._make_frame = av.AudioFrame.from_ndarray
        self._sample_rate = sample_rate
        self._n_samples = 0
        self._integrated = SILENCE_LUFS
        self._graph: Any = Graph()
        source = self._graph.add_abuffer(
            sample_rate=sample_rate,
            format="flt",
            layout="stereo",
            time_base=Fraction(1, sample_rate),
        )
        meter = self._graph.add("ebur128", metadata="1", framelog="quiet")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()

    def add(self, block: Audio) -> None:
        """Hear the next samples.

        Parameters
        ----------
        block
            float32 of shape (n_samples, 2), any number of samples, all finite.
        """
        if len(block) == 0:
            return
        pcm = np.ascontiguousarray(block, dtype=np.float32).reshape(1, -1)
        frame = self._make_frame(pcm, format="flt", layout="stereo")
        frame.sample_rate = self._sample_rate
        frame.pts = self._n_samples
        self._n_samples += len(block)
        self._graph.push(frame)
        while True:
            try:
                heard = self._graph.pull()
            except BlockingIOError:
                return
            # Each frame holds 0.1 s and tells the loudness up to its end.
            self._integrated = float(heard.metadata[_INTEGRATED])

    def integrated(self) -> float | None:
        """Tell the loudness of what was heard.

        Returns
        -------
        float or None
            In LUFS, above -70. None for silence, and for less than the 0.4 s of one
            gating block, of which R128 knows no loudness.
        """
        return self._integrated if self._integrated > SILENCE_LUFS else None


def gain_db(
    loudness: float | None,
    *,
    target: float,
    peak: float,
    ceiling_db: float,
    max_limiting_db: float = 6.0,
    max_boost_db: float = 20.0,
) -> float:
    """Choose the gain that brings a track to the target.

    Parameters
    ----------
    loudness
        Integrated, in LUFS. None (not known) leaves the track as loud as it is, but for
        what its peak asks.
    target
        In LUFS.
    peak
        The highest absolute sample, 1 being full scale; 0 for silence.
    ceiling_db
        Of the limiter that follows, in dBTP.
    max_limiting_db
        A limiter that takes off more is heard: a track whose peaks stand out farther
        stays below the target.
    max_boost_db
        More would lift the noise of a recording rather than its music.

    Returns
    -------
    float
        In dB.
    """
    wanted = 0.0 if loudness is None else min(target - loudness, max_boost_db)
    if peak <= 0:
        return wanted
    return min(wanted, ceiling_db + max_limiting_db - 20 * math.log10(peak))
