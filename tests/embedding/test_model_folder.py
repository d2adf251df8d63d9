from __future__ import annotations

import json
import os
import pickle
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from models import random_slices, write_keras2, write_onnx

from beetsplug.deejai.embedding.encoder import model_id, model_path
from beetsplug.deejai.embedding.inference import NotAnEncoderError
from beetsplug.deejai.embedding.model_files import model_suffix, shapes_of_keras
from beetsplug.deejai.embedding.model_folder import ModelFolder
from beetsplug.deejai.embedding.trial import made_slices, try_encoder
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return ModelFolder(tmp_path / "config" / "models")


def names_in(folder: ModelFolder) -> list[str]:
    return sorted(os.listdir(folder.folder))


def test_an_empty_folder_offers_the_shipped_model_alone(folder: ModelFolder) -> None:
    (shipped,) = folder.models()
    assert shipped.name == folder.chosen == "default"
    assert shipped.path == folder.chosen_path() == model_path("default")
    assert shipped.model_id == model_id(shipped.path)
    assert shipped.vector_size == 100
    assert not folder.folder.exists()


def test_an_added_model_is_a_described_copy(
    folder: ModelFolder, tmp_path: Path
) -> None:
    source = write_onnx(tmp_path / "patches.onnx")
    model, trial = folder.add(source)
    assert (model.name, model.kind, model.vector_size) == ("patches", "ONNX", 7)
    assert model.input_shape == (96, 216, 1)
    assert model.model_id == model_id(source)
    assert model.path.read_bytes() == source.read_bytes()
    assert trial.ms_per_slice > 0
    assert folder.names() == ["default", "patches"]
    assert folder.models()[1] == model
    assert names_in(folder) == ["patches.json", "patches.onnx"]
    source.unlink()
    slices = random_slices(2)
    assert folder.load(model.path).encode(slices).shape == (2, 7)


def test_a_legacy_file_needs_no_suffix(folder: ModelFolder, tmp_path: Path) -> None:
    source = write_keras2(tmp_path / "speccy_model")
    model, _ = folder.add(source)
    assert model.path.name == "speccy_model.h5"
    assert model.kind == "legacy Keras"
    # 9 + 8, 16, 1 296 x 5 + 5
    assert (model.vector_size, model.n_parameters) == (5, 6_518)


def test_the_choice_is_kept(folder: ModelFolder, tmp_path: Path) -> None:
    model, _ = folder.add(write_onnx(tmp_path / "a.onnx"))
    assert folder.chosen == "default"
    assert folder.choose("a") == model
    again = ModelFolder(folder.folder)
    assert again.chosen == "a"
    assert again.chosen_path() == model.path
    again.choose("default")
    assert folder.chosen_path() == model_path("default")


def test_what_is_not_there_cannot_be_chosen(folder: ModelFolder) -> None:
    for name in ("nothing", "../../etc/passwd", "", "."):
        with pytest.raises(FatalError, match="there is default"):
            folder.choose(name)
    assert not folder.folder.exists()


def test_a_chosen_model_that_is_gone_says_the_remedy(
    folder: ModelFolder, tmp_path: Path
) -> None:
    model, _ = folder.add(write_onnx(tmp_path / "a.onnx"))
    folder.choose("a")
    model.path.unlink()
    with pytest.raises(FatalError, match="models choose default"):
        folder.chosen_path()


def test_a_chosen_model_that_is_damaged_says_the_remedy(
    folder: ModelFolder, tmp_path: Path
) -> None:
    model, _ = folder.add(write_onnx(tmp_path / "a.onnx"))
    model.path.write_bytes(b"broken")
    with pytest.raises(FatalError, match="models choose default"):
        folder.load(model.path)


@pytest.mark.parametrize("text", ["../../etc/passwd", "no such", "\x00"])
def test_a_choice_that_somebody_wrote_is_checked(
    folder: ModelFolder, text: str
) -> None:
    folder.folder.mkdir(parents=True)
    (folder.folder / "chosen.txt").write_text(text)
    with pytest.raises(FatalError, match="models choose default"):
        folder.chosen_path()


def test_the_id_follows_the_file_not_the_note(
    folder: ModelFolder, tmp_path: Path
) -> None:
    model, _ = folder.add(write_onnx(tmp_path / "a.onnx"))
    assert folder.id_of(model.path) == model.model_id
    write_onnx(model.path, seed=1)
    assert folder.id_of(model.path) == model_id(model.path) != model.model_id


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json", '{"input_shape": 3}'])
def test_a_note_without_sense_does_not_count(
    folder: ModelFolder, tmp_path: Path, text: str
) -> None:
    model, _ = folder.add(write_onnx(tmp_path / "a.onnx"))
    model.path.with_suffix(".json").write_text(text)
    assert folder.id_of(model.path) == model.model_id
    assert folder.models()[1].name == "a"


def test_one_name_is_one_model(folder: ModelFolder, tmp_path: Path) -> None:
    folder.add(write_onnx(tmp_path / "a.onnx"))
    folder.add(tmp_path / "a.onnx")
    write_onnx(tmp_path / "a.onnx", seed=1)
    with pytest.raises(FatalError, match="--name"):
        folder.add(tmp_path / "a.onnx")
    folder.add(tmp_path / "a.onnx", name="b")
    assert folder.names() == ["default", "a", "b"]


@pytest.mark.parametrize("name", ["default", "", "a/b", "..", "-x", "n" * 200, "ü"])
def test_names_that_are_no_file_names_are_refused(
    folder: ModelFolder, tmp_path: Path, name: str
) -> None:
    source = write_onnx(tmp_path / "a.onnx")
    with pytest.raises(FatalError, match="--name"):
        folder.add(source, name=name)


def test_a_file_name_becomes_a_name(folder: ModelFolder, tmp_path: Path) -> None:
    model, _ = folder.add(write_onnx(tmp_path / ".my größtes (1).onnx"))
    assert model.name == "my_gr_tes_1_"


USELESS = {
    "not finite": {"scale": np.inf},
    "vector of zeros": {"scale": 0.0},
    "one component": {"size": 1},
}


@pytest.mark.parametrize("reason", USELESS)
def test_an_encoder_of_no_use_is_refused_and_leaves_nothing(
    folder: ModelFolder, tmp_path: Path, reason: str
) -> None:
    source = write_onnx(tmp_path / "a.onnx", **USELESS[reason])
    with pytest.raises(FatalError, match=reason) as caught:
        folder.add(source)
    assert str(source) in str(caught.value)
    assert names_in(folder) == []


class Constant:
    model_id = "constant"
    vector_size = 3

    def encode(self, slices: np.ndarray) -> np.ndarray:
        return np.full((len(slices), 3), 0.3, dtype=np.float32)


def test_one_vector_for_everything_is_of_no_use() -> None:
    with pytest.raises(NotAnEncoderError, match="same vector"):
        try_encoder(Constant())


def test_the_made_slices_are_like_real_ones() -> None:
    slices = made_slices()
    assert slices.shape == (8, 96, 216)
    assert slices.min() >= 0
    assert slices.max() <= 1


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(FatalError, match="No such file"):
        model_suffix(path)
    with pytest.raises(FatalError, match="not a file"):
        model_suffix(tmp_path)
    for content in (b"", b"some text", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        with pytest.raises(FatalError, match="no model file"):
            model_suffix(path)


def test_a_pytorch_file_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(FatalError, match=r"export it as \.onnx"):
        model_suffix(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(FatalError, match=r"export it as \.onnx"):
        model_suffix(path)


def test_nothing_is_told_of_a_damaged_model(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}" * 100)
    content = path.read_bytes()
    for broken in (
        content[:30],
        content.replace(content[41:48], b"\xff" * 7),  # no deflated data
        content.replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00"),  # encrypted
        content,  # no network
    ):
        path.write_bytes(broken)
        assert shapes_of_keras(path) == (None, None)


def test_a_note_never_names_another_folders_model(
    folder: ModelFolder, tmp_path: Path
) -> None:
    source = write_onnx(tmp_path / "a.onnx")
    note = {"model_id": "lie", "size_bytes": 1, "changed_ns": 1}
    source.with_suffix(".json").write_text(json.dumps(note))
    assert folder.id_of(source) == model_id(source)


def test_another_model_of_the_same_name_replaces_it_only_when_told(
    folder: ModelFolder, tmp_path: Path
) -> None:
    folder.add(write_onnx(tmp_path / "mine.onnx"))
    other = tmp_path / "mine.h5"
    write_keras2(other)
    with pytest.raises(FatalError, match="--replace"):
        folder.add(other)
    assert names_in(folder) == ["mine.json", "mine.onnx"]
    model, _ = folder.add(other, replace=True)
    assert names_in(folder) == ["mine.h5", "mine.json"]
    assert folder.models()[1] == model
    assert model.model_id == model_id(other)
