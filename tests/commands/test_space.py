"""--space genre, through the real command line, on stored slices."""

from __future__ import annotations

import os

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle, current_model, make_album
from made_genres import GENRES, learn_genres, slices_of, store_slices

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.storage.genre_model import (
    SLICES,
    GenreModel,
    genre_folder,
    write_genre_model,
)
from beetsplug.deejai.storage.slices import SliceRow, SliceStore, store_path

N = 13


class Library(CommandLine):
    """Track k has k slices of Metal, the rest are Ambient; their sound is shuffled."""

    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        self.items = add_made_tracks(self.lib, circle(N)[np.arange(N) * 5 % N])
        self.slices = [slices_of(N - 1 - k, k) for k in range(N)]
        store_slices(self.lib, self.items, self.slices)
        self.model = learn_genres(self.lib)

    def numbers(self, *args: str) -> list[int]:
        return [int(title.split()[1]) for title in self.titles(*args)]

    def explained(self, *args: str) -> list[str]:
        args = ("deejai", *args, "--explain", "-f", "$title")
        return self.run_with_output(*args).splitlines()

    def forget_slices(self, *numbers: int) -> None:
        store = SliceStore(store_path(self.lib.path))
        store.remove([self.items[number].id for number in numbers])
        store.close()


class TestSimilar(Library):
    def test_the_nearest_by_genre_come_first_and_ten_of_them(self) -> None:
        numbers = self.numbers("similar", "--space", "genre", "title:=track 0")
        assert numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        sound = self.numbers("similar", "title:=track 0")
        assert sound != numbers
        assert self.numbers("similar", "--space", "sound", "title:=track 0") == sound

    def test_their_order_is_that_of_euclidean_distances(self) -> None:
        rng = np.random.default_rng(0)
        slices = [slices_of(*rng.integers(0, 9, 3), 1) for _ in range(N)]
        store_slices(self.lib, self.items, slices)
        made_of = [self.model.composition(some) for some in slices]
        distances = [float(np.linalg.norm(p - made_of[4])) for p in made_of]
        expected = [number for number in np.argsort(distances) if number != 4]
        args = ("similar", "--space", "genre", "title:=track 4", "-n", "99")
        assert self.numbers(*args) == expected

    def test_several_seeds_are_averaged_as_they_weigh(self) -> None:
        args = ("similar", "--space", "genre", "-n", "1", "title:=track 0")
        assert self.numbers(*args, "--also", "'title:=track 12'") == [6]
        assert self.numbers(*args, "--also", "3*'title:=track 12'") == [9]

    def test_not_takes_a_genre_away(self) -> None:
        rest = [slices_of(6, 4, 2), slices_of(6, 0, 6), slices_of(0, 6, 6)]
        store_slices(self.lib, self.items[:3], rest)
        args = ("similar", "--space", "genre", "-n", "1", "title:=track 0")
        assert self.numbers(*args, "--from", "'title::^track [12]$'") == [1]
        numbers = self.numbers(
            *args, "--not", "'title:=track 12'", "--from", "'title::^track [12]$'"
        )
        assert numbers == [1]

    def test_versions_are_told_apart_by_their_sound(self) -> None:
        vector = self.items[0]["deejai_vector"]
        self.items[12].update({"deejai_vector": vector, "length": 180.2})
        self.items[12].update({"title": "track twelve", "artist": ""})
        self.items[12].store()
        args = ("similar", "--space", "genre", "-n", "99", "title:=track 0")
        assert "track twelve" not in self.titles(*args)
        assert "track twelve" in self.titles(*args, "--allow-versions")

    def test_explain_tells_nearness_slices_and_genres(self) -> None:
        lines = self.explained("similar", "--space", "genre", "-n", "1", "track 0")
        assert lines == [
            f"{1 - 1 / 12:>6.3f}  track 1",
            f"{'':10}0:00 - 0:55 sounds like 0:00 - 0:55 (1.00)",
            f"{'':10}{AGREE}",
        ]

    def test_tracks_without_slices_are_left_out_which_is_said_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.forget_slices(1, 2)
        with caplog.at_level("WARNING"):
            numbers = self.numbers("similar", "--space", "genre", "title:=track 0")
        assert not {1, 2} & set(numbers)
        assert caplog.text.count("left out") == 1
        assert (
            "2 tracks are left out: they have no slices that tell their genres; "
            "run `beet deejai scan`"
        ) in caplog.text

    def test_a_list_tells_the_command_that_makes_it_again(self) -> None:
        path = self.temp_path / "a.m3u8"
        args = ("similar", "--space", "genre", "track 0", "-n", "2", "-o", str(path))
        self.run_command("deejai", *args)
        comment = "# beet deejai similar 'track 0' -n 2 --space genre\n"
        assert comment in path.read_text()


AGREE = "genres agree: Ambient 92 % / 100 %"


class TestPaths(Library):
    def test_a_journey_leads_evenly_from_genre_to_genre(self) -> None:
        args = ("journey", "--space", "genre", "'title:=track 0'", "'title:=track 12'")
        numbers = self.numbers(*args, "-n", "3")
        # Along the great circle, Metal has sin^2 of 22.5, 45 and 67.5 degrees.
        assert numbers == [0, 2, 6, 10, 12]
        assert self.numbers(args[0], *args[3:], "-n", "3") != numbers

    def test_its_hops_are_bhattacharyyas_coefficients(self) -> None:
        ends = ("'title:=track 0'", "'title:=track 12'")
        lines = self.explained("journey", "--space", "genre", *ends, "-n", "1")
        assert [line.split() for line in lines] == [
            ["track", "0"],
            [f"{0.5**0.5:.3f}", "track", "6"],
            [f"{0.5**0.5:.3f}", "track", "12"],
        ]

    def test_a_playlist_stays_in_its_genre(self) -> None:
        args = ("playlist", "--space", "genre", "title:=track 12", "-n", "4")
        assert self.numbers(*args) == [12, 11, 10, 9, 8]

    def test_chance_comes_again(self) -> None:
        args = ("playlist", "--space", "genre", "title:=track 6", "--drunk", "1")
        nights = [self.numbers(*args, "--seed", seed) for seed in ("1", "2", "1")]
        assert nights[0] == nights[2] != nights[1]


class TestNetworkOfItsOwn(Library):
    """Its slices are logits, and lie in a store of their own."""

    @pytest.fixture(autouse=True)
    def network(self, tracks: None) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        size = len(GENRES)
        write_genre_model(
            folder,
            GenreModel(
                genres=GENRES,
                kind="cnn",
                encoder="cnn-1",
                weights=np.eye(size, dtype=np.float32),
                bias=np.zeros(size, dtype=np.float32),
                network="network.keras",
            ),
        )
        store = SliceStore(str(folder / SLICES))
        rows = [SliceRow(item.id or 0, "cnn-1", "s", "", True) for item in self.items]
        # The other way round than the sound's slices have it, and track 12 is missing.
        logits = [20 * np.eye(size)[[1] * (N - 1 - k) + [0] * k] for k in range(N)]
        store.put(zip(rows[:-1], logits[:-1], strict=True))
        store.close()

    def test_its_own_slices_count(self, caplog: pytest.LogCaptureFixture) -> None:
        args = ("similar", "--space", "genre", "-n", "3", "title:=track 0")
        with caplog.at_level("WARNING"):
            lines = self.explained(*args)
        titles = [line for line in lines if not line.startswith(" " * 10)]
        assert [line.split()[-1] for line in titles] == ["1", "2", "3"]
        assert lines[2].endswith("genres agree: Metal 92 % / 100 %")
        assert "1 track is left out" in caplog.text
        assert "run `beet deejai scan; beet deejai genres scan`" in caplog.text

    def test_so_they_do_for_what_is_explained_of_the_sound(self) -> None:
        args = ("similar", "-n", "1", "title:=track 0", "--from", "'title:=track 1'")
        assert "genres agree: Metal 92 % / 100 %" in self.explained(*args)[-1]


class TestFiles(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def test_a_file_outside_is_heard_and_its_copy_in_the_library_is_not_listed(
        self,
    ) -> None:
        paths = make_album(self.temp_path / "music")
        add_files(self.lib, paths[:4])
        self.run_command("deejai", "scan")
        learn_genres(self.lib)
        args = ("similar", "--space", "genre", "-f", "$title")
        titles = self.run_with_output("deejai", *args, str(paths[4])).splitlines()
        assert sorted(titles) == sorted(path.stem for path in paths[:4])
        (copy, *_) = make_album(self.temp_path / "copies", suffix=".mp3")
        titles = self.run_with_output("deejai", *args, str(copy)).splitlines()
        assert sorted(titles) == sorted(path.stem for path in paths[1:4])
        journey = ("journey", "--space", "genre", str(copy), str(paths[4]), "-n", "1")
        output = self.run_with_output("deejai", *journey, "-f", "$title")
        assert len(output.splitlines()) == 3

    # Keras' own saving does not know NumPy 2's copy keyword yet.
    @pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")
    def test_a_network_of_its_own_hears_it_too(self) -> None:
        import keras

        paths = make_album(self.temp_path / "music")
        items = add_files(self.lib, paths[:4])
        self.run_command("deejai", "scan")
        folder = genre_folder(self.lib.path)
        assert folder is not None
        folder.mkdir()
        dense = keras.layers.Dense(2)
        network = keras.Sequential(
            [keras.Input((96, 216)), keras.layers.Flatten(), dense]
        )
        # Whatever it hears is mostly of the second genre.
        dense.set_weights([np.zeros((96 * 216, 2)), np.array([0.0, 3.0])])
        network.save(folder / "network.keras")
        identity = model_id(folder / "network.keras")
        weights, bias = np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32)
        write_genre_model(
            folder,
            GenreModel(GENRES[:2], "cnn", identity, weights, bias, "network.keras"),
        )
        store = SliceStore(str(folder / SLICES))
        for item, logits in zip(items, [(3, 0), (2, 0), (0, 3), (0, 2)], strict=True):
            item.load()
            row = SliceRow(item.id or 0, identity, item["deejai_signature"], "", True)
            store.put([(row, np.array([logits]))])
        store.close()
        lines = self.run_with_output(
            *("deejai", "similar", "--space", "genre", str(paths[4])),
            *("--explain", "-f", "$title"),
        ).splitlines()
        assert lines[0] == " 1.000  high"
        titles = [line.split()[1] for line in lines if not line.startswith("   ")]
        assert titles == ["high", "hiss", "middle", "low"]


class TestMistakes(Library):
    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["similar", "track 0", "--space", "mood"], "invalid choice: 'mood'"),
            (["similar", "track 0", "--space", "genre", "-a"], "exclude each other"),
            (["similar", "track 0", "--space", "genre", "--segue"], "whole tracks"),
            (["playlist", "track 0", "--space", "genre", "--segue"], "whole tracks"),
            (["journey", "track 0", "track 1", "--space", "x"], "invalid choice: 'x'"),
            (["similar", "--space", "genre", "nothing like it"], "matches"),
            (["similar", "--space", "genre", "./none.mp3"], "no such file"),
        ],
    )
    def test_each_is_one_clear_line(self, args: list[str], words: str) -> None:
        assert words in self.refused(*args)

    @pytest.mark.parametrize("verb", ["similar", "playlist"])
    def test_genres_have_to_be_learnt_first(self, verb: str) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        (folder / "genres.npz").unlink()
        words = self.refused(verb, "track 0", "--space", "genre")
        assert "run `beet deejai genres train`" in words

    def test_a_seed_that_cannot_be_heard_is_named(self) -> None:
        self.forget_slices(3)
        words = self.refused("similar", "--space", "genre", "title:=track 3")
        assert "cannot be heard: /nowhere/3.mp3: there is no such file" in words

    def test_where_no_slices_are_stored_a_scan_is_advised(self) -> None:
        os.remove(store_path(self.lib.path))
        words = self.refused("similar", "--space", "genre", "track 0")
        assert "run `beet deejai scan` first" in words

    def test_too_many_seeds_to_be_heard_are_refused(self) -> None:
        more = add_made_tracks(self.lib, circle(25))
        for item in more:
            path = self.temp_path / f"{item.id}.mp3"
            path.write_bytes(b"not yet scanned")
            item.update({"title": "new", "path": os.fsencode(path)})
            item.store()
        words = self.refused("similar", "--space", "genre", "title:=new")
        assert "no slices that tell their genres; run `beet deejai scan`" in words

    def test_genres_of_another_encoder_are_not_mixed_up(self) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        bias = np.zeros(2, dtype=np.float32)
        weights = np.zeros((100, 2), dtype=np.float32)
        other = GenreModel(GENRES[:2], "head", f"not-{current_model()}", weights, bias)
        write_genre_model(folder, other)
        words = self.refused("similar", "--space", "genre", "track 0")
        assert "of another encoder" in words
