from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from beetsplug.deejai.atlas.colours import LIGHT, Colouring, Entry, rgb
from beetsplug.deejai.atlas.picture import HEIGHT, WIDTH, Way, draw_map

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
