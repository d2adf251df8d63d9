from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_sounds import PNG
from PIL import Image

from beetsplug.deejai.output.mixing.describe import describe
from beetsplug.deejai.output.mixing.model import MixResult, MixTrack, Placed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LEVELS = [0.1, 0.2, 0.1]


def result(
    *names: tuple[str, str],
    starts_s: Sequence[float] = (0.0, 200.4, 3700.0),
    duration_s: float = 4000.0,
    passages_s: tuple[float, ...] = (),
    art_path: str | None = None,
) -> MixResult:
    """Make what becomes of tracks of these artists and titles."""
    placed = tuple(
        Placed(
            number,
            MixTrack(f"/nowhere/{number}.mp3", title, artist, art_path=art_path),
            start_s,
            start_s + 210,
        )
        for number, ((artist, title), start_s) in enumerate(
            zip(names, starts_s, strict=False)
        )
    )
    return MixResult("The Mix", duration_s, placed, passages_s, (), ())


SET = (("Ann", "One"), ("Bob", "Two"), ("", "Three"))


@pytest.mark.parametrize(
    ("artists", "artist"),
    [
        (["Ann"], "Ann"),
        (["Ann", "Ann", "Ann"], "Ann"),
        (["Ann", "Bob", "Ann"], "Various Artists"),
        (["Ann", "Ann", ""], "Various Artists"),
        # Nothing is better than a name that nobody has.
        (["", "", ""], ""),
    ],
)
def test_the_artist_is_that_of_all_or_various(artists: list[str], artist: str) -> None:
    mix = result(*((one, "Title") for one in artists))
    assert describe(mix, LEVELS).artist == artist


def test_the_title_and_the_day_are_those_of_the_mix() -> None:
    before = datetime.date.today()
    tags = describe(result(*SET), LEVELS)
    assert tags.title == "The Mix"
    day = datetime.date.fromisoformat(tags.date)
    assert before <= day <= datetime.date.today()


def test_the_comment_is_the_tracklist_with_times() -> None:
    assert describe(result(*SET), LEVELS).comment == (
        "0:00 Ann - One\n3:20 Bob - Two\n1:01:40 Three"
    )


def test_chapters_follow_each_other_from_the_start_to_the_end() -> None:
    chapters = result(*SET).chapters
    assert [(each.start_s, each.end_s, each.title) for each in chapters] == [
        (0, 200.4, "Ann - One"),
        (200.4, 3700, "Bob - Two"),
        (3700, 4000, "Three"),
    ]


def test_the_chapters_of_a_preview_are_the_ways_from_track_to_track() -> None:
    mix = result(*SET, duration_s=44, passages_s=(0.0, 22.0))
    chapters = mix.chapters
    assert [(each.start_s, each.end_s, each.title) for each in chapters] == [
        (0, 22, "Ann - One -> Bob - Two"),
        (22, 44, "Bob - Two -> Three"),
    ]
    assert describe(mix, LEVELS).comment == (
        "0:00 Ann - One -> Bob - Two\n0:22 Bob - Two -> Three"
    )


@given(st.lists(st.floats(0.001, 36_000), min_size=1, max_size=20))
def test_chapters_have_no_gaps(lengths_s: list[float]) -> None:
    starts_s = [sum(lengths_s[:number]) for number in range(len(lengths_s))]
    names = [("A", str(number)) for number in range(len(lengths_s))]
    mix = result(*names, starts_s=starts_s, duration_s=sum(lengths_s))
    chapters = mix.chapters
    assert [each.start_s for each in chapters] == starts_s
    assert [each.end_s for each in chapters] == [*starts_s[1:], mix.duration_s]
    assert all(each.end_ms > each.start_ms for each in chapters)


def test_the_cover_is_the_first_tracks_art_or_a_drawn_one(tmp_path: Path) -> None:
    art = tmp_path / "cover.png"
    art.write_bytes(PNG)
    assert describe(result(*SET, art_path=str(art)), LEVELS).cover == PNG
    drawn = describe(result(*SET), LEVELS).cover
    assert drawn is not None
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.width == image.height > 100


def test_a_mix_of_no_sound_to_speak_of_has_a_cover() -> None:
    tags = describe(result(SET[0], duration_s=1 / 44_100), [1e-9])
    assert tags.cover
