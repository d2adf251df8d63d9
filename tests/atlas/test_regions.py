from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beetsplug.deejai.atlas.regions import LONGEST, MOST, Region, find_regions
from beetsplug.deejai.evaluation.overrepresented import Tag

N = 40
CORNERS = [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)]


def clouds(*centres: tuple[float, float], spread: float = 0.03) -> np.ndarray:
    rng = np.random.default_rng(0)
    middles = np.repeat(np.array(centres), N, axis=0)
    return (middles + rng.normal(0, spread, middles.shape)).astype(np.float32)


def genre(value: str) -> tuple[Tag, ...]:
    return (Tag("genre", value),)


def named(regions: list[Region]) -> dict[str, Region]:
    assert len({region.name for region in regions}) == len(regions)
    return {region.name: region for region in regions}


def test_clouds_are_called_by_their_genres() -> None:
    positions = clouds(*CORNERS)
    genres = ["Jazz", "Rock", "Techno", "Baroque"]
    tags = [genre(name) for name in genres for _ in range(N)]
    # Nobody's tags are perfect.
    for row in range(0, len(tags), 9):
        tags[row] = genre("Rock")
    regions = named(find_regions(positions, tags))
    assert set(regions) == set(genres)
    for place, name in enumerate(genres):
        region = regions[name]
        inside = set(range(N * place, N * place + N))
        assert set(region.rows.tolist()) <= inside
        assert len(region.rows) > 0.6 * N
        assert np.hypot(*(np.array([region.x, region.y]) - CORNERS[place])) < 0.08


def test_the_name_stands_on_a_track_that_has_the_tag() -> None:
    positions = clouds(*CORNERS[:2])
    tags = [genre("Jazz")] * 25 + [()] * (N - 25) + [genre("Rock")] * N
    jazz = named(find_regions(positions, tags))["Jazz"]
    assert [jazz.x, jazz.y] in positions[:25].tolist()


def test_why_it_is_called_so_is_told_in_numbers() -> None:
    positions = clouds((0.1, 0.5), (0.9, 0.5), spread=0.01)
    tags = [genre("Ambient")] * N + [genre("Rock")] * (N - 6) + [genre("Ambient")] * 6
    ambient = named(find_regions(positions, tags))["Ambient"]
    assert ambient.evidence == "genre of 40 of 40 tracks here, of 6 of 40 elsewhere"
    only_here = replace(ambient.excess, n_tagged=40)
    evidence = replace(ambient, excess=only_here).evidence
    assert evidence == "genre of 40 of 40 tracks here, of none elsewhere"


def test_a_genre_goes_before_a_decade_and_a_decade_before_an_artist() -> None:
    positions = clouds(*CORNERS)
    tags: list[tuple[Tag, ...]] = []
    for place in range(4):
        told: tuple[Tag, ...] = (Tag("artist", f"artist {place}"),)
        told += (Tag("decade", f"19{place}0s"),) if place > 0 else ()
        told += (Tag("mood", f"mood {place}"),) if place > 1 else ()
        tags += [told] * N
    names = set(named(find_regions(positions, tags)))
    assert names == {"artist 0", "1910s", "mood 2", "mood 3"}


def test_a_genre_that_all_have_names_nothing() -> None:
    positions = clouds(*CORNERS)
    assert find_regions(positions, [genre("Rock")] * len(positions)) == []


def test_a_genre_that_most_have_can_name_where_all_have_it() -> None:
    positions = np.concatenate([clouds(*CORNERS[:2])] * 5)
    tags = [genre("Rock")] * N + [genre(("Rock", "Jazz")[i % 2]) for i in range(N)]
    tags *= 5
    names = [region.name for region in find_regions(positions, tags)]
    assert set(names) == {"Rock", "Jazz"}
    assert names.count("Rock") == 1


def test_tags_scattered_by_lot_name_nothing() -> None:
    rng = np.random.default_rng(3)
    positions = rng.random((600, 2), dtype=np.float32)
    tags = [genre(f"genre {rng.integers(12)}") for _ in positions]
    assert len(find_regions(positions, tags)) <= 1


def test_hills_that_are_joined_and_called_the_same_are_one_region() -> None:
    left = clouds((0.1, 0.5), (0.2, 0.5), (0.3, 0.5), (0.4, 0.5), spread=0.02)
    positions = np.concatenate([left, clouds((0.9, 0.5))])
    tags = [genre("Jazz")] * (4 * N) + [genre("Rock")] * N
    regions = named(find_regions(positions, tags))
    # A straggler may be on a hill of its own.
    assert len(regions["Jazz"].rows) >= 4 * N - 3


def test_hills_joined_by_a_tag_are_not_called_by_what_no_hill_could_be() -> None:
    left = clouds((0.1, 0.5), (0.2, 0.5), (0.3, 0.5), (0.4, 0.5), spread=0.02)
    positions = np.concatenate([left, clouds((0.9, 0.5))])
    # On each hill by itself so few could be chance; on all together they are not.
    fifties = [genre("Bebop") if row % 3 == 0 else () for row in range(4 * N)]
    tags = [(*told, Tag("decade", "1950s")) for told in fifties] + [()] * N
    assert set(named(find_regions(positions, tags))) == {"1950s"}


def test_islands_of_one_genre_are_told_apart_where_tags_can() -> None:
    positions = clouds(*CORNERS)
    tags = [genre("Jazz")] * (2 * N) + [genre("Rock")] * (2 * N)
    tags = [
        (*told, Tag("style", ("Bebop", "Fusion")[row // N]))
        if row < 2 * N and row % 5
        else told
        for row, told in enumerate(tags)
    ]
    names = [region.name for region in find_regions(positions, tags)]
    assert len(names) == len(set(names)) or names.count("Rock") == 2
    assert names.count("Jazz") <= 1
    assert {"Bebop", "Fusion"} & set(names)


def test_no_track_is_in_two_regions_and_there_are_not_too_many() -> None:
    rng = np.random.default_rng(0)
    positions = rng.random((6000, 2), dtype=np.float32)
    tags = [genre(f"{x:.1f} {y:.1f}") for x, y in positions.tolist()]
    regions = find_regions(positions, tags)
    assert 10 <= len(regions) <= MOST
    rows = np.concatenate([region.rows for region in regions])
    assert len(rows) == len(set(rows.tolist()))
    sizes = [len(region.rows) for region in regions]
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_map_has_the_same_regions() -> None:
    rng = np.random.default_rng(0)
    positions = rng.random((400, 2), dtype=np.float32)
    tags = [genre(f"{x:.0f} {y:.0f}") for x, y in positions.tolist()]
    first, again = find_regions(positions, tags), find_regions(positions, tags)
    assert [region.name for region in first] == [region.name for region in again]
    assert [region.rows.tolist() for region in first] == [
        region.rows.tolist() for region in again
    ]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_a_few_tracks_have_no_regions(n: int) -> None:
    positions = np.random.default_rng(0).random((n, 2), dtype=np.float32)
    assert find_regions(positions, [genre(str(i)) for i in range(n)]) == []


def test_tracks_without_tags_or_on_one_spot_have_none() -> None:
    positions = clouds(*CORNERS)
    assert find_regions(positions, [()] * len(positions)) == []
    tags = [genre(("Jazz", "Rock")[i % 2]) for i in range(len(positions))]
    assert find_regions(np.full_like(positions, 0.5), tags) == []


@pytest.mark.parametrize(
    "value", ["日本の音楽", "Ελληνικά", "<b>&", "</script>", "🎵", "x" * 500, "\ud800"]
)
def test_any_value_can_be_a_name_and_none_is_too_long(value: str) -> None:
    positions = clouds(*CORNERS[:2])
    tags = [genre(value)] * N + [genre("Rock")] * N
    names = {region.name for region in find_regions(positions, tags)}
    other = (names - {"Rock"}).pop()
    assert other == value if len(value) <= LONGEST else other == "x" * 31 + "…"


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 80), st.integers(0, 1000), st.integers(1, 6))
def test_whatever_is_tagged_names_stand_inside(n: int, seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.random((n, 2), dtype=np.float32)
    tags = [genre(str(int(x * k))) for x, _ in positions.tolist()]
    for region in find_regions(positions, tags):
        assert [region.x, region.y] in positions[region.rows].tolist()


def test_100_000_tracks_take_seconds() -> None:
    """A floor for a busy machine; it takes about three."""
    rng = np.random.default_rng(0)
    positions = rng.random((100_000, 2), dtype=np.float32)
    tags = [
        (*genre(f"{x:.1f} {y:.1f}"), Tag("artist", str(row // 10)))
        for row, (x, y) in enumerate(positions.tolist())
    ]
    began = time.monotonic()
    assert find_regions(positions, tags)
    assert time.monotonic() - began < 60
