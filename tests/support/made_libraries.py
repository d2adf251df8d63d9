"""Made libraries of track vectors, for tests of what is recommended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from beetsplug.deejai.recommend.index import Index, Labels, Seed
from beetsplug.deejai.recommend.recordings.versions import Recordings
from beetsplug.deejai.recommend.rules import Catalogue
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class MadeLibrary:
    index: Index
    catalogue: Catalogue

    def seed(self, row: int) -> Seed:
        return Seed(self.index.vectors[row], row, self.catalogue.labels(row))

    def outsider(self, rng: np.random.Generator, artist: int = -1) -> Seed:
        vector = unit(rng.standard_normal(self.index.vectors.shape[1]))
        return Seed(vector, labels=Labels(artist=artist))


def made_library(
    n_tracks: int,
    *,
    seed: int = 0,
    size: int = 8,
    artists: Sequence[int] | None = None,
    albums: Sequence[int] | None = None,
    recordings: Sequence[int] | None = None,
    lengths_s: Sequence[float] | None = None,
    allowed: Sequence[bool] | None = None,
) -> MadeLibrary:
    """Make tracks around a few styles; every one by an artist of its own.

    Albums and recordings are not known unless they are given.
    """
    unknown = [-1] * n_tracks
    rng = np.random.default_rng(seed)
    styles = rng.standard_normal((5, size))
    vectors = styles[rng.integers(5, size=n_tracks)]
    vectors = vectors + 0.5 * rng.standard_normal((n_tracks, size))
    return MadeLibrary(
        Index(1000 + np.arange(n_tracks), unit(vectors)),
        Catalogue(
            artists=np.arange(n_tracks) if artists is None else np.array(artists),
            albums=np.array(albums or unknown, dtype=int),
            recordings=Recordings(np.array(recordings or unknown, dtype=int)),
            lengths_s=np.full(n_tracks, 200.0)
            if lengths_s is None
            else np.array(lengths_s, dtype=float),
            allowed=np.ones(n_tracks, dtype=bool)
            if allowed is None
            else np.array(allowed, dtype=bool),
        ),
    )


@st.composite
def made_libraries(draw: st.DrawFn) -> MadeLibrary:
    """Draw a library of 1 to 200 tracks, some forbidden, by few or many artists."""
    n_tracks = draw(st.integers(1, 200))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n_artists = draw(st.integers(1, 40))
    return made_library(
        n_tracks,
        seed=seed,
        size=draw(st.integers(2, 12)),
        artists=rng.integers(-1, n_artists, size=n_tracks).tolist(),
        albums=rng.integers(-1, 2 * n_artists, size=n_tracks).tolist(),
        # About every tenth track has another version.
        recordings=rng.integers(-1, 5 * n_tracks, size=n_tracks).tolist(),
        # Some lengths are not known.
        lengths_s=(rng.integers(0, 400, size=n_tracks) // 20 * 20).tolist(),
        allowed=(
            rng.random(n_tracks) < draw(st.sampled_from([0.3, 0.9, 1.0]))
        ).tolist(),
    )


def keeps_gap(artists: Sequence[int], is_given: Sequence[bool], gap: int) -> bool:
    """Tell whether no chosen track stands too near to another one of its artist."""
    return not any(
        artist != -1 and artist == artists[j] and not (is_given[i] and is_given[j])
        for i, artist in enumerate(artists)
        for j in range(i + 1, min(i + gap + 1, len(artists)))
    )
