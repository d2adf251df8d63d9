from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import noise

from beetsplug.deejai.output.mixing.beats import Pulse
from beetsplug.deejai.output.mixing.joins import (
    HARD_OVERLAP_S,
    MAX_QUIET_S,
    Cut,
    Join,
    cut,
    join,
)
from beetsplug.deejai.output.mixing.survey import SILENCE, WINDOW_S, Survey

RATE = 44_100

Array = npt.NDArray[np.float32]


def surveyed(wave: Array, *, problem: str = "") -> Survey:
    """Survey a mono wave without writing it to a file."""
    window = round(WINDOW_S * RATE)
    whole = wave[: len(wave) // window * window].reshape(-1, window)
    audible = np.flatnonzero(np.abs(wave) > SILENCE)
    return Survey(
        sample_rate=RATE,
        n_samples=len(wave),
        first=int(audible[0]),
        last=int(audible[-1]) + 1,
        peak=float(np.abs(wave).max()),
        offset=np.zeros(2, np.float32),
        levels=np.sqrt(np.mean(np.square(whole), axis=1)),
        loudness=None,
        head=wave,
        head_start=0,
        tail=wave,
        tail_start=0,
        problem=problem,
    )


def steady(seconds: float = 30.0) -> Cut:
    return cut(surveyed(noise(seconds=seconds)))


def fading_out(seconds: float, fade_s: float, *, decibels: float = 60.0) -> Array:
    """Make noise whose end fades evenly in decibels."""
    n_fade = round(fade_s * RATE)
    wave = noise(seconds=seconds)
    wave[-n_fade:] *= 10 ** (np.linspace(0, -decibels, n_fade) / 20)
    return wave


def seconds(n_samples: int) -> float:
    return n_samples / RATE


def power(found: Join) -> Array:
    return np.square(found.outgoing) + np.square(found.incoming)


def test_silence_at_either_end_is_left_out_to_the_sample() -> None:
    silence = np.zeros(RATE, np.float32)
    sound = np.full(10 * RATE, 0.2, np.float32)
    found = cut(surveyed(np.concatenate([silence, sound, silence, silence])))
    assert (found.start, found.end) == (RATE, 11 * RATE)


def test_silence_in_the_middle_stays() -> None:
    sound = noise(seconds=5)
    wave = np.concatenate([sound, np.zeros(20 * RATE, np.float32), sound])
    found = cut(surveyed(wave))
    assert (found.start, found.end) == (0, len(wave))


def test_a_moment_of_silence_stays_so_that_recordings_join_without_a_seam() -> None:
    gap = np.zeros(RATE // 50, np.float32)
    wave = np.concatenate([gap, noise(seconds=5), gap])
    assert cut(surveyed(wave)).n_samples == len(wave)


def test_all_is_kept_where_nothing_is_to_be_trimmed() -> None:
    wave = np.concatenate([np.zeros(RATE, np.float32), noise(seconds=5)])
    assert cut(surveyed(wave), trim=False).n_samples == len(wave)


def test_a_few_seconds_of_quiet_music_are_kept() -> None:
    quiet = 0.005 * noise(seconds=20)
    found = cut(surveyed(np.concatenate([quiet, noise(seconds=10), quiet])))
    assert seconds(found.start) == pytest.approx(20 - MAX_QUIET_S, abs=WINDOW_S)
    assert seconds(found.end) == pytest.approx(30 + MAX_QUIET_S, abs=WINDOW_S)


def test_a_hard_ending_and_a_hard_beginning_meet_shortly_at_constant_power() -> None:
    found = join(steady(), steady(), crossfade_s=6)
    assert seconds(found.n_samples) == pytest.approx(HARD_OVERLAP_S)
    assert found.crosses
    assert found.n_hidden == 0
    assert power(found) == pytest.approx(np.ones(found.n_samples), abs=1e-5)


@pytest.mark.parametrize("crossfade_s", [0.5, 1.0, 6.0])
@pytest.mark.parametrize(
    ("before_s", "after_s"), [(30.0, 30.0), (30.0, 3.0), (2.0, 30.0), (0.1, 0.1)]
)
def test_no_overlap_is_longer_than_the_crossfade_or_a_third_of_either_track(
    crossfade_s: float, before_s: float, after_s: float
) -> None:
    found = join(steady(before_s), steady(after_s), crossfade_s=crossfade_s)
    longest = min(crossfade_s, before_s / 3, after_s / 3)
    assert 0 < seconds(found.n_samples) <= longest + 1e-9


def test_without_a_crossfade_nothing_overlaps() -> None:
    found = join(steady(), steady(), crossfade_s=0)
    assert (found.n_samples, found.n_hidden, found.n_skipped) == (0, 0, 0)


def test_a_track_that_fades_out_by_itself_is_not_faded_again() -> None:
    before = cut(surveyed(fading_out(60, 10)))
    found = join(before, steady(), crossfade_s=6)
    # From 6 to 30 dB below, at 6 dB a second.
    assert seconds(found.n_samples) == pytest.approx(4.0, abs=0.4)
    assert seconds(before.end - found.n_hidden) == pytest.approx(55.0, abs=0.4)
    assert found.outgoing[: -RATE // 100].min() == 1
    assert not found.crosses
    assert np.all(np.diff(found.incoming) >= -1e-6)
    assert found.incoming[0] > 0.7


def test_with_a_track_that_fades_by_itself_the_power_stays_constant() -> None:
    wave = fading_out(60, 10)
    before = cut(surveyed(wave))
    found = join(before, steady(), crossfade_s=6)
    end = before.end - found.n_hidden
    tail = wave[end - found.n_samples : end] * found.outgoing
    head = noise(seconds=30, seed=5)[: found.n_samples] * found.incoming
    usual = np.mean(np.square(wave[: 10 * RATE]))
    whole = len(tail) // (RATE // 2) * (RATE // 2)
    parts = np.square(tail + head)[:whole].reshape(-1, RATE // 2).mean(axis=1)
    assert 10 * np.log10(parts / usual) == pytest.approx(0.0, abs=1.0)


def test_a_track_that_fades_in_by_itself_is_not_faded_in() -> None:
    after = cut(surveyed(fading_out(60, 10)[::-1].copy()))
    found = join(steady(), after, crossfade_s=6)
    assert found.incoming[RATE // 100 :].min() == 1
    assert found.outgoing[0] > 0.7
    assert found.outgoing[-1] < 0.05
    assert np.all(np.diff(found.outgoing) <= 1e-6)


def test_a_long_fade_is_cut_short_so_that_the_mix_does_not_seem_to_stop() -> None:
    before = cut(surveyed(fading_out(120, 24, decibels=30)))
    found = join(before, steady(), crossfade_s=6)
    assert seconds(found.n_samples) == pytest.approx(6)
    # 15 dB below, at 1.25 dB a second, is 12 s before the end.
    end = before.end - found.n_hidden
    assert seconds(end - found.n_samples) == pytest.approx(120 - 12, abs=0.5)
    assert found.outgoing[: 3 * RATE].min() == pytest.approx(1, abs=1e-5)
    assert found.outgoing[-1] < 0.01


def test_a_long_fade_in_is_cut_short_likewise() -> None:
    after = cut(surveyed(fading_out(120, 24, decibels=30)[::-1].copy()))
    found = join(steady(), after, crossfade_s=6)
    begins = after.start + found.n_skipped
    assert seconds(begins + found.n_samples) == pytest.approx(12, abs=0.5)
    assert found.incoming[0] < 0.01


def test_nothing_is_left_out_where_nothing_is_to_be_trimmed() -> None:
    before = cut(surveyed(fading_out(120, 24)), trim=False)
    found = join(before, before, crossfade_s=6)
    assert (found.n_hidden, found.n_skipped) == (0, 0)


def test_a_fade_in_with_a_pause_is_joined_like_any_other() -> None:
    wave = fading_out(60, 10)[::-1].copy()
    wave[: 9 * RATE] *= np.repeat([1.0, 0.0, 0.0] * 3, RATE).astype(np.float32)
    found = join(steady(), cut(surveyed(wave), trim=False), crossfade_s=6)
    assert np.isfinite(found.outgoing).all()
    assert found.outgoing[-1] < 0.05


def test_a_hardly_audible_moment_before_a_beginning_is_skipped() -> None:
    lead = 0.01 * noise(seconds=1.5)
    after = cut(surveyed(np.concatenate([lead, noise(seconds=30)])))
    found = join(steady(), after, crossfade_s=6)
    assert found.crosses
    assert seconds(found.n_skipped) == pytest.approx(1.5, abs=0.3)


def test_a_track_that_broke_off_is_faded_out_over_the_whole_crossfade() -> None:
    broken = cut(surveyed(noise(seconds=60), problem="damaged at 1:00"))
    found = join(broken, steady(), crossfade_s=6)
    assert seconds(found.n_samples) == pytest.approx(6)
    assert found.outgoing[-1] < 0.01


def test_a_quiet_coda_that_ends_hard_is_no_fade() -> None:
    wave = noise(seconds=60)
    wave[-8 * RATE :] *= 10 ** (-12 / 20)
    found = join(cut(surveyed(wave)), steady(), crossfade_s=6)
    assert found.crosses
    assert found.n_hidden == 0


@given(
    bpm=st.floats(60, 180),
    first=st.floats(0, RATE),
    upbeat=st.floats(0, 0.3),
    crossfade_s=st.floats(2, 12),
)
def test_the_beats_of_both_tracks_coincide(
    bpm: float, first: float, upbeat: float, crossfade_s: float
) -> None:
    before, after = steady(60), steady(60)
    outgoing = Pulse(60 / bpm * RATE, first)
    incoming = Pulse(60 / (1.02 * bpm) * RATE, upbeat * RATE)
    found = join(before, after, crossfade_s=crossfade_s, pulses=(outgoing, incoming))
    assert seconds(found.n_samples) <= crossfade_s + 1e-9
    start = before.end - found.n_samples
    beat = start + incoming.phase(0)
    assert abs(outgoing.nearest(beat) - beat) <= 1


@given(
    levels=st.lists(st.sampled_from([0.0, 1e-4, 0.003, 0.03, 0.1, 1.0]), min_size=12),
    crossfade_s=st.floats(0.1, 60),
    trim=st.booleans(),
)
def test_gains_are_numbers_from_0_to_1_whatever_the_levels_do(
    levels: list[float], crossfade_s: float, trim: bool
) -> None:
    wave = noise(seconds=len(levels) / 2) * np.repeat(levels, RATE // 2)
    wave = np.append(wave, 0.1 * noise(seconds=0.05)).astype(np.float32)
    one, other = cut(surveyed(wave), trim=trim), steady()
    for before, after in ((one, other), (other, one), (one, one)):
        found = join(before, after, crossfade_s=crossfade_s)
        for gains in (found.outgoing, found.incoming):
            assert np.all((gains >= 0) & (gains <= 1 + 1e-6))
        assert found.n_samples + found.n_hidden <= before.n_samples
        assert found.n_samples + found.n_skipped <= after.n_samples


@given(
    lengths=st.lists(st.floats(0.03, 20), min_size=2, max_size=2),
    crossfade_s=st.floats(0, 60),
    fade_s=st.floats(0.01, 20),
)
def test_gains_never_exceed_one_and_leave_room_for_both_joins_of_a_track(
    lengths: list[float], crossfade_s: float, fade_s: float
) -> None:
    waves = [noise(seconds=each) for each in lengths]
    n_fade = min(len(waves[0]), round(fade_s * RATE))
    waves[0][len(waves[0]) - n_fade :] *= np.linspace(1, 0, n_fade)
    before, after = (cut(surveyed(wave)) for wave in waves)
    found = join(before, after, crossfade_s=crossfade_s)
    for gains in (found.outgoing, found.incoming):
        assert gains.shape == (found.n_samples,)
        assert gains.dtype == np.float32
        assert np.all((gains >= 0) & (gains <= 1 + 1e-6))
    assert found.n_samples + found.n_hidden <= before.n_samples
