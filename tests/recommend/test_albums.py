from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from made_libraries import MadeLibrary, made_libraries, made_library

from beetsplug.deejai.recommend.albums import album_index, nearest_albums
from beetsplug.deejai.recommend.index import Index
from beetsplug.deejai.vectors import unit


def everything(n: int) -> np.ndarray:
    return np.ones(n, dtype=bool)


@given(library=made_libraries(), n=st.integers(0, 60))
def test_albums_are_means_of_what_counts_nearest_first(
    library: MadeLibrary, n: int
) -> None:
    index, catalogue = library.index, library.catalogue
    albums = album_index(index, albums=catalogue.albums, counted=catalogue.allowed)
    expected = set(catalogue.albums[catalogue.allowed].tolist()) - {-1}
    assert albums.ids.tolist() == sorted(expected)
    for album, vector in zip(albums.ids, albums.vectors, strict=True):
        rows = (catalogue.albums == album) & catalogue.allowed
        mean = unit(index.vectors[rows].mean(axis=0))
        np.testing.assert_allclose(vector, mean, atol=1e-5)
    excluded = {0, 1, 99_999}
    picks = nearest_albums(albums, index.vectors[0], excluded=excluded, n=n)
    assert len(picks) == min(n, len(expected - excluded))
    assert not {int(albums.ids[pick.row]) for pick in picks} & excluded
    found = [pick.similarity for pick in picks]
    assert found == sorted(found, reverse=True)


def test_a_long_track_counts_as_a_short_one_and_lengths_of_vectors_not_at_all() -> None:
    index = Index(np.arange(3), np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32))
    albums = album_index(index, albums=np.array([7, 7, 8]), counted=everything(3))
    assert albums.ids.tolist() == [7, 8]
    np.testing.assert_allclose(albums.vectors, [[0.5**0.5, 0.5**0.5], [0, 1]])


def test_an_album_whose_tracks_cancel_out_is_similar_to_nothing() -> None:
    index = Index(np.arange(2), np.array([[1, 0], [-1, 0]], dtype=np.float32))
    albums = album_index(index, albums=np.array([7, 7]), counted=everything(2))
    query = np.array([1, 0], dtype=np.float32)
    assert nearest_albums(albums, query, excluded=(), n=1)[0].similarity == 0


def test_no_albums_are_no_error() -> None:
    index = made_library(3).index
    albums = album_index(index, albums=np.full(3, -1), counted=everything(3))
    assert nearest_albums(albums, index.vectors[0], excluded=(), n=5) == []
