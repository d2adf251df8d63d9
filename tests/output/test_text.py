from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.output.text import one_line, some_lines

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=400)


@given(ANY_TEXT, st.integers(8, 300))
def test_a_name_is_one_line_of_clean_text_that_is_short_enough(
    text: str, max_bytes: int
) -> None:
    line = one_line(text, max_bytes=max_bytes)
    assert len(line.encode()) <= max_bytes
    assert len(line.splitlines()) <= 1
    assert "\0" not in line
    assert line == " ".join(line.split())


@given(ANY_TEXT)
def test_several_lines_stay_several(text: str) -> None:
    lines = some_lines(text + "\r\nend", max_bytes=4000)
    assert len(lines.encode()) <= 4000
    assert lines.endswith("\nend")
    assert not set(lines) & {"\0", "\r", "\x1b", "\u2028"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Für Elise", "Für Elise"),
        ("  two \t words\r\n", "two words"),
        ("a\0b\udce9c", "a b?c"),
        ("", ""),
        ("x" * 10_000_000, "x" * 252 + "…"),
        ("é" * 200, "é" * 126 + "…"),
    ],
)
def test_names_by_example(text: str, line: str) -> None:
    assert one_line(text) == line
