"""What is known of tracks besides their sound: labels, of which one may have several.

Two tracks are *alike* in a label, such as the genre, when they share one of its values.
A track without a value is unknown: it is neither alike nor unlike any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

NO_ROWS: Ints = np.zeros(0, dtype=np.int64)
"""No track at all."""


def values_of(label: object) -> frozenset[str]:
    """Turn a label into its values.

    None and the empty string have no value, a list, tuple or set has several, and
    anything else is one value.
    """
    if isinstance(label, (list, tuple, set, frozenset)):
        return frozenset().union(*(values_of(part) for part in label))
    text = "" if label is None else str(label)
    return frozenset([text]) if text else frozenset()


class Labels:
    """One label of every track, and which tracks share its values.

    Parameters
    ----------
    labels
        One for each track; see :func:`values_of`.
    """

    def __init__(self, labels: Iterable[object]) -> None:
        self.values = [values_of(label) for label in labels]
        members: dict[str, list[int]] = {}
        for row, values in enumerate(self.values):
            for value in values:
                members.setdefault(value, []).append(row)
        self._members = {
            value: np.array(rows, dtype=np.int64) for value, rows in members.items()
        }

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> Mask:
        """Bool, shape (n_tracks,): which tracks have a value."""
        return np.array([bool(values) for values in self.values], dtype=bool)

    def sharing(self, rows: int | Collection[int]) -> Ints:
        """List the tracks that share a value with a track, or with any of several.

        Returns
        -------
        ndarray of int64
            Ascending, the given tracks themselves included where they have a value.
        """
        given = [rows] if isinstance(rows, (int, np.integer)) else rows
        values = frozenset().union(*(self.values[row] for row in given))
        found = [self._members[value] for value in sorted(values)]
        if len(found) < 2:
            return found[0] if found else NO_ROWS
        return np.unique(np.concatenate(found))

    def of(self, rows: Iterable[int]) -> Labels:
        """Return the labels of some tracks, in the order given."""
        return Labels(self.values[row] for row in rows)


@dataclass(frozen=True)
class Question:
    """What is to be found by a query.

    Attributes
    ----------
    right
        Rows of the targets that are right, each once; at least one.
    left_out
        Rows that are no targets here, each once; none of `right`.
    """

    right: Ints
    left_out: Ints


class Questions(Protocol):
    """A question for each query; may be made when asked for."""

    def __len__(self) -> int:
        """Count the queries."""

    def __getitem__(self, number: int, /) -> Question:
        """Return one query's question."""


class Alike:
    """Questions for the tracks alike, one query for each track that has any.

    Parameters
    ----------
    labels
        Of all tracks.
    apart
        A label whose sharers are left out (albums, for artists): a track with no other
        like it beyond those is no query.

    Attributes
    ----------
    rows
        int64, shape (n_queries,): the tracks that are queries.
    """

    def __init__(self, labels: Labels, *, apart: Labels | None = None) -> None:
        if apart is not None and len(apart) != len(labels):
            raise ValueError(f"{len(apart)} labels to keep apart for {len(labels)}")
        self._labels = labels
        self._apart = apart
        self.rows: Ints = np.array(
            [row for row in range(len(labels)) if self._question(row).right.size],
            dtype=np.int64,
        )

    def draw(self, n: int, rng: np.random.Generator) -> None:
        """Keep only `n` queries, drawn at random."""
        self.rows = np.sort(rng.permutation(self.rows)[:n])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int, /) -> Question:
        return self._question(int(self.rows[number]))

    def _question(self, row: int) -> Question:
        left_out = NO_ROWS if self._apart is None else self._apart.sharing(row)
        # A track is no answer to itself, even where it has no album.
        left_out = np.union1d(left_out, [row])
        return Question(without(self._labels.sharing(row), left_out), left_out)


def without(rows: Ints, left_out: Ints) -> Ints:
    """Return the rows that are not left out, in their order."""
    if not rows.size:
        return rows
    # Much cheaper than sorting both, as np.isin would, for a genre of thousands.
    kept = np.ones(max(rows.max(), left_out.max(initial=0)) + 1, dtype=bool)
    kept[left_out] = False
    return rows[kept[rows]]


def continuations(playlists: Sequence[Ints]) -> tuple[list[Ints], list[Question]]:
    """Part playlists into the first half, which is given, and what is to be found.

    Parameters
    ----------
    playlists
        Rows of tracks in order; of a track that comes twice only the first counts.
        Those of fewer than two tracks are left out.

    Returns
    -------
    seeds : list of ndarray of int64
        The first half of each, the smaller one of an odd number.
    questions : list of Question
        The rest; all other tracks are wrong, and the seeds are no targets.
    """
    seeds: list[Ints] = []
    questions: list[Question] = []
    for playlist in playlists:
        rows = np.array(list(dict.fromkeys(playlist.tolist())), dtype=np.int64)
        if len(rows) > 1:
            half = len(rows) // 2
            seeds.append(rows[:half])
            questions.append(Question(right=rows[half:], left_out=rows[:half]))
    return seeds, questions
