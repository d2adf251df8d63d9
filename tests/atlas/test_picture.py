from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from beetsplug.deejai.atlas.colours import Colouring, Entry
from beetsplug.deejai.atlas.picture import HEIGHT, WIDTH, Way, draw_map
from beetsplug.deejai.atlas.regions import Region
from beetsplug.deejai.evaluation.overrepresented import Excess, Tag
from beetsplug.deejai.output.palette import LIGHT, rgb

RED = (200, 0, 0)
RED_HEX = "#c80000"


def one_colour(n: int, *names: str) -> Colouring:
    legend = [Entry(name, 0, n) for name in names or ["a"]]
    return Colouring(
        np.zeros(n, dtype=int), np.zeros(1, dtype=int), [RED_HEX], 1, legend
    )


def draw(positions: np.ndarray, colouring: Colouring, **options: object) -> Image.Image:
    png = draw_map(positions, colouring, **{"title": "t", "by": "genre", **options})  # type: ignore[arg-type]
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return image


def made(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 2), dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_every_point_is_where_it_belongs(n: int) -> None:
    positions = made(n)
    image = draw(positions, one_colour(n))
    assert image.size == (WIDTH, HEIGHT)
    extent = (positions.max(axis=0) - positions.min(axis=0)).max() or 1
    middle = (positions.max(axis=0) + positions.min(axis=0)) / 2
    side = HEIGHT - 140
    for x, y in (positions - middle) / extent * side + HEIGHT / 2:
        assert image.getpixel((int(x), int(y))) == RED


def test_edges_are_smooth() -> None:
    middle = slice(HEIGHT // 2 - 20, HEIGHT // 2 + 20)
    image = np.asarray(draw(made(1), one_colour(1)))[middle, middle]
    shades = np.unique(image.reshape(-1, 3), axis=0)
    assert len(shades) > 4


def test_the_same_map_gives_the_same_picture() -> None:
    images = [draw(made(50), one_colour(50)).tobytes() for _ in range(2)]
    assert images[0] == images[1]


@pytest.mark.parametrize(
    "name",
    ["", "x" * 500, "a\nb\x00", "Ελληνικά", "日本の音楽", "🎵", "\ud800", "<b>&"],
)
def test_any_name_fits_into_the_legend(name: str) -> None:
    image = np.asarray(draw(made(5), one_colour(5, name), title=name))
    # Nothing runs over the edge.
    assert np.all(image[:, -40:] == rgb(LIGHT.ground)[0])


def test_years_are_drawn_as_a_ramp() -> None:
    colouring = replace(one_colour(3), legend=[], years=(1960, 2020))
    image = draw(made(3), colouring)
    colours = image.crop((HEIGHT, 0, WIDTH, HEIGHT)).getcolors(WIDTH * HEIGHT)
    shown = {colour for _, colour in colours or []}
    assert {tuple(c) for c in rgb(LIGHT.ramp[0], LIGHT.ramp[-1]).tolist()} <= shown


def test_a_way_is_drawn_over_the_points() -> None:
    positions = np.array([[0, 0.5], [1, 0.5]], dtype=np.float32)
    way = Way([0, 1], ("first", "last"))
    image = draw(positions, one_colour(2), way=way)
    assert image.getpixel((HEIGHT // 2, HEIGHT // 2)) == tuple(rgb(LIGHT.text)[0])
    assert draw(positions, one_colour(2), way=Way([0], ("a", "a")))


def region(name: str, x: float, y: float, n: int = 1) -> Region:
    excess = Excess(Tag("genre", name), n, n, n, 9, 0.01)
    return Region(np.arange(n), x, y, excess)


def inked(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Count the pixels in the colour of letters."""
    part = np.asarray(image.crop(box))
    return int(np.all(part == rgb(LIGHT.text)[0], axis=-1).sum())


TOP_LEFT = (0, 0, HEIGHT // 2, HEIGHT // 2)
BOTTOM_RIGHT = (HEIGHT // 2, HEIGHT // 2, HEIGHT, HEIGHT)
DIAGONAL = np.array([[0, 0], [1, 1]], dtype=np.float32)


def test_names_of_regions_are_written_where_they_lie() -> None:
    image = draw(DIAGONAL, one_colour(2), regions=[region("Jazz", 0, 0)])
    assert inked(image, TOP_LEFT) > 200
    assert not inked(image, BOTTOM_RIGHT)
    # All of it, at the edge of the map.
    assert not inked(image, (0, 0, 4, HEIGHT))


def test_a_name_that_finds_no_room_is_left_out() -> None:
    first, far = region("Jazz", 0, 0, 4), region("Rock", 1, 1, 2)
    alone = draw(DIAGONAL, one_colour(2), regions=[first, far])
    crowded = draw(
        DIAGONAL, one_colour(2), regions=[first, far, region("Blues", 0.01, 0.01)]
    )
    assert crowded.tobytes() == alone.tobytes()


@pytest.mark.parametrize("name", ["日本の音楽", "🎵", "\ud800", "x" * 500, "<b>&"])
def test_any_name_can_be_written_on_the_map(name: str) -> None:
    image = draw(DIAGONAL, one_colour(2), regions=[region(name, 0.5, 0.5)])
    assert inked(image, (0, 0, HEIGHT, HEIGHT))


def test_what_the_map_is_worth_stands_below_the_legend() -> None:
    bare = draw(made(5), one_colour(5))
    told = draw(made(5), one_colour(5), caption="Trustworthiness 0.93, and more. " * 9)
    legend = (HEIGHT, 0, WIDTH, HEIGHT)
    assert told.crop(legend).tobytes() != bare.crop(legend).tobytes()
    assert np.all(np.asarray(told)[:, -40:] == rgb(LIGHT.ground)[0])
