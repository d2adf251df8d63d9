from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from sounds import RATE, clicks, noise

from beetsplug.deejai.output.mixing.joins import HARD_OVERLAP_S, cut
from beetsplug.deejai.output.mixing.stream import (
    MAX_BLOCK_SAMPLES,
    PREVIEW_S,
    Part,
    Stream,
)
from beetsplug.deejai.output.mixing.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Array = npt.NDArray[np.float32]


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Part]:
    def make(wave: Array, *, gain: float = 1.0, bpm: float | None = None) -> Part:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.wav"
        soundfile.write(path, wave, RATE, subtype="FLOAT")
        found = survey(str(path), sample_rate=RATE, measure_loudness=False)
        return Part(str(path), cut(found), gain, bpm)

    return make


def play(stream: Stream, parts: list[Part]) -> Array:
    blocks = list(stream.play(iter(parts)))
    assert all(len(block) <= MAX_BLOCK_SAMPLES for block in blocks)
    mix = np.concatenate(blocks)
    assert len(mix) == stream.n_samples
    return mix


def level_db(wave: Array) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64))))


def test_the_mix_is_as_long_as_the_tracks_without_their_overlaps(
    part: Callable[..., Part],
) -> None:
    lengths_s = [10.0, 7.5, 12.25]
    parts = [part(noise(seconds=s, seed=n)) for n, s in enumerate(lengths_s)]
    stream = Stream(crossfade_s=6)
    play(stream, parts)
    starts = [played.start / RATE for played in stream.played]
    ends = [played.end / RATE for played in stream.played]
    overlaps = [HARD_OVERLAP_S] * 2
    assert starts == pytest.approx([0.0, 8.0, 13.5])
    assert np.subtract(ends, starts) == pytest.approx(lengths_s)
    assert stream.n_samples / RATE == pytest.approx(sum(lengths_s) - sum(overlaps))


def test_noises_keep_their_level_across_every_join(part: Callable[..., Part]) -> None:
    parts = [part(noise(seconds=10, seed=seed)) for seed in range(3)]
    mix = play(Stream(crossfade_s=6), parts)
    usual = level_db(noise(seconds=10))
    windows = mix[: len(mix) // (RATE // 4) * (RATE // 4)].reshape(-1, RATE // 4, 2)
    assert [level_db(window) for window in windows] == pytest.approx(
        [usual] * len(windows), abs=0.5
    )


def test_without_a_crossfade_one_recording_in_pieces_is_whole_again(
    part: Callable[..., Part],
) -> None:
    wave = noise(seconds=9)
    pieces = np.split(wave, [2 * RATE + 7, 5 * RATE + 123])
    mix = play(Stream(crossfade_s=0), [part(piece) for piece in pieces])
    assert np.array_equal(mix, np.repeat(wave[:, None], 2, axis=1))


def test_gains_and_offsets_are_applied(part: Callable[..., Part]) -> None:
    wave = noise(seconds=12)
    mix = play(Stream(crossfade_s=0), [part(wave + 0.1, gain=0.5)])
    assert mix[:, 0] == pytest.approx(0.5 * (wave - wave.mean()), abs=1e-4)


@pytest.mark.parametrize("known", [True, False])
def test_two_tracks_of_one_tempo_beat_together(
    part: Callable[..., Part], known: bool
) -> None:
    # 120 beats a minute; the first track does not end on a beat.
    before, after = (
        clicks(seconds=s, per_second=2) + 0.01 * noise(seconds=s, seed=n)
        for n, s in enumerate((30.3, 30.0))
    )
    bpm = 120.0 if known else None
    stream = Stream(crossfade_s=6)
    play(stream, [part(before, bpm=bpm), part(after, bpm=bpm)])
    start_s = stream.played[1].start / RATE
    off_s = (start_s + 0.25) % 0.5 - 0.25
    assert abs(off_s) < 0.012
    assert 1 < 30.3 - start_s <= 6


def test_tracks_of_different_tempo_are_not_shifted(part: Callable[..., Part]) -> None:
    wave = clicks(seconds=30, per_second=2) + 0.01 * noise(seconds=30)
    stream = Stream(crossfade_s=6)
    play(stream, [part(wave, bpm=120), part(wave, bpm=130)])
    overlap_s = (stream.played[0].end - stream.played[1].start) / RATE
    assert overlap_s == pytest.approx(HARD_OVERLAP_S)


def test_a_preview_plays_what_is_near_the_joins(part: Callable[..., Part]) -> None:
    parts = [part(noise(seconds=60, seed=seed)) for seed in range(3)]
    stream = Stream(crossfade_s=6, preview=True)
    mix = play(stream, parts)
    each_s = 2 * PREVIEW_S + HARD_OVERLAP_S
    assert len(mix) / RATE == pytest.approx(2 * each_s)
    assert [passage / RATE for passage in stream.passages] == pytest.approx([0, each_s])
    # One join is faded out before the next one is faded in.
    seam = round(each_s * RATE)
    assert np.abs(mix[seam - 20 : seam + 20]).max() < 0.01


def test_a_preview_plays_the_whole_of_tracks_that_are_short(
    part: Callable[..., Part],
) -> None:
    parts = [part(noise(seconds=9, seed=seed)) for seed in range(3)]
    whole = play(Stream(crossfade_s=6), parts)
    stream = Stream(crossfade_s=6, preview=True)
    assert np.array_equal(play(stream, parts), whole)
    assert len(stream.passages) == 2


def test_the_next_track_is_asked_for_only_when_its_join_is_due(
    part: Callable[..., Part],
) -> None:
    parts = [part(noise(seconds=6, seed=seed)) for seed in range(4)]
    asked: list[int] = []

    def one_by_one() -> Iterator[Part]:
        for number, each in enumerate(parts):
            asked.append(number)
            yield each

    blocks = Stream(crossfade_s=1).play(one_by_one())
    next(blocks)
    assert asked == [0, 1]
