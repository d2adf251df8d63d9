"""Ranking tracks by what filters answer, one pass over any number of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sounds import clicks, tone, write_sound

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding.encoder import load_encoder, model_path
from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
from beetsplug.deejai.filters.layers import Answers, LayerListener, list_layers
from beetsplug.deejai.filters.ranking import Ranking, rank_audio, rank_stored
from beetsplug.deejai.storage.library import Track
from beetsplug.deejai.storage.slices import StoredSlices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

N_FILTERS = 3


def drawn_answers(
    rng: np.random.Generator, n_slices: int, *, levels: int = 5
) -> Answers:
    """Draw answers of a few levels, so that many are equal."""

    def draw() -> np.ndarray:
        drawn = rng.integers(-2, 5, (n_slices, N_FILTERS))
        return drawn.astype(np.float32)

    return Answers(draw(), rng.random((n_slices, N_FILTERS), np.float32), draw())


def made_ranking(
    tracks: Sequence[tuple[int, Answers]], *, by: str = "max", n_kept: int = 5
) -> Ranking:
    ranking = Ranking(N_FILTERS, by=by, n_kept=n_kept)  # type: ignore[arg-type]
    for item_id, one in tracks:
        ranking.add(item_id, one)
    return ranking


@given(
    seed=st.integers(0, 2**32 - 1),
    n_tracks=st.integers(1, 150),
    n_kept=st.integers(1, 20),
    by=st.sampled_from(["max", "mean"]),
)
def test_the_first_tracks_are_those_of_a_full_sort(
    seed: int, n_tracks: int, n_kept: int, by: str
) -> None:
    rng = np.random.default_rng(seed)
    tracks = [(i, drawn_answers(rng, int(rng.integers(1, 4)))) for i in range(n_tracks)]
    shuffled = [tracks[i] for i in rng.permutation(n_tracks)]
    ranking = made_ranking(shuffled, by=by, n_kept=n_kept)
    for number in range(N_FILTERS):
        values = [
            float(
                one.peaks[:, number].max()
                if by == "max"
                else one.means[:, number].mean()
            )
            for _, one in tracks
        ]
        expected = sorted(range(n_tracks), key=lambda i: (-values[i], i))[:n_kept]
        if min(values) == 0:
            expected = [i for i in expected if values[i] != 0]
        found = ranking.firings(number)
        assert [one.item_id for one in found] == expected
        assert [one.value for one in found] == [values[i] for i in expected]


def test_the_moment_is_in_the_loudest_slice_whatever_is_ranked() -> None:
    peaks = np.array([[1, 9, 0], [5, 2, 0], [5, 1, 0]], np.float32)
    one = Answers(peaks, np.full_like(peaks, 0.5), np.ones_like(peaks))
    for by in ("max", "mean"):
        ranking = made_ranking([(7, one)], by=by)
        # Of two equally loud ones the first.
        assert ranking.firings(0)[0].middle_s == np.float32(SLICE_S + 0.5)
        assert ranking.firings(1)[0].middle_s == np.float32(0.5)


def test_filters_that_tell_no_tracks_apart_are_silent() -> None:
    values = np.array([[0, 3, 1], [0, 3, 1], [0, 3 + 1e-6, 2]], np.float32)
    tracks = [
        (i, Answers(row[None], np.zeros((1, 3), np.float32), row[None]))
        for i, row in enumerate(values)
    ]
    ranking = made_ranking(tracks)
    assert [ranking.is_silent(number) for number in range(3)] == [True, True, False]
    assert ranking.firings(0) == []


def test_of_a_single_track_only_what_is_0_is_silent() -> None:
    row = np.array([[0, 3, -1]], np.float32)
    ranking = made_ranking([(1, Answers(row, np.zeros_like(row), row))])
    assert [ranking.is_silent(number) for number in range(3)] == [True, False, False]


def test_tracks_in_which_a_filter_never_fires_are_not_listed() -> None:
    row = np.array([[1, 0, 0]], np.float32)
    none = np.zeros_like(row)
    tracks = [(1, Answers(none, none, none)), (2, Answers(row, none, row))]
    assert [one.item_id for one in made_ranking(tracks).firings(0)] == [2]


def test_files_are_heard_once_each_and_failures_are_told(tmp_path: Path) -> None:
    encoder = load_encoder(model_path("default"))
    assert isinstance(encoder, KerasEncoder)
    layer = list_layers(encoder)[0]
    listener = LayerListener(encoder, layer)
    late = np.concatenate([0.1 * tone(110, seconds=7), clicks(seconds=5)])
    paths = [
        write_sound(tmp_path / "late.wav", late),
        write_sound(tmp_path / "tone.wav", tone(330, seconds=17)),
        tmp_path / "gone.wav",
    ]
    tracks = [Track(10 + i, str(path)) for i, path in enumerate(paths)]
    ranking = Ranking(layer.n_filters, by="max", n_kept=5)
    done: list[int] = []
    failures = rank_audio(
        tracks, ranking, listener=listener, n_threads=2, on_progress=done.append
    )
    assert [track.item_id for track, _ in failures] == [12]
    assert sorted(ranking.item_ids) == [10, 11]
    assert done[-1] == 3
    expected = Ranking(layer.n_filters, by="max", n_kept=5)
    for track in tracks[:2]:
        waveform = np.concatenate(list(stream_waveform(track.path)))
        answers = Answers.of(listener.encode(log_mel_slices(waveform)))
        expected.add(track.item_id, answers)
    for number in range(layer.n_filters):
        found = ranking.firings(number)
        assert [one.item_id for one in found] == [
            one.item_id for one in expected.firings(number)
        ]
        for one, other in zip(found, expected.firings(number), strict=True):
            assert np.isclose(one.value, other.value, atol=1e-4)
            assert np.isclose(one.middle_s, other.middle_s)


def test_stored_slices_need_no_audio() -> None:
    vectors = np.array([[1, 0, 0], [4, 0, 1], [3, 0, 5]], np.float16)
    part = StoredSlices(np.array([3, 8]), np.array([2, 1]), vectors)
    for by, value in (("max", 4.0), ("mean", 2.5)):
        ranking = Ranking(N_FILTERS, by=by, n_kept=5)  # type: ignore[arg-type]
        rank_stored(iter([part]), ranking)
        found = {one.item_id: one for one in ranking.firings(0)}
        assert found[3].value == value
        assert found[3].middle_s == np.float32(1.5 * SLICE_S)
        assert found[8].value == 3.0
        assert ranking.is_silent(1)
