from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from made_playlists import made_playlists, share_in_style

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.playlists import Playlist
from beetsplug.deejai.training.track2vec import (
    MAX_CONTEXT,
    Sentences,
    prune,
    track2vec,
)

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.parametrize(("n_playlists", "mixed"), [(400, 0.0), (60, 0.0), (400, 0.4)])
def test_neighbours_are_of_the_style_that_playlists_were_drawn_within(
    n_playlists: int, mixed: float
) -> None:
    playlists = made_playlists(
        n_tracks=200,
        n_styles=10,
        n_playlists=n_playlists,
        shortest=8,
        longest=15,
        mixed=mixed,
    )
    targets = track2vec(playlists)
    assert share_in_style(targets.keys, targets.matrix()) >= 0.95


def test_vectors_are_unit_and_of_the_size_asked_for() -> None:
    playlists = made_playlists(
        n_tracks=30, n_styles=3, n_playlists=20, shortest=4, longest=6
    )
    targets = track2vec(playlists, vector_size=12, epochs=2)
    assert targets.size == 12
    assert not targets.per_slice
    np.testing.assert_allclose(np.linalg.norm(targets.matrix(), axis=1), 1, atol=1e-6)


def test_another_seed_gives_other_vectors_and_the_same_seed_the_same() -> None:
    playlists = [Playlist("", ("/a", "/b", "/c")), Playlist("", ("/b", "/c", "/d"))]
    one, same, other = (
        track2vec(playlists, epochs=3, seed=seed).matrix() for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_a_process_that_hashes_differently_learns_the_same() -> None:
    def learn() -> str:
        playlists = made_playlists(
            n_tracks=60, n_styles=3, n_playlists=20, shortest=5, longest=9
        )
        targets = track2vec(playlists, epochs=3)
        return targets.matrix().tobytes().hex() + repr(targets.keys)

    script = (
        "from made_playlists import made_playlists\n"
        "from beetsplug.deejai.training.track2vec import track2vec\n"
        f"{textwrap.dedent(inspect.getsource(learn))}\n"
        "print(learn())"
    )
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == learn()


def test_rare_tracks_go_and_with_them_whoever_is_left_alone() -> None:
    playlists = [
        Playlist("", ("/a", "/b", "/c")),
        Playlist("", ("/a", "/b")),
        # Without /rare, /c is alone here, and then in one playlist only.
        Playlist("", ("/c", "/rare")),
    ]
    assert prune(playlists, min_count=2) == [("/a", "/b"), ("/a", "/b")]
    assert prune(playlists, min_count=1) == [p.tracks for p in playlists]


def test_repeats_and_playlists_of_one_track_teach_nothing() -> None:
    playlists = [Playlist("", ("/a", "/a", "/b")), Playlist("", ("/c", "/c"))]
    assert prune(playlists, min_count=1) == [("/a", "/b")]


def test_nothing_left_is_told_with_the_remedy() -> None:
    with pytest.raises(FatalError, match="--min-count"):
        track2vec([Playlist("", ("/a", "/b"))], min_count=2)
    with pytest.raises(FatalError, match="more playlists"):
        track2vec([])


def test_without_gensim_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(FatalError, match=r"pip install 'beets-deejai\[train\]'"):
        track2vec([Playlist("", ("/a", "/b"))])


def test_a_long_playlist_is_cut_elsewhere_at_every_pass() -> None:
    tracks = tuple(f"/{i}" for i in range(2 * MAX_CONTEXT + 1))
    sentences = Sentences([tracks, ("/a", "/b")], seed=0)
    first, second = list(sentences), list(sentences)
    assert first != second
    for one_pass in (first, second):
        assert all(len(sentence) <= MAX_CONTEXT for sentence in one_pass)
        assert sorted(t for s in one_pass for t in s) == sorted((*tracks, "/a", "/b"))
    assert list(Sentences([tracks, ("/a", "/b")], seed=0)) == first


def test_names_of_any_bytes_are_words() -> None:
    odd = os.fsdecode(b"/caf\xe9 \n ..")
    assert odd in track2vec([Playlist("", (odd, "/b"))], epochs=1)


def test_each_epoch_is_reported() -> None:
    seen: list[tuple[int, int]] = []
    track2vec(
        [Playlist("", ("/a", "/b"))],
        epochs=3,
        on_epoch=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
