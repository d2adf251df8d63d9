"""What is told of a model of genres."""

from __future__ import annotations

from typing import Any

from beetsplug.deejai.training.genres.card import (
    MAX_CONFUSIONS,
    card_text,
    confusion_lines,
    figure_lines,
)


def card(**more: Any) -> dict[str, Any]:
    return {
        "made": "2026-11-21 12:00",
        "version": "0.1.0",
        "method": "By ear.",
        "n_tracks": 30,
        "n_artists": 6,
        "genres": [
            {"name": "Rock | Roll", "tracks": 20, "artists": 4},
            {"name": "演歌\nx", "tracks": 10, "artists": 2},
        ],
        "min_tracks": 10,
        "merged": {"Bebop": "jazz", "Waltz": None},
        "split": "In two.",
        "measured": {
            "accuracy": 0.9,
            "macro_f1": 0.8,
            "calibration_error": 0.05,
            "calibration_error_uncalibrated": 0.1,
            "temperature": 0.5,
            "confusion": [[19, 1], [2, 8]],
        },
        "baselines": {"majority": {"accuracy": 0.67, "macro_f1": 0.4}, "mfcc": None},
        "limits": ["It is not you."],
        "details": {"seed": 0},
        **more,
    }


def test_the_card_tells_data_figures_confusions_and_limits() -> None:
    text = card_text(card())
    for part in (
        "| Rock \\| Roll | 20 | 4 |",
        "| 演歌 x | 10 | 2 |",
        "Bebop (jazz), Waltz (not learnt)",
        "this model                       0.900     0.800",
        "0.100 before, 0.050 after",
        "- It is not you.",
        "- seed: 0",
    ):
        assert part in text


def test_a_baseline_that_was_not_measured_is_not_mentioned() -> None:
    assert not any("MFCC" in line for line in figure_lines(card()))


def test_without_held_out_tracks_it_is_said_that_there_are_no_figures() -> None:
    text = card_text(card(measured=None, baselines=None))
    assert "no figures" in text
    assert "## Confusion" not in text


def test_of_many_genres_the_commonest_confusions_are_named() -> None:
    n = 30
    matrix = [[9 if row == column else 0 for column in range(n)] for row in range(n)]
    for row in range(n - 1):
        matrix[row][row + 1] = row
    genres = [f"genre {k}" for k in range(n)]
    lines = confusion_lines(genres, matrix)
    assert lines[1] == "    28  genre 28 as genre 29"
    assert len(lines) == 1 + MAX_CONFUSIONS
    assert len(confusion_lines(genres, matrix, is_whole=True)) == 1 + n
