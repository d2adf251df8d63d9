"""What the playlists are like that an encoder would make (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.evaluation import lists
from beetsplug.deejai.evaluation.figures import CHANCE, SAME_GENRE, make_figure
from beetsplug.deejai.evaluation.labels import NO_ROWS
from beetsplug.deejai.evaluation.ranking import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.figures import Facts, Figure, Rivals
    from beetsplug.deejai.evaluation.labels import Labels
    from beetsplug.deejai.evaluation.space import Space

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

LIST_TRACKS = 10
"""Nearest tracks in a made playlist; its seed is one more."""

MAX_LISTS = 300
"""Playlists made: one from each of so many tracks."""

RANDOM_LISTS = 20
"""Random playlists for each seed, of which chance is the mean."""

LIST_TITLES = {
    "cohesion_artist": "lists: pairs of one artist",
    "cohesion_genre": "lists: pairs of a genre",
    "genre_entropy": "lists: genre entropy, bits",
    "artist_variety": "lists: artists per track",
    "diversity": "lists: distance in space",
}
"""What is measured of playlists, by key."""

_JUDGED = ("cohesion_artist", "cohesion_genre")


def describe_lists(playlists: Sequence[Ints], *, space: Space, facts: Facts) -> Floats:
    """Measure the cohesion and the diversity of playlists.

    Parameters
    ----------
    playlists
        Rows of tracks, two or more in each.
    space
        In which the distances are measured.
    facts
        What is known of the tracks.

    Returns
    -------
    ndarray of float64, shape (n_playlists, 5)
        :func:`~lists.cohesion` of the artists and of the genres,
        :func:`~lists.label_entropy` of the genres, :func:`~lists.variety` of the
        artists, and :func:`~lists.diversity`; NaN where nothing is known.
    """
    rows = np.empty((len(playlists), len(LIST_TITLES)))
    for number, playlist in enumerate(playlists):
        artists = [facts.artists.values[row] for row in playlist]
        genres = [facts.genres.values[row] for row in playlist]
        rows[number] = [
            lists.cohesion(artists),
            lists.cohesion(genres),
            lists.label_entropy(genres),
            lists.variety(artists),
            lists.diversity(space.tracks[playlist]),
        ]
    return rows


def average_lists(
    playlists: Sequence[Ints], *, space: Space, facts: Facts
) -> dict[str, float]:
    """Average :func:`describe_lists` over playlists; what is unknown is missing."""
    values = describe_lists(
        [playlist for playlist in playlists if len(playlist) > 1],
        space=space,
        facts=facts,
    )
    known = {
        key: column[np.isfinite(column)]
        for key, column in zip(LIST_TITLES, values.T, strict=True)
    }
    return {key: float(column.mean()) for key, column in known.items() if column.size}


def judge_lists(
    space: Space, facts: Facts, *, rivals: Rivals, seed: int
) -> list[Figure]:
    """Make playlists of a track and its nearest ones, and describe them.

    Parameters
    ----------
    space
        The encoder's. All distances are measured in it, whoever made the playlist:
        those of two spaces do not compare.
    facts
        What is known of the tracks.
    rivals
        Other spaces by name; of several under one name the mean counts.
    seed
        Of the tracks that playlists are made from, of random ones, and of intervals.
    """
    rng = np.random.default_rng(seed)
    n_tracks = len(space.tracks)
    k = min(LIST_TRACKS, n_tracks - 1)
    seeds = np.sort(rng.permutation(n_tracks)[:MAX_LISTS])

    def describe(one: Space) -> Floats:
        near = nearest_rows(one.tracks[seeds], targets=one.tracks, rows=seeds, k=k)
        made = list(np.column_stack([seeds, near]))
        return describe_lists(made, space=space, facts=facts)

    def draw(genres: Labels | None) -> Floats:
        drawn = [
            [_draw_list(int(row), n_tracks, k, genres, rng) for row in seeds]
            for _ in range(RANDOM_LISTS)
        ]
        return _known_mean(
            np.stack([describe_lists(made, space=space, facts=facts) for made in drawn])
        )

    own = describe(space)
    others = {CHANCE: draw(None)}
    for name, spaces in rivals.items():
        others[name] = np.mean([describe(one) for one in spaces], axis=0)
    if facts.genres.known.any():
        others[SAME_GENRE] = draw(facts.genres)
    figures = []
    for column, (key, title) in enumerate(LIST_TITLES.items()):
        columns = {name: values[:, column] for name, values in others.items()}
        if key.endswith("genre"):
            columns.pop(SAME_GENRE, None)
        finite = np.isfinite(np.stack([own[:, column], *columns.values()])).all(axis=0)
        if finite.any():
            figures.append(
                make_figure(
                    key,
                    title,
                    "lists",
                    own[finite, column],
                    {name: values[finite] for name, values in columns.items()},
                    seed=seed,
                    judged=key in _JUDGED,
                )
            )
    return figures


def _known_mean(values: Floats) -> Floats:
    """Average over the first axis what is not NaN; NaN where all is."""
    finite = np.isfinite(values)
    total = np.where(finite, values, 0.0).sum(axis=0)
    n_finite = finite.sum(axis=0)
    means: Floats = np.full_like(total, np.nan)
    np.divide(total, n_finite, out=means, where=n_finite > 0)
    return means


def _draw_list(
    row: int, n_tracks: int, k: int, genres: Labels | None, rng: np.random.Generator
) -> Ints:
    """Draw a playlist for a seed, tracks of its genre first."""
    alike = NO_ROWS if genres is None else genres.sharing(row)
    alike = alike[alike != row]
    drawn = rng.choice(alike, size=min(k, len(alike)), replace=False)
    if len(drawn) < k:
        others = np.setdiff1d(np.arange(n_tracks), [*alike, row], assume_unique=True)
        drawn = np.append(drawn, rng.choice(others, k - len(drawn), replace=False))
    return np.array([row, *drawn], dtype=np.int64)
