"""What an encoder has to beat: its own network untrained, and MFCC statistics."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.embedding.keras_encoder import (
    KerasEncoder,
    import_keras,
    load_keras,
)
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.embedding.encoder import Encoder

    Array = npt.NDArray[np.float32]
    Mask = npt.NDArray[np.bool_]

N_MFCC = 20
"""Cepstral coefficients of the baseline."""


@dataclass(frozen=True)
class Listened:
    """What was made of one track.

    Attributes
    ----------
    vectors
        Slice vectors by the name of each encoder, shape (n_slices, d).
    mfcc
        :func:`mfcc_statistics`, shape (n_slices, 60).
    audible
        Bool, shape (n_slices,): which slices are not silent. An untrained network has
        no direction for silence, and no encoder has anything to say about it.
    """

    vectors: dict[str, Array]
    mfcc: Array
    audible: Mask


def listen_to(
    paths: Sequence[str], *, encoders: Mapping[str, Encoder], n_threads: int = 1
) -> Iterator[Listened | TrackError]:
    """Decode files, and describe them by encoders and by MFCC statistics.

    Parameters
    ----------
    paths
        Audio files.
    encoders
        By name.
    n_threads
        How many files are decoded at the same time.

    Yields
    ------
    Listened or TrackError
        For each file in order; the error for one that cannot be decoded, or in which
        fewer than two slices (10 s) can be heard.
    """
    with ThreadPoolExecutor(n_threads) as threads:
        waiting = deque(threads.submit(_analyse, path) for path in paths[:n_threads])
        for number in range(len(paths)):
            analysed = waiting.popleft().result()
            # Only as many waveforms are in memory as are being decoded.
            waiting.extend(
                threads.submit(_analyse, path)
                for path in paths[number + n_threads : number + n_threads + 1]
            )
            if isinstance(analysed, TrackError):
                yield analysed
                continue
            slices, statistics, audible = analysed
            vectors = {name: one.encode(slices) for name, one in encoders.items()}
            yield Listened(vectors, statistics, audible)


def _analyse(path: str) -> tuple[Array, Array, Mask] | TrackError:
    try:
        waveform = np.concatenate(list(stream_waveform(path)))
    except TrackError as error:
        return error
    slices = log_mel_slices(waveform)
    audible: Mask = np.asarray(slices.any(axis=(1, 2)))
    if audible.sum() < 2:
        return TrackError("less than two slices (10 s) of it can be heard")
    return slices, mfcc_statistics(waveform)[: len(slices)], audible


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


def standardise(tracks: Sequence[Array]) -> list[Array]:
    """Give every feature mean 0 and deviation 1 over all slices of all tracks."""
    together = np.concatenate(list(tracks))
    mean, deviation = together.mean(axis=0), together.std(axis=0)
    return [(track - mean) / np.maximum(deviation, 1e-9) for track in tracks]


def has_untrained(path: Path) -> bool:
    """Tell whether the network of a model file can be had with random weights.

    ONNX describes a network with the weights it was exported with, not how to start.
    """
    return path.suffix.lower() != ".onnx"


def untrained_encoders(path: Path, *, seeds: Sequence[int]) -> dict[str, Encoder]:
    """Make encoders of a model file's architecture with random weights.

    What they hear is owed to the architecture, not to training.

    Returns
    -------
    dict
        An encoder for each seed, by its id.

    Raises
    ------
    FatalError
        Keras cannot be imported.
    NotAnEncoderError
        The file is none of Keras; see :func:`has_untrained`.
    """
    name = model_id(path)
    trained = load_keras(path, model_id=name)
    encoders: dict[str, Encoder] = {}
    with quiet_stderr():
        keras = import_keras()
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            clone = keras.models.clone_model(trained.network)
            one = KerasEncoder(clone, model_id=f"{name}-untrained-{seed}")
            _warm_up(one)
            encoders[one.model_id] = one
    return encoders


def _warm_up(encoder: Encoder) -> None:
    """Run an encoder once without TensorFlow's advice against many networks."""
    logger = logging.getLogger("tensorflow")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        encoder.encode(np.zeros((1, N_MELS, N_FRAMES), dtype=np.float32))
    finally:
        logger.disabled = was_disabled
