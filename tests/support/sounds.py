"""Sounds made for tests: short, different, and written in any format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

RATE = 44_100

_CODECS = {
    ".wav": "pcm_s16le",
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".opus": "libopus",
    ".m4a": "aac",
    ".aiff": "pcm_s16be",
    ".wma": "wmav2",
    ".wv": "wavpack",
}


def tone(
    frequency: float = 440.0, *, seconds: float = 6.0, rate: int = RATE
) -> npt.NDArray[np.float32]:
    """Make a chord with a slow tremolo, mono, peak 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * frequency * k * t) / k for k in (1, 2, 3))
    wave = chord * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def noise(
    *, seconds: float = 6.0, seed: int = 0, rate: int = RATE
) -> npt.NDArray[np.float32]:
    """Make white noise, mono, peak about 0.5."""
    rng = np.random.default_rng(seed)
    return (0.12 * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def clicks(
    *, seconds: float = 6.0, per_second: float = 4.0, rate: int = RATE
) -> npt.NDArray[np.float32]:
    """Make short decaying clicks, mono."""
    wave = np.zeros(round(seconds * rate), dtype=np.float32)
    decay = np.exp(-np.arange(rate // 20) / (rate / 200)).astype(np.float32)
    for start in range(0, wave.size - decay.size, round(rate / per_second)):
        wave[start : start + decay.size] += 0.6 * decay
    return wave


def write_sound(
    path: Path,
    wave: npt.NDArray[np.floating],
    *,
    rate: int = RATE,
    layout: str = "mono",
    codec: str | None = None,
    format: str | None = None,
) -> Path:
    """Encode a mono wave to a file, the same on every channel of the layout."""
    suffix = path.suffix.lower()
    if suffix == ".ogg" and codec is None:
        # The wheel of PyAV has no good Vorbis encoder; libsndfile's has.
        n_channels = {"mono": 1, "stereo": 2}[layout]
        soundfile.write(path, np.repeat(wave[:, None], n_channels, axis=1), rate)
        return path
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec or _CODECS[suffix], rate=rate)
        stream.layout = layout
        stream.bit_rate = 128_000
        n_channels = len(stream.layout.channels)
        resampler = av.AudioResampler(
            format=stream.format.name, layout=layout, rate=rate, frame_size=1024
        )
        samples = np.repeat(wave[None, :].astype(np.float32), n_channels, axis=0)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout=layout
        )
        frame.sample_rate = rate
        for out in [*resampler.resample(frame), *resampler.resample(None)]:
            out.pts = None
            container.mux(stream.encode(out))
        container.mux(stream.encode(None))
    return path
