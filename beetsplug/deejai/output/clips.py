"""Moments of tracks as the network hears them: seconds to listen to, and to see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import HOP_LENGTH, N_FFT, SAMPLE_RATE
from beetsplug.deejai.audio.spectrogram import mel_power, normalise_slice

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

CLIP_FRAMES = 128
CLIP_S = CLIP_FRAMES * HOP_LENGTH / SAMPLE_RATE
"""Length of a clip: 2.97 s."""

_BIT_RATE = 40_000
_FADE_S = 0.02


def read_clip(path: str, middle_s: float) -> Array:
    """Decode what lies around a moment of a file.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        Mono, 22 050 Hz, :data:`CLIP_S` long and what the windows of its first and last
        frames reach beyond; silent where the track has not begun or is over.

    Raises
    ------
    TrackError
        The file cannot be decoded.
    """
    from av.audio.frame import AudioFrame

    from beetsplug.deejai.audio.decode import Target, resampled
    from beetsplug.deejai.audio.seeking import StereoReader, shape_of

    n_wanted = (CLIP_FRAMES - 1) * HOP_LENGTH + N_FFT
    shape = shape_of(path)
    length_s = n_wanted / SAMPLE_RATE
    start = round((middle_s - length_s / 2) * shape.sample_rate)
    n_source = round(length_s * shape.sample_rate)
    n_before = min(n_source, max(0, -start))
    reader = StereoReader(path, shape, start=max(0, start))
    try:
        pcm = reader.read(n_source - n_before)
    finally:
        reader.close()
    pcm = np.concatenate([np.zeros((n_before, 2), np.int16), pcm])
    frame = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = shape.sample_rate
    target = Target(SAMPLE_RATE, "mono", "flt", n_wanted)
    wave = np.concatenate([block[:, 0] for block in resampled(iter([frame]), target)])
    # The resampler may be a sample out.
    return np.resize(np.pad(wave, (0, N_FFT)), n_wanted).astype(np.float32)


def clip_spectrogram(wave: Array) -> Array:
    """Return the log-mel spectrogram of a clip.

    Returns
    -------
    ndarray of float32, shape (96, CLIP_FRAMES)
        As :func:`~beetsplug.deejai.audio.spectrogram.normalise_slice` makes a slice's.
    """
    return normalise_slice(mel_power(wave))


def clip_mp3(wave: Array) -> bytes:
    """Encode a clip as an MP3 file of some 15 kB, faded in and out."""
    import av

    n_fade = round(_FADE_S * SAMPLE_RATE)
    ramp = np.linspace(0.0, 1.0, n_fade, dtype=np.float32)
    faded = np.clip(wave, -1.0, 1.0)
    faded[:n_fade] *= ramp
    faded[-n_fade:] *= ramp[::-1]
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream: Any = container.add_stream(
            "libmp3lame", rate=SAMPLE_RATE, layout="mono"
        )
        stream.bit_rate = _BIT_RATE
        frame = av.AudioFrame.from_ndarray(faded[None], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
