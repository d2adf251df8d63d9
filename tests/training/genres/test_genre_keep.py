"""What was learnt, put into its folder."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_genres import made_card

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.genre_model import (
    FILE,
    SLICES,
    GenreModel,
    read_genre_model,
)
from beetsplug.deejai.training.genres.keep import CARD, PICTURE, keep_model

if TYPE_CHECKING:
    from pathlib import Path


def model(*, size: int = 4, **more: Any) -> GenreModel:
    weights, bias = np.ones((size, 2), np.float32), np.zeros(2, np.float32)
    genres, told = ("Rock", "Jazz"), made_card(**more)
    return GenreModel(genres, "head", "some", weights, bias, card=told)


def test_a_head_takes_the_place_of_a_network_and_of_what_it_heard(
    tmp_path: Path,
) -> None:
    for name in ("genres-0123.keras", SLICES, f"{SLICES}-wal"):
        (tmp_path / name).touch()
    keep_model(tmp_path, model())
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([FILE, CARD, PICTURE])
    keep_model(tmp_path, model(measured=None, baselines=None))
    assert not (tmp_path / PICTURE).exists()


@pytest.mark.parametrize("room", [100, 3000, 20_000])
def test_on_a_full_disk_the_former_model_stays(tmp_path: Path, room: int) -> None:
    keep_model(tmp_path, model())
    network = tmp_path / "network.keras"
    network.write_bytes(bytes(50_000))
    bigger = model(size=5_000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(FatalError, match=r"cannot write .*: File too large"):
            keep_model(tmp_path, bigger)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    former = read_genre_model(tmp_path)
    assert former is not None
    assert len(former.weights) == 4
    assert not list(tmp_path.glob(".deejai-*"))
