"""train track2vec and train factors through the real command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from beets.exceptions import UserError
from beets.library import Item
from beets.test.helper import IOMixin, PluginTestHelper

from beetsplug.deejai.training.targets import read_targets

N_ALBUMS, N_TRACKS = 4, 6

VERBS = pytest.mark.parametrize("verb", ["track2vec", "factors"])


class Learning(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def folder(self, setup: None, tmp_path: Path) -> None:
        self.tmp = tmp_path

    @property
    def output(self) -> str:
        return str(self.tmp / "vectors.npz")

    def train(self, verb: str, *args: str) -> str:
        return self.run_with_output("deejai", "train", verb, "-o", self.output, *args)

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "train", *args)
        message = str(caught.value)
        assert "\n" not in message
        assert not os.path.exists(self.output)
        return message


class TestLearning(Learning):
    @pytest.fixture(autouse=True)
    def tracks(self, folder: None) -> None:
        """Add four albums; each by one artist, two of each genre."""
        self.paths: list[str] = []
        with self.lib.transaction():
            for album in range(N_ALBUMS):
                self.lib.add_album([self.add(album, n) for n in range(N_TRACKS)])

    def add(self, album: int, track: int) -> Item:
        self.paths.append(f"/music/album {album}/{track} song {album}{track}.mp3")
        item = Item(
            path=self.paths[-1].encode(),
            title=f"song {album}{track}",
            artist=f"artist {album}",
            album=f"album {album}",
            albumartist=f"artist {album}",
            genres=["rock" if album < 2 else "jazz"],
            track=track,
        )
        item.add(self.lib)
        return item

    @VERBS
    def test_without_a_source_albums_and_artists_are_taken(self, verb: str) -> None:
        output = self.train(verb)
        assert "no playlists were given: taking albums and artists" in output
        assert "albums: 4\nartists: 4\nplaylists in all: 8, of 24 tracks" in output
        targets = read_targets(self.output)
        assert sorted(targets) == sorted(self.paths)
        assert targets.size == (100 if verb == "track2vec" else 40)
        np.testing.assert_allclose(
            np.linalg.norm(targets.matrix(), axis=1), 1, atol=1e-5
        )
        assert f"24 vectors of {targets.size} components in {self.output}" in output

    @VERBS
    def test_the_check_shows_what_was_learnt(self, verb: str) -> None:
        lines = self.train(verb).splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith("most similar")]
        assert len(starts) == 3
        for start in starts:
            album = lines[start].split(" - ")[1]
            similarities = []
            for line in lines[start + 1 : start + 4]:
                similarity, _, name = line.strip().partition("  ")
                similarities.append(float(similarity))
                assert name.split(" - ")[1] == album
            assert similarities == sorted(similarities, reverse=True)
        # The examples are of several artists.
        assert len({lines[start].split(" - ")[0] for start in starts}) == 3
        chance = f"(by chance {(N_TRACKS - 1) / (N_ALBUMS * N_TRACKS - 1):.1%})"
        assert f"nearest track by the same artist: 100% {chance}" in lines
        assert f"nearest track on the same album: 100% {chance}" in lines

    def test_sources_add_up_and_are_reported(self) -> None:
        (self.tmp / "list.m3u").write_text(
            "\n".join([*self.paths[:3], "lost.mp3", "E:\\m\\3 song 03.mp3"])
        )
        output = self.train(
            "factors",
            "--playlists",
            str(self.tmp),
            "--genres",
            "--query",
            "artist:'artist 1'",
            "--query",
            "title:none",
        )
        assert "by path: 3, by name: 1, by tags: 0, not matched: 1" in output
        assert "genres: 2\n" in output
        assert "query \"artist:'artist 1'\": 6 tracks\n" in output
        assert "query 'title:none': 0 tracks (dropped)\n" in output
        assert "playlists in all: 4, of 24 tracks" in output
        assert "albums" not in output.partition("most similar")[0]

    def test_previews_that_are_not_in_the_library_are_named_by_path(self) -> None:
        slices, previews = self.tmp / "mpd", self.tmp / "previews"
        slices.mkdir()
        previews.mkdir()
        ids = [f"id{number}" for number in range(8)]
        for one in ids:
            (previews / f"{one}.mp3").touch()
        tracks = [
            [{"track_uri": f"spotify:track:{i}"} for i in ids[k:]] for k in (0, 4)
        ]
        (slices / "mpd.slice.0-999.json").write_text(
            json.dumps({"playlists": [{"name": "", "tracks": t} for t in tracks]})
        )
        output = self.train(
            "track2vec", "--mpd", str(slices), "--previews", str(previews)
        )
        assert "slices: 1; entries with a preview: 12, without: 0" in output
        assert f"most similar to {previews}/id" in output
        assert len(read_targets(self.output)) == 8

    @VERBS
    def test_the_same_seed_writes_the_same_file(self, verb: str) -> None:
        contents = []
        for seed in ("1", "1", "2"):
            self.train(verb, "--albums", "--seed", seed, "--size", "8")
            contents.append(Path(self.output).read_bytes())
        assert contents[0] == contents[1] != contents[2]

    def test_play_counts_change_factors_and_must_be_there(self) -> None:
        self.train("factors", "--genres")
        plain = read_targets(self.output).matrix()
        os.unlink(self.output)
        args = ("factors", "-o", self.output, "--genres", "--play-counts")
        assert "mpdstats" in self.refused(*args)
        item = self.lib.items().get()
        assert item is not None
        item["play_count"] = 50
        item.store()
        assert "tracks with a play count: 1" in self.train(*args[:1], *args[3:])
        assert not np.allclose(read_targets(self.output).matrix(), plain)

    def test_nothing_matched_is_told_with_the_remedy(self) -> None:
        (self.tmp / "list.m3u").write_text("lost.mp3\ngone.mp3\n")
        message = self.refused(
            "track2vec", "-o", self.output, "--playlists", str(self.tmp)
        )
        assert "not matched: 2" in message
        assert "--albums" in message
        message = self.refused(
            "track2vec", "-o", self.output, "--albums", "--min-count", "2"
        )
        assert "--min-count" in message


class TestMistakes(Learning):
    @pytest.mark.parametrize(
        ("args", "complaint"),
        [
            (["track2vec"], "-o FILE.npz"),
            (["factors", "-o", "x.txt"], "ends in .npz"),
            (["track2vec", "-o", "/nowhere/x.npz"], "no folder /nowhere"),
            (["track2vec", "-o", "x.npz", "artist:a"], "--query"),
            (["factors", "-o", "x.npz", "artist:a"], "--query"),
            (["track2vec", "-o", "x.npz", "--size", "0"], "--size"),
            (["track2vec", "-o", "x.npz", "--epochs", "0"], "--epochs"),
            (["track2vec", "-o", "x.npz", "--min-count", "0"], "--min-count"),
            (["factors", "-o", "x.npz", "--seed", "-1"], "--seed"),
            (["track2vec", "-o", "x.npz", "--seed", "4294967296"], "--seed"),
            (["factors", "-o", "x.npz", "--alpha", "0"], "--alpha"),
            (["factors", "-o", "x.npz", "--regularization", "nan"], "--regularization"),
            (["factors", "-o", "x.npz", "--mpd", "."], "--previews"),
            (["factors", "-o", "x.npz", "--playlists", "/nowhere"], "/nowhere"),
            (
                ["factors", "-o", "x.npz", "--mpd", "/nowhere", "--previews", "."],
                "no folder /nowhere",
            ),
        ],
    )
    def test_mistakes_are_told_in_one_line(
        self, args: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(self.tmp)
        assert complaint in self.refused(*args)
        assert os.listdir(self.tmp) == []

    def test_without_gensim_the_remedy_is_told_before_any_work(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "gensim.models", None)
        message = self.refused("track2vec", "-o", self.output)
        assert "pip install 'beets-deejai[train]'" in message
