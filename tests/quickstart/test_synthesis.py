"""The pieces of the quick start."""

from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.quickstart.synthesis import DURATION_S, RATE, STYLES, compose


@pytest.fixture(scope="module")
def pieces() -> list[tuple[str, str, np.ndarray]]:
    return list(compose())


def test_there_are_a_dozen_pieces_in_several_styles(pieces) -> None:
    assert len(pieces) == 12
    assert {style for style, _, _ in pieces} == set(STYLES)
    assert len({title for _, title, _ in pieces}) == len(pieces)


def test_every_piece_is_as_loud_and_as_long_as_the_others(pieces) -> None:
    for _, _, wave in pieces:
        assert wave.dtype == np.float32
        assert wave.shape == (round(DURATION_S * RATE),)
        assert np.abs(wave).max() == pytest.approx(0.7, abs=1e-3)
        assert np.sqrt(np.mean(wave**2)) > 0.03


def test_no_piece_is_silent_for_a_second_before_its_end(pieces) -> None:
    for _, title, wave in pieces:
        seconds = np.abs(wave).reshape(-1, RATE)[:-1]
        assert (seconds.max(axis=1) > 0.02).all(), title


@pytest.mark.parametrize("style", STYLES)
def test_the_same_seed_makes_the_same_piece(style: str) -> None:
    make, _ = STYLES[style]
    one, same, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
