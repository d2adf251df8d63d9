from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import librosa
import numpy as np
import pytest
from sounds import clicks, noise, tone

from beetsplug.deejai.audio.constants import HOP_LENGTH, N_FFT, N_FRAMES, N_MELS
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.encoder import (
    load_encoder,
    model_id,
    model_path,
)
from beetsplug.deejai.embedding.inference import BATCH_SLICES
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

ROOT = Path(__file__).parents[2]


def tiny_model(shape: tuple[int, ...] = (N_MELS, N_FRAMES, 1), size: int = 7) -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Reshape((N_MELS, N_FRAMES, 1)),
            layers.AveragePooling2D((32, 36)),
            layers.Flatten(),
            layers.Dense(size),
        ]
    )


@pytest.fixture(scope="module")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    tiny_model().save(path)
    return path


def random_slices(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((n, N_MELS, N_FRAMES), dtype=np.float32)


def test_model_id_is_the_stem_and_the_hash_of_the_file(tiny_path: Path) -> None:
    digest = hashlib.sha256(tiny_path.read_bytes()).hexdigest()
    assert model_id(tiny_path) == f"tiny-{digest[:12]}"
    assert load_encoder(tiny_path).model_id == model_id(tiny_path)


@pytest.mark.parametrize("n", [0, 1, BATCH_SLICES, BATCH_SLICES + 1])
def test_any_number_of_slices_is_encoded(tiny_path: Path, n: int) -> None:
    slices = random_slices(n)
    vectors = load_encoder(tiny_path).encode(slices)
    assert vectors.shape == (n, 7)
    assert vectors.dtype == np.float32
    if n:
        np.testing.assert_allclose(vectors, np.asarray(tiny_model()(slices)), atol=1e-5)


def test_a_slice_gets_the_same_vector_alone_and_in_a_batch(tiny_path: Path) -> None:
    encoder, slices = load_encoder(tiny_path), random_slices(70)
    together = encoder.encode(slices)
    np.testing.assert_allclose(
        encoder.encode(slices[66:67]), together[66:67], atol=1e-6
    )


def test_models_without_a_channel_axis_work(tmp_path: Path) -> None:
    path = tmp_path / "flat.keras"
    tiny_model((N_MELS, N_FRAMES)).save(path)
    slices = random_slices(3)
    np.testing.assert_allclose(
        load_encoder(path).encode(slices), np.asarray(tiny_model()(slices)), atol=1e-5
    )


def test_threads_may_share_an_encoder(tiny_path: Path) -> None:
    encoder = load_encoder(tiny_path)
    parts = [random_slices(5, seed) for seed in range(8)]
    found: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        found[number] = encoder.encode(parts[number])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, part in enumerate(parts):
        np.testing.assert_allclose(found[number], encoder.encode(part), atol=1e-6)


def test_slices_of_another_shape_are_refused(tiny_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"):
        load_encoder(tiny_path).encode(np.zeros((2, 10, 10), np.float32))


def test_default_is_the_shipped_model() -> None:
    assert model_path("default").name == "compact.keras"


def test_a_model_may_be_a_path_under_home(
    tiny_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tiny_path.parent))
    assert model_path("~/tiny.keras") == tiny_path


@pytest.mark.parametrize("name", ["missing.keras", "weights.pkl", "no_suffix"])
def test_a_model_that_cannot_be_used_says_the_remedy(tmp_path: Path, name: str) -> None:
    if "keras" not in name:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FatalError, match=r"set deejai\.model"):
        model_path(str(tmp_path / name))


def refused(path: Path) -> str:
    with pytest.raises(FatalError) as caught:
        load_encoder(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.keras"
    path.write_bytes(b"not a model")
    assert "not an encoder" in refused(path)


def test_a_damaged_model_is_refused(tmp_path: Path, tiny_path: Path) -> None:
    path = tmp_path / "half.keras"
    content = tiny_path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path)


@pytest.mark.parametrize("shape", [(128, 216, 1), (96, 200, 1), (96, 216, 3), (96,)])
def test_a_model_of_another_input_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "other.keras"
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save(path)
    assert "an encoder maps" in refused(path)


def test_a_model_of_another_output_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.keras"
    shape = (N_MELS, N_FRAMES, 1)
    keras.Sequential([keras.Input(shape), keras.layers.Conv2D(1, 3)]).save(path)
    assert "an encoder maps" in refused(path)


def test_code_inside_a_model_is_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.keras", tmp_path / "trace"
    name = str(trace)

    def evil(x: Any) -> Any:
        open(name, "w").close()
        return x[:, :, 0, 0]

    layer = keras.layers.Lambda(evil, output_shape=(N_MELS,))
    keras.Sequential([keras.Input((N_MELS, N_FRAMES, 1)), layer]).save(path)
    trace.unlink(missing_ok=True)
    refused(path)
    assert not trace.exists()


def run_python(code: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
        **streams,
    )


def test_loading_is_silent_and_does_without_scikit_learn(tiny_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from beetsplug.deejai.embedding.encoder import load_encoder\n"
        "assert 'keras' not in sys.modules\n"
        f"load_encoder(Path({str(tiny_path)!r}))\n"
        "assert 'sklearn' not in sys.modules\n"
        "import sklearn; print('said', file=sys.stderr)"
    )
    result = run_python(code, capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "said\n")


def test_loading_works_without_a_standard_error(tiny_path: Path) -> None:
    code = (
        "import os; os.close(2); from pathlib import Path\n"
        "from beetsplug.deejai.embedding.encoder import load_encoder\n"
        f"print(load_encoder(Path({str(tiny_path)!r})).vector_size)"
    )
    result = run_python(code, stdout=subprocess.PIPE)
    assert (result.returncode, result.stdout) == (0, "7\n")


def test_without_keras_the_error_says_what_to_install(tiny_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.modules['keras'] = None\n"
        "from beetsplug.deejai.embedding.encoder import load_encoder\n"
        "from beetsplug.deejai.errors import FatalError\n"
        f"try: load_encoder(Path({str(tiny_path)!r}))\n"
        "except FatalError as error: print(error)"
    )
    out = run_python(code, capture_output=True).stdout
    assert "pip install --upgrade tensorflow" in out


def test_what_others_say_meanwhile_is_held_back_not_lost(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet_stderr():
        os.write(2, b"I0000 00:00:1795176285.633083 1 port.cc:153] oneDNN\n")
        os.write(2, b"E1120 00:00:01.2 1 cuda.cc:1] no\na track failed\n")
        os.write(2, b"2026-01-01 10:00:00.123: I tensorflow/core: noise\n")
    assert capfd.readouterr().err == "a track failed\n"


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), quiet_stderr():
        raise KeyError
    os.write(2, b"again\n")
    assert capfd.readouterr().err == "again\n"


def test_the_shipped_model_is_the_one_its_card_describes() -> None:
    path = model_path("default")
    card = (ROOT / "weights" / "README.md").read_text()
    assert path.stat().st_size <= 8_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card


def librosa_slices(y: np.ndarray) -> np.ndarray:
    """Make slices as the original program does: the definition, not our code."""
    mel = librosa.feature.melspectrogram(
        y=y, sr=22_050, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS
    )
    slices = []
    for k in range(mel.shape[1] // N_FRAMES):
        part = mel[:, k * N_FRAMES : (k + 1) * N_FRAMES]
        db = librosa.power_to_db(part, ref=np.max)
        slices.append((db - db.min()) / (db.max() - db.min()))
    return np.stack(slices)


def test_shipped_vectors_equal_a_direct_keras_call_on_librosa_slices() -> None:
    sounds = [tone(220, seconds=11, rate=22_050), noise(seconds=11, rate=22_050)]
    y = np.concatenate([*sounds, clicks(seconds=11, rate=22_050)])
    expected = np.asarray(
        keras.saving.load_model(model_path("default"))(librosa_slices(y)[..., None])
    )
    vectors = load_encoder(model_path("default")).encode(log_mel_slices(y))
    assert vectors.shape == expected.shape == (6, 100)
    products = (vectors * expected).sum(1)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(expected, axis=1)
    assert (products / lengths > 0.9999).all()


def test_shipped_vectors_tell_a_tone_from_noise() -> None:
    y = np.concatenate(
        [tone(220, seconds=11, rate=22_050), noise(seconds=11, rate=22_050)]
    )
    vectors = load_encoder(model_path("default")).encode(log_mel_slices(y))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[3] + 0.1
