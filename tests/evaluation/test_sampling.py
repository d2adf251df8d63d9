from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.evaluation.labels import Alike, Labels
from beetsplug.deejai.evaluation.sampling import choose_sample


def choose(
    n: int, artists: list[str], albums: list[str], **kwargs: object
) -> list[int]:
    rng = np.random.default_rng(kwargs.pop("seed", 0))
    rows = choose_sample(
        n, artists=Labels(artists), albums=Labels(albums), rng=rng, **kwargs
    )
    return rows.tolist()


def library(n_artists: int) -> tuple[list[str], list[str]]:
    """Make artists of two albums of ten tracks."""
    artists = [f"a{i // 20}" for i in range(20 * n_artists)]
    return artists, [f"{a}/{i % 2}" for i, a in enumerate(artists)]


@given(n_tracks=st.integers(1, 80), n=st.integers(1, 60), seed=st.integers(0, 1000))
def test_a_sample_is_as_large_as_wanted_and_repeatable(
    n_tracks: int, n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    artists = ["" if i == 0 else f"a{i}" for i in rng.integers(0, 30, n_tracks)]
    albums = ["" if i == 0 else f"b{i}" for i in rng.integers(0, 40, n_tracks)]
    rows = choose(n, artists, albums, seed=seed)
    assert rows == sorted(set(rows))
    assert len(rows) <= n
    assert n_tracks > n or rows == list(range(n_tracks))
    assert rows == choose(n, artists, albums, seed=seed)


def test_artists_come_with_neighbours_on_other_albums() -> None:
    artists, albums = library(100)
    rows = choose(100, artists, albums)
    assert len(rows) == 100
    chosen = [artists[row] for row in rows]
    assert max(Counter(chosen).values()) <= 10
    questions = Alike(Labels(chosen), apart=Labels([albums[row] for row in rows]))
    assert len(questions) >= 95


def test_whole_playlists_are_taken_first() -> None:
    artists, albums = library(50)
    playlists = [np.arange(0, 200, 20), np.arange(1, 601, 20), np.arange(200, 400, 20)]
    rows = choose(60, artists, albums, playlists=playlists)
    # The second alone is half of the sample; the others fit into that half together.
    whole = [set(playlist.tolist()) <= set(rows) for playlist in playlists]
    assert whole in ([True, False, True], [False, True, False])
    assert len(rows) == 60


def test_tracks_without_tags_are_taken_one_by_one() -> None:
    rows = choose(20, [""] * 100, [""] * 100)
    assert len(rows) == 20
