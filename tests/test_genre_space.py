"""What tracks are made of: from stored slices, or heard now."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets import config
from beets.exceptions import UserError
from beets.library import Item
from beets.test.helper import IOMixin, PluginTestHelper
from hypothesis import given
from hypothesis import strategies as st
from libraries import add_files, add_made_tracks, circle
from made_genres import GENRES, learn_genres, slices_of, store_slices
from models import write_onnx
from sounds import noise, tone, write_sound

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.genre_space import (
    GenreSpace,
    hear_genres,
    load_genre_model,
    load_genre_space,
)
from beetsplug.deejai.session import Session
from beetsplug.deejai.storage.compositions import FILE, Compositions
from beetsplug.deejai.storage.genre_model import (
    SLICES,
    GenreModel,
    genre_folder,
    write_genre_model,
)
from beetsplug.deejai.storage.slices import SliceRow, SliceStore, store_path

if TYPE_CHECKING:
    from pathlib import Path


class Library(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @property
    def session(self) -> Session:
        return Session(self.lib, config["deejai"])

    @property
    def folder(self) -> Path:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        return folder


class TestLoadGenreModel(Library):
    def test_nothing_learnt_says_what_to_run(self) -> None:
        with pytest.raises(UserError, match="genres train"):
            load_genre_model(self.session)

    def test_what_was_learnt_on_another_encoder_is_refused(self) -> None:
        write_genre_model(self.folder, replace(learn_genres(self.lib), encoder="old"))
        with pytest.raises(UserError, match=r"another encoder .old.*genres train"):
            load_genre_model(self.session)

    def test_a_damaged_file_says_what_to_run(self) -> None:
        learn_genres(self.lib)
        (self.folder / "genres.npz").write_bytes(b"PK broken")
        with pytest.raises(FatalError, match="genres train"):
            load_genre_model(self.session)


class TestLoadGenreSpace(Library):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.model = learn_genres(self.lib)
        self.items = add_made_tracks(self.lib, circle(4))
        self.slices = [slices_of(3, 1), slices_of(0, 0, 2), slices_of(1, 1, 2)]
        store_slices(self.lib, self.items[:3], self.slices)

    @property
    def space(self) -> GenreSpace:
        return load_genre_space(self.session, self.model)

    def drop_slices(self) -> None:
        """Remove all slices, so that only what was kept can be read."""
        store = SliceStore(store_path(self.lib.path))
        store.remove(store.item_ids())
        store.close()

    def test_it_holds_the_tracks_whose_slices_are_stored(self) -> None:
        space = self.space
        assert space.genres == GENRES
        assert space.item_ids.tolist() == [item.id for item in self.items[:3]]
        expected = [self.model.composition(one) for one in self.slices]
        np.testing.assert_allclose(space.probabilities, expected, atol=1e-6)
        np.testing.assert_allclose(space.probabilities[0], [0.75, 0.25, 0], atol=1e-6)

    def test_what_was_heard_of_other_audio_does_not_count(self) -> None:
        assert len(self.space.item_ids) == 3
        self.items[1]["deejai_signature"] = "of another file"
        self.items[1].store()
        ids = [self.items[0].id, self.items[2].id]
        assert self.space.item_ids.tolist() == ids

    def test_slices_of_another_encoder_do_not_count(self) -> None:
        store = SliceStore(store_path(self.lib.path))
        row = SliceRow(self.items[3].id or 0, "another", "s", "", True)
        store.put([(row, slices_of(1, 1, 1))])
        store.close()
        assert len(self.space.item_ids) == 3

    def test_without_any_slices_it_is_empty(self) -> None:
        self.drop_slices()
        assert self.space.probabilities.shape == (0, 3)

    def test_the_second_time_it_is_read_from_what_was_kept(self) -> None:
        first = self.space
        self.drop_slices()
        again = self.space
        assert np.array_equal(again.item_ids, first.item_ids)
        assert np.array_equal(again.probabilities, first.probabilities)

    def test_a_track_that_came_later_joins_what_was_kept(self) -> None:
        before = self.space.probabilities
        # Of an older id than some that are kept.
        store_slices(self.lib, self.items[3:], [slices_of(0, 5)])
        self.items[0].remove()
        space = self.space
        assert space.item_ids.tolist() == [item.id for item in self.items[1:]]
        assert np.array_equal(space.probabilities[:2], before[1:])
        np.testing.assert_allclose(space.probabilities[2], [0, 1, 0], atol=1e-6)

    def test_what_was_kept_of_another_model_does_not_count(self) -> None:
        flat = replace(self.model, weights=np.zeros_like(self.model.weights))
        assert len(self.space.item_ids) == 3
        probabilities = load_genre_space(self.session, flat).probabilities
        np.testing.assert_allclose(probabilities, 1 / 3, atol=1e-6)

    @pytest.mark.parametrize("content", [b"", b"PK broken", "short"])
    def test_a_damaged_file_is_made_anew(self, content: bytes | str) -> None:
        first = self.space
        path = self.folder / FILE
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if content == "short" else content)  # type: ignore[arg-type]
        assert np.array_equal(self.space.probabilities, first.probabilities)
        self.drop_slices()
        assert np.array_equal(self.space.probabilities, first.probabilities)

    @pytest.mark.parametrize(
        "changes",
        [
            {"item_ids": np.array([[1, 2, 3]])},
            {"item_ids": np.array([3, 2, 1])},
            {"probabilities": np.full((3, 3), 0.5, np.float32)},
            {"probabilities": np.array([[2, -1, 0]] * 3, np.float32)},
            {"probabilities": np.full((3, 3), np.nan, np.float32)},
        ],
    )
    def test_what_no_model_could_have_given_is_made_anew(
        self, changes: dict[str, np.ndarray]
    ) -> None:
        first = self.space
        with np.load(self.folder / FILE) as arrays:
            np.savez(self.folder / FILE, **{**arrays, **changes})
        assert np.array_equal(self.space.probabilities, first.probabilities)

    def test_slices_of_another_size_than_was_learnt_from_are_told(self) -> None:
        flat = replace(self.model, weights=self.model.weights[:50])
        for use in (
            lambda: load_genre_space(self.session, flat),
            lambda: hear_genres(self.session, flat, self.items[:1]),
        ):
            with pytest.raises(FatalError, match=r"of 50 numbers.*genres train` again"):
                use()

    def test_a_folder_that_cannot_be_written_does_no_harm(self) -> None:
        # In the place of the file, so that the administrator's rights do not matter.
        (self.folder / FILE).mkdir()
        assert len(self.space.item_ids) == 3


class TestHearGenres(Library):
    @pytest.fixture(autouse=True)
    def encoder(self, setup: None) -> None:
        path = write_onnx(self.temp_path / "patches.onnx")
        config["deejai"]["model"] = str(path)
        rng = np.random.default_rng(0)
        self.model = GenreModel(
            genres=GENRES,
            kind="head",
            encoder=model_id(path),
            weights=rng.standard_normal((7, 3)).astype(np.float32),
            bias=np.zeros(3, dtype=np.float32),
        )
        write_genre_model(self.folder, self.model)

    def file(self, name: str = "a.flac", seconds: float = 11.0) -> Path:
        return write_sound(self.temp_path / name, tone(seconds=seconds))

    def test_a_file_outside_the_library_is_heard(self) -> None:
        path = os.fsencode(self.file())
        heard, failures = hear_genres(self.session, self.model, [Item(path=path)] * 2)
        assert failures == {}
        assert heard[path].shape == (2, 3)
        np.testing.assert_allclose(heard[path].sum(axis=1), 1, atol=1e-6)

    def test_a_track_of_the_library_is_heard_only_if_it_must_be(self) -> None:
        items = add_files(self.lib, [self.file("a.flac"), self.file("b.flac")])
        slices = np.ones((5, 7), dtype=np.float32)
        fields = {
            "deejai_vector": np.ones(7, dtype=np.float32),
            "deejai_model": self.model.encoder,
            "deejai_signature": "s",
        }
        items[0].update(fields)
        items[0].store()
        store = SliceStore(store_path(self.lib.path))
        rows = [
            SliceRow(item.id or 0, self.model.encoder, "s", "", True) for item in items
        ]
        store.put((row, slices) for row in rows)
        store.close()
        heard, _ = hear_genres(self.session, self.model, items)
        # Of the other one it is not known what audio its slices are of.
        assert [len(heard[item.path]) for item in items] == [5, 2]
        expected = self.model.slice_probabilities(slices)
        assert np.array_equal(heard[items[0].path], expected)

    def test_an_encoder_of_another_size_is_told_before_anything_is_heard(self) -> None:
        flat = replace(self.model, weights=self.model.weights[:5])
        item = Item(path=os.fsencode(self.file()))
        with pytest.raises(FatalError, match=r"of 5 numbers.* have 7;.*genres train"):
            hear_genres(self.session, flat, [item])

    def test_each_failure_has_its_reason(self) -> None:
        text = self.temp_path / "text.mp3"
        text.write_text("no music")
        silent = write_sound(self.temp_path / "silent.wav", 0 * noise())
        paths = [*map(os.fsencode, (text, silent, self.file())), b"/nowhere/x.mp3"]
        items = [Item(path=path) for path in paths]
        heard, failures = hear_genres(self.session, self.model, items)
        assert set(heard) == {paths[2]}
        assert set(failures) == {paths[0], paths[1], paths[3]}
        assert "silent" in failures[paths[1]]
        assert failures[paths[3]] == "there is no such file"

    def test_of_missing_files_no_encoder_is_loaded(self) -> None:
        config["deejai"]["model"] = "/nowhere.onnx"
        item = Item(path=b"/nowhere/x.mp3")
        assert hear_genres(self.session, self.model, [item])[0] == {}


# Of saving a made network by Keras under numpy 2.
@pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")
class TestNetworkOfItsOwn(Library):
    @pytest.fixture(autouse=True)
    def network(self, setup: None) -> None:
        import keras

        network = keras.Sequential(
            [
                keras.layers.Input((96, 216, 1)),
                keras.layers.AveragePooling2D((32, 72)),
                keras.layers.Flatten(),
                keras.layers.Dense(3),
            ]
        )
        self.folder.mkdir()
        path = self.folder / "network.keras"
        network.save(path)
        self.model = GenreModel(
            genres=GENRES,
            kind="cnn",
            encoder=model_id(path),
            weights=np.eye(3, dtype=np.float32),
            bias=np.zeros(3, dtype=np.float32),
            network=path.name,
        )
        write_genre_model(self.folder, self.model)
        self.network = path

    def test_it_does_not_mind_which_encoder_the_library_uses(self) -> None:
        item = add_made_tracks(self.lib, circle(1))[0]
        logits = np.array([[0, 0, 9], [9, 0, 0]], dtype=np.float32)
        store = SliceStore(str(self.folder / SLICES))
        store.put([(SliceRow(item.id or 0, self.model.encoder, "s", "", True), logits)])
        store.close()
        space = load_genre_space(self.session, load_genre_model(self.session))
        assert space.item_ids.tolist() == [item.id]
        np.testing.assert_allclose(space.probabilities[0], [0.5, 0, 0.5], atol=1e-3)
        heard, _ = hear_genres(self.session, self.model, [item])
        assert heard[item.path].argmax(axis=1).tolist() == [2, 0]

    def test_a_damaged_side_store_of_its_own_says_what_makes_a_new_one(self) -> None:
        add_made_tracks(self.lib, circle(1))
        (self.folder / SLICES).write_bytes(b"no database" * 100)
        with pytest.raises(FatalError, match="run `beet deejai genres scan`"):
            load_genre_space(self.session, self.model)

    def test_without_its_slices_tracks_are_heard_by_it(self) -> None:
        assert load_genre_space(self.session, self.model).item_ids.size == 0
        path = write_sound(self.temp_path / "a.flac", tone(seconds=11))
        item = Item(path=os.fsencode(path))
        heard, _ = hear_genres(self.session, self.model, [item])
        assert heard[item.path].shape == (2, 3)

    def test_a_network_that_is_gone_or_another_says_what_to_run(self) -> None:
        path = write_sound(self.temp_path / "a.flac", tone(seconds=11))
        item = Item(path=os.fsencode(path))
        other = replace(self.model, encoder="network-000000000000")
        with pytest.raises(FatalError, match=r"not the one .*--network cnn` again"):
            hear_genres(self.session, other, [item])
        self.network.unlink()
        with pytest.raises(FatalError, match=r"missing.*--network cnn` again"):
            hear_genres(self.session, self.model, [item])


@given(
    ids=st.sets(st.integers(1, 10**6), max_size=20),
    parted=st.integers(0, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_merged_is_in_the_order_of_ids(
    ids: set[int], parted: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(sorted(ids)).astype(np.int64)

    def some(part: np.ndarray) -> Compositions:
        item_ids = np.sort(part)
        texts = np.array([str(i).encode() for i in item_ids.tolist()], dtype="S8")
        return Compositions(item_ids, texts, np.stack([item_ids] * 2, 1).astype("f4"))

    merged = some(shuffled[:parted]).merged(some(shuffled[parted:]))
    assert merged.item_ids.tolist() == sorted(ids)
    assert [int(text) for text in merged.signatures] == sorted(ids)
    assert merged.probabilities[:, 0].astype(int).tolist() == sorted(ids)
