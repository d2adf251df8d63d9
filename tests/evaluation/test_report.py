from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from sounds import RATE, clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.evaluation.report import (
    MFCC,
    compare,
    mfcc_statistics,
    table,
    untrained_encoder,
)

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    keras.utils.set_random_seed(3)
    layers = keras.layers
    pool = layers.AveragePooling2D((8, N_FRAMES))
    shape = (N_MELS, N_FRAMES, 1)
    keras.Sequential(
        [keras.Input(shape), pool, layers.Flatten(), layers.Dense(8)]
    ).save(path)
    return path


def test_encoders_are_compared_with_mfcc_statistics(
    model_file: Path, tmp_path: Path
) -> None:
    waves = {
        "chord 1": tone(220, seconds=16),
        "chord 2": tone(230, seconds=16),
        "noise 1": np.concatenate([noise(seconds=11), np.zeros(15 * RATE, "f")]),
        "noise 2": noise(seconds=16, seed=1),
        "click 1": clicks(seconds=16),
        "click 2": clicks(seconds=16, per_second=5),
    }
    paths = [
        str(write_sound(tmp_path / f"{name}.wav", wave)) for name, wave in waves.items()
    ]
    figures = compare(
        paths,
        labels=[name.split()[0] for name in waves],
        encoders={
            "tiny": load_encoder(model_file),
            "untrained": untrained_encoder(model_file, seed=0),
        },
    )
    assert list(figures) == ["tiny", "untrained", MFCC]
    assert figures[MFCC]["nearest"] == 1.0
    assert all(0 <= v <= 1 for row in figures.values() for v in row.values())


def test_mfcc_statistics_cover_the_same_slices_as_the_encoder() -> None:
    waveform = tone(seconds=16, rate=22_050)
    assert mfcc_statistics(waveform).shape == (len(log_mel_slices(waveform)), 60)


def test_an_untrained_encoder_has_the_shape_but_not_the_weights(
    model_file: Path,
) -> None:
    slices = np.random.default_rng(0).random((2, N_MELS, N_FRAMES), dtype=np.float32)
    trained = load_encoder(model_file).encode(slices)
    first = untrained_encoder(model_file, seed=0)
    again = untrained_encoder(model_file, seed=0)
    assert first.encode(slices).shape == trained.shape
    assert not np.allclose(first.encode(slices), trained)
    np.testing.assert_array_equal(first.encode(slices), again.encode(slices))


def test_a_table_has_a_row_for_each_encoder() -> None:
    figures = {"a": {"nearest": 0.5, "halves": 1.0}, "b": {"nearest": 0, "halves": 0}}
    assert table(figures).splitlines() == [
        "| | nearest | halves |",
        "| --- | --- | --- |",
        "| a | 0.50 | 1.00 |",
        "| b | 0.00 | 0.00 |",
    ]
