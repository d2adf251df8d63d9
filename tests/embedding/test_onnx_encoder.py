from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from models import patch_vectors, random_slices, write_onnx

from beetsplug.deejai.embedding.encoder import load_encoder, model_id
from beetsplug.deejai.errors import FatalError

ROOT = Path(__file__).parents[2]

LAYOUTS = {
    "channels last": ("n", 96, 216, 1),
    "channels first": ("n", 1, 96, 216),
    "no channels": ("n", 96, 216),
    "one at a time": (1, 1, 96, 216),
    "five at a time": (5, 96, 216, 1),
    "any number of frames": ("n", 96, None, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [0, 1, 70])
def test_every_layout_gives_the_vectors_of_its_weights(
    tmp_path: Path, layout: str, n: int
) -> None:
    path = write_onnx(tmp_path / "patches.onnx", shape=LAYOUTS[layout])
    encoder = load_encoder(path)
    slices = random_slices(n)
    vectors = encoder.encode(slices)
    assert encoder.vector_size == 7
    assert encoder.model_id == model_id(path)
    assert encoder.input_shape[0] in (1, 96)
    assert vectors.shape == (n, 7)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, patch_vectors(slices), atol=1e-5)


def test_threads_may_share_an_encoder(tmp_path: Path) -> None:
    encoder = load_encoder(write_onnx(tmp_path / "patches.onnx"))
    found: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        found[number] = encoder.encode(random_slices(9, number))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, vectors in found.items():
        expected = patch_vectors(random_slices(9, number))
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_slices_of_another_shape_are_refused(tmp_path: Path) -> None:
    encoder = load_encoder(write_onnx(tmp_path / "patches.onnx"))
    with pytest.raises(ValueError, match="shape"):
        encoder.encode(np.zeros((2, 10, 10), np.float32))


def refused(path: Path) -> str:
    with pytest.raises(FatalError) as caught:
        load_encoder(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    "shape",
    [("n", 128, 216, 1), ("n", 3, 96, 216), ("n", "m"), (None, None, None, None)],
)
def test_another_input_is_refused(
    tmp_path: Path, shape: tuple[int | str | None, ...]
) -> None:
    assert "an encoder takes" in refused(write_onnx(tmp_path / "x.onnx", shape=shape))


def test_an_input_that_may_mean_two_things_is_not_guessed_at(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "x.onnx", shape=("a", "b", "c", "d"))
    assert "may mean several things" in refused(path)


def test_other_outputs_inputs_and_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    assert "an encoder maps" in refused(write_onnx(path, flatten=False))
    assert "more than one input" in refused(write_onnx(path, n_inputs=2))
    assert "float32" in refused(write_onnx(path, element="DOUBLE"))


def test_a_file_that_is_none_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"not a model")
    assert "ONNX Runtime" in refused(path)
    content = write_onnx(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path)
    path.write_bytes(b"")
    refused(path)


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    import onnx

    path = write_onnx(tmp_path / "x.onnx")
    model = onnx.load(str(path))
    onnx.save(
        model,
        str(path),
        save_as_external_data=True,
        location="x.data",
        size_threshold=100,
    )
    assert (tmp_path / "x.data").exists()
    assert "weights lie in another file" in refused(path)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
        capture_output=True,
    )


def test_no_tensorflow_is_imported_and_nothing_is_said(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "patches.onnx")
    result = run_python(
        "import sys; from pathlib import Path; import numpy as np\n"
        "from beetsplug.deejai.embedding.encoder import load_encoder\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"encoder = load_encoder(Path({str(path)!r}))\n"
        "encoder.encode(np.zeros((3, 96, 216), np.float32))\n"
        "assert not {'tensorflow', 'keras', 'sklearn', 'onnx'} & sys.modules.keys()\n"
        "print(encoder.vector_size)"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "7\n", "")


def test_without_the_runtime_the_error_says_what_to_install(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "patches.onnx")
    result = run_python(
        "import sys; from pathlib import Path; sys.modules['onnxruntime'] = None\n"
        "from beetsplug.deejai.embedding.encoder import load_encoder\n"
        "from beetsplug.deejai.errors import FatalError\n"
        f"try: load_encoder(Path({str(path)!r}))\n"
        "except FatalError as error: print(error)"
    )
    assert "pip install 'beets-deejai[onnx]'" in result.stdout
