"""How often the microphone's way of listening finds the track that plays.

    BEETSDIR=... python benchmarks/live.py

Plays the first 20 s of 60 tracks of a scanned library, from somewhere in their first
2.5 s, and counts how often the track itself is proposed: clean, and as in a room (only
150 Hz to 8 kHz, pink noise 20 dB below the music, compressed a little, 20 dB quieter).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import beets
import numpy as np
import scipy.signal
from beets import logging
from beets.library import Library
from common import machine

from beetsplug.deejai.audio.constants import SAMPLE_RATE
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.candidates import Limits, load_candidates
from beetsplug.deejai.live.hearing import WINDOW_SAMPLES, hear
from beetsplug.deejai.live.pcm import waveform_of
from beetsplug.deejai.live.proposing import propose
from beetsplug.deejai.session import Session
from beetsplug.deejai.settings import DEFAULTS
from beetsplug.deejai.storage.library import items_by_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Wave = npt.NDArray[np.float64]

N_TRACKS = 60
PLAYED_S = 20.0
MAX_SHIFT_S = 2.5
HEARD_S = (5.1, 10.1, 15.1)
NOISE_DB = -20.0
GAIN_DB = -20.0


def beginning(path: str, *, shift_s: float) -> Wave:
    """Decode what is played of a track."""
    n_samples = int((MAX_SHIFT_S + PLAYED_S) * SAMPLE_RATE)
    blocks, n_decoded = [], 0
    for block in stream_waveform(path):
        blocks.append(block)
        n_decoded += block.size
        if n_decoded >= n_samples:
            break
    start = int(shift_s * SAMPLE_RATE)
    return np.concatenate(blocks)[start:][: int(PLAYED_S * SAMPLE_RATE)].astype(float)


def clean(wave: Wave, _rng: np.random.Generator) -> Wave:
    """Leave the sound as it is."""
    return wave


def room(wave: Wave, rng: np.random.Generator) -> Wave:
    """Make a loudspeaker, a room and a cheap microphone of a clean sound."""
    band = scipy.signal.butter(4, [150, 8000], "band", fs=SAMPLE_RATE, output="sos")
    wave = scipy.signal.sosfilt(band, wave)
    # 2:1 above -20 dB, within 50 ms.
    step = 1 - np.exp(-1 / (0.05 * SAMPLE_RATE))
    power = scipy.signal.lfilter([step], [1, step - 1], wave**2)
    over_db = np.maximum(0.0, 10 * np.log10(power + 1e-12) + 20.0)
    wave = wave * 10 ** (-0.5 * over_db / 20)
    wave = wave + pink(wave.size, rng) * wave.std() * 10 ** (NOISE_DB / 20)
    return np.asarray(wave * 10 ** (GAIN_DB / 20))


def pink(n_samples: int, rng: np.random.Generator) -> Wave:
    """Make noise that has the same power in every octave; RMS 1."""
    frequencies = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    spectrum = rng.normal(size=(2, frequencies.size)).T @ np.array([1, 1j])
    spectrum /= np.sqrt(np.maximum(frequencies, 20.0))
    spectrum[0] = 0.0
    wave = np.fft.irfft(spectrum, n_samples)
    return np.asarray(wave / wave.std())


def as_recorded(wave: Wave) -> npt.NDArray[np.float32]:
    """Pass a sound through 16 bits, as a microphone gives them."""
    samples = np.clip(np.round(32767 * wave), -32768, 32767).astype("<i2")
    return waveform_of(samples.tobytes(), rate=SAMPLE_RATE)


def main() -> None:
    """Print a table."""
    beets.config["deejai"].add(DEFAULTS)
    library = beets.config["library"].as_filename()
    lib = Library(library, beets.config["directory"].as_filename())
    session = Session(lib, beets.config["deejai"])
    log = logging.getLogger("beets.deejai")
    candidates = load_candidates(session, log, limits=Limits(), segue=True)
    index, catalogue = candidates.index, candidates.catalogue
    rng = np.random.default_rng(0)
    is_long = catalogue.lengths_s >= MAX_SHIFT_S + PLAYED_S
    rows = rng.choice(np.flatnonzero(is_long & catalogue.allowed), N_TRACKS, False)
    with lib.music_dir_context():
        items = items_by_id(lib, index.ids[rows].tolist())
        paths = [os.fsdecode(item.path) for item in items]
    waves = [beginning(path, shift_s=rng.uniform(0, MAX_SHIFT_S)) for path in paths]
    ways: dict[str, Callable[[Wave, np.random.Generator], Wave]] = {
        "clean": clean,
        "in a room": room,
    }
    print(machine())
    print(f"{len(index)} tracks, {N_TRACKS} of them played")
    print("| | heard | first | in the first 3 | in the first 5 |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, way in ways.items():
        recorded = [as_recorded(way(wave, rng)) for wave in waves]
        for heard_s in HEARD_S:
            counts = np.zeros(5, dtype=int)
            for row, wave in zip(rows, recorded, strict=True):
                window = wave[: int(heard_s * SAMPLE_RATE)][-WINDOW_SAMPLES:]
                direction = hear(window, session.encoder).direction
                if direction is None:
                    continue
                picks = propose(index, catalogue, direction, n=5)
                counts += [row in {pick.row for pick in picks[:k]} for k in range(1, 6)]
            first, three, five = counts[[0, 2, 4]]
            print(f"| {name} | {heard_s:.0f} s | {first} | {three} | {five} |")


if __name__ == "__main__":
    main()
