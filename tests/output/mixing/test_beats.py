from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import noise

from beetsplug.deejai.output.mixing.beats import (
    Pulse,
    find_pulse,
    known_tempo,
    same_tempo,
)

RATE = 44_100


def drums(bpm: float, *, first_s: float, seconds: float = 20.0) -> np.ndarray:
    """Make a steady beat over a quiet noise: every hit is a short decaying tone."""
    wave = 0.01 * noise(seconds=seconds)
    hit = np.sin(np.arange(2000) * 0.02) * np.exp(-np.arange(2000) / 400)
    for at_s in np.arange(first_s, seconds - 0.1, 60 / bpm):
        start = round(at_s * RATE)
        wave[start : start + len(hit)] += 0.5 * hit.astype(np.float32)
    return wave


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("bpm", "first_s"), [(90.0, 0.0), (120.0, 0.25), (128.3, 0.1), (170.0, 0.3)]
)
def test_a_steady_beat_is_found_to_a_hundredth_of_a_second(
    bpm: float, first_s: float, known: bool
) -> None:
    pulse = find_pulse(
        drums(bpm, first_s=first_s),
        start=1000,
        sample_rate=RATE,
        bpm=bpm if known else None,
    )
    assert pulse is not None
    assert 60 * RATE / pulse.period == pytest.approx(bpm, rel=0.002)
    for beat_s in np.arange(first_s, 19, 60 / bpm):
        beat = 1000 + beat_s * RATE
        assert abs(pulse.nearest(beat) - beat) < 0.01 * RATE


@pytest.mark.parametrize(
    "wave",
    [noise(seconds=20), np.zeros(20 * RATE, np.float32), drums(120, first_s=0)[:RATE]],
)
def test_where_there_is_no_steady_beat_none_is_found(wave: np.ndarray) -> None:
    assert find_pulse(wave, start=0, sample_rate=RATE) is None


@pytest.mark.parametrize("bpm", [None, 0, -60.0, 1.0, 9999.0, float("nan")])
def test_a_tag_that_can_be_no_tempo_is_not_believed(bpm: float | None) -> None:
    assert known_tempo(bpm) is None


@given(st.floats(30, 360))
def test_any_tempo_of_a_tag_can_be_looked_for(bpm: float) -> None:
    wave = noise(seconds=9)
    assert known_tempo(bpm) == bpm
    find_pulse(wave, start=0, sample_rate=RATE, bpm=bpm)


@given(
    period=st.floats(1e3, 1e5),
    first=st.floats(-1e6, 1e6),
    position=st.floats(-1e6, 1e6),
)
def test_beats_are_whole_periods_apart(
    period: float, first: float, position: float
) -> None:
    pulse = Pulse(period, first)
    nearest = pulse.nearest(position)
    assert abs(nearest - position) <= period / 2 + 1e-6
    assert (nearest - first) / period == pytest.approx(
        round((nearest - first) / period)
    )
    phase = pulse.phase(position)
    assert -period / 8 - 1e-6 <= phase <= period * 7 / 8 + 1e-6
    assert pulse.nearest(position + phase) == pytest.approx(position + phase, abs=1e-3)


def test_tempi_are_the_same_within_four_percent() -> None:
    assert same_tempo(120, 124.8)
    assert same_tempo(124.8, 120)
    assert not same_tempo(120, 125)
    assert not same_tempo(60, 120)
