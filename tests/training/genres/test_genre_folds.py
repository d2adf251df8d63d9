"""Which tracks measure a classifier of genres."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.training.genres.folds import draw_folds, draw_held_out
from beetsplug.deejai.training.genres.labels import GenreLabels, label_tracks
from beetsplug.deejai.training.tags import TaggedTrack


def labels_of(artists: list[list[int]]) -> GenreLabels:
    """Make genres of so many tracks by each artist; no artist is in two of them."""
    names = [
        (genre, f"{genre} {artist}")
        for genre, counts in enumerate(artists)
        for artist, n in enumerate(counts)
        for _ in range(n)
    ]
    tracks = [
        TaggedTrack(k, f"/{k}", "", artist, (artist,), (f"genre {genre}",), None)
        for k, (genre, artist) in enumerate(names)
    ]
    return label_tracks(tracks, parents={}, min_tracks=2)


COUNTS = st.lists(
    st.lists(st.integers(1, 12), min_size=2, max_size=6), min_size=2, max_size=4
)


@given(COUNTS, st.integers(0, 2**32 - 1))
def test_no_artist_is_learnt_from_and_held_out(
    artists: list[list[int]], seed: int
) -> None:
    labels = labels_of(artists)
    for parts in (
        draw_folds(labels, seed=seed),
        draw_held_out(labels, share=0.2, seed=seed),
    ):
        for artist in set(labels.groups):
            own = [group == artist for group in labels.groups]
            assert len(set(parts[own].tolist())) == 1


def test_something_of_every_genre_is_held_out_and_something_is_learnt_from() -> None:
    labels = labels_of([[9, 9, 2, 2], [12, 3], [4, 4, 4]])
    chosen = draw_held_out(labels, share=0.25, seed=0)
    assert (labels.targets[chosen].sum(axis=0) > 0).all()
    assert (labels.targets[~chosen].sum(axis=0) > 0).all()


def test_two_artists_of_a_genre_are_not_held_out_at_once() -> None:
    labels = labels_of([[5, 5], [6, 6], [2, 2, 2, 2, 2]])
    folds = draw_folds(labels, seed=1)
    for number in np.unique(folds):
        assert (labels.targets[folds != number].sum(axis=0) > 0).all()


def test_the_same_seed_holds_out_the_same_tracks() -> None:
    labels = labels_of([[3] * 8, [2] * 9])
    first, again = (draw_held_out(labels, share=0.2, seed=7) for _ in range(2))
    assert np.array_equal(first, again)


def test_no_share_holds_out_nothing() -> None:
    assert not draw_held_out(labels_of([[3, 3], [4, 4]]), share=0, seed=0).any()
