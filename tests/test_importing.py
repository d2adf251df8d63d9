"""Hearing tracks during real imports."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import sqlite3
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import WAVES, current_model, make_album
from mediafile import MediaFile
from sounds import noise, tone, write_sound

from beetsplug.deejai.importing import Importer
from beetsplug.deejai.storage.slices import SliceStore, store_path

if TYPE_CHECKING:
    from pathlib import Path


class Importing(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def music(self, setup: None) -> None:
        self.folder = self.temp_path / "music"
        self.paths = make_album(self.folder)

    def import_(self, *args: str | Path) -> None:
        self.run_command("import", "-qA", *(str(arg) for arg in args or [self.folder]))

    def vectors(self) -> dict[str, np.ndarray]:
        return {
            item.title: np.frombuffer(base64.b64decode(item["deejai_vector"]), "<f4")
            for item in self.lib.items("deejai_vector::.")
        }

    def store(self) -> SliceStore:
        return SliceStore(store_path(self.lib.path))

    def warnings(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        return [
            str(record.getMessage())
            for record in caplog.records
            if record.levelno >= logging.WARNING and "deejai" in record.name
        ]


class TestImport(Importing):
    @pytest.mark.parametrize("threaded", [True, False])
    def test_every_imported_track_gets_its_vector(self, threaded: bool) -> None:
        self.config["threaded"] = threaded
        self.import_()
        assert self.vectors().keys() == WAVES.keys()
        for item in self.lib.items():
            assert item["deejai_model"] == current_model()
            assert abs(np.linalg.norm(self.vectors()[item.title]) - 1) < 1e-5
        assert all(row.pooled for row in self.store().rows().values())

    @pytest.mark.parametrize(
        "options",
        [["-s"], ["-C", "-W"], ["-m"]],
        ids=["singletons", "in place", "move"],
    )
    def test_every_way_to_import(self, options: list[str]) -> None:
        self.import_(*options, self.folder)
        assert self.vectors().keys() == WAVES.keys()

    def test_one_track_into_an_empty_library_gets_a_unit_vector(self) -> None:
        self.import_("-s", self.paths[0])
        (vector,) = self.vectors().values()
        assert abs(np.linalg.norm(vector) - 1) < 1e-5

    def test_an_import_leaves_all_other_vectors_as_they_are(self) -> None:
        self.import_()
        before = self.vectors()
        self.import_("-s", write_sound(self.temp_path / "a.flac", noise(seed=5)))
        after = self.vectors()
        assert len(after) == 6
        assert all(np.array_equal(after[title], before[title]) for title in before)

    def test_after_an_import_a_scan_has_nothing_to_do(self) -> None:
        self.config["import"]["write"] = True
        self.import_()
        for row in self.store().rows().values():
            item = self.lib.get_item(row.item_id)
            status = os.stat(item.path)
            assert row.file_state == f"{status.st_mtime_ns}:{status.st_size}"
        output = self.run_with_output("deejai", "scan")
        assert output == "0 new, 5 fresh, 0 failed\n"

    def test_auto_no_leaves_imports_alone(self) -> None:
        self.config["deejai"]["auto"] = False
        self.import_()
        assert len(self.lib.items()) == 5
        assert not self.vectors()
        assert not os.path.exists(store_path(self.lib.path))

    def test_pretend_imports_nothing(self) -> None:
        self.import_("--pretend", self.folder)
        assert not self.vectors()

    def test_the_music_is_left_as_it_was(self) -> None:
        before = {path: path.read_bytes() for path in self.paths}
        self.import_("-C", "-W", self.folder)
        assert {path: path.read_bytes() for path in self.paths} == before


class TestReimport(Importing):
    def test_unchanged_audio_keeps_its_vector(self) -> None:
        self.import_()
        before = self.vectors()
        self.run_command("import", "-qAL", "title:low")
        assert np.allclose(self.vectors()["low"], before["low"], atol=1e-5)

    def test_replaced_audio_gets_a_new_vector(self) -> None:
        self.import_()
        before = self.vectors()
        item = self.lib.items("title:low")[0]
        path = self.temp_path / "new.flac"
        write_sound(path, noise(seed=3))
        media = MediaFile(path)
        media.update({"title": "low", "album": "sounds", "artist": "artist low"})
        media.save()
        shutil.copyfile(path, os.fsdecode(item.path))
        self.run_command("import", "-qAL", "title:low")
        after = self.vectors()
        assert np.dot(after["low"], before["low"]) < 0.99
        assert len(after) == 5
        assert self.run_with_output("deejai", "scan").startswith("0 new, 5 fresh")


class TestTrouble(Importing):
    def test_tracks_that_cannot_be_heard_are_imported_all_the_same(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        silent = write_sound(self.folder / "silent.flac", 0 * tone())
        media = MediaFile(silent)
        media.update({"title": "silent", "album": "sounds", "albumartist": "various"})
        media.save()
        self.import_()
        assert len(self.lib.items()) == 6
        assert self.vectors().keys() == WAVES.keys()
        assert any("silent" in line for line in self.warnings(caplog))
        for item in self.lib.items():
            assert os.path.isfile(item.path)

    def test_a_missing_model_costs_one_warning_and_no_import(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.config["deejai"]["model"] = "/nowhere/model.keras"
        more = self.temp_path / "more"
        make_album(more, album="more sounds")
        self.import_(self.folder, more)
        assert len(self.lib.items()) == 10
        lines = self.warnings(caplog)
        assert len(lines) == 1
        assert "deejai.model" in lines[0]

    def test_a_wrong_setting_costs_one_warning_and_no_import(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.config["deejai"]["epsilon"] = "tiny"
        self.import_()
        assert len(self.lib.items()) == 5
        assert "deejai.epsilon" in self.warnings(caplog)[0]

    def test_a_side_store_that_is_no_database_costs_no_import(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with open(store_path(self.lib.path), "wb") as file:
            file.write(b"words, words, words " * 200)
        self.import_()
        assert len(self.lib.items()) == 5
        assert "side store" in self.warnings(caplog)[0]

    def test_a_store_locked_by_another_program_costs_no_import(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("beetsplug.deejai.storage.database.TIMEOUT_S", 0.2)
        self.store().close()
        other = sqlite3.connect(store_path(self.lib.path), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            self.import_()
        finally:
            other.close()
        assert len(self.lib.items()) == 5
        assert self.warnings(caplog)

    def test_an_aborted_import_leaves_early(self) -> None:
        self.import_("-C", "-W", "-s", self.folder)
        items = list(self.lib.items())
        importer = Importer(
            self.lib, self.config["deejai"], logging.getLogger("beets.deejai")
        )
        self.run_command("modify", "-yWM", "deejai_model=old")
        thread = threading.Thread(target=lambda: importer.hear(items))
        thread.abort_flag = True  # type: ignore[attr-defined]
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert len(self.lib.items("deejai_model:old")) == 5
