"""``beet deejai genres train`` and ``scan`` through the real command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command_line import CommandLine
from libraries import add_files, add_made_tracks, current_model
from made_genres import learn_genres, slices_of, store_slices
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.audio.decode import audio_signature
from beetsplug.deejai.storage.exclusive import exclusive
from beetsplug.deejai.storage.genre_model import (
    SLICES,
    genre_folder,
    read_genre_model,
)
from beetsplug.deejai.storage.slices import SliceStore, store_path
from beetsplug.deejai.training.genres.keep import name_network

if TYPE_CHECKING:
    from beets.library import Item

    from beetsplug.deejai.storage.genre_model import GenreModel

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


class GenresTrain(CommandLine):
    @property
    def folder(self) -> Path:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        return folder

    @property
    def model(self) -> GenreModel:
        model = read_genre_model(self.folder)
        assert model is not None
        return model

    def train(self, *args: str) -> str:
        return self.run_with_output("deejai", "genres", "train", *args)

    def add(self, genres: list[str], *, artists: int = 4) -> list[Item]:
        """Add tracks of genres, each told by its slices."""
        names = list(dict.fromkeys(genres))
        axes = [names.index(genre) for genre in genres]
        slices = [slices_of(*[0] * axis, 3) for axis in axes]
        rng = np.random.default_rng(0)
        slices = [one + 0.1 * rng.standard_normal(one.shape) for one in slices]
        items = add_made_tracks(self.lib, np.stack([one[0] for one in slices]))
        for number, (item, genre) in enumerate(zip(items, genres, strict=True)):
            item["genres"] = [genre] if genre else []
            item["artist"] = f"artist {number % artists}"
            item.store()
        store_slices(self.lib, items, slices)
        return items


class TestHead(GenresTrain):
    def test_genres_are_learnt_and_told_of_the_same_for_the_same_seed(self) -> None:
        self.add(["Rock"] * 12 + ["Polka"] * 10)
        out = self.train("--no-baselines")
        assert "22 tracks by 4 artists, 2 genres: Rock, Polka" in out
        assert "this model                       1.000     1.000" in out
        assert "always the commonest genre       0.545" in out
        assert "only 22 tracks could be measured on" in out
        assert "1 Rock            12   ." in out
        assert self.model.genres == ("Rock", "Polka")
        assert self.model.composition(slices_of(0, 2))[1] > 0.9
        card = (self.folder / "card.md").read_text()
        assert "| Polka | 10 | 4 |" in card
        assert "No artist was in two parts" in card
        assert (self.folder / "confusion.png").read_bytes().startswith(b"\x89PNG")
        first = self.model
        self.train("--no-baselines")
        assert np.array_equal(first.weights, self.model.weights)

    def test_a_query_chooses_what_is_learnt_from_in_any_script(self) -> None:
        self.add(["演歌"] * 10 + ["Polka"] * 10 + ["Шансон"] * 10)
        query = ("genres:演歌", ",", "genres:Шансон")
        assert "演歌" in self.train("--no-baselines", *query)
        assert self.model.genres == ("Шансон", "演歌")
        assert "演歌" in (self.folder / "card.md").read_text()

    def test_rare_genres_count_as_wider_ones_of_the_tree_unless_told_otherwise(
        self,
    ) -> None:
        genres = ["Deep House"] * 3 + ["Acid House"] * 3 + ["Bebop"] * 6
        self.add(genres, artists=3)
        out = self.train("--min-tracks", "5", "--no-baselines")
        assert "Acid House as house" in out
        assert self.model.genres == ("Bebop", "house")
        self.train("--min-tracks", "5", "--no-baselines", "--no-tree")
        assert self.model.genres == ("Bebop", "other")

    def test_figures_of_one_artist_flatter_and_files_that_are_gone_have_no_baseline(
        self,
    ) -> None:
        self.add(["Rock"] * 10 + ["Polka"] * 10, artists=1)
        out = self.train()
        assert "20 tracks by 1 artist, 2 genres" in out
        assert "the same artists, and flatter" in out
        assert "would be lower" in (self.folder / "card.md").read_text()
        assert "20 of them cannot be heard" in out
        assert "MFCC, logistic" not in out

    def test_pretending_stores_nothing_and_counts_tracks_without_slices(self) -> None:
        self.add(["Rock"] * 10 + ["Polka"] * 10)
        late = add_made_tracks(self.lib, np.eye(1, 100))
        late[0]["genres"] = ["Rock"]
        late[0].store()
        out = self.train("--no-baselines", "--pretend")
        assert "not learnt from: 1 track of a genre; run `beet deejai scan`" in out
        assert "nothing is stored" in out
        assert not self.folder.exists()

    def test_a_scan_by_the_network_has_nothing_to_do(self) -> None:
        learn_genres(self.lib)
        out = self.run_with_output("deejai", "genres", "scan")
        assert "nothing to do" in out

    @pytest.mark.parametrize(
        ("genres", "message"),
        [
            ([], "the library is empty"),
            ([""] * 4, "none of 4 tracks has a genre"),
            (["Rock"] * 12, "Rock is the only genre, of 12 tracks"),
            (["Rock"] * 12 + ["Polka"], "no two genres have 10 tracks"),
            (["Rock", "Polka", "Jazz"] * 2, "lower --min-tracks"),
        ],
    )
    def test_too_little_is_said_in_one_line(
        self, genres: list[str], message: str
    ) -> None:
        if genres:
            self.add(genres)
        assert message in self.refused("genres", "train")
        assert not self.folder.exists()

    def test_a_library_of_three_tracks_may_be_learnt_where_genres_have_two(
        self,
    ) -> None:
        self.add(["Rock", "Rock", "Polka"])
        assert "no two genres have 2 tracks" in self.refused(
            "genres", "train", "--min-tracks", "2"
        )

    def test_slices_of_another_encoder_are_no_slices(self) -> None:
        for item in self.add(["Rock"] * 10 + ["Polka"] * 10):
            item["deejai_model"] = "another"
            item.store()
        assert "run `beet deejai scan`" in self.refused("genres", "train")

    def test_a_side_store_that_is_gone_is_told_and_not_made(self) -> None:
        self.add(["Rock"] * 10 + ["Polka"] * 10)
        path = Path(store_path(self.lib.path))
        path.unlink()
        message = self.refused("genres", "train")
        assert "no track that has a genre has current slices" in message
        assert not path.exists()

    def test_what_cannot_be_kept_is_told_before_anything_is_learnt(self) -> None:
        self.add(["Rock"] * 10 + ["Polka"] * 10)
        with exclusive(self.folder, doing="another"):
            assert "is at work in" in self.refused("genres", "train")
        (self.folder / "lock").unlink()
        self.folder.rmdir()
        self.folder.touch()
        assert "cannot write" in self.refused("genres", "train")

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        self.add(["Ro\x1b[31mck\n"] * 6 + ["Polka"] * 5)
        message = self.refused("genres", "train", "--min-tracks", "7")
        assert "Ro [31mck (6)" in message

    def test_a_library_that_was_never_scanned_is_told(self) -> None:
        for item in self.add(["Rock"] * 10 + ["Polka"] * 10):
            del item["deejai_vector"]
            item.store()
        assert "run `beet deejai scan` first" in self.refused("genres", "train")

    @pytest.mark.parametrize(
        "args",
        [
            ["--min-tracks", "1"],
            ["--validation", "0.9"],
            ["--steps", "0"],
            ["--tracks", "1"],
            ["--patience", "-1"],
            ["--seed", "-1"],
            ["--network", "huge"],
        ],
    )
    def test_mistaken_options_are_told_in_one_line(self, args: list[str]) -> None:
        assert args[0] in self.refused("genres", "train", *args)


WAVES = {"Tones": lambda k: tone(150 + 70 * k, seconds=11)} | {
    "Noises": lambda k: noise(seconds=11, seed=k) + clicks(seconds=11, per_second=k + 1)
}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("music")
    return [
        write_sound(folder / f"{genre} {k}.wav", wave(k))
        for genre, wave in WAVES.items()
        for k in range(4)
    ]


class TestNetwork(GenresTrain):
    @pytest.fixture(autouse=True)
    def files(self, setup: None, music: list[Path]) -> None:
        self.items = add_files(self.lib, music)
        for number, item in enumerate(self.items):
            item["genres"] = [Path(item.filepath).stem.split()[0]]
            item["artist"] = f"artist {number % 4}"
            item.store()

    def train(self, *args: str) -> str:
        few = ("--network", "cnn", "--min-tracks", "2", "--tracks", "4")
        return super().train(*few, "--no-baselines", *args)

    def heard(self) -> dict[int, Any]:
        store = SliceStore(str(self.folder / SLICES))
        rows = store.rows()
        store.close()
        return rows

    def test_a_network_learns_from_the_audio_and_hears_the_library(self) -> None:
        out = self.train("--steps", "2", "--validation", "0.25")
        assert "6 tracks to learn from, 2 held out" in out
        assert "only 2 tracks could be measured on" in out
        assert "8 new, 0 fresh, 0 failed" in out
        assert "8 tracks have no vector yet" in out
        model = self.model
        assert model.kind == "cnn"
        assert [p.name for p in self.folder.glob("*.keras")] == [model.network]
        assert {row.model for row in self.heard().values()} == {model.encoder}
        assert not any("deejai_vector" in item for item in self.lib.items())
        assert "no artist among both" in (self.folder / "card.md").read_text()

        again = self.run_with_output("deejai", "genres", "scan")
        assert "0 new, 8 fresh" in again
        forced = self.run_with_output("deejai", "genres", "scan", "--force", "Tones")
        assert "4 new" in forced

    def test_what_came_later_is_heard_by_a_scan_and_what_went_is_forgotten(
        self, tmp_path: Path
    ) -> None:
        self.train("--steps", "1", "--validation", "0")
        assert "no figures" in (self.folder / "card.md").read_text()
        assert not (self.folder / "confusion.png").exists()
        self.items[0].remove()
        path = write_sound(tmp_path / "late.wav", tone(99))
        (item,) = add_files(self.lib, [path])
        out = self.run_with_output("deejai", "genres", "scan")
        assert "1 new, 7 fresh" in out
        assert set(self.heard()) == {item.id for item in self.lib.items()}
        self.check_other_audio(item, path)

    def check_other_audio(self, item: Item, path: Path) -> None:
        """It is heard once, and counts when the library knows it."""
        vector = np.ones(100, dtype=np.float32)
        known = {"deejai_vector": vector, "deejai_model": current_model()}
        item.update(known | {"deejai_signature": audio_signature(str(path))})
        item.store()
        late = ("genres", "scan", "path:" + str(path))
        assert "other audio" not in self.run_with_output("deejai", *late)
        write_sound(path, tone(999, seconds=12))
        for done in ("1 new, 0 fresh", "0 new, 1 fresh"):
            out = self.run_with_output("deejai", *late)
            assert done in out
            assert "1 track has other audio than `beet deejai scan` heard" in out
        item["deejai_signature"] = audio_signature(str(path))
        item.store()
        assert "other audio" not in self.run_with_output("deejai", *late)

    def test_runs_go_on_side_by_side_until_one_replaces_the_former_network(
        self,
    ) -> None:
        work = self.folder / "work"
        one, two = (("--steps", n, "--validation", "0") for n in "12")
        assert f"{work} keeps the spectrograms" in self.train(*one, "--pretend")
        (trained,) = work.glob("network-*.keras")
        name, _ = name_network(trained)
        self.train(*two, "--pretend")
        assert [p.name for p in self.folder.iterdir()] == ["work"]
        assert len([*work.glob("checkpoint-*"), *work.glob("network-*")]) == 4
        assert "going on after step 1" in self.train(*one)
        assert len([*work.glob("checkpoint-*"), *work.glob("network-*")]) == 2
        assert self.model.network == name
        self.train(*two)
        assert self.model.network != name
        assert [p.name for p in self.folder.glob("*.keras")] == [self.model.network]

    def test_two_trainings_do_not_share_a_folder(self, tmp_path: Path) -> None:
        work = ("--work", str(tmp_path / "work"))
        args = ("genres", "train", "--network", "cnn", "--min-tracks", "2", *work)
        with exclusive(tmp_path / "work", doing="`beet deejai genres train`"):
            message = self.refused(*args, "--pretend")
        assert "`beet deejai genres train` is at work in" in message
        assert not self.folder.exists()

    def test_a_scan_before_any_training_is_told(self) -> None:
        assert "genres train" in self.refused("genres", "scan")
