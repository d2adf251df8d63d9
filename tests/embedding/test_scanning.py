"""scan, status and pool through the real command line, on made files."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import WAVES, add_files, current_model, make_album
from mediafile import MediaFile
from sounds import noise, tone, write_sound

from beetsplug.deejai.storage.slices import SliceStore, store_path

if TYPE_CHECKING:
    from beets.library import Library


def vectors(lib: Library) -> dict[str, np.ndarray]:
    return {
        item.title: np.frombuffer(base64.b64decode(item["deejai_vector"]), "<f4")
        for item in lib.items("deejai_vector::.")
    }


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.allclose(a[k], b[k], atol=1e-5) for k in a)


class Scanning(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def album(self, setup: None) -> None:
        self.paths = make_album(self.temp_path / "music")
        self.items = add_files(self.lib, self.paths)

    def scan(self, *args: str) -> str:
        return self.run_with_output("deejai", "scan", *args)

    def store(self) -> SliceStore:
        return SliceStore(store_path(self.lib.path))


class TestScan(Scanning):
    def test_every_track_gets_a_unit_vector_model_and_signature(self) -> None:
        assert self.scan() == "5 new, 0 fresh, 0 failed\n"
        found = vectors(self.lib)
        assert found.keys() == WAVES.keys()
        for vector in found.values():
            assert vector.shape == (100,)
            assert abs(np.linalg.norm(vector) - 1) < 1e-5
        for item in self.lib.items():
            assert item["deejai_model"] == current_model()
            assert len(item["deejai_signature"]) == 32
        assert sorted(self.store().rows()) == sorted(item.id for item in self.items)
        assert all(row.pooled for row in self.store().rows().values())

    def test_a_second_scan_has_nothing_to_do(self) -> None:
        self.scan()
        before = vectors(self.lib)
        assert self.scan() == "0 new, 5 fresh, 0 failed\n"
        assert same(vectors(self.lib), before)

    def test_a_query_limits_the_scan(self) -> None:
        assert self.scan("title:low") == "1 new, 0 fresh, 0 failed\n"
        assert vectors(self.lib).keys() == {"low"}

    def test_pretend_lists_and_changes_nothing(self) -> None:
        output = self.scan("--pretend")
        assert len(output.splitlines()) == 5
        assert not vectors(self.lib)
        self.scan("title:low")
        assert len(self.scan("--pretend").splitlines()) == 4
        assert len(self.scan("--pretend", "--force").splitlines()) == 5

    def test_force_gives_the_same_vectors_again(self) -> None:
        self.scan()
        before = vectors(self.lib)
        assert self.scan("--force", "--jobs", "1") == "5 new, 0 fresh, 0 failed\n"
        assert same(vectors(self.lib), before)

    def test_the_order_of_scanning_does_not_matter(self) -> None:
        self.scan()
        together = vectors(self.lib)
        self.scan("--force", "title:beat")
        self.run_command("deejai", "pool")
        assert same(vectors(self.lib), together)

    def test_an_empty_library_is_no_error(self) -> None:
        for item in self.lib.items():
            item.remove()
        assert self.scan() == "0 new, 0 fresh, 0 failed\n"


class TestFreshness(Scanning):
    def test_tags_art_and_a_move_leave_a_vector_fresh(self) -> None:
        self.scan()
        for path in self.paths:
            media = MediaFile(path)
            media.lyrics = "la " * 9000
            media.save()
            os.utime(path, (1, 1))
        moved = self.paths[0].rename(self.temp_path / "elsewhere.flac")
        self.items[0].path = bytes(moved)
        self.items[0].store()
        assert self.scan() == "0 new, 5 fresh, 0 failed\n"

    def test_other_audio_of_the_same_length_and_format_is_noticed(self) -> None:
        path = write_sound(self.temp_path / "a.wav", tone(200))
        add_files(self.lib, [path])
        self.scan()
        write_sound(path, tone(300))
        os.utime(path, (1, 1))
        assert self.scan() == "1 new, 5 fresh, 0 failed\n"

    def test_another_model_makes_every_vector_stale(self) -> None:
        self.scan()
        model = self.temp_path / "mine.keras"
        shipped = Path(__file__).parents[2] / "weights" / "compact.keras"
        shutil.copyfile(shipped, model)
        self.config["deejai"]["model"] = str(model)
        assert "stale   5" in self.run_with_output("deejai", "status")
        assert self.scan() == "5 new, 0 fresh, 0 failed\n"

    def test_files_that_are_out_of_reach_keep_their_vectors(self) -> None:
        self.scan()
        (self.temp_path / "music").rename(self.temp_path / "unplugged")
        assert self.scan() == "0 new, 5 fresh, 0 failed\n"
        assert len(vectors(self.lib)) == 5

    def test_a_reused_id_gets_its_own_vector(self) -> None:
        self.scan()
        before = vectors(self.lib)
        last = self.lib.items("title:beat")[0]
        old_id = last.id
        last.remove()
        new = add_files(self.lib, [write_sound(self.temp_path / "n.flac", noise())])[0]
        assert new.id == old_id
        new["title"] = "new"
        new.store()
        assert self.scan() == "1 new, 4 fresh, 0 failed\n"
        assert np.dot(vectors(self.lib)["new"], before["beat"]) < 0.99

    def test_a_lost_side_store_is_made_again(self) -> None:
        self.scan()
        for path in self.lib.path.parent.glob("*.deejai.db*"):
            path.unlink()
        assert self.scan() == "5 new, 0 fresh, 0 failed\n"


class TestFailures(Scanning):
    def test_each_failure_is_named_once_and_remembered(self) -> None:
        words = self.temp_path / "words.flac"
        shutil.copyfile(self.paths[0], words)
        item = add_files(self.lib, [words])[0]
        words.write_text("no music\n" * 99)
        output = self.scan()
        assert "5 new, 0 fresh, 1 failed" in output
        assert f"{words}: no audio" in output
        failed = self.run_with_output("deejai", "status", "--failed")
        assert failed.startswith(f"{words}: no audio")
        assert "0 new, 5 fresh, 1 failed" in self.scan()
        shutil.copyfile(self.paths[1], words)
        assert "1 new, 5 fresh, 0 failed" in self.scan()
        assert self.run_with_output("deejai", "status", "--failed") == ""
        assert self.lib.get_item(item.id)["deejai_vector"]

    def test_a_name_that_is_not_utf8_is_heard_or_named(self) -> None:
        folder = os.fsencode(self.temp_path)
        good, bad = folder + b"/caf\xe9.flac", folder + b"/th\xe9.flac"
        shutil.copyfile(self.paths[0], good)
        shutil.copyfile(self.paths[0], bad)
        add_files(self.lib, [good, bad])
        with open(bad, "wb"):
            pass
        output = self.scan()
        assert output.startswith("6 new, 0 fresh, 1 failed")
        assert "empty" in output
        assert "empty" in self.run_with_output("deejai", "status", "--failed")

    def test_a_missing_file_is_tried_again(self) -> None:
        self.paths[0].rename(self.temp_path / "away")
        assert "4 new, 0 fresh, 1 failed" in self.scan()
        (self.temp_path / "away").rename(self.paths[0])
        assert "1 new, 4 fresh, 0 failed" in self.scan()


class TestStatusAndRemoval(Scanning):
    def test_status_counts(self) -> None:
        self.scan("title:low")
        output = self.run_with_output("deejai", "status")
        assert current_model() in output
        for line in ("tracks:   5", "fresh   1", "missing 4", "failed  0"):
            assert line in output
        assert "tracks:   1" in self.run_with_output("deejai", "status", "title:hiss")

    def test_a_removed_track_leaves_no_slices(self) -> None:
        self.scan()
        self.run_command("rm", "-f", "title:low")
        assert len(self.store().rows()) == 4
        self.lib.items("title:high")[0].remove()
        assert len(self.store().rows()) == 3

    def test_slices_left_over_are_removed_by_the_next_scan(self) -> None:
        self.scan()
        with self.lib.transaction() as tx:
            tx.mutate("DELETE FROM items WHERE title = 'low'")
        self.scan()
        assert len(self.store().rows()) == 4

    def test_nothing_is_stored_on_albums(self) -> None:
        album = self.lib.add_album(self.lib.items())
        self.scan()
        before = vectors(self.lib)
        assert not [k for k in self.lib.get_album(album.id) if k.startswith("deejai")]
        album.genre = "noise"
        album.store()
        assert same(vectors(self.lib), before)


class TestPool(Scanning):
    def test_pooling_again_changes_nothing(self) -> None:
        self.scan()
        before = vectors(self.lib)
        assert self.run_with_output("deejai", "pool").startswith("5 tracks pooled")
        assert same(vectors(self.lib), before)

    @pytest.mark.parametrize("method", ["tfidf", "classic", "mean"])
    def test_every_method_gives_unit_vectors(self, method: str) -> None:
        self.scan()
        self.run_command("deejai", "pool", "--pooling", method, "--epsilon", "0.1")
        for vector in vectors(self.lib).values():
            assert abs(np.linalg.norm(vector) - 1) < 1e-5

    def test_pool_reads_no_audio(self) -> None:
        self.scan()
        shutil.rmtree(self.temp_path / "music")
        assert self.run_with_output("deejai", "pool").startswith("5 tracks pooled")


class TestKilled(Scanning):
    def done(self) -> dict[int, str]:
        items = self.lib.items("deejai_vector::.")
        return {item.id: item["deejai_vector"][:40] for item in items}

    def test_after_a_kill_the_next_scan_goes_on_and_nothing_is_lost(self) -> None:
        sounds = [
            write_sound(self.temp_path / f"{n}.flac", tone(80 + 9 * n, seconds=15))
            for n in range(40)
        ]
        add_files(self.lib, sounds)
        config = self.temp_path / "killed.yaml"
        config.write_text(
            f"library: {self.lib.path}\ndirectory: {self.lib_path}\n"
            "plugins: deejai\ndeejai: {jobs: 1}\n"
        )
        command = [sys.executable, "-m", "beets", "-c", str(config), "deejai", "scan"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not self.done() and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        done = self.done()
        assert 0 < len(done) < 45
        rows = self.store().rows()
        for item in self.lib.items("deejai_vector::."):
            assert rows[item.id].signature == item["deejai_signature"]
        output = self.scan()
        n_new, n_fresh = [int(word) for word in output.split() if word.isdecimal()][:2]
        assert n_new + n_fresh == 45
        assert n_fresh == len(done)
        resumed = self.done()
        self.scan("--force")
        assert resumed == self.done()
