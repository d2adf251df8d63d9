"""Put given tracks in a smoother order: a short open path through all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.recommend.local_search import LocalSearch
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.recommend.local_search import Distances, Order

FARTHEST = 2.0
"""Greatest cosine distance, and that of a recording to itself.

It may be in a playlist twice, but nobody wants to hear it twice in a row.
"""

SLACK = 0.01
"""How much longer, as a share, a path may become for a smaller worst hop."""

N_STARTS = 4
"""Nearest-neighbour paths that are searched beside the given order."""

KICKS_PER_TRACK = 20
"""Kicks of the best path, but no more than :data:`MAX_KICKS`."""

MAX_KICKS = 1000

MAX_ROUNDS = 30
"""How often the worst hop is forbidden, at most."""

PENALTY = np.float32(4.0)
"""What a forbidden hop costs more: as much as any two hops."""


def hop_distances(
    departures: npt.ArrayLike, arrivals: npt.ArrayLike, *, recordings: npt.ArrayLike
) -> Distances:
    """Measure the hop from every track of a list to every other.

    Parameters
    ----------
    departures, arrivals
        What of each track is compared with the next one and with the one before: shape
        (n, d) both, of any length. For whole tracks they are the same.
    recordings
        Integers, shape (n,): equal where two tracks are the same recording. Their
        distance is :data:`FARTHEST`.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Cosine distances, 0 to 2, from the row's track to the column's.
    """
    starts, goals = unit(departures), unit(arrivals)
    distances = 1.0 - np.clip(starts @ goals.T, -1.0, 1.0)
    if np.array_equal(starts, goals):
        # But for rounding it is symmetric, and that is searched faster.
        distances = np.minimum(distances, distances.T)
    codes = np.asarray(recordings)
    distances[codes[:, None] == codes] = FARTHEST
    return np.asarray(distances, dtype=np.float32)


def seed_distances(seeds: Sequence[Seed], *, names: Sequence[str | bytes]) -> Distances:
    """Measure the hops between given tracks, as :func:`hop_distances`.

    Parameters
    ----------
    seeds
        The tracks.
    names
        One for each: where the recording is not known, equal names are one.
    """
    numbers: dict[int | str | bytes, int] = {}
    keys = (
        name if seed.labels.recording == UNKNOWN else seed.labels.recording
        for seed, name in zip(seeds, names, strict=True)
    )
    return hop_distances(
        [seed.departure for seed in seeds],
        [seed.arrival for seed in seeds],
        recordings=[numbers.setdefault(key, len(numbers)) for key in keys],
    )


def hops_along(distances: Distances, order: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the hops of a path, one fewer than it has places.

    Parameters
    ----------
    distances
        Shape (n, n), from the row's place to the column's.
    order
        Places, shape (m,).
    """
    places = np.asarray(order, dtype=np.intp)
    return distances[places[:-1], places[1:]].astype(np.float64)


def reorder(
    distances: Distances, *, rng: np.random.Generator, keep_ends: bool = False
) -> Order:
    """Find an order of small hops.

    Their total counts first, and is never greater than in the given order. Then the
    worst hop is made smaller, as long as the total grows by no more than
    :data:`SLACK`.

    2-opt and or-opt from several paths, then iterated local search: Johnson and
    McGeoch, "The traveling salesman problem: a case study in local optimization"
    (1997).

    Parameters
    ----------
    distances
        Shape (n, n), 0 to 2, as :func:`hop_distances` makes them for the given order.
        They may differ by direction.
    rng
        Source of chance. The same state gives the same order.
    keep_ends
        Leave the first and the last track where they are.

    Returns
    -------
    ndarray of intp, shape (n,)
        The rows of `distances` in their new order.
    """
    n_tracks = len(distances)
    given = np.arange(n_tracks)
    if n_tracks < (4 if keep_ends else 2):
        return given
    table, path = distances, given
    if not keep_ends:
        # One more place, at no distance from any, is both ends.
        table = np.pad(distances, (0, 1))
        path = np.array([n_tracks, *given, n_tracks])
    search = LocalSearch(table, path)
    longest = search.length
    _shorten(search, table, rng)
    limit = min(longest, search.length * (1.0 + SLACK))
    path = _lower_worst_hop(table, search.order, limit)
    return path if keep_ends else _as_given(distances, path[1:-1])


def _shorten(
    search: LocalSearch, distances: Distances, rng: np.random.Generator
) -> None:
    """Search from several paths, then around the shortest found."""
    given = search.order.copy()
    found = []
    for start in range(1 + N_STARTS):
        if start:
            search.load(_by_nearest_neighbours(distances, given, rng))
        search.improve(given.tolist())
        found.append((search.length, start, search.order.copy()))
    length, _, best = min(found)
    search.load(best)
    for _ in range(min(MAX_KICKS, KICKS_PER_TRACK * len(given))):
        search.improve(search.kick(rng))
        if search.length < length:
            length, best = search.length, search.order.copy()
        else:
            search.load(best)


def _by_nearest_neighbours(
    distances: Distances, given: Order, rng: np.random.Generator
) -> Order:
    """Start anywhere between the ends, and always go on to the nearest that is left."""
    place = int(rng.choice(given[1:-1]))
    path = [place]
    is_used = np.zeros(len(distances), dtype=np.bool_)
    is_used[[given[0], given[-1], place]] = True
    while len(path) < len(given) - 2:
        place = int(np.argmin(np.where(is_used, np.inf, distances[place])))
        is_used[place] = True
        path.append(place)
    return np.array([given[0], *path, given[-1]])


def _lower_worst_hop(distances: Distances, path: Order, limit: float) -> Order:
    """Forbid the worst hop, and all as bad, while the path stays within a limit."""
    for _ in range(MAX_ROUNDS):
        hops = hops_along(distances, path)
        worst = int(np.argmax(hops))
        forbidden = distances >= hops[worst]
        search = LocalSearch(np.where(forbidden, distances + PENALTY, distances), path)
        search.improve(path[worst : worst + 2].tolist())
        hops = hops_along(distances, search.order)
        if forbidden[search.order[:-1], search.order[1:]].any() or hops.sum() > limit:
            break
        path = search.order
    return path


def _as_given(distances: Distances, order: Order) -> Order:
    """Turn a path round if that costs nothing and is more like the given order."""
    places = np.arange(len(order))
    is_against = float(order @ places) < float(order[::-1] @ places)
    there, back = (hops_along(distances, way) for way in (order, order[::-1]))
    turns = is_against and back.sum() <= there.sum() and back.max() <= there.max()
    return order[::-1] if turns else order
