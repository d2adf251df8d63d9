"""How well a ranking answers questions, query by query (pure).

Every ranking is read as *tiers*, best first: groups of targets that are equally near,
in random order within. Two tracks with the same vector form a tier; targets in random
order are a single one, so that chance is computed by the same formulas and exactly.
The score of a query is its expectation over the order within the tiers. It depends
neither on the order of the tracks nor on duplicates' luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.labels import Questions

    Array = npt.NDArray[np.floating[Any]]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Row = npt.NDArray[np.float32]

Tier = tuple[int, int]
"""Targets in a tier, and how many of them are right."""

BLOCK_QUERIES = 256
"""Queries compared at once: 20 MB for 20 000 targets, never all pairs."""

STEPS = float(2**20)
"""Similarities are equal when they agree to 1 / STEPS; float32 rounds at 1e-7."""


def expected_precision(tiers: Sequence[Tier], *, k: int) -> float:
    """Compute the share of right ones among the first `k`.

    As a query with fewer than `k` right targets cannot fill the list, its best share
    counts as 1.
    """
    hits, left = 0.0, k
    for size, n_right in tiers:
        taken = min(left, size)
        hits += taken * n_right / size if taken else 0.0
        left -= taken
    return hits / min(k, sum(n_right for _, n_right in tiers))


def expected_hit(tiers: Sequence[Tier], *, k: int) -> float:
    """Compute the probability that any of the first `k` is right."""
    miss, left = 1.0, k
    for size, n_right in tiers:
        taken = min(left, size)
        # Drawing without putting back: the hypergeometric distribution.
        for drawn in range(taken):
            miss *= max(size - n_right - drawn, 0) / (size - drawn)
        left -= taken
    return 1.0 - miss


def expected_reciprocal_rank(tiers: Sequence[Tier]) -> float:
    """Compute the expectation of 1 / rank of the only right one."""
    before = 0
    for size, n_right in tiers:
        if n_right:
            return float(np.mean(1.0 / np.arange(before + 1, before + size + 1)))
        before += size
    raise ValueError("no target is right")


@dataclass(frozen=True)
class Measure:
    """A way to score a ranking.

    Attributes
    ----------
    kind
        ``precision``: share of right ones among the first `k`, relative to the best
        possible; ``hit``: whether one of the first `k` is right; ``rank``: 1 / rank of
        the first right one.
    k
        How many are looked at; 0 in ``precision`` for as many as are right
        (R-precision).
    """

    kind: Literal["precision", "hit", "rank"]
    k: int = 0

    def of_tiers(self, tiers: Sequence[Tier]) -> float:
        """Score a ranking that is random within its tiers."""
        tiers = [tier for tier in tiers if tier[0]]
        if self.kind == "rank":
            return expected_reciprocal_rank(tiers)
        k = self.k or sum(n_right for _, n_right in tiers)
        score = expected_precision if self.kind == "precision" else expected_hit
        return score(tiers, k=k)

    def of_row(self, similarities: Row, right: Ints, n_targets: int) -> float:
        """Score the ranking by similarity; what is left out is at minus infinity.

        In ``rank``, targets as near as the right one come before it: an encoder that
        finds everything alike has found nothing.
        """
        nearness = similarities[right]
        if self.kind == "rank":
            return 1.0 / float(np.count_nonzero(similarities >= nearness.max()))
        k = min(self.k or len(right), n_targets)
        limit = similarities.max() if k == 1 else np.partition(similarities, -k)[-k]
        above = (_count(similarities > limit), _count(nearness > limit))
        level = (_count(similarities == limit), _count(nearness == limit))
        below = (
            n_targets - above[0] - level[0],
            len(right) - above[1] - level[1],
        )
        return Measure(self.kind, k).of_tiers([above, level, below])


def _count(mask: npt.NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def similarity_rows(queries: Array, targets: Array) -> Iterator[Row]:
    """Compare queries with all targets, some at a time.

    Yields
    ------
    ndarray of float32, shape (n_targets,)
        Cosine similarities of one query in steps of 1 / :data:`STEPS`; the caller may
        write into it.
    """
    columns = unit(targets).T
    rows = unit(queries)
    for start in range(0, len(rows), BLOCK_QUERIES):
        block = rows[start : start + BLOCK_QUERIES] @ columns
        # Otherwise rounding would order what is equal, and differently for each order
        # of the tracks.
        np.rint(np.multiply(block, STEPS, out=block), out=block)
        yield from np.divide(block, STEPS, out=block)


def score(
    queries: Array,
    *,
    targets: Array,
    questions: Questions,
    measures: Sequence[Measure],
) -> Floats:
    """Score the rankings by cosine similarity.

    Parameters
    ----------
    queries
        Shape (n_queries, d).
    targets
        Shape (n_targets, d).
    questions
        One for each query.
    measures
        How to score.

    Returns
    -------
    ndarray of float64, shape (n_queries, n_measures)
        In [0, 1].
    """
    if len(queries) != len(questions):
        raise ValueError(f"{len(questions)} questions for {len(queries)} queries")
    scores = np.empty((len(queries), len(measures)))
    for number, row in enumerate(similarity_rows(queries, targets)):
        question = questions[number]
        row[question.left_out] = -np.inf
        n_targets = len(row) - len(question.left_out)
        scores[number] = [m.of_row(row, question.right, n_targets) for m in measures]
    return scores


def expected_score(
    n_targets: int,
    *,
    questions: Questions,
    measures: Sequence[Measure],
    favoured: Callable[[int], Ints] | None = None,
) -> Floats:
    """Compute what a random order scores on average; nothing is drawn.

    Parameters
    ----------
    n_targets
        How many there are before any is left out.
    questions, measures
        As for :func:`score`.
    favoured
        Tells for the number of a query which targets come before all others, each
        once: those of the same genre, for one.

    Returns
    -------
    ndarray of float64, shape (n_queries, n_measures)
        In [0, 1].
    """
    scores = np.empty((len(questions), len(measures)))
    is_right = np.zeros(n_targets, dtype=bool)
    is_target = np.ones(n_targets, dtype=bool)
    for number in range(len(questions)):
        question = questions[number]
        size, n_right = n_targets - len(question.left_out), len(question.right)
        first: Tier = (0, 0)
        if favoured is not None:
            is_right[question.right], is_target[question.left_out] = True, False
            rows = favoured(number)
            first = (int(is_target[rows].sum()), int(is_right[rows].sum()))
            is_right[question.right], is_target[question.left_out] = False, True
        tiers = [first, (size - first[0], n_right - first[1])]
        scores[number] = [measure.of_tiers(tiers) for measure in measures]
    return scores


def nearest_rows(queries: Array, *, targets: Array, rows: Ints, k: int) -> Ints:
    """List the targets nearest to each query, nearest first.

    Parameters
    ----------
    queries
        Shape (n_queries, d).
    targets
        Shape (n_targets, d).
    rows
        Of each query among the targets: it is not its own neighbour.
    k
        How many; less than n_targets.

    Returns
    -------
    ndarray of int64, shape (n_queries, k)
        Of equally near ones the first come first.
    """
    found = np.empty((len(queries), k), dtype=np.int64)
    for number, row in enumerate(similarity_rows(queries, targets)):
        row[rows[number]] = -np.inf
        limit = np.partition(row, -k)[-k]
        near = np.flatnonzero(row >= limit)
        found[number] = near[np.argsort(-row[near], kind="stable")][:k]
    return found
