from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_libraries import MadeLibrary, keeps_gap, made_libraries, made_library

from beetsplug.deejai.recommend.index import Index, Labels, Seed, query_vector
from beetsplug.deejai.recommend.playlist import Playlist, playlist
from beetsplug.deejai.recommend.rules import Rules

if TYPE_CHECKING:
    from beetsplug.deejai.recommend.rules import Mask


@st.composite
def seeds_of(draw: st.DrawFn, library: MadeLibrary) -> list[Seed]:
    rows = st.integers(0, len(library.index) - 1)
    inside = draw(st.lists(rows, min_size=1, max_size=4))
    seeds = [library.seed(row) for row in inside]
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        seeds.append(library.outsider(rng, artist=draw(st.integers(-1, 3))))
    return seeds


def sequence_artists(
    library: MadeLibrary, seeds: list[Seed], found: Playlist
) -> list[int]:
    artists = library.catalogue.artists
    return [s.labels.artist for s in seeds] + [int(artists[p.row]) for p in found.picks]


def clashing_at_the_end(library: MadeLibrary, artists: list[int], gap: int) -> Mask:
    before = [Labels(artist) for artist in artists]
    return library.catalogue.clashing(Rules(gap), before)


@settings(deadline=None)
@given(
    library=made_libraries(),
    n=st.integers(0, 40),
    gap=st.integers(0, 5),
    keep_on=st.integers(1, 60),
    drunk=st.sampled_from([0.0, 0.3, 1.0]),
    rng_seed=st.integers(0, 99),
    data=st.data(),
)
def test_keeps_every_rule_and_says_when_it_stays_short(
    library: MadeLibrary,
    n: int,
    gap: int,
    keep_on: int,
    drunk: float,
    rng_seed: int,
    data: st.DataObject,
) -> None:
    seeds = data.draw(seeds_of(library))

    def make() -> Playlist:
        return playlist(
            library.index,
            seeds,
            catalogue=library.catalogue,
            rules=Rules(artist_gap=gap),
            n=n,
            keep_on=keep_on,
            drunk=drunk,
            rng=np.random.default_rng(rng_seed),
        )

    found = make()
    assert found == make()
    rows = [pick.row for pick in found.picks]
    given_rows = [seed.row for seed in seeds]
    assert len(set(rows)) == len(rows)
    assert not set(rows) & set(given_rows)
    assert library.catalogue.allowed[rows].all()
    assert all(-1.0 <= pick.similarity <= 1.0 for pick in found.picks)
    assert bool(found.notices) == (len(rows) < n)
    unused = library.catalogue.candidates(
        [*seeds, *map(library.seed, rows)], timed=False
    )
    if gap == 0:
        assert len(rows) == n or not unused.any()
    else:
        artists = sequence_artists(library, seeds, found)
        assert keeps_gap(artists, [i < len(seeds) for i in range(len(artists))], gap)
        if len(rows) < n:
            blocked = clashing_at_the_end(library, artists, gap)
            assert not (unused & ~blocked).any()


def test_each_track_follows_from_the_last_ones() -> None:
    library = made_library(60, size=5)
    vectors = library.index.vectors
    found = playlist(
        library.index,
        [library.seed(4)],
        catalogue=library.catalogue,
        rules=Rules(),
        n=12,
        keep_on=3,
        rng=np.random.default_rng(0),
    )
    rows = [4]
    for pick in found.picks:
        similarities = vectors @ vectors[rows[-3:]].sum(axis=0)
        similarities[rows] = -np.inf
        assert pick.row == np.argmax(similarities)
        hop = vectors[pick.row] @ vectors[rows[-1]]
        assert pick.similarity == pytest.approx(hop, abs=1e-6)
        rows.append(pick.row)


def test_all_seeds_count_at_the_start_even_when_there_are_more_than_keep_on() -> None:
    library = made_library(80, size=5)
    seeds = [library.seed(row) for row in range(9)]
    found = playlist(
        library.index,
        seeds,
        catalogue=library.catalogue,
        rules=Rules(),
        n=1,
        keep_on=2,
        rng=np.random.default_rng(0),
    )
    similarities = library.index.similarities(query_vector(library.index.vectors[:9]))
    assert found.picks[0].row == 9 + np.argmax(similarities[9:])


def test_what_is_subtracted_is_avoided() -> None:
    a, b, c = np.eye(3, dtype=np.float32)
    vectors = np.stack([a, a + 0.5 * b, a + 0.6 * c])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    library = MadeLibrary(Index(np.arange(3), vectors), made_library(3).catalogue)
    common = {
        "catalogue": library.catalogue,
        "rules": Rules(),
        "n": 1,
        "rng": np.random.default_rng(0),
    }
    near = playlist(library.index, [library.seed(0)], **common)
    away = playlist(library.index, [library.seed(0)], avoided=[Seed(b)], **common)
    assert (near.picks[0].row, away.picks[0].row) == (1, 2)


def test_noise_changes_the_list_and_the_seed_repeats_it() -> None:
    library = made_library(200, size=20)

    def rows(rng_seed: int) -> list[int]:
        found = playlist(
            library.index,
            [library.seed(0)],
            catalogue=library.catalogue,
            rules=Rules(),
            n=10,
            drunk=0.8,
            rng=np.random.default_rng(rng_seed),
        )
        return [pick.row for pick in found.picks]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@settings(deadline=None)
@given(
    library=made_libraries(),
    length_s=st.floats(0, 20_000),
    gap=st.integers(0, 4),
    overlap_s=st.sampled_from([0.0, 6.0, 50.0]),
    is_continued=st.booleans(),
)
def test_a_time_is_filled_until_nothing_fits(
    library: MadeLibrary,
    length_s: float,
    gap: int,
    overlap_s: float,
    is_continued: bool,
) -> None:
    seeds = [library.seed(0)]
    found = playlist(
        library.index,
        seeds,
        catalogue=library.catalogue,
        rules=Rules(artist_gap=gap),
        length_s=length_s,
        overlap_s=overlap_s,
        is_continued=is_continued,
        rng=np.random.default_rng(0),
    )
    rows = [pick.row for pick in found.picks]
    lengths_s = library.catalogue.lengths_s
    overlaps_s = np.minimum(overlap_s, lengths_s / 3)
    before_s = [overlaps_s[0] if is_continued else 0.0, *overlaps_s[rows]]
    played_s = lengths_s[rows].sum() - np.minimum(before_s[:-1], before_s[1:]).sum()
    left_s = length_s - played_s
    assert left_s >= -1e-6
    unused = library.catalogue.candidates(
        [*seeds, *map(library.seed, rows)], timed=True
    )
    added_s = lengths_s - np.minimum(overlaps_s, before_s[-1])
    fitting = unused & (added_s <= left_s - 1e-6)
    if not found.notices:
        assert not fitting.any()
    elif unused.any():
        artists = sequence_artists(library, seeds, found)
        assert gap > 0
        assert not (fitting & ~clashing_at_the_end(library, artists, gap)).any()


@settings(deadline=None)
@given(made_libraries(), st.integers(0, 4), st.integers(0, 4))
def test_albums_are_kept_apart_and_recordings_not_repeated(
    library: MadeLibrary, artist_gap: int, album_gap: int
) -> None:
    found = playlist(
        library.index,
        [library.seed(0)],
        catalogue=library.catalogue,
        rules=Rules(artist_gap, album_gap),
        n=40,
        rng=np.random.default_rng(0),
    )
    rows = [0, *(pick.row for pick in found.picks)]
    catalogue = library.catalogue
    is_given = [place == 0 for place in range(len(rows))]
    assert keeps_gap(catalogue.artists[rows].tolist(), is_given, artist_gap)
    assert keeps_gap(catalogue.albums[rows].tolist(), is_given, album_gap)
    known = [code for code in catalogue.recordings[rows].tolist() if code != -1]
    assert len(set(known)) == len(known)


def test_an_empty_library_gives_an_empty_list_and_says_so() -> None:
    library = made_library(0)
    seeds = [library.outsider(np.random.default_rng(0))]
    for amount in ({"n": 3}, {"length_s": 60.0}):
        found = playlist(
            library.index,
            seeds,
            catalogue=library.catalogue,
            rules=Rules(),
            rng=np.random.default_rng(0),
            **amount,
        )
        assert found.picks == []
        assert "no other candidates" in found.notices[0]


def test_a_playlist_from_nothing_is_refused() -> None:
    library = made_library(3)
    for seeds, keep_on in ([], 3), ([library.seed(0)], 0):
        with pytest.raises(ValueError, match="seed"):
            playlist(
                library.index,
                seeds,
                catalogue=library.catalogue,
                rules=Rules(),
                n=1,
                keep_on=keep_on,
                rng=np.random.default_rng(0),
            )


@given(share=st.floats(0.01, 0.99))
def test_the_first_track_is_between_the_seeds_as_their_weights_say(
    share: float,
) -> None:
    angles = np.linspace(0, np.pi / 2, 200)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    library = made_library(200)
    index = Index(library.index.ids, vectors)
    seeds = [index.seed(row) for row in (0, 199)]
    found = playlist(
        index,
        seeds,
        catalogue=library.catalogue,
        rules=Rules(0),
        rng=np.random.default_rng(0),
        n=1,
        weights=[1 - share, share],
    )
    expected = np.arctan2(share, 1 - share)
    assert abs(angles[found.picks[0].row] - expected) <= 1.01 * angles[1]
