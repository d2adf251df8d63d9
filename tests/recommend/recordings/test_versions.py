from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import made_tracks

from beetsplug.deejai.recommend.recordings.tags import Track
from beetsplug.deejai.recommend.recordings.twins import MAX_TWINS
from beetsplug.deejai.recommend.recordings.versions import Recordings, Versions
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence


def turned(*distances: float) -> np.ndarray:
    """Make unit vectors in one plane, each so far in cosine distance from the first."""
    angles = np.arccos(1.0 - np.array(distances))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def groups(versions: Recordings) -> list[list[int]]:
    codes = versions[:].tolist()
    return [
        [row for row, its in enumerate(codes) if its == code]
        for code in sorted(set(codes), key=codes.index)
    ]


class TestTags:
    def test_one_recording_id_is_one_recording(self) -> None:
        tracks = made_tracks(
            ["Song", "Lied", "Chanson", "Song"], recording_ids=["a", "a", "", "b"]
        )
        assert groups(Versions(tracks)) == [[0, 1], [2], [3]]

    def test_an_id_leads_on_to_names(self) -> None:
        tracks = made_tracks(
            ["Song", "Lied", "Lied (Live)", "Song (Live)", "Canto"],
            recording_ids=["a", "a", "", "", ""],
        )
        assert groups(Versions(tracks)) == [[0, 1, 2, 3], [4]]

    def test_names_that_nothing_marks_need_lengths_or_vectors_that_agree(self) -> None:
        tracks = made_tracks(
            ["Song"] * 4,
            lengths_s=[200.0, 209.0, 300.0, 400.0],
            vectors=[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.1, 1]] / np.ones((4, 1)),
        )
        assert groups(Versions(tracks)) == [[0, 1], [2, 3]]

    def test_lengths_that_are_not_known_agree_with_none(self) -> None:
        tracks = made_tracks(["Song"] * 2, lengths_s=[0.0, 0.0])
        assert groups(Versions(tracks)) == [[0], [1]]

    def test_a_title_twice_on_an_album_is_two_recordings(self) -> None:
        tracks = made_tracks(
            ["Song", "Song", "Song (Live)"],
            albums=["Album"] * 3,
            lengths_s=[200.0, 203.0, 240.0],
            vectors=turned(0.0, 0.4, 0.5),
        )
        assert groups(Versions(tracks)) == [[0], [1, 2]]

    def test_an_album_that_is_there_twice_is_one(self) -> None:
        tracks = made_tracks(
            ["Song", "Lied", "Song", "Lied"],
            albums=["Album"] * 4,
            lengths_s=[200.0, 220.0, 200.1, 220.1],
            vectors=unit(np.eye(2)[[0, 1, 0, 1]]),
        )
        assert groups(Versions(tracks)) == [[0, 2], [1, 3]]

    def test_a_live_version_is_one_of_what_it_sounds_most_like(self) -> None:
        tracks = made_tracks(
            ["Song", "Song", "Song (Live)", "Song - Remastered"],
            lengths_s=[200.0, 300.0, 400.0, 500.0],
            vectors=turned(0.0, 0.5, 0.4, 0.1),
        )
        assert groups(Versions(tracks)) == [[0, 3], [1, 2]]

    def test_all_that_is_marked_is_one(self) -> None:
        tracks = made_tracks(["Song (Live)", "Song - Remastered", "Song (Mono)"])
        assert groups(Versions(tracks)) == [[0, 1, 2]]

    def test_generic_names_are_not_enough(self) -> None:
        tracks = made_tracks(
            ["Intro", "Intro", "Track 1", "Track 1"], lengths_s=[9] * 4
        )
        assert groups(Versions(tracks)) == [[0], [1], [2], [3]]


class TestSound:
    def test_the_same_sound_is_one_recording_whatever_the_tags(self) -> None:
        tracks = made_tracks(
            ["Song", "Chanson", "Track 07", ""],
            artists=["One", "Other", "", ""],
            lengths_s=[200.0, 200.5, 199.5, 200.0],
            vectors=turned(0.0, 0.0005, 0.001, 0.0015),
        )
        assert groups(Versions(tracks)) == [[0, 1, 2, 3]]

    @pytest.mark.parametrize(
        ("distance", "length_s", "title", "album"),
        [
            (0.003, 200.0, "Chanson", ""),
            (0.0, 202.0, "Chanson", ""),
            (0.0, 0.0, "Chanson", ""),
            (0.0, 200.0, "Chanson", "Album"),
            (0.0, 200.0, "Song (Instrumental)", ""),
            (0.0, 200.0, "Song, Part 2", ""),
            (0.0, 200.0, "Song (English Version)", ""),
        ],
    )
    def test_in_doubt_it_is_another(
        self, distance: float, length_s: float, title: str, album: str
    ) -> None:
        tracks = made_tracks(
            ["Song", title],
            artists=["One", "Other"],
            albums=["Album", album],
            lengths_s=[200.0, length_s],
            vectors=turned(0.0, distance),
        )
        if album:
            # An album is one artist's.
            assert tracks.albums[0] == tracks.albums[1]
        assert groups(Versions(tracks)) == [[0], [1]]

    def test_a_chain_joins_nothing_that_tags_tell_apart(self) -> None:
        tracks = made_tracks(
            ["Song", "", "Song (Instrumental)"],
            lengths_s=[200.0] * 3,
            vectors=turned(0.0, 0.0005, 0.004),
        )
        assert groups(Versions(tracks)) == [[0, 1], [2]]

    def test_the_nearest_are_joined_first(self) -> None:
        tracks = made_tracks(
            ["Song", "", "Song (Instrumental)"],
            lengths_s=[200.0] * 3,
            vectors=turned(0.0, 0.0015, 0.0025),
        )
        assert groups(Versions(tracks)) == [[0], [1, 2]]

    def test_a_crowd_that_sounds_the_same_is_not_joined(self) -> None:
        n_tracks = 3 * MAX_TWINS
        tracks = made_tracks(
            ["Rain", "Rain (Live)", *[""] * (n_tracks - 2)],
            lengths_s=[30.0] * n_tracks,
            vectors=np.ones((n_tracks, 1)),
        )
        rest = [[row] for row in range(2, n_tracks)]
        assert groups(Versions(tracks)) == [[0, 1], *rest]
        assert Versions(tracks)[n_tracks - 1] == n_tracks - 1


@st.composite
def libraries(draw: st.DrawFn) -> Versions:
    n_tracks = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_sounds = draw(st.integers(1, 30))
    sounds = unit(rng.standard_normal((n_sounds, 20)))[
        rng.integers(n_sounds, size=n_tracks)
    ]
    noise = rng.uniform(0.0, 0.1, size=(n_tracks, 1)) / np.sqrt(20)

    def some(names: Sequence[str]) -> list[str]:
        return [names[i] for i in rng.integers(len(names), size=n_tracks)]

    tracks = made_tracks(
        some(["Song", "Song (Live)", "Song 2", "Lied", "Intro", "", "Song (Dub)"]),
        artists=some(["One", "Other feat. One", "Other", ""]),
        albums=some(["Red", "Blue", "", "", ""]),
        recording_ids=some(["a", "b", *[""] * 20]),
        lengths_s=(rng.choice([0.0, 100.0, 100.8, 101.6, 200.0], n_tracks)).tolist(),
        vectors=unit(sounds + noise * rng.standard_normal((n_tracks, 20))),
    )
    return Versions(tracks)


@settings(deadline=None)
@given(libraries(), st.data())
def test_the_order_of_asking_does_not_matter(
    versions: Versions, data: st.DataObject
) -> None:
    codes = Versions(versions._tracks)[:]
    rows = data.draw(st.permutations(range(len(versions))))
    for row in rows:
        assert versions[row] == codes[row]
    assert (versions[np.array(rows)] == codes[rows]).all()
    for code in set(codes.tolist()):
        assert (versions.among([code]) == (codes == code)).all()
        assert codes[code] == code


def test_only_what_was_told_is_found() -> None:
    versions = Versions(made_tracks(["Song", "Song (Live)", "Lied", "Lied (Live)"]))
    assert versions[1] == 0
    assert versions.among([0, -1]).tolist() == [1, 1, 0, 0]
    assert versions[[False, False, False, True]].tolist() == [2]
    assert versions.among([0, 2]).all()


def outsider(title: str, **known: object) -> Track:
    vector = np.eye(20, dtype=np.float32)[19]
    track = Track(title, 0, -1, -1, 0.0, vector)
    return track._replace(**known)


class TestOutsiders:
    @pytest.fixture
    def versions(self) -> Versions:
        return Versions(
            made_tracks(["Song", "Lied", "Intro"], recording_ids=["", "", "a"])
        )

    def test_a_name_is_found(self, versions: Versions) -> None:
        assert versions.code_of(outsider("Song (Live)")) == 0
        assert versions.code_of(outsider("Lied", length_s=221.0)) == 1
        assert versions.code_of(outsider("Lied", length_s=300.0)) == -1
        assert versions.code_of(outsider("Lied (Live)", artist=-1)) == -1
        assert versions.code_of(outsider("Intro", length_s=240.0)) == -1

    def test_a_recording_id_is_found(self, versions: Versions) -> None:
        assert versions.code_of(outsider("Whatever", recording_id=0)) == 2

    def test_a_sound_is_found(self, versions: Versions) -> None:
        vector = np.eye(20, dtype=np.float32)[1]
        track = outsider("", artist=-1, length_s=219.5, vector=vector)
        assert versions.code_of(track) == 1
        assert versions.code_of(track._replace(title="Lied (Karaoke)")) == -1
        assert versions.code_of(track._replace(length_s=210.0)) == -1

    def test_what_is_not_told_is_unknown(self) -> None:
        assert Recordings(np.array([0, 0])).code_of(outsider("Song")) == -1


def test_several_threads_find_what_one_finds() -> None:
    n = 3000
    rng = np.random.default_rng(0)
    tracks = made_tracks(
        [f"Song {number % 750}" for number in range(n)],
        artists=["someone"] * n,
        lengths_s=rng.integers(100, 1000, size=n).tolist(),
        vectors=unit(rng.standard_normal((n, 20))),
    )
    shared, alone = Versions(tracks), Versions(tracks)

    def ask(row: int) -> tuple[int, int]:
        code = int(shared[row])
        return code, int(shared.among([code]).sum())

    rows = rng.permutation(n).tolist()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, rows))
    assert [code for code, _ in found] == alone[rows].tolist()
    assert all(n_versions for _, n_versions in found)
