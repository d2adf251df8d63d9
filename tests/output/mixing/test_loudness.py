from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import noise

from beetsplug.deejai.output.mixing.loudness import LoudnessMeter, gain_db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    Audio = npt.NDArray[np.float32]

RATE = 48_000


def measure(pcm: Audio, *, rate: int = RATE, block: int = 10_000) -> float | None:
    meter = LoudnessMeter(sample_rate=rate)
    for start in range(0, len(pcm), block):
        meter.add(pcm[start : start + block])
    return meter.integrated()


def sine(
    *parts: tuple[float, float], rate: int = RATE, frequency: float = 1000
) -> Audio:
    """Make a stereo sine of (peak level in dBFS, seconds), one part after the other."""
    levels = [np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts]
    level = np.concatenate(levels)
    wave = level * np.sin(2 * np.pi * frequency / rate * np.arange(len(level)))
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def white(*, seconds: float, rate: int = RATE) -> Audio:
    left, right = (noise(seconds=seconds, rate=rate, seed=seed) for seed in (1, 2))
    return np.stack([left, right], axis=1)


# EBU Tech 3341, table 1, cases 1 to 5.
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
)
def test_the_meter_passes_the_cases_of_the_ebu(
    parts: Iterable[tuple[float, float]], expected: float
) -> None:
    assert measure(sine(*parts)) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda rate: white(seconds=6, rate=rate),
        lambda rate: sine((-20, 5), rate=rate, frequency=60),
        lambda rate: sine((-20, 5), rate=rate, frequency=5000),
        lambda rate: white(seconds=4, rate=rate) * np.float32([1, 0.1]),
        lambda rate: np.concatenate(
            [white(seconds=3, rate=rate) * np.float32(g) for g in (1, 0.003, 0.2)]
        ),
    ],
    ids=["noise", "low", "high", "one side", "gated"],
)
def test_the_loudness_is_that_of_another_meter(
    make: Callable[[int], Audio], rate: int
) -> None:
    pcm = make(rate)
    expected = pyloudnorm.Meter(rate).integrated_loudness(pcm)
    assert measure(pcm, rate=rate) == pytest.approx(expected, abs=0.2)


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(0, 30_000), max_size=8))
def test_the_loudness_does_not_depend_on_the_blocks(lengths: list[int]) -> None:
    pcm = white(seconds=2)
    meter = LoudnessMeter(sample_rate=RATE)
    for piece in np.split(pcm, np.minimum(np.cumsum(lengths), len(pcm))):
        meter.add(piece)
    assert meter.integrated() == measure(pcm, block=len(pcm))


def test_what_has_no_loudness_has_none() -> None:
    assert measure(np.zeros((0, 2), dtype=np.float32)) is None
    assert measure(np.zeros((RATE, 2), dtype=np.float32)) is None
    assert measure(white(seconds=1) * np.float32(1e-5)) is None
    assert measure(white(seconds=0.39)) is None
    assert measure(white(seconds=0.4)) is not None


def test_the_meter_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    measure(white(seconds=1))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("loudness", "peak_db", "expected"),
    [
        # To the target, up or down.
        (-20, -10, 6),
        (-8, 0, -6),
        (-14, -1, 0),
        # 5 dB would be limited, 6 dB too; of more the rest is left out.
        (-20, -2, 6),
        (-20, -1, 6),
        (-20, 0, 5),
        (-30, -10, 15),
        # Samples far beyond full scale are brought back.
        (-14, 12, -7),
        # The noise of a quiet recording is not lifted without end.
        (-60, -50, 20),
        # Not known: as it is.
        (None, -3, 0),
        (None, 9, -4),
    ],
)
def test_the_gain_leads_to_the_target_within_bounds(
    loudness: float | None, peak_db: float, expected: float
) -> None:
    peak = 10 ** (peak_db / 20)
    gain = gain_db(loudness, target=-14, peak=peak, ceiling_db=-1)
    assert gain == pytest.approx(expected)


def test_silence_keeps_its_level() -> None:
    assert gain_db(None, target=-14, peak=0.0, ceiling_db=-1) == 0


@given(
    loudness=st.none() | st.floats(-70, 5),
    target=st.floats(-40, -5),
    peak=st.floats(0, 100),
    ceiling_db=st.floats(-6, 0),
)
def test_any_gain_leaves_the_limiter_little_to_do(
    loudness: float | None, target: float, peak: float, ceiling_db: float
) -> None:
    gain = gain_db(loudness, target=target, peak=peak, ceiling_db=ceiling_db)
    assert math.isfinite(gain)
    assert gain <= 20
    if peak > 0:
        assert gain + 20 * math.log10(peak) <= ceiling_db + 6 + 1e-9
    if loudness is not None:
        assert loudness + gain <= target + 1e-9
