"""Made tracks with tags, for tests of which are versions of one recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beetsplug.deejai.recommend.recordings.tags import Tracks
from beetsplug.deejai.recommend.recordings.titles import is_nobody, read_artist

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def made_tracks(
    titles: Sequence[str],
    *,
    artists: Sequence[str] | None = None,
    albums: Sequence[str] | None = None,
    recording_ids: Sequence[str] | None = None,
    lengths_s: Sequence[float] | None = None,
    vectors: npt.ArrayLike | None = None,
) -> Tracks:
    """Make tracks by one artist, without albums and ids, that sound like nothing else.

    Each is 20 s longer than the one before.
    """
    n = len(titles)
    names = [read_artist(artist) for artist in artists or ["someone"] * n]
    artist_names = list(dict.fromkeys(name for name in names if not is_nobody(name)))
    unlike = np.eye(max(n, 20), dtype=np.float32)[:n]
    return Tracks(
        titles=list(titles),
        artists=_codes(names, artist_names),
        albums=_codes(albums or [""] * n),
        recording_ids=_codes(recording_ids or [""] * n),
        lengths_s=np.array(lengths_s or 200.0 + 20.0 * np.arange(n), dtype=float),
        vectors=unlike if vectors is None else np.asarray(vectors, np.float32),
        artist_names=artist_names,
    )


def _codes(
    names: Sequence[str], known: Sequence[str] | None = None
) -> npt.NDArray[np.int64]:
    order = list(dict.fromkeys(filter(None, names))) if known is None else list(known)
    return np.array(
        [order.index(name) if name in order else -1 for name in names], dtype=np.int64
    )
