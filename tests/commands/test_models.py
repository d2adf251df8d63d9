"""models, models import and models choose through the real command line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beets import config
from command_line import CommandLine
from libraries import add_files, add_made_tracks, circle, current_model, make_album
from models import write_onnx

from beetsplug.deejai.embedding.encoder import model_id
from beetsplug.deejai.storage.library import count_by_model, load_vectors


class Models(CommandLine):
    @pytest.fixture(autouse=True)
    def source(self, setup: None) -> None:
        self.source = write_onnx(self.temp_path / "patches.onnx")
        self.patches = model_id(self.source)

    def deejai(self, *args: str) -> str:
        return self.run_with_output("deejai", *args)

    def rows(self) -> dict[str, list[str]]:
        """Return the table of models, by name; the one in use has a star."""
        found = {}
        for line in self.deejai("models").splitlines()[1:]:
            cells = line.split()
            found[cells[1] if cells[0] == "*" else cells[0]] = cells
        return found


class TestModels(Models):
    def test_the_shipped_model_is_in_use_at_first(self) -> None:
        add_made_tracks(self.lib, circle(3))
        head, row = self.deejai("models").splitlines()
        assert head.split()[:3] == ["name", "id", "kind"]
        assert row.split()[:4] == ["*", "default", current_model(), "Keras"]
        assert "100" in row.split()
        assert row.split()[-1] == "3"

    def test_an_import_says_what_it_is_and_puts_it_to_use(self) -> None:
        output = self.deejai("models", "import", str(self.source))
        for words in (
            self.patches,
            "ONNX",
            "96 x 216 x 1",
            "7 numbers a slice",
            f"in use: patches ({self.patches})",
        ):
            assert words in output
        folder = Path(config.config_dir(), "deejai", "models")
        assert (folder / "patches.onnx").is_file()
        rows = self.rows()
        assert rows["patches"][0] == "*"
        assert rows["default"][0] == "default"

    def test_an_import_without_use_and_a_name_of_its_own(self) -> None:
        self.deejai("models", "import", str(self.source), "--name", "mine", "--no-use")
        rows = self.rows()
        assert rows["default"][0] == "*"
        assert rows["mine"][1] == self.patches.replace("patches", "mine")
        assert "in use: mine" in self.deejai("models", "choose", "mine")
        assert self.rows()["mine"][0] == "*"
        assert current_model() in self.deejai("models", "choose", "default")
        assert self.rows()["default"][0] == "*"

    def test_vectors_of_a_model_that_is_not_here_are_counted(self) -> None:
        add_made_tracks(self.lib, circle(2))
        for item in self.lib.items():
            item["deejai_model"] = "gone-0123456789ab"
            item.store()
        assert "2 tracks have vectors of gone-0123456789ab" in self.deejai("models")

    def test_a_configured_model_wins(self, caplog: pytest.LogCaptureFixture) -> None:
        self.config["deejai"]["model"] = str(self.source)
        output = self.deejai("models")
        assert f"in use: {self.source}" in output
        assert "(configured)" in output
        other = write_onnx(self.temp_path / "other.onnx", seed=1)
        with caplog.at_level("WARNING"):
            self.deejai("models", "import", str(other))
        assert "deejai.model in the configuration names" in caplog.text
        assert self.patches in self.deejai("status")

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (["models", "choose", "nothing"], "there is default"),
            (["models", "choose"], "name one model"),
            (["models", "choose", "a", "b"], "name one model"),
            (["models", "import"], "name one model file"),
            (["models", "import", "/nowhere/model.h5"], "No such file"),
            (["models", "import", "/"], "not a file"),
            (["models", "list"], "models has no"),
        ],
    )
    def test_mistakes_are_one_clear_line(self, args: list[str], words: str) -> None:
        assert words in self.refused(*args)

    def test_a_file_that_is_no_encoder_is_refused_and_changes_nothing(self) -> None:
        path = self.temp_path / "broken.onnx"
        path.write_bytes(self.source.read_bytes()[:50])
        assert str(path) in self.refused("models", "import", str(path))
        assert list(self.rows()) == ["default"]

    def test_a_file_in_the_place_of_the_folder_is_named(self) -> None:
        folder = Path(config.config_dir(), "deejai")
        folder.write_text("in the way")
        assert str(folder) in self.refused("models", "import", str(self.source))


class TestOtherModel(Models):
    """What is said when vectors are of another encoder than the one in use."""

    @pytest.fixture(autouse=True)
    def tracks(self, source: None) -> None:
        self.items = add_made_tracks(self.lib, circle(6))
        self.run_command("deejai", "models", "import", str(self.source))

    def make_current(self, items: list[Any]) -> None:
        """Give some tracks vectors of the model in use, of its seven components."""
        for item, vector in zip(items, circle(6, d=7), strict=False):
            item["deejai_vector"] = vector
            item["deejai_model"] = self.patches
            item.store()

    @pytest.mark.parametrize(
        "args",
        [
            ["similar", "title:=track 0"],
            ["playlist", "title:=track 0"],
            ["journey", "track 0", "track 5"],
            ["pool"],
        ],
    )
    def test_nothing_is_compared_across_models(self, args: list[str]) -> None:
        message = self.refused(*args)
        assert "the vectors of 6 tracks are of another encoder" in message
        assert current_model() in message
        assert f"not of {self.patches}" in message
        assert "beet deejai scan" in message
        assert "beet deejai models choose default" in message

    def test_importing_says_so_at_once(self) -> None:
        output = self.deejai("models", "import", str(self.source))
        assert "the vectors of 6 tracks are of another encoder" in output

    def test_the_way_back_works(self) -> None:
        self.deejai("models", "choose", "default")
        assert len(self.deejai("similar", "title:=track 0").splitlines()) == 5

    @pytest.mark.parametrize(
        "args",
        [
            ["similar", "title:=track 0"],
            ["playlist", "title:=track 0"],
            ["journey", "'title:=track 0'", "'title:=track 3'", "-n", "2"],
        ],
    )
    def test_a_half_scanned_library_gives_its_new_half_and_says_so(
        self, args: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.make_current(self.items[:4])
        with caplog.at_level("WARNING"):
            titles = set(self.deejai(*args, "-f", "$title").splitlines())
        assert titles <= {"track 0", "track 1", "track 2", "track 3"}
        assert len(titles) >= 3
        assert "2 tracks are left out: their vectors are of another" in caplog.text

    def test_one_space_has_nothing_to_say(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.make_current(self.items)
        self.deejai("similar", "title:=track 0", "-n", "2")
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]

    def test_status_counts_them(self) -> None:
        self.make_current(self.items[:4])
        output = self.deejai("status")
        assert f"2 of another encoder ({current_model()})" in output
        assert self.patches in output

    def test_a_configured_model_is_changed_back_in_the_configuration(self) -> None:
        self.config["deejai"]["model"] = str(self.source)
        message = self.refused("similar", "title:=track 0")
        assert "set deejai.model back" in message


class TestScanningAnew(Models):
    def test_a_scan_brings_the_library_into_the_new_space(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """First a half, then all: what is left in the old space is said."""
        add_files(self.lib, make_album(self.temp_path / "music"))
        self.deejai("models", "import", str(self.source), "--name", "one")
        assert "5 new" in self.deejai("scan")
        other = write_onnx(self.temp_path / "two.onnx", seed=1, size=9)
        self.deejai("models", "import", str(other))

        self.deejai("scan", "title:low")
        assert "hearing 1 track again: of another encoder" in caplog.text
        assert "4 tracks are left out" in caplog.text
        caplog.clear()
        self.deejai("pool")
        assert "4 tracks are left out" in caplog.text

        caplog.clear()
        self.deejai("scan")
        assert "hearing 4 tracks again" in caplog.text
        assert "left out" not in caplog.text
        assert "5 fresh" in self.deejai("scan")
        assert count_by_model(self.lib) == {model_id(other): 5}
        assert load_vectors(self.lib, model_id(other)).vectors.shape == (5, 9)
        assert "5 tracks pooled" in self.deejai("pool")
        assert len(self.deejai("similar", "title:low").splitlines()) == 4

    def test_a_file_outside_the_library_is_heard_by_the_model_in_use(self) -> None:
        *inside, outside = make_album(self.temp_path / "music")
        add_files(self.lib, inside)
        self.deejai("models", "import", str(self.source))
        self.deejai("scan")
        assert len(self.deejai("similar", str(outside)).splitlines()) == 4

    def test_a_seed_of_another_model_is_heard_anew(self) -> None:
        items = add_files(self.lib, make_album(self.temp_path / "music"))
        self.deejai("models", "import", str(self.source))
        self.deejai("scan")
        items[0].load()
        items[0]["deejai_model"] = current_model()
        items[0]["deejai_vector"] = np.ones(100) / 10
        items[0].store()
        output = self.deejai("similar", "title:low", "-f", "$title")
        assert sorted(output.split()) == ["beat", "high", "hiss", "middle"]

    def test_an_import_says_once_that_older_vectors_are_left_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        add_made_tracks(self.lib, circle(6))
        self.run_command("deejai", "models", "import", str(self.source))
        for name in ("music", "more"):
            make_album(self.temp_path / name, album=name)
        self.run_command(
            "import", "-qA", *(str(self.temp_path / name) for name in ("music", "more"))
        )
        assert count_by_model(self.lib) == {self.patches: 10, current_model(): 6}
        messages = [record.getMessage() for record in caplog.records]
        assert sum("in the library (tracks: 6)" in m for m in messages) == 1
