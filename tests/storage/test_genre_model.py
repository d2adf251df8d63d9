from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.genre_model import (
    FILE,
    GenreModel,
    genre_folder,
    read_genre_model,
    write_genre_model,
)

GENRES = ("Rock", "Ελληνικά", "other")


def made_model(size: int = 4) -> GenreModel:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(size, len(GENRES))).astype(np.float32)
    bias = np.array([0.5, 0.0, -0.5], dtype=np.float32)
    return GenreModel(GENRES, "head", "made-1", weights, bias, card={"accuracy": 0.8})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder, model = tmp_path / "library.deejai-genres", made_model()
    write_genre_model(folder, model)
    read = read_genre_model(folder)
    assert read is not None
    assert replace(read, weights=model.weights, bias=model.bias) == model
    np.testing.assert_array_equal(read.weights, model.weights)
    np.testing.assert_array_equal(read.bias, model.bias)
    assert [each.name for each in folder.iterdir()] == [FILE]


def test_a_network_is_named(tmp_path: Path) -> None:
    model = replace(made_model(), kind="cnn", network="network-1.keras")
    write_genre_model(tmp_path, model)
    read = read_genre_model(tmp_path)
    assert read is not None
    assert (read.kind, read.network) == ("cnn", "network-1.keras")


def test_nothing_was_learnt_where_nothing_is(tmp_path: Path) -> None:
    assert read_genre_model(tmp_path) is None
    assert read_genre_model(tmp_path / "nowhere") is None


def test_it_lies_beside_the_library() -> None:
    assert genre_folder(Path("/a/library.db")) == Path("/a/library.deejai-genres")
    assert genre_folder(Path(":memory:")) is None


def test_a_file_of_a_newer_version_says_to_upgrade(tmp_path: Path) -> None:
    write_genre_model(tmp_path, made_model())
    with np.load(tmp_path / FILE) as arrays:
        np.savez(tmp_path / FILE, **{**arrays, "format": np.array(2)})
    with pytest.raises(FatalError, match=r"newer version.*upgrade"):
        read_genre_model(tmp_path)


def test_damage_at_any_place_is_noticed_or_harmless(tmp_path: Path) -> None:
    write_genre_model(tmp_path, made_model())
    path = tmp_path / FILE
    whole = path.read_bytes()
    noticed = []
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read = read_genre_model(tmp_path)
        except FatalError as error:
            noticed.append(str(error))
        else:
            assert read is not None
            assert np.isfinite(read.slice_probabilities(np.ones((1, 4)))).all()
    assert len(noticed) > 50
    assert all("genres train" in line and "\n" not in line for line in noticed)


@pytest.mark.parametrize("name", ["../x.keras", "a/b.keras", "x.npz", "", 5])
def test_no_network_outside_the_folder_is_named(tmp_path: Path, name: str) -> None:
    write_genre_model(tmp_path, replace(made_model(), kind="cnn", network=name))
    with pytest.raises(FatalError, match="genres train"):
        read_genre_model(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"genres": ("Rock",)},
        {"genres": ("Rock", "Rock", "other")},
        {"kind": "tree"},
        {"kind": "cnn"},
        {"network": "x.keras"},
        {"weights": np.zeros((4, 2), np.float32)},
        {"weights": np.zeros((0, 3), np.float32)},
        {"bias": np.full(3, np.nan, np.float32)},
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        replace(made_model(), **changes)


@given(
    vectors=arrays(
        np.float16, (3, 4), elements=st.floats(-1e3, 1e3, width=16, allow_nan=False)
    )
)
def test_probabilities_are_probabilities(vectors: np.ndarray) -> None:
    for model in (
        made_model(),
        replace(made_model(), kind="cnn", network="network.keras"),
    ):
        of_slices, of_track = (
            model.slice_probabilities(vectors),
            model.composition(vectors),
        )
        assert of_slices.dtype == of_track.dtype == np.float32
        assert of_slices.min() >= 0.0
        np.testing.assert_allclose(of_slices.sum(axis=1), 1.0, atol=1e-5)
        np.testing.assert_allclose(of_track.sum(), 1.0, atol=1e-5)
        np.testing.assert_allclose(of_track, of_slices.mean(axis=0), atol=1e-5)


def test_a_head_hears_directions_only() -> None:
    model, vectors = made_model(), np.random.default_rng(1).normal(size=(5, 4))
    np.testing.assert_allclose(
        model.slice_probabilities(vectors),
        model.slice_probabilities(7 * vectors),
        atol=1e-6,
    )
