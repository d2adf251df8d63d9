"""Every measure of an encoder, each beside what costs less to make (pure).

The encoder's space is compared with other spaces of the same tracks and with two ways
to choose that hear nothing: chance, and random tracks of the same genre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.evaluation.made_lists import judge_lists
from beetsplug.deejai.evaluation.tasks import make_tasks, rank

if TYPE_CHECKING:
    from collections.abc import Callable

    from beetsplug.deejai.evaluation.figures import Facts, Figure, Rivals
    from beetsplug.deejai.evaluation.space import Space


@dataclass(frozen=True)
class Study:
    """The figures, and in words which are missing and why."""

    figures: list[Figure]
    left_out: list[str]


def study(
    space: Space,
    facts: Facts,
    *,
    rivals: Rivals,
    seed: int = 0,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Measure an encoder in every way that the facts allow.

    Parameters
    ----------
    space
        The encoder's.
    facts
        What is known of the tracks.
    rivals
        Other spaces by name; of several under one name (networks with different random
        weights) the mean score counts.
    seed
        Of the intervals, of the tracks that playlists are made from, and of random
        playlists.
    on_step
        Called with the steps that are done and their number.

    Returns
    -------
    Study
        Intervals are percentile bootstraps over the queries (tracks, playlists), and
        paired for the comparisons.
    """
    tasks, left_out = make_tasks(facts, np.random.default_rng(seed))
    figures = []
    for done, task in enumerate(tasks):
        on_step(done, len(tasks) + 1)
        figures += rank(task, space, rivals=rivals, seed=seed)
    on_step(len(tasks), len(tasks) + 1)
    figures += judge_lists(space, facts, rivals=rivals, seed=seed)
    return Study(figures, left_out)
