"""evaluate, through the real command line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_files, add_made_tracks, current_model
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.storage.slices import SliceRow, SliceStore, store_path

if TYPE_CHECKING:
    from pathlib import Path

    from beets.library import Item

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

N = 48


def made_slices() -> np.ndarray:
    """Make 4 genres of 3 artists of 4 tracks of 6 slices."""
    rng = np.random.default_rng(0)
    track = np.arange(N)
    centre = rng.standard_normal((4, 100))[track // 12]
    centre = centre + 0.5 * rng.standard_normal((12, 100))[track // 4]
    centre = centre + 0.3 * rng.standard_normal((N, 100))
    slices = centre[:, None] + 0.3 * rng.standard_normal((N, 6, 100))
    return slices.astype("f4")


class Evaluating(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def report(self, *args: str) -> str:
        return self.run_with_output("deejai", "evaluate", *args)

    def data(self, *args: str) -> dict[str, Any]:
        return json.loads(self.report("--json", *args))

    def figures(self, *args: str) -> dict[str, Any]:
        return {figure["key"]: figure for figure in self.data(*args)["figures"]}

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "evaluate", *args)
        message = str(caught.value)
        assert "\n" not in message
        return message


class TestStoredVectors(Evaluating):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None) -> None:
        slices = made_slices()
        self.items: list[Item] = add_made_tracks(self.lib, slices.mean(axis=1))
        with self.lib.transaction():
            for number, item in enumerate(self.items):
                item["artist"] = f"artist {number // 4}"
                item["album"], item["albumartist"] = f"album {number % 2}", item.artist
                item["genres"] = [f"genre {number // 12}", "Music"[: number % 2]]
                item.store()
        self.store = SliceStore(store_path(self.lib.path))
        self.store.put(
            (SliceRow(item.id, current_model(), "s", "", True), one)
            for item, one in zip(self.items, slices, strict=True)
        )

    def test_every_measure_stands_beside_chance_and_genre(self) -> None:
        figures = self.figures("--no-baselines")
        assert {
            "halves_mrr",
            "artist_hit5",
            "album_p1",
            "genre_p5",
            "diversity",
        } <= set(figures)
        assert figures["halves_mrr"]["n"] == N
        against = figures["artist_p1"]["compared_with"]
        assert set(against) == {"chance", "same genre"}
        assert against["chance"]["verdict"] == "+"

    def test_it_is_a_table_unless_json_is_asked_for(self) -> None:
        lines = self.report("--no-baselines").splitlines()
        assert lines[0].startswith(f"encoder {current_model()}")
        assert lines[1] == f"measured on {N} of {N} tracks with a vector"
        assert max(map(len, lines)) <= 100
        assert any(line.startswith("genre, hit@5") for line in lines)

    def test_the_same_seed_repeats_the_report(self) -> None:
        args = ("--no-baselines", "--seed", "3")
        assert self.report(*args) == self.report(*args)

    def test_a_query_limits_what_is_measured(self) -> None:
        data = self.data("--no-baselines", "genres:genre 0", ",", "genres:genre 1")
        assert data["tracks"]["measured"] == 24
        assert data["tracks"]["with_vector"] == 24

    def test_slices_can_be_pooled_anew(self) -> None:
        stored = self.figures("--no-baselines")
        for method in ("mean", "tfidf", "classic"):
            data = self.data("--no-baselines", "--pooling", method)
            assert data["pooling"]["method"] == method
        assert [f["key"] for f in data["figures"]] == list(stored)

    def test_tracks_without_slices_have_no_halves(self) -> None:
        self.store.remove([item.id for item in self.items[:8]])
        assert self.figures("--no-baselines")["halves_mrr"]["n"] == N - 8
        assert "have none" in self.refused("--no-baselines", "--pooling", "mean")
        self.store.remove([item.id for item in self.items])
        data = self.data("--no-baselines")
        assert data["left_out"] == [
            "second half: no two tracks have slices for halves (10 s)"
        ]

    def test_measures_that_the_tags_do_not_allow_are_said_to_be_missing(self) -> None:
        with self.lib.transaction():
            for item in self.items:
                item.update({"artist": "", "album": "", "genres": []})
                item.store()
        output = self.report("--no-baselines")
        for name in ("artist", "album", "genre"):
            assert f"not measured: {name}: no track has one in its tags" in output
        assert "same genre" not in output

    def test_held_out_playlists_are_continued(self, tmp_path: Path) -> None:
        for number in range(10):
            items = self.items[4 * number : 4 * number + 4]
            lines = [item.path.decode() for item in items]
            (tmp_path / f"{number}.m3u").write_text("\n".join(lines))
        (tmp_path / "empty.m3u8").write_text("")
        data = self.data("--no-baselines", "--playlists", str(tmp_path))
        figures = {figure["key"]: figure for figure in data["figures"]}
        assert figures["playlist_hit10"]["n"] == 10
        assert (
            figures["playlist_r_precision"]["compared_with"]["chance"]["verdict"] == "+"
        )
        assert data["playlists"]["your_lists"]["cohesion_artist"] == 1.0
        output = self.report("--no-baselines", "--playlists", str(tmp_path))
        assert "the given playlists themselves" in output
        refusal = self.refused("--playlists", str(tmp_path / "empty.m3u8"))
        assert "no playlist has two tracks" in refusal

    def test_vectors_of_another_encoder_are_not_measured(self) -> None:
        with self.lib.transaction():
            for item in self.items[:20]:
                item["deejai_model"] = "another-1"
                item.store()
        assert self.data("--no-baselines")["tracks"]["measured"] == N - 20

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["--sample", "9"], "--sample takes a whole number from 10 up"),
            (["--sample", "20", "--no-baselines"], "exclude each other"),
            (["--seed", "-1"], "--seed takes a whole number"),
            (["--pooling", "best"], "invalid choice"),
            (["--playlists", "/nowhere"], "no playlist and no folder"),
            (["title:nothing"], "no track matches title:nothing"),
            (["--no-baselines", "artist:=artist 3"], "only 4 tracks have a vector"),
        ],
    )
    def test_mistakes_are_one_line(self, args: list[str], message: str) -> None:
        assert message in self.refused(*args)

    def test_audio_that_is_gone_is_no_baseline(self) -> None:
        assert "only 0 tracks have audio that can be heard" in self.refused()

    def test_tracks_that_are_too_long_are_not_heard(self) -> None:
        self.config["deejai"]["max_length"] = "1m"
        assert "max_length" in self.refused()


class TestNothingToMeasure(Evaluating):
    def test_an_unscanned_library_is_told_to_be_scanned(self, setup: None) -> None:
        self.add_item(title="new")
        assert "run `beet deejai scan`" in self.refused("--no-baselines")
        assert "run `beet deejai scan`" in self.refused("title:new")


class TestBaselines(Evaluating):
    def test_all_stand_on_the_same_tracks(self, setup: None, tmp_path: Path) -> None:
        model = tmp_path / "tiny.keras"
        layers = keras.layers
        keras.Sequential(
            [
                keras.Input((96, 216, 1)),
                layers.AveragePooling2D((8, 216)),
                layers.Flatten(),
                layers.Dense(8),
            ]
        ).save(model)
        self.config["deejai"]["model"] = str(model)
        rng = np.random.default_rng(0)
        paths = []
        for number in range(4):
            waves = {
                "tone": tone(rng.uniform(100, 300), seconds=11, rate=22_050),
                "noise": noise(seconds=11, seed=number, rate=22_050),
                "beat": clicks(seconds=11, per_second=3 + number, rate=22_050),
            }
            for name, wave in waves.items():
                path = tmp_path / f"{name} {number}.wav"
                paths.append(write_sound(path, wave, rate=22_050))
        items = add_files(self.lib, paths)
        for item in items:
            item["artist"] = item.path.rsplit(b"/")[-1].split()[0].decode()
            item.store()
        self.run_command("deejai", "scan")
        paths[0].unlink()
        data = self.data()
        assert data["tracks"]["measured"] == 11
        assert [one["path"] for one in data["tracks"]["unheard"]] == [str(paths[0])]
        figures = {figure["key"]: figure for figure in data["figures"]}
        assert figures["artist_p1"]["n"] == 11
        for key in ("halves_mrr", "artist_p1", "cohesion_artist"):
            assert list(figures[key]["compared_with"]) == [
                "chance",
                "untrained",
                "MFCC statistics",
            ]
        assert figures["artist_p1"]["compared_with"]["MFCC statistics"]["value"] > 0.9
        assert "1 tracks could not be heard" in self.report("--sample", "12")


def test_measuring_stored_vectors_loads_nothing_heavy() -> None:
    code = (
        "import beetsplug.deejai.commands.evaluate\nimport sys\n"
        "print(*sorted(name.partition('.')[0] for name in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "librosa", "av"} & set(run.stdout.split())
