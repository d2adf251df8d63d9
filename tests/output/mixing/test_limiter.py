from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr
from av import AudioFrame
from av.filter import Graph
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import clicks, noise, tone

from beetsplug.deejai.output.mixing.limiter import Limiter, true_peak_db

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Audio = npt.NDArray[np.float32]

RATE = 44_100
CEILING_DB = -1.0


def stereo(wave: npt.ArrayLike) -> Audio:
    return np.repeat(np.asarray(wave, dtype=np.float32)[:, None], 2, axis=1)


def limit(
    pcm: Audio,
    *,
    ceiling_db: float = CEILING_DB,
    rate: int = RATE,
    lengths: Sequence[int] = (),
) -> Audio:
    """Limit in blocks of these lengths, and the rest in one."""
    limiter = Limiter(ceiling_db=ceiling_db, sample_rate=rate)
    ends = np.minimum(np.cumsum([0, *lengths]), len(pcm))
    blocks = [limiter.process(piece) for piece in np.split(pcm, ends)]
    return np.concatenate([*blocks, limiter.finish()])


def true_peaks_db(pcm: Audio) -> tuple[float, float, float]:
    """Measure the true peak with our tool, FFmpeg's, and sixteen times as finely."""
    padded = np.pad(pcm, ((RATE // 10, RATE // 10), (0, 0)))
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=RATE, format="flt", layout="stereo", time_base=Fraction(1, RATE)
    )
    meter = graph.add("ebur128", metadata="1", framelog="quiet", peak="true")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(
        padded.reshape(1, -1), format="flt", layout="stereo"
    )
    frame.sample_rate = RATE
    frame.pts = 0
    graph.push(frame)
    standard = 0.0
    with contextlib.suppress(BlockingIOError):
        while True:
            tags = graph.pull().metadata
            for channel in (0, 1):
                peak = float(tags[f"lavfi.r128.true_peaks_ch{channel}"])
                standard = max(standard, peak)
    fine = soxr.resample(padded.astype(float), RATE, 16 * RATE, quality="VHQ")
    levels = [20 * math.log10(peak) for peak in (standard, np.abs(fine).max())]
    return true_peak_db(pcm), levels[0], levels[1]


def sine(frequency: float, *, phase: float = 0.0, seconds: float = 1.0) -> Audio:
    n_samples = round(seconds * RATE)
    angle = 2 * np.pi * frequency / RATE * np.arange(n_samples) + phase
    # Faded: a sine that starts at once is a click.
    return stereo(np.sin(angle) * np.hanning(n_samples) ** 0.1)


def music(*, seconds: float = 12.0) -> Audio:
    """Make steady music with a beat: 14 dB from its level to its peaks."""
    beat = clicks(seconds=seconds, per_second=2)
    hiss = noise(seconds=seconds, seed=1)
    wave = 0.5 * tone(110, seconds=seconds) + 0.3 * tone(880, seconds=seconds)
    envelope = np.convolve(beat, np.ones(400) / 400, mode="same")
    pcm = stereo(wave + beat * (1 + hiss) + 4 * envelope * hiss + 0.1 * hiss)
    pcm[:, 1] += 0.1 * noise(seconds=seconds, seed=2)
    return pcm / np.abs(pcm).max()


def db(gain: float) -> np.float32:
    return np.float32(10 ** (gain / 20))


@pytest.mark.parametrize("gain", [1, 6, 12])
def test_the_true_peak_of_music_stays_under_the_ceiling(gain: float) -> None:
    limited = limit(music(seconds=6) * db(gain))
    assert true_peak_db(limited) > CEILING_DB - 0.3
    for measured_db in true_peaks_db(limited):
        assert measured_db <= CEILING_DB


@pytest.mark.parametrize(
    ("make", "tolerance_db"),
    [
        # Between these samples the waveform is 3 dB higher.
        (lambda: 1.3 * sine(RATE / 4, phase=np.pi / 4), 0),
        (lambda: 1.3 * sine(RATE / 4, phase=np.pi / 8), 0),
        (lambda: 1.3 * sine(RATE / 3, phase=np.pi / 6), 0),
        (lambda: 2.0 * sine(19_000), 0),
        (lambda: 2.0 * np.sign(sine(997)), 0),
        (lambda: stereo(3.0 * (np.arange(RATE) % 5000 == 77)), 0),
        # Much of it lies just under half the sampling rate, where tools disagree.
        (lambda: stereo(2 * noise(seconds=1)), 0.7),
    ],
)
def test_the_true_peak_of_hard_signals_stays_under_the_ceiling(
    make: Callable[[], Audio], tolerance_db: float
) -> None:
    signal = make().astype(np.float32)
    assert true_peak_db(signal) > 0
    limited = limit(signal)
    own, standard, fine = true_peaks_db(limited)
    assert own <= CEILING_DB
    assert standard <= CEILING_DB
    assert fine <= CEILING_DB + tolerance_db


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_samples=st.integers(0, 40_000),
    gain=st.floats(0.01, 30),
    n_bursts=st.integers(0, 5),
    ceiling_db=st.floats(-12, 0),
    lengths=st.lists(st.integers(0, 20_000), max_size=8),
)
def test_any_signal_in_any_blocks(
    seed: int,
    n_samples: int,
    gain: float,
    n_bursts: int,
    ceiling_db: float,
    lengths: list[int],
) -> None:
    rng = np.random.default_rng(seed)
    pcm = (0.05 * rng.standard_normal((n_samples, 2))).astype(np.float32)
    for start in rng.integers(0, max(1, n_samples), n_bursts):
        pcm[start : start + rng.integers(1, 3000)] *= np.float32(gain)
    limited = limit(pcm, ceiling_db=ceiling_db, lengths=lengths)
    assert limited.dtype == np.float32
    assert limited.shape == pcm.shape
    assert true_peak_db(limited) <= ceiling_db
    # The cuts are not heard, and no sample is louder or turned around.
    np.testing.assert_array_equal(limited, limit(pcm, ceiling_db=ceiling_db))
    assert (np.abs(limited) <= np.abs(pcm)).all()
    assert (limited * pcm >= 0).all()


def test_what_needs_no_limiting_is_not_changed() -> None:
    pcm = music()
    quiet = pcm * db(CEILING_DB - 0.25 - true_peak_db(pcm))
    np.testing.assert_array_equal(limit(quiet), quiet)


def test_only_what_is_near_a_peak_is_changed() -> None:
    pcm = stereo(0.3 * tone(seconds=4))
    peak = 2 * RATE
    pcm[peak : peak + 20] = 2.0
    changed = np.nonzero((limit(pcm) != pcm).any(axis=1))[0]
    assert changed.min() > peak - 0.007 * RATE
    assert changed.max() < peak + 0.6 * RATE


def test_the_gain_is_smooth_and_the_same_on_both_sides() -> None:
    pcm = stereo(np.full(2 * RATE, 0.25))
    pcm[RATE : RATE + 4, 0] = 1.8
    limited = limit(pcm)
    gain_db = 20 * np.log10(limited / pcm)
    np.testing.assert_allclose(gain_db[:, 0], gain_db[:, 1], atol=1e-4)
    assert gain_db.min() < -6
    # 6 dB in 5 ms: nothing jumps.
    assert np.abs(np.diff(gain_db[:, 1])).max() < 0.1
    # It comes back once, and never overshoots.
    after = gain_db[np.argmin(gain_db[:, 1]) + 100 :, 1]
    assert (np.diff(after) > -1e-4).all()
    assert after[-1] == 0


@pytest.mark.parametrize("gain", [3, 6])
def test_steady_music_does_not_pump(gain: float) -> None:
    pcm = music() * db(gain + CEILING_DB)
    limited = limit(pcm)
    assert true_peak_db(pcm) - CEILING_DB > gain
    difference = short_term_db(pcm) - short_term_db(limited)
    assert difference.min() > 0
    assert np.ptp(difference) < 1.5


def short_term_db(pcm: Audio) -> npt.NDArray[np.float64]:
    window = 3 * RATE
    power = np.cumsum(np.square(pcm, dtype=np.float64).sum(axis=1))
    return np.asarray(10 * np.log10(power[window::4410] - power[:-window:4410]))


def test_damaged_samples_are_silence_and_harm_no_others() -> None:
    pcm = music(seconds=4) * db(6)
    damaged = pcm.copy()
    damaged[RATE : RATE + 3] = [[np.nan, np.inf], [-np.inf, 1e30], [-1e20, np.nan]]
    pcm[RATE : RATE + 3] = 0
    np.testing.assert_array_equal(limit(damaged), limit(pcm))


def test_the_look_ahead_is_as_long_at_any_sampling_rate() -> None:
    for rate in (44_100, 48_000, 96_000):
        pcm = stereo(np.full(rate, 0.25))
        pcm[rate // 2] = 2.0
        changed = np.nonzero((limit(pcm, rate=rate) != pcm).any(axis=1))[0]
        assert 0.004 < 0.5 - changed.min() / rate < 0.007


@pytest.mark.parametrize(("frequency", "phase"), [(997, 0.0), (RATE / 4, np.pi / 4)])
def test_the_true_peak_is_that_of_the_waveform(frequency: float, phase: float) -> None:
    wave = np.float32(0.5) * sine(frequency, phase=phase, seconds=2)
    assert true_peak_db(wave) == pytest.approx(20 * math.log10(0.5), abs=0.03)


def test_silence_has_no_peak() -> None:
    assert true_peak_db(stereo([])) == -math.inf
    assert true_peak_db(stereo(np.zeros(50_000))) == -math.inf
