"""Mixes of everything that breaks naive code: see ``tests/support/odd_sounds.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from listening import chapters_of, heard, true_peak_db
from odd_sounds import PNG, OddSound, make_odd_sounds
from sounds import noise, write_sound

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.mixing.render import MixOptions, MixTrack, render_mix

if TYPE_CHECKING:
    from pathlib import Path

    from beetsplug.deejai.output.mixing.render import MixResult

BARELY_AUDIBLE = "noise at -70 dBFS"
"""Its peaks are just above what counts as silence: left out or not, both are right."""


class Sounds(NamedTuple):
    """What is mixed.

    Attributes
    ----------
    odd
        One of each kind.
    healthy
        Two that are as usual.
    """

    odd: list[OddSound]
    healthy: list[Path]


class Mix(NamedTuple):
    """A mix of all odd sounds, with the healthy ones in their middle."""

    path: Path
    sounds: Sounds
    result: MixResult

    def n_before(self) -> int:
        """Count the odd sounds before the healthy ones."""
        return len(self.sounds.odd) // 2


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    folder = tmp_path_factory.mktemp("sounds")
    healthy = [
        write_sound(
            folder / f"healthy {seed}.wav",
            noise(seconds=1.5, seed=seed),
            layout="stereo",
        )
        for seed in range(2)
    ]
    return Sounds(make_odd_sounds(folder / "odd"), healthy)


@pytest.fixture(scope="module", params=[".mp3", ".flac"])
def mix(
    request: pytest.FixtureRequest,
    sounds: Sounds,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mix:
    tracks = [track(each.path) for each in sounds.odd]
    middle = len(tracks) // 2
    tracks[middle:middle] = map(track, sounds.healthy)
    path = tmp_path_factory.mktemp("mix") / f"mix{request.param}"
    return Mix(path, sounds, render_mix(tracks, str(path)))


def track(path: Path, *, art_path: Path | None = None) -> MixTrack:
    return MixTrack(
        str(path), path.stem, "Artist", art_path=str(art_path) if art_path else None
    )


def test_a_mix_of_them_all_is_as_long_as_it_is_said_to_be(mix: Mix) -> None:
    wave, rate = heard(mix.path)
    assert np.isfinite(wave).all()
    assert len(wave) / rate == pytest.approx(mix.result.duration_s, abs=0.03)
    assert mix.result.placed[-1].end_s == pytest.approx(mix.result.duration_s)


def test_no_true_peak_is_above_the_ceiling(mix: Mix) -> None:
    assert -6 < true_peak_db(mix.path) <= -1


def test_there_is_sound_all_the_way(mix: Mix) -> None:
    wave, rate = heard(mix.path)
    n_windows = int(mix.result.duration_s)
    power = np.square(wave[: n_windows * rate]).reshape(n_windows, -1).mean(axis=1)
    assert 10 * np.log10(power.min()) > -40


def test_what_can_be_heard_is_there_and_the_rest_left_out_with_a_reason(
    mix: Mix,
) -> None:
    n_before = mix.n_before()
    n_healthy = len(mix.sounds.healthy)
    numbers = {
        each.kind: number if number < n_before else number + n_healthy
        for number, each in enumerate(mix.sounds.odd)
    }
    placed = [each.number for each in mix.result.placed]
    assert placed == sorted(placed)
    playable = {each.kind for each in mix.sounds.odd if each.playable}
    found = {kind for kind, number in numbers.items() if number in placed}
    assert found - {BARELY_AUDIBLE} == playable
    assert {n_before, n_before + 1} <= {*placed}

    reasons = dict(mix.result.left_out)
    left_out = [each for each in mix.sounds.odd if each.kind not in found]
    assert [*reasons] == [str(each.path) for each in left_out]
    for reason in reasons.values():
        assert reason
        assert reason.isprintable()


def test_what_breaks_off_is_said_to(mix: Mix) -> None:
    kinds = {str(each.path): each.kind for each in mix.sounds.odd}
    cut_short = {kinds[path]: reason for path, reason in mix.result.cut_short}
    # An Ogg has no index: where it is cut off between two pages, it just ends.
    assert {
        "truncated wav",
        "truncated flac",
        "truncated mp3",
        "truncated m4a with its index first",
    } <= {*cut_short}
    assert all(
        "truncated" in kind or "damaged" in kind or "zeros" in kind
        for kind in cut_short
    )
    assert all(reason.isprintable() for reason in cut_short.values())


def test_every_track_is_a_chapter(mix: Mix) -> None:
    starts_s = [start_s for start_s, _ in chapters_of(mix.path)]
    placed = mix.result.placed
    assert starts_s == pytest.approx([each.start_s for each in placed], abs=1e-3)


def test_each_goes_with_a_healthy_track(sounds: Sounds, tmp_path: Path) -> None:
    # A cover is drawn where there is none: it takes longer than the sound.
    art = tmp_path / "cover.png"
    art.write_bytes(PNG)
    healthy = track(sounds.healthy[0], art_path=art)
    destination = tmp_path / "mix.flac"
    for each in sounds.odd:
        result = render_mix([track(each.path, art_path=art), healthy], str(destination))
        wave, rate = heard(destination)
        assert np.isfinite(wave).all(), each.kind
        assert len(wave) / rate == pytest.approx(result.duration_s, abs=1e-4), each.kind
        numbers = [placed.number for placed in result.placed]
        if each.kind != BARELY_AUDIBLE:
            assert numbers == ([0, 1] if each.playable else [1]), each.kind
        assert len(numbers) + len(result.left_out) == 2
        # The healthy one is whole, but for what overlaps.
        end_s = result.placed[-1].end_s
        assert end_s - result.placed[-1].start_s == pytest.approx(1.5, abs=0.06), (
            each.kind
        )


@pytest.mark.parametrize(
    "options",
    [
        MixOptions(crossfade_s=0, loudness=None, trim=False),
        MixOptions(crossfade_s=30, loudness=-5, sample_rate=48_000),
    ],
    ids=["as they are", "as far from it as can be"],
)
def test_all_options_go_with_all_of_them(
    sounds: Sounds, tmp_path: Path, options: MixOptions
) -> None:
    destination = tmp_path / "mix.flac"
    tracks = [track(each.path) for each in sounds.odd]
    result = render_mix(tracks, str(destination), options)
    wave, rate = heard(destination)
    assert rate == (options.sample_rate or 44_100)
    assert len(wave) / rate == pytest.approx(result.duration_s, abs=1e-4)
    if options.loudness is not None:
        assert true_peak_db(destination) <= -1
    n_playable = sum(each.playable for each in sounds.odd)
    assert n_playable <= len(result.placed) <= n_playable + 1


def test_where_nothing_can_be_heard_there_is_one_line_and_no_file(
    sounds: Sounds, tmp_path: Path
) -> None:
    silent = [
        track(each.path)
        for each in sounds.odd
        if not each.playable and each.kind != BARELY_AUDIBLE
    ]
    with pytest.raises(FatalError, match="no track can be mixed") as caught:
        render_mix(silent, str(tmp_path / "mix.mp3"))
    assert str(caught.value).isprintable()
    assert not [*tmp_path.iterdir()]
