"""What the deck plays next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.playlist import playlist
from beetsplug.deejai.recommend.rules import UNRULED, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.recommend.index import Seed
    from beetsplug.deejai.recommend.playlist import Playlist
    from beetsplug.deejai.settings import Settings

LIKED_SHARE = 0.5
"""What all liked tracks count together, relative to all of the last ones."""

BANNED_SHARE = 0.25
"""How far banned tracks are steered away from; ``--not`` takes 1.

A ban is of one track, and it holds long after the music has moved on.
"""


SHORTEST_START_S = 45.0
"""A jingle is a poor beginning, unless there is nothing else."""


@dataclass(frozen=True)
class Sitting:
    """What has been played and said so far.

    Attributes
    ----------
    last
        What was played last, oldest first, at least one.
    liked, banned
        What the listener wants more and less of.
    played
        Rows that are not proposed again.
    """

    last: Sequence[Seed]
    liked: Sequence[Seed] = ()
    banned: Sequence[Seed] = ()
    played: Sequence[int] = ()


def start_anywhere(
    candidates: Candidates, unwanted: Iterable[int], *, seed: int
) -> int | None:
    """Choose a track to begin with, by chance.

    Parameters
    ----------
    candidates
        The library.
    unwanted
        Rows that are not to be chosen.
    seed
        Of the chance.

    Returns
    -------
    int or None
        Its row; None when none is left.
    """
    catalogue = candidates.catalogue
    left = catalogue.without(unwanted, catalogue.allowed)
    long = left & (catalogue.lengths_s >= SHORTEST_START_S)
    rows = np.flatnonzero(long if long.any() else left)
    return int(np.random.default_rng(seed).choice(rows)) if rows.size else None


def play_on(
    candidates: Candidates,
    sitting: Sitting,
    *,
    settings: Settings,
    n: int,
    keep_on: int,
    drunk: float,
    seed: int,
) -> Playlist:
    """Choose the next tracks, as ``beet deejai playlist`` does.

    Where that would end for the gaps alone, it goes on without them: a deck that falls
    silent is worse than one artist twice.

    Parameters
    ----------
    candidates
        The library.
    sitting
        What the choice goes by.
    settings
        Which gaps are kept.
    n
        How many tracks.
    keep_on, drunk
        As of :func:`~beetsplug.deejai.recommend.playlist.playlist`.
    seed
        Of the noise.
    """
    seeds = [*sitting.liked, *sitting.last]
    weights = np.zeros(len(seeds))
    n_heard = min(keep_on, len(sitting.last))
    weights[len(seeds) - n_heard :] = 1.0
    if sitting.liked:
        weights[: len(sitting.liked)] = LIKED_SHARE * n_heard / len(sitting.liked)
    catalogue = candidates.catalogue
    catalogue = replace(
        catalogue, allowed=catalogue.without(sitting.played, catalogue.allowed)
    )
    choose = partial(
        playlist,
        candidates.index,
        seeds,
        weights=weights,
        avoided=sitting.banned,
        avoided_weights=[BANNED_SHARE] * len(sitting.banned),
        catalogue=catalogue,
        n=n,
        keep_on=keep_on,
        drunk=drunk,
    )
    rules = Rules(settings.artist_gap, settings.album_gap)
    result = choose(rules=rules, rng=np.random.default_rng(seed))
    if result.picks:
        return result
    return choose(rules=UNRULED, rng=np.random.default_rng(seed))
