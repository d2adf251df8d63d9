"""The pipeline from files to slice vectors, with a small encoder of our own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sounds import noise, tone, write_sound

from beetsplug.deejai.audio.decode import audio_signature, stream_waveform
from beetsplug.deejai.audio.spectrogram import log_mel_slices
from beetsplug.deejai.embedding import decoders
from beetsplug.deejai.embedding.decoders import Request, Unheard
from beetsplug.deejai.embedding.listen import Heard, listen
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class MeanEncoder:
    """Averages a slice over time: linear, so mistakes in batching show."""

    model_id = "mean-0"
    vector_size = 96

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, slices: np.ndarray) -> np.ndarray:
        self.batches.append(len(slices))
        return slices.mean(axis=2)


def hear(requests: Iterable[Request], **options: object) -> dict[int, Heard | Unheard]:
    options.setdefault("load_encoder", MeanEncoder)
    options.setdefault("n_threads", 2)
    results = [r for group in listen(requests, **options) for r in group]  # type: ignore[arg-type]
    assert len({r.key for r in results}) == len(results)
    return {r.key: r for r in results}


def decoders_alive() -> int:
    return sum(t.name.startswith("deejai-decoder") for t in threading.enumerate())


@pytest.fixture
def sounds(tmp_path: Path) -> list[Path]:
    return [
        write_sound(tmp_path / f"{n}.wav", tone(100 + 50 * n, seconds=6 + 7 * n))
        for n in range(6)
    ]


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_track_gets_its_own_slices(sounds: list[Path], n_threads: int) -> None:
    results = hear(
        [Request(n, str(path)) for n, path in enumerate(sounds)], n_threads=n_threads
    )
    assert sorted(results) == list(range(6))
    for n, path in enumerate(sounds):
        waveform = np.concatenate(list(stream_waveform(str(path))))
        expected = log_mel_slices(waveform).mean(axis=2)
        result = results[n]
        assert isinstance(result, Heard)
        assert np.allclose(result.slice_vectors, expected, atol=1e-6)
        assert result.signature == audio_signature(str(path))


def test_the_encoder_gets_whole_batches_while_more_is_to_come(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "long.flac", tone(seconds=420, rate=8000), rate=8000)
    encoder = MeanEncoder()
    hear([Request(0, str(path))], load_encoder=lambda: encoder, n_threads=1)
    assert encoder.batches == [64, 83 - 64]


def test_bad_files_are_named_and_the_rest_is_heard(
    sounds: list[Path], tmp_path: Path
) -> None:
    words = tmp_path / "words.mp3"
    words.write_text("no music\n" * 100)
    silence = write_sound(tmp_path / "silence.wav", 0 * tone(seconds=7))
    hush = write_sound(tmp_path / "hush.flac", 1e-5 * noise(seconds=7))
    empty = tmp_path / "empty.ogg"
    empty.touch()
    paths = [words, sounds[0], silence, sounds[1], empty, tmp_path / "gone.mp3", hush]
    results = hear([Request(n, str(path)) for n, path in enumerate(paths)])
    reasons = {k: r.reason for k, r in results.items() if isinstance(r, Unheard)}
    assert sorted(reasons) == [0, 2, 4, 5, 6]
    assert "no audio" in reasons[0]
    assert "silent" in reasons[2]
    assert "empty" in reasons[4]
    assert "does not exist" in reasons[5]
    assert "silent" in reasons[6]
    assert all("\n" not in reason for reason in reasons.values())


def test_numbers_that_are_not_finite_are_refused(sounds: list[Path]) -> None:
    class Broken(MeanEncoder):
        def encode(self, slices: np.ndarray) -> np.ndarray:
            return np.full((len(slices), 96), np.nan, dtype=np.float32)

    results = hear([Request(0, str(sounds[0]))], load_encoder=Broken)
    assert isinstance(results[0], Unheard)


def test_nothing_to_hear_yields_nothing() -> None:
    assert hear([]) == {}


def test_an_encoder_that_cannot_be_loaded_stops_everything(sounds: list[Path]) -> None:
    def load() -> MeanEncoder:
        raise FatalError("install it")

    with pytest.raises(FatalError, match="install it"):
        hear([Request(0, str(sounds[0]))], load_encoder=load)
    assert decoders_alive() == 0


def test_stopping_ends_the_threads_at_once(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "long.flac", tone(seconds=600, rate=8000), rate=8000)
    requests = (Request(n, str(path)) for n in range(1000))
    started = time.monotonic()
    hear(requests, should_stop=lambda: time.monotonic() - started > 0.5)
    assert time.monotonic() - started < 5
    assert decoders_alive() == 0


def test_an_interrupt_ends_the_threads(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", tone(seconds=20))
    results = listen(
        (Request(n, str(path)) for n in range(1000)),
        load_encoder=MeanEncoder,
        n_threads=2,
    )
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    assert decoders_alive() == 0


def test_a_file_replaced_while_the_encoder_loads_is_heard_as_it_is_now(
    sounds: list[Path],
) -> None:
    path, other, next_one = sounds[:3]

    def requests() -> Iterator[Request]:
        yield Request(0, str(path))
        # The first file is decoded by now, and not yet signed.
        other.replace(path)
        yield Request(1, str(next_one))

    def load() -> MeanEncoder:
        time.sleep(0.5)
        return MeanEncoder()

    result = hear(requests(), load_encoder=load, n_threads=1)[0]
    assert isinstance(result, Heard)
    assert result.signature == audio_signature(str(path))
    waveform = np.concatenate(list(stream_waveform(str(path))))
    expected = log_mel_slices(waveform).mean(axis=2)
    assert np.allclose(result.slice_vectors, expected, atol=1e-6)


def test_more_than_is_kept_while_the_encoder_loads_is_heard_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "AHEAD_SAMPLES", 1 << 20)
    monkeypatch.setattr(decoders, "AHEAD_BLOCK_SAMPLES", 1 << 18)
    paths = [
        write_sound(tmp_path / f"{n}.wav", noise(seconds=40, rate=8000), rate=8000)
        for n in range(4)
    ]

    def load() -> MeanEncoder:
        time.sleep(0.5)
        return MeanEncoder()

    results = hear(
        [Request(n, str(path)) for n, path in enumerate(paths)],
        load_encoder=load,
        n_threads=1,
    )
    for n, path in enumerate(paths):
        waveform = np.concatenate(list(stream_waveform(str(path))))
        result = results[n]
        assert isinstance(result, Heard)
        expected = log_mel_slices(waveform).mean(axis=2)
        assert np.allclose(result.slice_vectors, expected, atol=1e-6)
