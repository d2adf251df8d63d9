"""What beets' plugins have counted of plays, skips and ratings, as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.taste import Plays

if TYPE_CHECKING:
    import numpy.typing as npt
    from beets.library import Library

COUNT_FIELDS = ("play_count", "lastfm_play_count", "listenbrainz_play_count")
"""Plays, as mpdstats, lastimport and listenbrainz write them.

A play that two of them have seen is one play, so the largest number holds.
"""

SKIP_FIELD = "skip_count"
"""How often a track was skipped (mpdstats)."""

RATING_FIELD = "rating"
"""0 to 1 (mpdstats)."""

TIME_FIELD = "last_played"
"""Seconds since 1970 (mpdstats)."""

PLAY_FIELDS = (*COUNT_FIELDS, SKIP_FIELD, RATING_FIELD, TIME_FIELD)


def load_plays(lib: Library, item_ids: npt.NDArray[np.int64]) -> Plays:
    """Read how tracks were listened to, in one query.

    Values out of range are brought into it, and what is no number counts as unknown:
    flexible attributes can be edited by hand.

    Parameters
    ----------
    lib
        The library.
    item_ids
        The tracks, shape (n_tracks,).

    Returns
    -------
    Plays
        Row by row as `item_ids`.
    """
    marks = ", ".join("?" * len(PLAY_FIELDS))
    with lib.transaction() as tx:
        rows = tx.query(
            f"SELECT entity_id, key, value FROM item_attributes WHERE key IN ({marks})",
            PLAY_FIELDS,
        )
    row_of = {int(wanted): row for row, wanted in enumerate(item_ids)}
    columns = {key: np.full(len(item_ids), np.nan) for key in PLAY_FIELDS}
    for item_id, key, value in rows:
        row = row_of.get(item_id)
        if row is not None:
            columns[key][row] = _number(value)
    # fmax takes the known one of two.
    counts = np.fmax.reduce([columns[key] for key in COUNT_FIELDS])
    return Plays(
        counts=np.maximum(counts, 0.0),
        skips=np.maximum(columns[SKIP_FIELD], 0.0),
        ratings=np.clip(columns[RATING_FIELD], 0.0, 1.0),
        last_played_s=columns[TIME_FIELD],
    )


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return np.nan
    return number if np.isfinite(number) else np.nan
