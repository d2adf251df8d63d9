"""Queries that rankings answer: which there are, and who answers how well (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.evaluation.figures import CHANCE, SAME_GENRE, make_figure
from beetsplug.deejai.evaluation.labels import NO_ROWS, Alike, Question, continuations
from beetsplug.deejai.evaluation.ranking import Measure, expected_score, score
from beetsplug.deejai.recommend.index import query_vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.figures import Facts, Figure, Rivals
    from beetsplug.deejai.evaluation.labels import Labels, Questions
    from beetsplug.deejai.evaluation.space import Space

    Array = npt.NDArray[np.floating[Any]]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

MAX_QUERIES = 5000
"""Of more tracks so many are drawn as queries; all stay targets."""


@dataclass(frozen=True)
class Task:
    """Queries to answer by a ranking.

    `vectors` takes from a space the queries and the targets; `favoured` tells for a
    query which targets are of the same genre.
    """

    unit: str
    measures: dict[tuple[str, str], Measure]
    questions: Questions
    n_targets: int
    vectors: Callable[[Space], tuple[Array, Array]]
    favoured: Callable[[int], Ints] | None


def make_tasks(facts: Facts, rng: np.random.Generator) -> tuple[list[Task], list[str]]:
    """Find the queries that the facts allow.

    Parameters
    ----------
    facts
        What is known of the tracks.
    rng
        Draws queries where there are more than :data:`MAX_QUERIES`.

    Returns
    -------
    tasks : list of Task
    left_out : list of str
        Which there are not, and why.
    """
    tasks, left_out = [], []
    if len(facts.halved) > 1:
        tasks.append(halves_task(facts.halved, genres=facts.genres, rng=rng))
    else:
        left_out.append("second half: no two tracks have slices for halves (10 s)")
    has_albums = facts.albums.known.any()
    for key, title, labels, apart in (
        (
            "artist",
            "artist, other album" if has_albums else "artist",
            facts.artists,
            facts.albums,
        ),
        ("album", "album", facts.albums, None),
        ("genre", "genre", facts.genres, None),
    ):
        genres = None if key == "genre" else facts.genres
        task = label_task(key, title, labels, apart=apart, genres=genres, rng=rng)
        if task is not None:
            tasks.append(task)
        elif not labels.known.any():
            left_out.append(f"{key}: no track has one in its tags")
        elif apart is not None and has_albums:
            left_out.append(f"{key}: no two tracks on different albums share one")
        else:
            left_out.append(f"{key}: no two tracks share one")
    seeds, withheld = continuations(facts.playlists)
    if seeds:
        tasks.append(_playlists(facts, seeds, withheld))
    elif facts.playlists:
        left_out.append("playlists: none has two of the tracks that are measured")
    return tasks, left_out


def halves_task(halved: Ints, *, genres: Labels, rng: np.random.Generator) -> Task:
    """Ask for the second half of each track, given the first.

    Parameters
    ----------
    halved
        Rows of the tracks that have halves; two or more.
    genres
        Of all tracks.
    rng
        Draws queries where there are more than :data:`MAX_QUERIES`.
    """
    n_targets = len(halved)
    queries = np.sort(rng.permutation(n_targets)[:MAX_QUERIES])
    of_halved = genres.of(halved)
    return Task(
        unit="tracks",
        measures={("halves_mrr", "second half from first, MRR"): Measure("rank")},
        questions=[Question(queries[i : i + 1], NO_ROWS) for i in range(len(queries))],
        n_targets=n_targets,
        vectors=lambda space: (space.first[queries], space.second),
        favoured=(lambda number: of_halved.sharing(int(queries[number])))
        if of_halved.known.any()
        else None,
    )


def label_task(
    key: str,
    title: str,
    labels: Labels,
    *,
    apart: Labels | None,
    genres: Labels | None,
    rng: np.random.Generator,
) -> Task | None:
    """Ask for the tracks that share a label, among those where it is known.

    Parameters
    ----------
    key, title
        What the measures' names begin with.
    labels
        Of all tracks.
    apart
        A label whose sharers are left out, as in
        :class:`~beetsplug.deejai.evaluation.labels.Alike`.
    genres
        Of all tracks; None when random tracks of the same genre are no comparison.
    rng
        Draws queries where there are more than :data:`MAX_QUERIES`.

    Returns
    -------
    Task or None
        None when there is no query.
    """
    rows = np.flatnonzero(labels.known)
    questions = Alike(labels.of(rows), apart=None if apart is None else apart.of(rows))
    if not len(questions):
        return None
    questions.draw(MAX_QUERIES, rng)
    known_genres = None if genres is None else genres.of(rows)

    def vectors(space: Space) -> tuple[Array, Array]:
        known = space.tracks[rows]
        return known[questions.rows], known

    def favoured(number: int) -> Ints:
        assert known_genres is not None
        return known_genres.sharing(int(questions.rows[number]))

    has_genres = known_genres is not None and known_genres.known.any()
    return Task(
        unit="tracks",
        measures={
            (f"{key}_p1", f"{title}, P@1"): Measure("precision", 1),
            (f"{key}_p5", f"{title}, P@5"): Measure("precision", 5),
            (f"{key}_hit5", f"{title}, hit@5"): Measure("hit", 5),
        },
        questions=questions,
        n_targets=len(rows),
        vectors=vectors,
        favoured=favoured if has_genres else None,
    )


def _playlists(
    facts: Facts, seeds: Sequence[Ints], withheld: Sequence[Question]
) -> Task:
    def vectors(space: Space) -> tuple[Array, Array]:
        queries = [query_vector(space.tracks[rows]) for rows in seeds]
        return np.stack(queries), space.tracks

    return Task(
        unit="playlists",
        measures={
            ("playlist_hit10", "playlist, hit@10"): Measure("hit", 10),
            ("playlist_r_precision", "playlist, R-precision"): Measure("precision"),
        },
        questions=withheld,
        n_targets=len(facts.artists),
        vectors=vectors,
        favoured=(lambda number: facts.genres.sharing(seeds[number].tolist()))
        if facts.genres.known.any()
        else None,
    )


def rank(task: Task, space: Space, *, rivals: Rivals, seed: int) -> list[Figure]:
    """Score an encoder and its rivals at a task.

    Parameters
    ----------
    task
        The queries.
    space
        The encoder's.
    rivals
        Other spaces by name; of several under one name the mean score counts.
    seed
        Of the intervals.
    """
    measures = list(task.measures.values())

    def measure(one: Space) -> Floats:
        queries, targets = task.vectors(one)
        return score(
            queries, targets=targets, questions=task.questions, measures=measures
        )

    def expect(favoured: Callable[[int], Ints] | None) -> Floats:
        return expected_score(
            task.n_targets,
            questions=task.questions,
            measures=measures,
            favoured=favoured,
        )

    own = measure(space)
    others = {CHANCE: expect(None)}
    for name, spaces in rivals.items():
        others[name] = np.mean([measure(one) for one in spaces], axis=0)
    if task.favoured is not None:
        others[SAME_GENRE] = expect(task.favoured)
    return [
        make_figure(
            key,
            title,
            task.unit,
            own[:, column],
            {name: scores[:, column] for name, scores in others.items()},
            seed=seed,
        )
        for column, (key, title) in enumerate(task.measures)
    ]
