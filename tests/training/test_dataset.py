from __future__ import annotations

import json
import os
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
    spaced,
)
from beetsplug.deejai.training.devices import Devices
from beetsplug.deejai.training.sources import (
    Source,
    find_music,
    split_drawn,
    split_named,
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
        find_music(music, exclude=["*/sounds/*"]),
        folder,
        min_s=8,
        report=(said if said is not None else []).append,
    )


def names(spectrograms: Spectrograms, music: Path) -> list[tuple[str, str]]:
    return [
        (os.path.relpath(track.path, music), track.group)
        for track in spectrograms.tracks
    ]


def test_music_is_analysed_once_and_kept(music: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = build(music, tmp_path, said)
    assert names(first, music) == [
        ("soul/a.flac", "soul"),
        ("soul/deep/b.ogg", "soul"),
        ("techno/c.wav", "techno"),
    ]
    assert len(said) == 2
    assert "broken.mp3: " in said[1]
    again: list[str] = []
    assert build(music, tmp_path, again).tracks == first.tracks
    # Only what could not be decoded is tried again.
    assert again[0].startswith("analysing 1 of ")


def test_processes_that_share_a_folder_write_shards_of_their_own(
    music: Path, tmp_path: Path
) -> None:
    for process, shards in ((1, {1}), (0, {1, 2}), (1, {1, 2, 3})):
        path = write_sound(tmp_path / "a.wav", noise(seconds=11, seed=len(shards)))
        build_spectrograms(
            [Source(str(path), "a")],
            tmp_path,
            min_s=8,
            devices=Devices(2, n_processes=2, process=process),
        )
        assert {int(path.stem[-5:]) for path in tmp_path.glob("*.npy")} == shards


def test_a_file_that_has_changed_is_analysed_again(music: Path, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(220, seconds=11))
    sources = [Source(str(path), "a"), Source(str(music / "techno/c.wav"), "b")]
    work = tmp_path / "work"
    before = build_spectrograms(sources, work, min_s=8)
    write_sound(path, noise(seconds=16))
    after = build_spectrograms(sources, work, min_s=8)
    assert [track.n_slices for track in before.tracks] == [2, 2]
    assert [track.n_slices for track in after.tracks] == [3, 2]


def test_stored_frames_give_the_slices_of_a_scan(music: Path, tmp_path: Path) -> None:
    spectrograms = build(music, tmp_path)
    for track in spectrograms.tracks:
        y = np.concatenate(list(stream_waveform(track.path)))
        expected = log_mel_slices(y)
        # float16 keeps 0.06 dB at 100 dB; a slice spans 80 dB.
        np.testing.assert_allclose(spectrograms.slices(track), expected, atol=2e-3)
        np.testing.assert_allclose(
            spectrograms.slices(track, max_slices=2), expected[[0, -1]], atol=2e-3
        )


def test_music_may_be_spread_over_shards(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SHARD_FRAMES", 2 * N_FRAMES)
    spread = build(music, tmp_path / "a")
    monkeypatch.undo()
    together = build(music, tmp_path / "b")
    assert [track.shard for track in spread.tracks] == [0, 1, 2]
    assert {track.shard for track in together.tracks} == {0}
    for one, other in zip(spread.tracks, together.tracks, strict=True):
        np.testing.assert_array_equal(spread.frames(one), together.frames(other))


def test_an_analysis_that_was_broken_off_keeps_its_whole_shards(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SHARD_FRAMES", 2 * N_FRAMES)
    whole = build(music, tmp_path)
    # As a kill leaves it: frames without the file that says whose they are.
    last = max(tmp_path.glob("*.json"))
    last.unlink()
    said: list[str] = []
    again = build(music, tmp_path, said)
    assert said[0].startswith("analysing 2 of ") or said[0].startswith("analysing 3 of")
    assert names(again, music) == names(whole, music)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": {"max_s": 360.0}}'])
def test_a_damaged_shard_is_made_again(music: Path, tmp_path: Path, text: str) -> None:
    whole = build(music, tmp_path)
    for path in tmp_path.glob("*.json"):
        path.write_text(text)
    assert names(build(music, tmp_path), music) == names(whole, music)


@pytest.mark.parametrize("left", [None, 0, 50, 20_000])
def test_frames_that_are_gone_or_cut_are_made_again(
    music: Path, tmp_path: Path, left: int | None
) -> None:
    whole = build(music, tmp_path)
    (path,) = tmp_path.glob("*.npy")
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])
    again = build(music, tmp_path)
    assert names(again, music) == names(whole, music)
    for one, other in zip(again.tracks, whole.tracks, strict=True):
        assert again.frames(one).shape == (other.stop - other.start, N_MELS)


def test_a_file_in_no_folder_is_a_group_of_its_own(tmp_path: Path) -> None:
    for name in ("b.mp3", "a.ogg", "soul/c.mp3", "soul/deep/d.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    groups = {s.path.rpartition("/")[2]: s.group for s in find_music(tmp_path)}
    assert groups == {
        "a.ogg": "a.ogg",
        "b.mp3": "b.mp3",
        "c.mp3": "soul",
        "d.mp3": "soul",
    }


def test_shards_tell_how_they_were_made(music: Path, tmp_path: Path) -> None:
    build(music, tmp_path)
    (path,) = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["settings"] == {"max_s": 360.0}


def test_a_long_track_is_cut(music: Path) -> None:
    blocks = [tone(seconds=4, rate=22_050)] * 10
    assert len(db_frames(blocks, max_s=11)) == 2 * N_FRAMES


def test_a_track_shorter_than_a_slice_has_no_frames() -> None:
    assert db_frames([tone(seconds=1, rate=22_050)], max_s=60).shape == (0, N_MELS)


def test_silence_scales_to_zeros() -> None:
    silent = np.full((1, N_MELS, N_FRAMES), -100.0, dtype=np.float32)
    assert not scale_slices(silent).any()


def test_spaced_slices_begin_and_end_a_track() -> None:
    assert spaced(9, 3).tolist() == [0, 4, 8]
    assert spaced(2, 3).tolist() == [0, 1]
    assert spaced(3, None).tolist() == [0, 1, 2]


def test_a_folder_without_music_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="no music"):
        build_spectrograms(find_music(tmp_path), tmp_path / "work")


def test_a_work_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FatalError, match="cannot write"):
        build_spectrograms([Source("a.mp3", "a")], tmp_path / "file" / "work")


def made_sources(**sizes: int) -> list[Source]:
    return [Source(f"/{g}/{k}", g) for g, n in sizes.items() for k in range(n)]


def test_named_groups_are_held_out() -> None:
    sources = made_sources(soul=3, techno=2, jazz=1)
    train, held_out = split_named(sources, ["techno", "jazz"])
    assert {source.group for source in train} == {"soul"}
    assert {source.group for source in held_out} == {"techno", "jazz"}


@pytest.mark.parametrize(
    ("groups", "message"), [(["polka"], "polka"), (["soul", "techno"], "two tracks")]
)
def test_a_split_that_leaves_too_little_is_refused(
    groups: list[str], message: str
) -> None:
    with pytest.raises(FatalError, match=message):
        split_named(made_sources(soul=3, techno=2, jazz=1), groups)


def test_drawn_groups_are_held_out_whole_and_near_the_share() -> None:
    sources = made_sources(**{f"album {k}": 10 for k in range(20)}, huge=400)
    train, held_out = split_drawn(sources, share=0.1, rng=np.random.default_rng(0))
    assert not {s.group for s in train} & {s.group for s in held_out}
    assert 60 <= len(held_out) <= 120
    assert "huge" not in {source.group for source in held_out}
    again = split_drawn(sources, share=0.1, rng=np.random.default_rng(0))
    assert again == (train, held_out)


def test_nothing_is_held_out_when_no_share_is_wanted() -> None:
    _, held_out = split_drawn(
        made_sources(soul=3), share=0.0, rng=np.random.default_rng(0)
    )
    assert held_out == []
