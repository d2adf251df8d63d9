"""The tracks nearest to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN, Pick
from beetsplug.deejai.recommend.rules import check_amount, last
from beetsplug.deejai.recommend.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Index, Labels, Seed
    from beetsplug.deejai.recommend.rules import Catalogue, Rules


def similar(
    index: Index,
    query: npt.NDArray[np.float32],
    *,
    catalogue: Catalogue,
    rules: Rules,
    excluded: Iterable[Seed] = (),
    n: int | None = None,
    length_s: float | None = None,
    overlap_s: float = 0.0,
) -> list[Pick]:
    """Find the tracks nearest to a query, nearest first.

    Parameters
    ----------
    index
        The library.
    query
        Unit vector, shape (d,), as
        :func:`~beetsplug.deejai.recommend.index.query_vector` makes it.
    catalogue
        Artists, lengths, and which tracks are allowed.
    rules
        What the list keeps: a track that would come too soon is left out.
    excluded
        Tracks that must not be found, nor versions of them, such as the seeds.
    n
        How many tracks; fewer only when no more are allowed.
    length_s
        Instead of `n`: seconds to fill. The nearest track that fits the time left is
        taken until none does, so that the time is never exceeded.
    overlap_s
        Seconds by which neighbours overlap where the list is rendered as a mix, short
        ones by less; 0 where tracks play one after another.

    Returns
    -------
    list of Pick
        With similarities to the query. Equal ones come in the order of their rows.

    Raises
    ------
    ValueError
        Not just one of `n` and `length_s` is given, or it is negative.
    """
    check_amount(n, length_s)
    similarities = index.followers(query)
    candidates = catalogue.candidates(excluded, timed=length_s is not None)
    order = np.flatnonzero(candidates)
    order = order[np.argsort(-similarities[order], kind="stable")]
    clock = Clock(catalogue.lengths_s, overlap_s)
    shortest_s = (clock.lengths_s - clock.overlaps_s)[order].min(initial=np.inf)
    left_s = np.inf if length_s is None else length_s
    overlap_before_s = 0.0
    picks: list[Pick] = []
    before: list[Labels] = []
    recordings: set[int] = set()
    for row in order.tolist():
        if len(picks) == n or left_s < shortest_s:
            break
        overlap_of_row_s = clock.overlap_of(row)
        added_s = clock.lengths_s[row] - min(overlap_before_s, overlap_of_row_s)
        if added_s > left_s:
            continue
        labels = catalogue.labels(row)
        if labels.recording in recordings or _is_too_near(labels, before, rules):
            continue
        picks.append(Pick(row, float(similarities[row])))
        before.append(labels)
        recordings |= {labels.recording} - {UNKNOWN}
        left_s -= float(added_s)
        overlap_before_s = overlap_of_row_s
    return picks


def _is_too_near(labels: Labels, before: Sequence[Labels], rules: Rules) -> bool:
    """Whether a track's artist or album was in the list just now."""
    artists = {one.artist for one in last(before, rules.artist_gap)} - {UNKNOWN}
    albums = {one.album for one in last(before, rules.album_gap)} - {UNKNOWN}
    return labels.artist in artists or labels.album in albums
