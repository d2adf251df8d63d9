from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.atlas.colours import Entry, colour
from beetsplug.deejai.atlas.columns import Columns, group
from beetsplug.deejai.output.palette import DARK, LIGHT


def made(genres: list[str], years: list[int]) -> Columns:
    n = len(genres)
    return Columns(
        np.arange(n),
        ["t"] * n,
        [""] * n,
        ["p"] * n,
        group([f"artist {i % 3}" for i in range(n)]),
        group(genres),
        np.array(years),
    )


def test_the_ten_commonest_have_colours_and_all_are_counted() -> None:
    genres = [f"genre {i:02}" for i in range(12) for _ in range(20 - i)] + [""] * 7
    columns = made(genres, [0] * len(genres))
    colouring = colour(columns, "genre", LIGHT)
    names = [entry.name for entry in colouring.legend]
    assert names == [f"genre {i:02}" for i in range(10)] + ["2 others", "unknown"]
    assert [e.n_tracks for e in colouring.legend[-2:]] == [10 + 9, 7]
    assert sum(entry.n_tracks for entry in colouring.legend) == len(genres)
    assert colouring.colours == [*LIGHT.named, LIGHT.rest, LIGHT.rest]
    assert colouring.rows.tolist() == [*range(10), 10, 10, 11]
    rows = colouring.track_rows
    assert (rows < colouring.n_named).sum() == len(genres) - 19 - 7
    for entry in colouring.legend:
        assert (rows == entry.row).sum() == entry.n_tracks


def test_artists_have_colours_too() -> None:
    colouring = colour(made(["x"] * 6, [0] * 6), "artist", DARK)
    assert [entry.name for entry in colouring.legend] == [
        f"artist {i}" for i in range(3)
    ]


def test_years_go_from_the_first_to_the_last() -> None:
    columns = made(["x"] * 4, [1960, 0, 2000, 1980])
    colouring = colour(columns, "year", LIGHT)
    assert colouring.years == (1960, 2000)
    shown = [colouring.colours[row] for row in colouring.track_rows]
    middle = LIGHT.ramp[len(LIGHT.ramp) // 2]
    assert shown == [LIGHT.ramp[0], LIGHT.rest, LIGHT.ramp[-1], middle]
    assert colouring.legend == [Entry("unknown", 3, 1)]
    assert colouring.n_named == 3


@pytest.mark.parametrize("years", [[0, 0], [1999, 1999]])
def test_one_year_and_none_can_be_coloured(years: list[int]) -> None:
    colouring = colour(made(["", ""], years), "year", LIGHT)
    assert colouring.track_rows.tolist() == [0, 0]
    assert len(colouring.colours) == 1
    assert (colouring.years is None) == (years == [0, 0])
