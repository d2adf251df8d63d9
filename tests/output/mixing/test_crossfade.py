from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.output.mixing.crossfade import (
    MAX_BLOCK_SAMPLES,
    Crossfader,
    crossfade,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    Pcm = npt.NDArray[np.int16]

RATE = 44_100


def white_noise(n_samples: int, *, seed: int, level: float = 3000.0) -> Pcm:
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(0, level, (n_samples, 2))).astype(np.int16)


def constant(n_samples: int, value: int) -> Pcm:
    return np.full((n_samples, 2), value, dtype=np.int16)


def join(tracks: Sequence[Pcm], *, crossfade_s: float, block: int = 10_000) -> Pcm:
    crossfader = Crossfader(crossfade_s=crossfade_s, sample_rate=RATE)
    blocks = [constant(0, 0)]
    for track in tracks:
        pieces = [track[i : i + block] for i in range(0, len(track), block)]
        blocks += crossfader.add(iter(pieces))
    blocks += crossfader.finish()
    assert all(len(b) <= MAX_BLOCK_SAMPLES for b in blocks)
    mix = np.concatenate(blocks)
    assert len(mix) == crossfader.n_samples
    return mix


def level_db(pcm: Pcm) -> float:
    return float(10 * np.log10(np.mean(np.square(pcm, dtype=np.float64))))


def test_two_noises_keep_their_level_all_through_the_join() -> None:
    tracks = [white_noise(20 * RATE, seed=seed) for seed in (1, 2)]
    mix = join(tracks, crossfade_s=6)
    assert len(mix) == 34 * RATE
    usual = level_db(mix[: 10 * RATE])
    quarters = mix[13 * RATE : 21 * RATE].reshape(-1, RATE // 4, 2)
    assert np.abs([level_db(part) - usual for part in quarters]).max() < 0.5


def test_a_constant_meets_silence_on_a_quarter_of_a_cosine() -> None:
    n_samples = RATE
    faded = crossfade(
        constant(n_samples, 10_000), constant(n_samples, 0), sample_rate=RATE
    )
    expected = 10_000 * np.cos(np.linspace(0, np.pi / 2, n_samples))
    assert np.abs(faded[:, 0] - expected).max() < 2


def test_sums_beyond_full_scale_are_clipped_and_do_not_wrap() -> None:
    for value in (32_767, -32_768):
        loud = constant(RATE, value)
        faded = crossfade(loud, loud, sample_rate=RATE)
        assert np.abs(faded - float(value)).max() < 3


@given(
    n_hundredths=st.integers(1, 700),
    sample_rate=st.sampled_from([44_100, 48_000]),
)
def test_no_sample_is_lost_to_rounding(n_hundredths: int, sample_rate: int) -> None:
    silence = constant(n_hundredths * sample_rate // 100, 0)
    assert crossfade(silence, silence, sample_rate=sample_rate).shape == silence.shape


def test_without_a_crossfade_tracks_meet_without_a_gap() -> None:
    tracks = [white_noise(n, seed=n) for n in (1, 50_000, 3, 200_000)]
    assert np.array_equal(join(tracks, crossfade_s=0), np.concatenate(tracks))


def test_one_track_stays_as_it_is() -> None:
    track = white_noise(300_000, seed=1)
    assert np.array_equal(join([track], crossfade_s=6), track)


def test_no_tracks_make_an_empty_mix() -> None:
    assert len(join([], crossfade_s=6)) == 0


def test_short_tracks_overlap_by_a_third() -> None:
    tracks = [constant(RATE * 3, 100), constant(RATE * 30, 100)]
    assert len(join(tracks, crossfade_s=6)) == RATE * 32
    assert len(join(tracks[::-1], crossfade_s=6)) == RATE * 32


@given(
    lengths=st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    crossfade_s=st.sampled_from([0.0, 0.05, 0.1, 0.2557]),
    block=st.sampled_from([1000, 30_000]),
)
def test_a_mix_is_as_long_as_its_tracks_without_their_overlaps(
    lengths: list[int], crossfade_s: float, block: int
) -> None:
    mix = join(
        [constant(n, 1000) for n in lengths], crossfade_s=crossfade_s, block=block
    )
    hundredth = RATE // 100
    overlaps = [
        min(crossfade_s * RATE, a // 3, b // 3) // hundredth * hundredth
        for a, b in pairwise(lengths)
    ]
    assert len(mix) == sum(lengths) - sum(overlaps)
    # Equal constants add up to between 1 and sqrt(2) of themselves.
    assert mix.min() >= 999
    assert mix.max() <= 1415


def test_the_starts_of_the_tracks_are_told() -> None:
    crossfader = Crossfader(crossfade_s=1, sample_rate=RATE)
    for seconds in (10, 20, 30):
        for _ in crossfader.add(iter([constant(seconds * RATE, 0)])):
            pass
    assert crossfader.starts == [0, 9 * RATE, 28 * RATE]


def test_a_track_that_fails_early_leaves_the_mix_as_it_was() -> None:
    def broken() -> Iterator[Pcm]:
        yield constant(RATE, 7)
        raise TrackError("damaged")

    crossfader = Crossfader(crossfade_s=1, sample_rate=RATE)
    first, last = white_noise(10 * RATE, seed=1), white_noise(10 * RATE, seed=2)
    parts = list(crossfader.add([first]))
    with pytest.raises(TrackError):
        list(crossfader.add(broken()))
    parts += [*crossfader.add([last]), *crossfader.finish()]
    assert np.array_equal(np.concatenate(parts), join([first, last], crossfade_s=1))


def test_what_is_held_does_not_grow_with_the_track() -> None:
    crossfader = Crossfader(crossfade_s=1, sample_rate=RATE)
    n_read = 0

    def blocks() -> Iterator[Pcm]:
        nonlocal n_read
        for _ in range(100):
            n_read += RATE
            yield constant(RATE, 0)

    n_yielded = 0
    for block in crossfader.add(blocks()):
        n_yielded += len(block)
        assert n_read - n_yielded <= 4 * RATE


def test_the_import_of_pydub_is_silent(tmp_path: Path) -> None:
    # A process of its own: Python compiles and warns once.
    code = (
        "from beetsplug.deejai.output.mixing.crossfade import audio_segment; "
        "assert audio_segment().silent(10)"
    )
    environment = {"PATH": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=__file__.partition("/tests/")[0],
    )
    assert (done.returncode, done.stderr) == (0, "")
