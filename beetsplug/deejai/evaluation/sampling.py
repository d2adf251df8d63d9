"""Choose tracks to hear, such that there is something to find among them (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from beetsplug.deejai.evaluation.labels import Labels

    Ints = npt.NDArray[np.int64]

MAX_SHARE = 0.1
"""Of the sample by one artist; but :data:`MIN_PER_ARTIST` in any case."""

MIN_PER_ARTIST = 8


def choose_sample(
    n: int,
    *,
    artists: Labels,
    albums: Labels,
    playlists: Sequence[Ints] = (),
    rng: np.random.Generator,
) -> Ints:
    """Choose tracks artist by artist and album by album, so that neighbours exist.

    Single tracks drawn from a large library would share neither artist nor album.
    Whole playlists fill up to half of the sample, then artists in random order, those
    with several albums first for a half of what is left: only they tell an artist from
    an album. No more than a tenth of the sample is by one artist, and no more than
    half of that from one album when the artist has several.

    Parameters
    ----------
    n
        How many tracks at most.
    artists, albums
        Of all tracks.
    playlists
        Rows of tracks.
    rng
        Draws.

    Returns
    -------
    ndarray of int64
        Rows, ascending; all tracks when there are no more than `n`.
    """
    n_tracks = len(artists)
    if n_tracks <= n:
        return np.arange(n_tracks)
    chosen: set[int] = set()
    for number in rng.permutation(len(playlists)):
        together = chosen | set(playlists[number].tolist())
        if len(together) <= n // 2:
            chosen = together
    groups = _group(artists, albums, rng)
    order = rng.permutation(len(groups))
    several = [i for i in order if len(groups[i]) > 1]
    half_way = len(chosen) + (n - len(chosen)) // 2
    # First those of several albums up to a half, then everybody.
    for limit, numbers in ((half_way, several), (n, list(order))):
        for number in numbers:
            if len(chosen) >= limit:
                break
            fresh = [row for row in _some_of(groups[number], n) if row not in chosen]
            chosen.update(fresh[: n - len(chosen)])
    return np.array(sorted(chosen), dtype=np.int64)


def _group(
    artists: Labels, albums: Labels, rng: np.random.Generator
) -> list[list[list[int]]]:
    """Sort tracks into artists, and those into albums, in random order.

    Without an artist the album stands for it, and without both the track.
    """
    groups: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
    for row in rng.permutation(len(artists)).tolist():
        artist, album = sorted(artists.values[row]), sorted(albums.values[row])
        by = ("artist", *artist) if artist else ("album", *album)
        if len(by) == 1:
            by = ("track", str(row))
        groups.setdefault(by, {}).setdefault(tuple(album), []).append(row)
    return [list(group.values()) for group in groups.values()]


def _some_of(group: list[list[int]], n: int) -> list[int]:
    limit = max(MIN_PER_ARTIST, round(MAX_SHARE * n))
    per_album = limit // 2 if len(group) > 1 else limit
    return [row for album in group for row in album[:per_album]][:limit]
