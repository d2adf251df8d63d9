from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.output.mixing.crossfade import crossfade
from beetsplug.deejai.output.mixing.joins import Join

RATE = 44_100

if TYPE_CHECKING:
    from pathlib import Path

Array = npt.NDArray[np.float32]


def white_noise(n_samples: int, *, seed: int, level: float = 0.1) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(0, level, (n_samples, 2)).astype(np.float32)


def constant(n_samples: int, value: float) -> Array:
    return np.full((n_samples, 2), value, dtype=np.float32)


def crossing(n_samples: int) -> Join:
    angle = (np.arange(n_samples, dtype=np.float32) + 0.5) * (np.pi / 2 / n_samples)
    return Join(n_samples, 0, 0, np.cos(angle), np.sin(angle))


def level_db(pcm: Array) -> float:
    return float(10 * np.log10(np.mean(np.square(pcm, dtype=np.float64))))


def cross(tail: Array, head: Array) -> Array:
    return crossfade(tail, head, join=crossing(len(tail)), sample_rate=RATE)


def test_two_noises_keep_their_level_all_through_the_join() -> None:
    pieces = [white_noise(6 * RATE, seed=seed) for seed in (1, 2)]
    levels = [level_db(part) for part in cross(*pieces).reshape(-1, RATE // 4, 2)]
    assert levels == pytest.approx([-20.0] * 24, abs=0.3)


def test_two_takes_of_one_sound_keep_its_level_too() -> None:
    sound = white_noise(2 * RATE, seed=1)
    levels = [level_db(part) for part in cross(sound, sound).reshape(8, -1, 2)]
    assert levels == pytest.approx([-20.0] * 8, abs=0.3)


def test_a_sound_and_its_opposite_are_not_made_loud() -> None:
    sound = white_noise(2 * RATE, seed=1)
    assert np.abs(cross(sound, -sound)).max() <= 1.5 * np.abs(sound).max()


def test_a_constant_meets_silence_on_a_quarter_of_a_cosine() -> None:
    faded = cross(constant(RATE, 0.5), constant(RATE, 0.0))
    expected = 0.5 * np.cos((np.arange(RATE) + 0.5) * np.pi / 2 / RATE)
    assert faded == pytest.approx(np.repeat(expected[:, None], 2, axis=1), abs=1e-6)


@given(
    n_samples=st.integers(1, 3000),
    rate=st.sampled_from([44_100, 48_000]),
    seed=st.integers(0, 99),
)
def test_no_sample_is_lost_or_altered_but_by_its_gain(
    n_samples: int, rate: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    tail, head = (white_noise(n_samples, seed=seed + k, level=0.5) for k in (0, 100))
    outgoing, incoming = rng.random((2, n_samples)).astype(np.float32)
    join = Join(n_samples, 0, 0, outgoing, incoming, crosses=False)
    mixed = crossfade(tail, head, join=join, sample_rate=rate)
    expected = tail * outgoing[:, None] + head * incoming[:, None]
    assert mixed.dtype == np.float32
    assert mixed == pytest.approx(expected, abs=1e-6)


def test_what_is_louder_than_full_scale_is_not_clipped() -> None:
    ones = np.ones(441, np.float32)
    join = Join(441, 0, 0, ones, ones, crosses=False)
    sound = constant(441, 0.9)
    mixed = crossfade(sound, sound, join=join, sample_rate=RATE)
    assert mixed == pytest.approx(constant(441, 1.8), abs=1e-6)


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
