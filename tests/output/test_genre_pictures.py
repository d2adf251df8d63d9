from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from beetsplug.deejai.output.genre_pictures import (
    draw_confusion,
    draw_pie,
    draw_timeline,
)
from beetsplug.deejai.output.palette import LIGHT, rgb
from beetsplug.deejai.output.portions import colours_of, portions

NAMES = ["", "x" * 500, "a\nb\x00", "Ελληνικά", "日本の音楽", "🎵", "\ud800", "<b>&"]


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return image


def genres(n: int) -> list[str]:
    return [f"genre {number}" for number in range(n)]


def made(n_slices: int, n_genres: int) -> np.ndarray:
    odds = np.random.default_rng(0).random((n_slices, n_genres), dtype=np.float32)
    return odds / odds.sum(axis=1, keepdims=True)


def pie(shares: list[float], names: list[str], title: str = "t") -> Image.Image:
    return opened(draw_pie(portions(shares, names), title=title, caption="c"))


def timeline(probabilities: np.ndarray, names: list[str], **more: str) -> Image.Image:
    parts = portions(probabilities.mean(axis=0), names)
    texts = {"title": "t", "caption": "c", **more}
    return opened(draw_timeline(probabilities, parts, slice_s=5.0, **texts))


def counted(image: Image.Image) -> dict[object, int]:
    """Count the pixels of each colour in the drawing, without the legend."""
    drawing = image.crop((0, 0, image.width - 700, image.height))
    return {colour: count for count, colour in drawing.getcolors(1 << 24) or []}


def test_sectors_are_as_large_as_shares() -> None:
    shares = [0.5, 0.3, 0.2]
    counts = counted(pie(shares, genres(3)))
    colours = map(tuple, rgb(*colours_of(portions(shares, genres(3)))).tolist())
    areas = np.array([counts[colour] for colour in colours])
    np.testing.assert_allclose(areas / areas.sum(), shares, atol=0.01)


def test_the_largest_sector_begins_at_the_top_and_goes_clockwise() -> None:
    image = pie([0.4, 0.6], genres(2))
    largest = rgb(colours_of(portions([0.4, 0.6], genres(2)))[0])[0]
    ys, xs = np.nonzero((np.asarray(image)[:, :-700] == largest).all(axis=2))
    # Right of the middle, 60 % of the disc fills the half.
    middle = 60 + 980 / 2
    assert (xs > middle).mean() > 0.8
    assert ys.min() < 300


def test_a_track_of_one_genre_alone_is_a_whole_disc() -> None:
    image = pie([1.0, 0.0], ["Rock", "Jazz"])
    assert counted(image)[tuple(rgb(LIGHT.named[0])[0].tolist())] > 700_000


def test_a_part_of_nothing_leaves_no_line_in_the_disc() -> None:
    counts = counted(pie([0.9999, 0.0001], ["Rock", "Jazz"]))
    whole = counted(pie([1.0, 0.0], ["Rock", "Jazz"]))
    rock = tuple(rgb(LIGHT.named[0])[0].tolist())
    assert counts[rock] > counted(pie([0.8, 0.2], ["Rock", "Jazz"]))[rock]
    assert counts[rock] > 0.999 * whole[rock]


def test_cells_of_many_genres_are_large_enough_for_a_number() -> None:
    image = opened(draw_confusion(np.eye(120, dtype=int), genres(120)))
    assert 120 * 18 < image.width < 4000


@pytest.mark.parametrize("n", [1, 2, 30])
def test_any_number_of_genres_can_be_drawn(n: int) -> None:
    shares = made(1, n)[0].tolist()
    assert pie(shares, genres(n)).size == pie([1.0], ["a"]).size
    assert timeline(made(20, n), genres(n)).width > 2000
    confusion = opened(draw_confusion(np.eye(n, dtype=int) * 12345, genres(n)))
    assert confusion.width <= 1900


@pytest.mark.parametrize("name", NAMES)
def test_any_name_and_title_fits(name: str) -> None:
    ground = rgb(LIGHT.ground)[0]
    some = [name, "Jazz", "Rock"]
    for image in (
        pie([0.5, 0.3, 0.2], some, title=name * 9),
        timeline(made(9, 3), some, title=name * 9),
        opened(draw_confusion(np.arange(9).reshape(3, 3), some)),
    ):
        # Nothing runs over an edge.
        for edge in (
            np.asarray(image)[:, -30:],
            np.asarray(image)[:, :30],
            np.asarray(image)[:30],
            np.asarray(image)[-30:],
        ):
            assert np.all(edge == ground)


def test_over_time_each_genre_is_where_it_is_heard() -> None:
    probabilities = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0)
    image = timeline(probabilities, ["first", "second"])
    top, height = image.height - 60 - 90 - 800, 800
    left = 60 + 120
    colours = rgb(*LIGHT.named[:2]).tolist()
    for part, colour in ((0.2, colours[0]), (0.8, colours[1])):
        for level in (0.05, 0.5, 0.95):
            place = (left + int(1500 * part), top + int(height * level))
            assert list(image.getpixel(place)) == colour  # type: ignore[arg-type]


def test_areas_are_as_large_as_shares() -> None:
    probabilities = made(37, 3)
    parts = portions(probabilities.mean(axis=0), genres(3))
    counts = counted(timeline(probabilities, genres(3)))
    colours = map(tuple, rgb(*colours_of(parts)).tolist())
    areas = np.array([counts[colour] for colour in colours])
    np.testing.assert_allclose(
        areas / areas.sum(), [part.share for part in parts], atol=0.01
    )


@pytest.mark.parametrize("n_slices", [1, 2, 20_000])
def test_a_track_may_be_short_or_as_long_as_a_day(n_slices: int) -> None:
    timeline(made(n_slices, 4), genres(4))


def test_the_same_track_gives_the_same_picture() -> None:
    images = [timeline(made(9, 3), genres(3)).tobytes() for _ in range(2)]
    assert images[0] == images[1]


def test_cells_are_darker_the_larger_their_part_of_the_row() -> None:
    matrix = np.array([[90, 10], [0, 0]])
    image = opened(draw_confusion(matrix, ["a", "b"]))
    colours = {colour for _, colour in image.getcolors(1 << 24) or []}
    full, ground = rgb(LIGHT.named[0], LIGHT.ground).astype(float)
    for part in (0.9, 0.1):
        mixed = tuple(np.rint(ground + part * (full - ground)).astype(int).tolist())
        assert mixed in colours
    assert tuple(full.astype(int).tolist()) not in colours
