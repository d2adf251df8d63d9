"""The verb genres show, through the real command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets import config
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle
from made_genres import learn_genres, slices_of, store_slices
from models import write_onnx
from PIL import Image
from sounds import tone, write_sound

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.storage.genre_model import (
    GenreModel,
    genre_folder,
    write_genre_model,
)

if TYPE_CHECKING:
    from pathlib import Path


class GenresShow(CommandLine):
    def show(self, *args: str) -> list[str]:
        return self.run_with_output("deejai", "genres", "show", *args).splitlines()

    def refuses(self, *args: str) -> str:
        return self.refused("genres", "show", *args)


class TestGenresShow(GenresShow):
    @pytest.fixture(autouse=True)
    def tracks(self, setup: None, tmp_path: Path) -> None:
        self.items = add_made_tracks(self.lib, circle(3))
        learn_genres(self.lib)
        slices = [slices_of(3, 1), slices_of(0, 2), slices_of(1, 1, 2)]
        store_slices(self.lib, self.items, slices)
        self.folder = tmp_path
        config["deejai"]["playlist_dir"] = str(tmp_path)

    def pictures(self) -> dict[str, tuple[int, int]]:
        """Return the size of every picture that was written."""
        found = {}
        for path in sorted(self.folder.iterdir()):
            with Image.open(path) as image:
                found[path.name] = image.size
        return found

    def test_the_composition_is_printed_best_first(self) -> None:
        title, *lines = self.show("title:track 0")
        assert title == "artist 0 - track 0"
        assert [line.split()[:3] for line in lines] == [
            ["Ambient", "75", "%"],
            ["Metal", "25", "%"],
            ["Dub", "0", "%"],
        ]
        assert lines[0].count("█") > 10

    def test_where_the_terminal_has_only_ascii_bars_are_made_of_it(self) -> None:
        config["terminal_encoding"] = "ascii"
        lines = self.show("title:track 0")
        assert "####" in lines[1]
        assert all(line.isascii() for line in lines)

    def test_all_that_a_query_matches_are_shown_one_after_another(self) -> None:
        lines = self.show("track")
        titles = [line for line in lines if line.startswith("artist")]
        assert titles == [f"artist {n} - track {n}" for n in range(3)]

    def test_of_very_many_the_first_are_shown_and_it_says_so(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        more = add_made_tracks(self.lib, circle(30))
        store_slices(self.lib, more, [slices_of(1)] * 30)
        with caplog.at_level("WARNING"):
            lines = self.show("track")
        assert sum(line.startswith("artist") for line in lines) == 20
        assert "of 30 tracks the first 20 are shown" in caplog.text

    def test_the_course_is_printed_where_it_is_wanted(self) -> None:
        lines = self.show("title:track 2", "--timeline")
        assert [line.split() for line in lines[-3:]] == [
            ["0:00", "-", "0:05", "100", "%", "Ambient"],
            ["0:05", "-", "0:10", "100", "%", "Metal"],
            ["0:10", "-", "0:20", "100", "%", "Dub"],
        ]

    def test_pictures_are_told_apart_by_their_names(self) -> None:
        lines = self.show("title:track 2", "-o", "pie.png", "-o", "a timeline.PNG")
        assert lines[-2:] == [
            f"pie in {self.folder / 'pie.png'}",
            f"timeline in {self.folder / 'a timeline.PNG'}",
        ]
        pictures = self.pictures()
        assert len(pictures) == 2
        assert pictures["pie.png"][0] < pictures["a timeline.PNG"][0]

    def test_with_timeline_a_picture_is_one_unless_its_name_says_pie(self) -> None:
        lines = self.show("title:track 2", "--timeline", "-o", "a.png", "-o", "pie.png")
        assert [line.split()[0] for line in lines[-2:]] == ["timeline", "pie"]

    def test_pictures_of_several_tracks_are_numbered(self) -> None:
        self.show("track", "-o", "pie.png")
        assert list(self.pictures()) == ["pie-1.png", "pie-2.png", "pie-3.png"]

    def test_what_cannot_be_written_is_refused_before_any_work(self) -> None:
        assert ".png" in self.refuses("track", "-o", "pie.jpg")
        assert "does not exist" in self.refuses("track", "-o", "none/pie.png")
        assert "twice" in self.refuses("title:track 0", "-o", "a.png", "-o", "a.png")
        assert not list(self.folder.iterdir())

    def test_a_slip_is_told(self) -> None:
        assert "name a track" in self.refuses()
        assert "'nobody'" in self.refuses("nobody")
        assert "no such file" in self.refuses("/nowhere/a.mp3")

    def test_nothing_learnt_yet_says_what_to_run(self) -> None:
        folder = genre_folder(self.lib.path)
        assert folder is not None
        (folder / "genres.npz").unlink()
        assert "beet deejai genres train" in self.refuses("track")

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        self.items[0]["title"] = "red\x1b[31m\nalert"
        self.items[0].store()
        assert self.show("red")[0] == "artist 0 - red [31m alert"


class TestHearing(GenresShow):
    @pytest.fixture(autouse=True)
    def genres(self, setup: None) -> None:
        path = write_onnx(self.temp_path / "patches.onnx")
        config["deejai"]["model"] = str(path)
        weights = np.zeros((7, 2), dtype=np.float32)
        model = GenreModel(
            genres=("Rock", "Jazz"),
            kind="head",
            encoder=model_id(path),
            weights=weights,
            bias=np.log(np.array([3, 1], dtype=np.float32)),
        )
        folder = genre_folder(self.lib.path)
        assert folder is not None
        write_genre_model(folder, model)

    def sound(self, name: str) -> Path:
        return write_sound(self.temp_path / name, tone(seconds=11))

    def test_a_file_outside_the_library_is_heard(self) -> None:
        title, *lines = self.show(str(self.sound("a song.flac")))
        assert title == "a song"
        assert [line.split()[:3] for line in lines] == [
            ["Rock", "75", "%"],
            ["Jazz", "25", "%"],
        ]

    def test_a_track_without_slices_is_heard_and_nothing_is_stored(self) -> None:
        (item,) = add_files(self.lib, [self.sound("b.flac")])
        item["title"] = "b"
        item.store()
        before = os.listdir(self.temp_path)
        assert "Rock" in self.show("--timeline", "title:b")[-1]
        assert os.listdir(self.temp_path) == before

    def test_what_cannot_be_heard_is_told_and_the_rest_shown(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        text = self.temp_path / "text.mp3"
        text.write_text("no music")
        with caplog.at_level("WARNING"):
            lines = self.show(str(text), str(self.sound("c.flac")))
        assert lines[0] == "c"
        assert "cannot be heard" in caplog.text
        assert "cannot be heard" in self.refuses(str(text))
