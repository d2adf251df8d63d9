from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from sounds import RATE, clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.evaluation.baselines import (
    Listened,
    has_untrained,
    listen_to,
    mfcc_statistics,
    standardise,
    untrained_encoders,
)
from beetsplug.deejai.evaluation.metrics import evaluate

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


@pytest.mark.parametrize("n_threads", [1, 2, 9])
def test_files_are_heard_in_order_and_silence_is_marked(
    model_file: Path, tmp_path: Path, n_threads: int
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
    listened = list(
        listen_to(
            paths, encoders={"tiny": load_encoder(model_file)}, n_threads=n_threads
        )
    )
    heard = [one for one in listened if isinstance(one, Listened)]
    assert [len(one.audible) for one in heard] == [3, 3, 5, 3, 3, 3]
    assert [int(one.audible.sum()) for one in heard] == [3, 3, 3, 3, 3, 3]
    for one in heard:
        assert one.vectors["tiny"].shape == (len(one.audible), 8)
        assert one.mfcc.shape == (len(one.audible), 60)
    statistics = standardise([one.mfcc[one.audible] for one in heard])
    figures = evaluate(statistics, labels=[name.split()[0] for name in waves])
    assert figures["nearest"] == 1.0


def test_what_cannot_be_heard_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = write_sound(tmp_path / "good.wav", noise(seconds=11))
    short = write_sound(tmp_path / "short.wav", noise(seconds=6))
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no music")
    paths = [str(tmp_path / "gone.ogg"), str(short), str(broken), str(good)]
    gone, brief, damaged, heard = listen_to(paths, encoders={}, n_threads=2)
    assert isinstance(gone, TrackError)
    assert "does not exist" in str(gone)
    assert "two slices" in str(brief)
    assert isinstance(damaged, TrackError)
    assert isinstance(heard, Listened)


def test_mfcc_statistics_cover_the_same_slices_as_the_encoder() -> None:
    waveform = tone(seconds=16, rate=22_050)
    assert mfcc_statistics(waveform).shape == (len(log_mel_slices(waveform)), 60)


def test_standardised_features_weigh_the_same() -> None:
    rng = np.random.default_rng(0)
    tracks = [rng.normal(5, [1, 100, 0], (n, 3)).astype("f4") for n in (4, 7)]
    together = np.concatenate(standardise(tracks))
    np.testing.assert_allclose(together.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(together.std(axis=0), [1, 1, 0], atol=1e-5)


def test_untrained_encoders_have_the_shape_but_not_the_weights(
    model_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slices = np.random.default_rng(0).random((2, N_MELS, N_FRAMES), dtype=np.float32)
    trained = load_encoder(model_file).encode(slices)
    with caplog.at_level(logging.WARNING):
        made = untrained_encoders(model_file, seeds=[0, 1, 2, 3, 4, 5])
    assert not caplog.records
    first, second, *_ = (one.encode(slices) for one in made.values())
    (again,) = untrained_encoders(model_file, seeds=[0]).values()
    assert first.shape == trained.shape
    assert not np.allclose(first, trained)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, again.encode(slices))


def test_an_onnx_file_has_no_untrained_network(tmp_path: Path) -> None:
    assert not has_untrained(tmp_path / "model.ONNX")
    assert has_untrained(tmp_path / "model.h5")
