"""Track2Vec: vectors of tracks from the playlists they are in, by word2vec.

Tracks are words, playlists are sentences, and the context of a track is all the rest of
its playlist. T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient estimation of word
representations in vector space", 2013; and, for negative sampling, T. Mikolov and
others, "Distributed representations of words and phrases and their compositionality",
NIPS 2013. R. D. Smith used it on playlists for Deej-A.I.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.playlists import distinct
from beetsplug.deejai.training.targets import Targets
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.playlists import Playlist

VECTOR_SIZE = 100
MIN_COUNT = 1
NEGATIVE = 5

MAX_CONTEXT = 250
"""Tracks of a playlist that are each other's context, as many as the Million Playlist
Dataset's longest has. Of longer ones, such as a big genre, every epoch draws others."""

UPDATES = 500
"""How often the average track is predicted when the epochs are not given.

So few playlists are read more often than many: on made worlds of 100 to 3 000 playlists
less left rare tracks where they had started, and more learnt the chance mixtures."""


def require_gensim() -> Any:
    """Import gensim's Word2Vec.

    Raises
    ------
    FatalError
        It is not installed.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise FatalError(
            f"Track2Vec needs gensim ({error}): pip install 'beets-deejai[train]'"
        ) from error
    return Word2Vec


def prune(playlists: Iterable[Playlist], *, min_count: int) -> list[tuple[str, ...]]:
    """Keep the tracks that are in enough playlists, and the playlists of two or more.

    Dropping the one may leave too little of the other: it is repeated until all that is
    left has company.

    Parameters
    ----------
    playlists
        A track that is several times in one counts once.
    min_count
        In how many playlists a track must be, at least 1.

    Returns
    -------
    list of tuple of str
        The tracks of each playlist that is left, without repeats.
    """
    kept = [distinct(playlist.tracks) for playlist in playlists]
    while True:
        counts = Counter(track for tracks in kept for track in tracks)
        left = [
            tuple(track for track in tracks if counts[track] >= min_count)
            for tracks in kept
        ]
        left = [tracks for tracks in left if len(tracks) > 1]
        if left == kept:
            return kept
        kept = left


def prune_or_fail(
    playlists: Iterable[Playlist], *, min_count: int
) -> list[tuple[str, ...]]:
    """Do as :func:`prune`, and see that there is something left.

    Raises
    ------
    FatalError
        Nothing is left.
    """
    kept = prune(playlists, min_count=min_count)
    if not kept:
        raise FatalError(
            "no playlist holds two tracks that are in at least "
            f"{min_count} playlists each: give more playlists or a lower --min-count"
        )
    return kept


class Sentences:
    """Playlists as sentences, cut where they are longer than a context may be.

    Every time they are gone through they are cut elsewhere, each time in the same way
    for the same seed.
    """

    def __init__(self, playlists: Sequence[tuple[str, ...]], *, seed: int) -> None:
        self._playlists = playlists
        self._seed = seed
        self._n_passes = 0

    def __iter__(self) -> Iterator[list[str]]:
        rng = np.random.default_rng((self._seed, self._n_passes))
        self._n_passes += 1
        for tracks in self._playlists:
            if len(tracks) <= MAX_CONTEXT:
                yield list(tracks)
                continue
            n_pieces = math.ceil(len(tracks) / MAX_CONTEXT)
            for piece in np.array_split(rng.permutation(len(tracks)), n_pieces):
                yield [tracks[i] for i in piece]


def track2vec(
    playlists: Iterable[Playlist],
    *,
    vector_size: int = VECTOR_SIZE,
    min_count: int = MIN_COUNT,
    epochs: int | None = None,
    negative: int = NEGATIVE,
    seed: int = 0,
    on_epoch: Callable[[int, int], None] | None = None,
) -> Targets:
    """Learn vectors that are near for tracks which share playlists.

    A track is predicted from the mean of all others in its playlist (continuous bag of
    words) against randomly drawn tracks. On the made worlds of
    ``benchmarks/track2vec.py`` that was as good as skip-gram, in an eighth of the time.

    Parameters
    ----------
    playlists
        What to learn from.
    vector_size
        Components of a vector.
    min_count
        In how many playlists a track must be to get a vector.
    epochs
        How often the playlists are read; by default, as often as gives the average
        track :data:`UPDATES` updates.
    negative
        Tracks drawn against each one predicted.
    seed
        Of all that is random. One thread trains, so that equal arguments make equal
        vectors in every process.
    on_epoch
        Called after each epoch with its number, from 1, and the number of all.

    Returns
    -------
    Targets
        Unit vectors about their mean, shape (n_tracks, vector_size); tracks of most
        playlists first.

    Raises
    ------
    FatalError
        gensim is not installed, or no playlist is left to learn from.
    """
    word2vec = require_gensim()
    from gensim.models.callbacks import CallbackAny2Vec

    kept = prune_or_fail(playlists, min_count=min_count)
    n_tokens = sum(len(tracks) for tracks in kept)
    if epochs is None:
        n_tracks = len({track for tracks in kept for track in tracks})
        epochs = math.ceil(UPDATES * n_tracks / n_tokens)
    n_epochs = epochs

    class Progress(CallbackAny2Vec):  # type: ignore[misc]
        """Counts epochs."""

        n_done = 0

        def on_epoch_end(self, model: Any) -> None:
            self.n_done += 1
            if on_epoch:
                on_epoch(self.n_done, n_epochs)

    model = word2vec(
        Sentences(kept, seed=seed),
        vector_size=vector_size,
        window=min(MAX_CONTEXT, max(len(tracks) for tracks in kept)),
        shrink_windows=False,
        min_count=1,
        sg=0,
        negative=negative,
        sample=0,
        epochs=epochs,
        seed=seed,
        workers=1,
        # Python's own hash differs from process to process.
        hashfxn=lambda text: zlib.crc32(text.encode("utf-8", "surrogateescape")),
        callbacks=[Progress()],
    )
    return Targets(model.wv.index_to_key, _about_their_mean(unit(model.wv.vectors)))


def _about_their_mean(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Take unit vectors about their mean, and make them unit vectors again.

    Word2vec leaves all vectors leaning one way, which says nothing of any of them: all
    would be similar, and an encoder could do well by always saying the same (Mu and
    Viswanath, "All-but-the-top", 2018).
    """
    centred = vectors - vectors.mean(axis=0)
    # What lies on the mean, as a lone style does, keeps its direction.
    lost = np.linalg.norm(centred, axis=1) < 1e-3
    centred[lost] = vectors[lost]
    return unit(centred)
