"""Which genres are learnt, and which tracks as which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.genre_model import OTHER
from beetsplug.deejai.training.genres.folds import draw_folds
from beetsplug.deejai.training.genres.labels import (
    GenreLabels,
    genre_key,
    label_tracks,
    read_tree,
)
from beetsplug.deejai.training.tags import TaggedTrack

TREE = {"death metal": "metal", "thrash metal": "metal", "metal": "rock", "bop": "jazz"}


def track(number: int, *genres: str, artist: str = "") -> TaggedTrack:
    artist = artist or f"artist {number}"
    path = f"/music/{number}.mp3"
    return TaggedTrack(number, path, f"track {number}", artist, (artist,), genres, None)


def tracks(**counts: int) -> list[TaggedTrack]:
    """Make tracks of genres by name, each by an artist of its own."""
    names = [name for name, n in counts.items() for _ in range(n)]
    return [track(number, name) for number, name in enumerate(names)]


def labels_of(some: list[TaggedTrack], min_tracks: int = 3) -> GenreLabels:
    return label_tracks(some, parents=TREE, min_tracks=min_tracks)


def test_genres_are_one_however_spelt_and_the_commonest_spelling_is_shown() -> None:
    some = [
        track(k, name)
        for k, name in enumerate(
            ["Hip-Hop", "Hip-Hop", "hip hop", "HIP_HOP", "Jazz", "jazz", "Jazz"]
        )
    ]
    labels = labels_of(some)
    assert labels.genres == ("Hip-Hop", "Jazz")
    assert labels.targets.sum(axis=0).tolist() == [4, 3]


def test_a_track_of_several_genres_is_a_share_of_each() -> None:
    labels = labels_of([*tracks(Rock=3, Jazz=3), track(9, "Rock", "jazz")])
    assert labels.targets[-1].tolist() == [0.5, 0.5]
    assert (labels.targets.sum(axis=1) == 1).all()


def test_rare_genres_count_as_their_nearest_ancestor_that_is_common_enough() -> None:
    some = tracks(**{"Death Metal": 2, "Thrash Metal": 1, "Bop": 1, "Jazz": 3})
    labels = labels_of(some)
    assert labels.genres == ("Jazz", "metal")
    assert labels.targets.sum(axis=0).tolist() == [4, 3]
    assert labels.merged == {
        "Bop": "Jazz",
        "Death Metal": "metal",
        "Thrash Metal": "metal",
    }


def test_what_is_rare_and_has_no_ancestor_becomes_other_at_the_end() -> None:
    labels = labels_of(tracks(Rock=4, Jazz=3, Polka=2, Yodel=3, Waltz=2))
    assert labels.genres == ("Rock", "Jazz", "Yodel", OTHER)
    assert labels.targets[:, 3].sum() == 4


def test_a_track_that_has_a_common_genre_too_is_not_other() -> None:
    some = [*tracks(Rock=4, Jazz=3, Polka=3), track(20, "Rock", "Waltz")]
    labels = label_tracks(some, parents={}, min_tracks=3)
    assert OTHER not in labels.genres
    assert labels.targets[-1, 0] == 1
    assert labels.merged == {"Waltz": None}


def test_a_genre_of_one_track_is_left_out_when_nothing_else_is_rare() -> None:
    labels = labels_of(tracks(Rock=4, Jazz=3, Polka=1))
    assert labels.genres == ("Rock", "Jazz")
    assert len(labels.tracks) == 7


def test_a_genre_by_one_artist_is_rare_where_others_are_not() -> None:
    lone = [track(50 + k, "Polka", artist="one") for k in range(5)]
    labels = labels_of([*tracks(Rock=4, Jazz=3), *lone])
    assert labels.genres == ("Rock", "Jazz")
    assert labels.by_artist


def test_genres_by_one_artist_each_are_learnt_where_there_are_no_others() -> None:
    some = [track(k, "Rock" if k % 2 else "Jazz", artist="x") for k in range(8)]
    labels = labels_of(some)
    assert labels.genres == ("Jazz", "Rock")
    assert not labels.by_artist
    assert set(draw_folds(labels, seed=0)) == {0, 1, 2, 3}


def test_tags_in_other_scripts_are_genres_like_all_others() -> None:
    labels = labels_of(tracks(演歌=3, Шансон=3, ШАНСОН=1, موسيقى=3))
    assert labels.genres == ("Шансон", "موسيقى", "演歌")


def test_tracks_without_a_genre_are_not_learnt_from() -> None:
    labels = labels_of([*tracks(Rock=3, Jazz=3), track(9), track(10, "  ")])
    assert len(labels.tracks) == 6


@pytest.mark.parametrize(
    ("some", "message"),
    [
        ([track(1), track(2)], "none of 2 tracks has a genre"),
        (tracks(Rock=9), "Rock is the only genre, of 9 tracks"),
        (tracks(Rock=1, Jazz=1, Polka=1), "no two genres have 3 tracks"),
        (tracks(Rock=9, Jazz=1), "tag or add more music$"),
        (tracks(Rock=9, Jazz=2), "or lower --min-tracks$"),
        (tracks(Rock=2, Jazz=1, Polka=1), "or lower --min-tracks$"),
        (tracks(**{"Ro\x1b[31mck\n": 9, "Jazz": 1}), r"Ro \[31mck \(9\), Jazz"),
    ],
)
def test_too_little_to_learn_from_is_said_with_the_remedy(
    some: list[TaggedTrack], message: str
) -> None:
    with pytest.raises(FatalError, match=message) as caught:
        labels_of(some)
    assert "\n" not in str(caught.value)


def test_the_tree_of_lastgenre_leads_from_a_genre_to_its_family() -> None:
    parents = read_tree()
    assert parents is not None
    assert parents[genre_key("Deep House")] == "house"
    key = "deep house"
    while key in parents:
        key = parents[key]
    assert key == "electronic"


GENRES = st.sampled_from(
    ["Death Metal", "Metal", "Bop", "Jazz", "Polka", "other", "演歌"]
)


@given(
    st.lists(st.lists(GENRES, max_size=3), max_size=40),
    st.integers(2, 6),
    st.integers(1, 5),
)
def test_whatever_the_tags_all_that_is_learnt_is_common_enough(
    tagged: list[list[str]], min_tracks: int, n_artists: int
) -> None:
    some = [
        track(k, *genres, artist=f"artist {k % n_artists}")
        for k, genres in enumerate(tagged)
    ]
    try:
        labels = labels_of(some, min_tracks)
    except FatalError:
        return
    members = labels.targets > 0
    assert np.allclose(labels.targets.sum(axis=1), 1)
    assert members.sum(axis=0).min() >= min_tracks
    assert OTHER not in labels.genres[:-1]
    folds = draw_folds(labels, seed=0)
    if labels.by_artist:
        for artist in set(labels.groups):
            own = [one == artist for one in labels.groups]
            assert len(set(folds[own])) == 1
