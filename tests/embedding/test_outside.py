from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from beets.library import Library
from sounds import noise, tone, write_sound

from beetsplug.deejai.embedding.outside import hear_files
from beetsplug.deejai.embedding.scan import Pooling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


class MeanEncoder:
    """Averages a slice over time."""

    model_id = "mean-0"
    vector_size = 96

    def encode(self, slices: np.ndarray) -> np.ndarray:
        return slices.mean(axis=2)


def hear(paths: list[Path], progress: Callable[[float], None]) -> tuple[set, dict]:
    heard, failures = hear_files(
        Library(str(paths[0].with_suffix(".db"))),
        None,
        [str(path) for path in paths],
        model="mean-0",
        pooling=Pooling("mean", 1e-3),
        load_encoder=MeanEncoder,
        n_threads=2,
        progress=progress,
    )
    return set(heard), dict(failures)


def test_progress_rises_to_the_whole_of_all_files(tmp_path: Path) -> None:
    paths = [
        write_sound(tmp_path / "one.wav", tone(seconds=200, rate=8_000), rate=8_000),
        write_sound(tmp_path / "other.mp3", noise(seconds=60)),
        tmp_path / "missing.mp3",
    ]
    parts: list[float] = []
    heard, failures = hear(paths, parts.append)
    assert heard == {str(path) for path in paths[:2]}
    assert failures == {str(paths[2]): "the file does not exist"}
    assert len(set(parts)) > 5
    assert parts == sorted(parts)
    assert parts[-1] == pytest.approx(1, abs=0.02)


def test_a_file_is_heard_no_further_when_nobody_wants_it(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "one.flac", tone(seconds=60))
    parts: list[float] = []

    def stop(part: float) -> None:
        parts.append(part)
        raise RuntimeError("enough")

    heard, failures = hear([path], stop)
    assert heard == set()
    assert failures == {str(path): "RuntimeError: enough"}
    assert len(parts) == 1
