from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training import dataset
from beetsplug.deejai.training.dataset import (
    Spectrograms,
    build_spectrograms,
    db_frames,
    scale_slices,
    split_held_out,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for name, wave in {
        "soul/a.flac": tone(220, seconds=11),
        "soul/deep/b.ogg": tone(330, seconds=16),
        "techno/c.wav": clicks(seconds=11),
        "techno/copy of c.flac": clicks(seconds=11),
        "techno/sounds/rain.wav": noise(seconds=11),
        "techno/jingle.wav": noise(seconds=3),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sound(path, wave)
    (folder / "techno" / "broken.mp3").write_bytes(b"no music")
    (folder / "cover.jpg").write_bytes(b"no music either")
    return folder


def build(music: Path, folder: Path, said: list[str] | None = None) -> Spectrograms:
    return build_spectrograms(
        music,
        folder,
        exclude=["*/sounds/*"],
        min_s=8,
        report=(said if said is not None else []).append,
    )


def test_music_is_analysed_once_and_kept(music: Path, tmp_path: Path) -> None:
    said: list[str] = []
    tracks = build(music, tmp_path, said).tracks
    assert [(track.path, track.group) for track in tracks] == [
        ("soul/a.flac", "soul"),
        ("soul/deep/b.ogg", "soul"),
        ("techno/c.wav", "techno"),
    ]
    assert len(said) == 1
    assert said[0].startswith("techno/broken.mp3: ")
    again: list[str] = []
    assert build(music, tmp_path, again).tracks == tracks
    assert again == [f"reusing the spectrograms in {tmp_path}"]


def test_stored_frames_give_the_slices_of_a_scan(music: Path, tmp_path: Path) -> None:
    spectrograms = build(music, tmp_path)
    for track in spectrograms.tracks:
        y = np.concatenate(list(stream_waveform(str(music / track.path))))
        expected = log_mel_slices(y)
        # float16 keeps 0.06 dB at 100 dB; a slice spans 80 dB.
        np.testing.assert_allclose(spectrograms.slices(track), expected, atol=2e-3)


def test_music_may_be_spread_over_shards(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SHARD_FRAMES", 2 * N_FRAMES)
    spread, together = build(music, tmp_path / "a"), None
    monkeypatch.undo()
    together = build(music, tmp_path / "b")
    assert [track.shard for track in spread.tracks] == [0, 1, 2]
    assert {track.shard for track in together.tracks} == {0}
    for one, other in zip(spread.tracks, together.tracks, strict=True):
        np.testing.assert_array_equal(spread.frames(one), together.frames(other))


def test_a_run_that_was_broken_off_leaves_nothing_that_looks_whole(
    music: Path, tmp_path: Path
) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_spectrograms(music, tmp_path, min_s=8, report=stop)
    assert not (tmp_path / dataset.INDEX_FILE).exists()
    assert build(music, tmp_path).tracks


def test_a_long_track_is_cut(music: Path) -> None:
    blocks = [tone(seconds=4, rate=22_050)] * 10
    assert len(db_frames(blocks, max_s=11)) == 2 * N_FRAMES


def test_a_track_shorter_than_a_slice_has_no_frames() -> None:
    assert db_frames([tone(seconds=1, rate=22_050)], max_s=60).shape == (0, N_MELS)


def test_silence_scales_to_zeros() -> None:
    silent = np.full((1, N_MELS, N_FRAMES), -100.0, dtype=np.float32)
    assert not scale_slices(silent).any()


def test_a_folder_without_music_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="no music"):
        build_spectrograms(tmp_path, tmp_path / "out")


def test_held_out_groups_are_not_trained_on(music: Path, tmp_path: Path) -> None:
    tracks = build(music, tmp_path).tracks
    more = [*tracks, replace(tracks[-1], path="techno/d.wav")]
    train, validation = split_held_out(more, ["soul"])
    assert {track.group for track in train} == {"techno"}
    assert {track.group for track in validation} == {"soul"}


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (["jazz"], "jazz: no such folder"),
        (["techno"], "two tracks or more"),
        (["soul"], "two tracks or more to train on"),
    ],
)
def test_holding_out_too_much_or_too_little_is_an_error(
    music: Path, tmp_path: Path, held_out: list[str], message: str
) -> None:
    with pytest.raises(FatalError, match=message):
        split_held_out(build(music, tmp_path).tracks, held_out)
