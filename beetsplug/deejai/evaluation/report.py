"""Compare what encoders and hand-made features make of the same tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import (
    HOP_LENGTH,
    N_FFT,
    N_FRAMES,
    N_MELS,
    SAMPLE_RATE,
)
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.encoder import (
    KerasEncoder,
    import_keras,
    model_id,
    quiet_stderr,
)
from beetsplug.deejai.evaluation.metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

    Array = npt.NDArray[np.float32]

MFCC = "MFCC statistics"
"""Name of the baseline that has learnt nothing."""

N_MFCC = 20
"""Cepstral coefficients of the baseline."""


def compare(
    paths: Sequence[str],
    *,
    labels: Sequence[str],
    encoders: Mapping[str, Encoder],
) -> dict[str, dict[str, float]]:
    """Measure encoders, and MFCC statistics beside them, on labelled tracks.

    Parameters
    ----------
    paths
        Audio files with two slices (10 s) or more that are not silent.
    labels
        What the files are taken from: a soundtrack, an artist.
    encoders
        The encoders to compare, by the names they get in the report.

    Returns
    -------
    dict
        For each encoder, and for :data:`MFCC`, the metrics of
        :func:`beetsplug.deejai.evaluation.metrics.evaluate`.

    Raises
    ------
    TrackError
        A file cannot be decoded.
    ValueError
        A file is too short, or no two have the same label.
    """
    vectors: dict[str, list[Array]] = {name: [] for name in encoders}
    statistics: list[Array] = []
    for path in paths:
        waveform = np.concatenate(list(stream_waveform(path)))
        slices = log_mel_slices(waveform)
        # An untrained network has no direction for silence.
        audible = slices.any(axis=(1, 2))
        for name, encoder in encoders.items():
            vectors[name].append(encoder.encode(slices[audible]))
        statistics.append(mfcc_statistics(waveform)[: len(slices)][audible])
    figures = {
        name: evaluate(tracks, labels=labels) for name, tracks in vectors.items()
    }
    figures[MFCC] = evaluate(_standardise(statistics), labels=labels)
    return figures


def mfcc_statistics(waveform: Array) -> Array:
    """Describe each slice by its MFCCs' mean, deviation and deviation of the change.

    Returns
    -------
    ndarray of float32, shape (n_slices, 60)
    """
    # Here alone: importing librosa costs seconds that only this baseline needs.
    import librosa

    coefficients = librosa.feature.mfcc(
        y=waveform,
        sr=SAMPLE_RATE,
        n_mfcc=N_MFCC,
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        n_mels=N_MELS,
    )
    n_slices = coefficients.shape[1] // N_FRAMES
    coefficients = coefficients[:, : n_slices * N_FRAMES]
    slices = coefficients.reshape(N_MFCC, n_slices, N_FRAMES).transpose(1, 0, 2)
    parts = [slices.mean(2), slices.std(2), np.diff(slices, axis=2).std(2)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _standardise(tracks: Sequence[Array]) -> list[Array]:
    """Give every feature mean 0 and deviation 1 over all slices."""
    together = np.concatenate(list(tracks))
    mean, deviation = together.mean(axis=0), together.std(axis=0)
    return [(track - mean) / np.maximum(deviation, 1e-9) for track in tracks]


def untrained_encoder(path: Path, *, seed: int) -> Encoder:
    """Make an encoder of a model file's architecture with random weights.

    What it hears is owed to the architecture, not to training.
    """
    with quiet_stderr():
        keras: Any = import_keras()
        keras.utils.set_random_seed(seed)
        model = keras.saving.load_model(str(path), compile=False, safe_mode=True)
        clone = keras.models.clone_model(model)
    return KerasEncoder(clone, model_id=f"{model_id(path)}-untrained-{seed}")


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Lay figures out as a Markdown table, a row for each encoder."""
    names = list(next(iter(figures.values())))
    lines = [f"| | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for row, values in figures.items():
        cells = " | ".join(f"{values[name]:.2f}" for name in names)
        lines.append(f"| {row} | {cells} |")
    return "\n".join(lines)
