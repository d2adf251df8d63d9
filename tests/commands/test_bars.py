"""What a track is made of, as text on a terminal."""

from __future__ import annotations

import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.commands.bars import bars, runs
from beetsplug.deejai.output.portions import Portion


def part(name: str, share: float) -> Portion:
    return Portion(name, share, (0,))


def columns(line: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in line)
    thin = sum(bool(unicodedata.combining(char)) for char in line)
    return len(line) + wide - thin


def test_bars_are_as_long_as_shares() -> None:
    parts = [part("Metal", 0.5), part("Dub", 0.25), part("x", 0)]
    first, second, third = bars(parts, width=80)
    assert first.startswith("  Metal   50 %  █")
    assert second.startswith("  Dub     25 %  █")
    assert third == "  x        0 %"
    assert first.count("█") // 2 == second.count("█") > 10


def test_the_bar_of_a_whole_track_fills_the_line() -> None:
    (line,) = bars([part("Metal", 1)], width=80)
    assert len(line) == 79


@given(
    names=st.lists(st.text(max_size=60), min_size=1, max_size=5),
    width=st.integers(11, 200),
)
def test_no_line_is_wider_than_the_terminal(names: list[str], width: int) -> None:
    share = 1 / len(names)
    shares = np.full((7, len(names)), share)
    lines = [
        *bars([part(name, share) for name in names], width=width),
        *runs(shares, names, slice_s=5.0, width=width),
    ]
    for line in lines:
        assert columns(line) < width
        assert "\n" not in line


def test_names_give_way_to_a_short_bar_and_then_the_bar_to_names() -> None:
    parts = [part("Drum and bass", 0.6), part("Progressive metal", 0.4)]
    assert [line[:12] for line in bars(parts, width=30)] == [
        "  Drum an...",
        "  Progres...",
    ]
    assert "█" in next(bars(parts, width=30))
    assert list(bars(parts, width=28)) == [
        "  Drum and bass       60 %",
        "  Progressive metal   40 %",
    ]
    assert list(bars(parts, width=20)) == ["  Drum an...   60 %", "  Progres...   40 %"]
    # Short names leave room for a bar.
    assert "█" in next(bars([part("Dub", 1)], width=24))


def test_on_a_narrow_terminal_a_run_has_its_beginning_and_genre() -> None:
    shares = np.array([[0.8, 0.2], [0.1, 0.9]])
    assert list(runs(shares, ["Metal", "Drum and bass"], slice_s=30.0, width=20)) == [
        "  0:00  Metal",
        "  0:30  Drum and...",
    ]


def test_even_in_the_narrowest_window_shares_are_told() -> None:
    (line,) = bars([part("Drum and bass", 1)], width=1)
    assert "100 %" in line


def test_runs_go_from_the_beginning_to_the_end() -> None:
    shares = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9], [0.7, 0.3]])
    assert list(runs(shares, ["Metal", "Dub"], slice_s=30.0, width=80)) == [
        "  0:00 - 1:00   70 %  Metal",
        "  1:00 - 1:30   90 %  Dub",
        "  1:30 - 2:00   70 %  Metal",
    ]
