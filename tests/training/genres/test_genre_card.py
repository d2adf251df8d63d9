"""What is told of a model of genres."""

from __future__ import annotations

import pytest
from made_genres import made_card

from beetsplug.deejai.training.genres.card import (
    MAX_CONFUSIONS,
    card_text,
    confusion_lines,
    figure_lines,
)


def test_the_card_tells_data_figures_confusions_and_limits() -> None:
    text = card_text(made_card())
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


def test_columns_stay_in_line_under_wide_characters() -> None:
    first, *lines = confusion_lines(["日本のロック", "Waltz"], [[19, 1], [2, 8]])
    assert lines == ["  1 日本のロック    19   1", "  2 Waltz            2   8"]
    assert first.endswith(":   1   2")


def test_one_track_by_one_artist_is_no_plural() -> None:
    assert "1 track by 1 artist." in card_text(made_card(n_tracks=1, n_artists=1))


def test_a_baseline_that_was_not_measured_is_not_mentioned() -> None:
    assert not any("MFCC" in line for line in figure_lines(made_card()))


def test_without_held_out_tracks_it_is_said_that_there_are_no_figures() -> None:
    text = card_text(made_card(measured=None, baselines=None))
    assert "no figures" in text
    assert "## Confusion" not in text


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({}, {"after temperature"}),
        ({"n_tracks": 29, "temperature": 1}, {"only 29 tracks", "want of tracks"}),
        ({"temperature": 1}, {"none was seen to help"}),
        ({"accuracy": 0.67}, {"after temperature", "always saying Rock | Roll:"}),
    ],
)
def test_figures_that_say_little_are_told_on_the_terminal_and_on_the_card(
    figures: dict[str, float], told: set[str]
) -> None:
    card = made_card()
    card["measured"] |= figures
    text = "\n".join(figure_lines(card))
    assert text in card_text(card)
    assert {one for one in TOLD if one in text} == told


def test_that_one_genre_alone_was_measured_is_not_taken_for_a_weak_model() -> None:
    card = made_card()
    card["measured"]["accuracy"] = card["baselines"]["majority"]["accuracy"] = 1.0
    text = "\n".join(figure_lines(card))
    assert "of no other genre than Rock | Roll" in text
    assert "no better" not in text


TOLD = {
    "after temperature",
    "always saying Rock | Roll:",
    "none was seen to help",
    "only 29 tracks",
    "want of tracks",
}


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
