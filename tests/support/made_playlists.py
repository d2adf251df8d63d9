"""Made worlds of playlists: tracks of some styles, playlists drawn within styles."""

from __future__ import annotations

import numpy as np

from beetsplug.deejai.training.playlists import Playlist


def made_playlists(
    *,
    n_tracks: int,
    n_styles: int,
    n_playlists: int,
    shortest: int,
    longest: int,
    mixed: float = 0.0,
    seed: int = 0,
) -> list[Playlist]:
    """Draw playlists; `mixed` is the share of their tracks that is of any style."""
    rng = np.random.default_rng(seed)
    styles = np.arange(n_tracks) % n_styles
    playlists = []
    for number in range(n_playlists):
        length = rng.integers(shortest, longest + 1)
        n_any = rng.binomial(length, mixed)
        own = np.flatnonzero(styles == rng.integers(n_styles))
        drawn = np.concatenate(
            [
                rng.choice(own, size=min(length - n_any, len(own)), replace=False),
                rng.choice(n_tracks, size=n_any, replace=False),
            ]
        )
        tracks = (made_path(int(i), n_styles) for i in rng.permutation(drawn))
        playlists.append(Playlist(str(number), tuple(dict.fromkeys(tracks))))
    return playlists


def made_path(track: int, n_styles: int) -> str:
    return f"/style {track % n_styles}/{track}.mp3"


def style_of(path: str) -> str:
    return path.split("/")[1]


def share_in_style(keys: tuple[str, ...], vectors: np.ndarray) -> float:
    """Measure how often the nearest other vector is of the same style."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities = units @ units.T
    np.fill_diagonal(similarities, -2.0)
    nearest = similarities.argmax(axis=1)
    return float(
        np.mean(
            [style_of(keys[i]) == style_of(keys[int(j)]) for i, j in enumerate(nearest)]
        )
    )
