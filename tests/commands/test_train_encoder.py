"""``beet deejai train encoder`` through the real command line, on a few tones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_files
from sounds import clicks, tone, write_sound

from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.training.targets import Targets, write_targets

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for name, wave in {
        "chords/low.flac": tone(110, seconds=21),
        "chords/high.flac": tone(880, seconds=21),
        "rhythms/slow.flac": clicks(seconds=21, per_second=2),
        "rhythms/fast.flac": clicks(seconds=21, per_second=9),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_sound(folder / name, wave)
    (folder / "in the way.keras").mkdir()
    return folder


class TestTrainEncoder(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    @pytest.fixture(autouse=True)
    def files(self, setup: None, music: Path, tmp_path: Path) -> None:
        self.music = music
        self.paths = sorted(music.rglob("*.flac"))
        self.output = tmp_path / "mine.keras"

    def train(self, *args: str) -> str:
        short = ["--steps", "1", "--tracks", "2", "-o", str(self.output)]
        return self.run_with_output("deejai", "train", "encoder", *short, *args)

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", "train", "encoder", *args)
        message = str(caught.value)
        assert "\n" not in message
        return message

    def test_folders_are_learnt_from_without_a_library(self) -> None:
        out = self.train(str(self.music), "--hold-out", "rhythms")
        assert "2 tracks to learn from, 2 held out" in out
        assert f"beet deejai models import {self.output}" in out
        assert load_encoder(self.output).vector_size == 100

    def test_the_library_is_learnt_from_and_albums_are_held_out(self) -> None:
        for item in add_files(self.lib, self.paths):
            item["album"], item["artist"] = Path(item.filepath).parent.name, "x"
            item.store()
        out = self.train("--hold-out", "x - rhythms", "artist:x")
        assert "2 tracks to learn from, 2 held out" in out

    def test_an_encoder_learns_to_say_given_vectors(self, tmp_path: Path) -> None:
        vectors = np.eye(4)[:, :3] + 0.1
        write_targets(str(tmp_path / "t.npz"), Targets(map(str, self.paths), vectors))
        out = self.train(
            str(self.music),
            *("--targets", str(tmp_path / "t.npz"), "--hold-out", "rhythms"),
            *("--network", "dieleman1d", "--loss", "mse"),
        )
        assert "4 tracks have a target of 3 numbers" in out
        assert "best constant vector" in out
        assert "untrained network" in out
        encoder = load_encoder(self.output)
        assert encoder.vector_size == 3

    def test_playlists_become_an_encoder_in_one_command(self, tmp_path: Path) -> None:
        add_files(self.lib, self.paths)
        lists = tmp_path / "lists"
        lists.mkdir()
        for k in range(6):
            chosen = self.paths[:3] if k % 2 else self.paths[1:]
            (lists / f"{k}.m3u").write_text("\n".join(map(str, chosen)))
        out = self.train("--playlists", str(lists), "--validation", "0")
        assert "Track2Vec: vectors of 4 tracks" in out
        assert "4 tracks to learn from, 0 held out" in out
        assert load_encoder(self.output).vector_size == 100

    def test_the_same_command_goes_on_where_it_stopped(self) -> None:
        self.train(str(self.music), "--validation", "0")
        again = self.train(str(self.music), "--validation", "0")
        assert "going on after step 1" in again

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["{music}"], "needs -o"),
            (["-o", "a.h5", "{music}"], "ends in .keras"),
            (["-o", "{music}/in the way.keras", "{music}"], "it is a folder"),
            (["-o", "a.keras", "--steps", "0", "{music}"], "--steps"),
            (["-o", "a.keras", "--validation", "2", "{music}"], "--validation"),
            (["-o", "a.keras", "--contrast", "-1", "{music}"], "--contrast"),
            (["-o", "a.keras", "--seed", "-1", "{music}"], "--seed"),
            (["-o", "a.keras", "--seed", "4294967296", "{music}"], "--seed"),
            (["-o", "a.keras", "--contrast", "0", "{music}"], "nothing to learn"),
            (["-o", "a.keras", "--vectors", "target", "{music}"], "--targets"),
            (["-o", "a.keras", "--network", "huge", "{music}"], "--network"),
            (["-o", "a.keras", "no such track"], "no track"),
            (["-o", "a.keras", "--targets", "/none.npz", "{music}"], "/none.npz"),
        ],
    )
    def test_mistakes_are_told_in_one_line(
        self, args: list[str], message: str, tmp_path: Path
    ) -> None:
        args = [arg.format(music=self.music) for arg in args]
        assert message in self.refused(*args)
        assert not list(tmp_path.iterdir())

    def test_a_group_that_does_not_exist_is_told(self, tmp_path: Path) -> None:
        args = ["-o", str(self.output), "--hold-out", "jazz", str(self.music)]
        assert "jazz" in self.refused(*args)

    def test_music_of_which_too_little_can_be_heard_is_told(
        self, tmp_path: Path
    ) -> None:
        albums = tmp_path / "albums"
        for name, seconds in {"long": 21, "short": 3, "shorter": 2}.items():
            (albums / name).mkdir(parents=True)
            write_sound(albums / name / "a.wav", tone(200 + seconds, seconds=seconds))
        args = ("-o", str(self.output), "--hold-out", "long", str(albums))
        assert "two different tracks or more" in self.refused(*args)

    def test_targets_of_other_music_are_told(self, tmp_path: Path) -> None:
        write_targets(str(tmp_path / "t.npz"), Targets(["/else.mp3"], np.ones((1, 3))))
        args = ["-o", str(self.output), "--targets", str(tmp_path / "t.npz")]
        assert "0 of 4 training tracks" in self.refused(
            *args, "--validation", "0", str(self.music)
        )
