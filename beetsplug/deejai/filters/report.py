"""What the filters of an encoder's layer hear in a library, and what to call them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
from beetsplug.deejai.evaluation.overrepresented import overrepresented
from beetsplug.deejai.filters.layers import LayerListener
from beetsplug.deejai.filters.ranking import Ranking, rank_audio, rank_stored
from beetsplug.deejai.spaces import explain_none
from beetsplug.deejai.storage.facts import load_versions
from beetsplug.deejai.storage.library import (
    Track,
    items_by_id,
    signatures_of,
    stored_by_id,
)
from beetsplug.deejai.storage.track_tags import load_recording_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from beets.library import Item

    from beetsplug.deejai.evaluation.overrepresented import Excess
    from beetsplug.deejai.filters.layers import Layer
    from beetsplug.deejai.filters.ranking import By, Firing
    from beetsplug.deejai.session import Session

N_NAMES = 2
"""Tags that a filter is named by, at the most."""


@dataclass(frozen=True)
class Top:
    """One of the tracks that activate a filter most.

    Attributes
    ----------
    item
        The track.
    value
        How much it does, by what was ranked.
    start_s, middle_s
        Start and middle of what the filter answered most to, in seconds.
    """

    item: Item
    value: float
    start_s: float
    middle_s: float


@dataclass(frozen=True)
class Filter:
    """What one filter hears.

    Attributes
    ----------
    number
        Of the filter in its layer, from 0 on.
    is_silent
        Whether it tells no tracks apart; it has no tracks then.
    tops
        The tracks that activate it most, strongest first, one of each recording.
    tags
        What these have more often than all that were heard, genres and the like first,
        and the most telling of them.
    """

    number: int
    is_silent: bool
    tops: list[Top]
    tags: list[Excess]

    @property
    def name(self) -> str:
        """The first of its tags; empty where it has none.

        A decade names it only where no genre, style or mood does, and an artist or an
        album only where no decade does.
        """
        best = [
            one.tag for one in self.tags if one.tag.family == self.tags[0].tag.family
        ]
        values = {tag.value.casefold(): tag.value for tag in best}
        return ", ".join(list(values.values())[:N_NAMES])


@dataclass(frozen=True)
class Report:
    """What the filters of a layer hear.

    Attributes
    ----------
    layer, by
        The layer, and what its filters are ranked by.
    seen_s
        How much of the music one answer depends on, in seconds, about.
    n_tracks
        How many tracks were heard.
    filters
        In the order of their numbers.
    failures
        Tracks that could not be heard, with the reason.
    n_unknown
        How many tracks are left out because they have no stored slices.
    """

    layer: Layer
    by: By
    seen_s: float
    n_tracks: int
    filters: list[Filter]
    failures: list[tuple[Track, str]]
    n_unknown: int


def keras_encoder(session: Session) -> KerasEncoder:
    """Load the encoder in use, whose layers can be looked into.

    Raises
    ------
    UserError
        It is none of Keras.
    """
    # Not loaded first: ONNX Runtime may not even be installed.
    if session.model_path.suffix.lower() != ".onnx":
        encoder = session.encoder
        if isinstance(encoder, KerasEncoder):
            return encoder
    raise UserError(
        f"the filters of {session.model_id} cannot be looked at, which is no Keras "
        "encoder: choose one by `beet deejai models choose NAME`"
    )


def make_report(
    session: Session,
    encoder: KerasEncoder,
    layer: Layer,
    items: Iterable[Item],
    *,
    numbers: Sequence[int],
    by: By,
    n_tops: int,
    on_progress: Callable[[int], None] = lambda n_done: None,
) -> Report:
    """Rank tracks by what the filters of a layer answer, in one pass over them.

    The last layer's answers are the slice vectors, so that no audio is read for it.

    Parameters
    ----------
    session, encoder, layer
        The library, and what to look at.
    items
        The tracks.
    numbers
        Filters of the layer, ascending.
    by
        What is ranked.
    n_tops
        How many tracks to list for each filter.
    on_progress
        Called with how many tracks are done.

    Raises
    ------
    UserError
        No track could be heard.
    """
    tracks = [Track.from_item(item) for item in items]
    # Some are versions of others; five of one recording are many already.
    ranking = Ranking(layer.n_filters, by=by, n_kept=5 * n_tops + 20)
    listener = LayerListener(encoder, layer)
    failures: list[tuple[Track, str]] = []
    if layer.is_last:
        _rank_stored(session, tracks, ranking, on_progress)
    else:
        failures = rank_audio(
            tracks,
            ranking,
            listener=listener,
            n_threads=session.settings.n_threads,
            on_progress=on_progress,
        )
    if not ranking.item_ids:
        track, reason = failures[0]
        raise UserError(f"no track could be heard; {track.shown}: {reason}")
    return Report(
        layer=layer,
        by=by,
        seen_s=listener.seen_s,
        n_tracks=len(ranking.item_ids),
        filters=_filters(session, ranking, numbers, n_tops, listener.seen_s),
        failures=failures,
        n_unknown=len(tracks) - len(ranking.item_ids) - len(failures),
    )


def _rank_stored(
    session: Session,
    tracks: Sequence[Track],
    ranking: Ranking,
    on_progress: Callable[[int], None],
) -> None:
    signatures = signatures_of(stored_by_id(session.lib), session.model_id)
    wanted = {track.item_id for track in tracks}
    signatures = {i: one for i, one in signatures.items() if i in wanted}
    if signatures and session.has_store:
        parts = session.store.iterate(session.model_id, signatures)
        rank_stored(parts, ranking, on_progress=on_progress)
    if not ranking.item_ids:
        raise UserError(explain_none(session))


def _filters(
    session: Session,
    ranking: Ranking,
    numbers: Sequence[int],
    n_tops: int,
    seen_s: float,
) -> list[Filter]:
    heard = np.array(sorted(ranking.item_ids), dtype=np.int64)
    versions = load_versions(session.lib, heard, model=session.model_id)
    tags_of, recordings = load_recording_tags(session.lib, heard, versions)
    recording_of = dict(zip(heard.tolist(), recordings.tolist(), strict=True))
    # By number, the strongest firing of each recording.
    tops: dict[int, dict[int, Firing]] = {}
    for number in numbers:
        first: dict[int, Firing] = {}
        firings = [] if ranking.is_silent(number) else ranking.firings(number)
        for one in firings:
            first.setdefault(recording_of[one.item_id], one)
        tops[number] = dict(list(first.items())[:n_tops])
    wanted = sorted({one.item_id for some in tops.values() for one in some.values()})
    items = {item.id: item for item in items_by_id(session.lib, wanted)}
    excesses = overrepresented(tags_of, [list(tops[number]) for number in numbers])
    return [
        Filter(
            number,
            not tops[number],
            # What was removed from the library meanwhile is left out.
            [
                _top(one, items[one.item_id], seen_s)
                for one in tops[number].values()
                if one.item_id in items
            ],
            tags,
        )
        for number, tags in zip(numbers, excesses, strict=True)
    ]


def _top(firing: Firing, item: Item, seen_s: float) -> Top:
    middle_s, length_s = firing.middle_s, item.length or 0.0
    # A track that is shorter than a slice was repeated to fill one. Of longer ones the
    # length in the library may be wrong.
    if 0.0 < length_s < min(middle_s, SLICE_S):
        middle_s %= length_s
    return Top(item, firing.value, max(0.0, middle_s - seen_s / 2), middle_s)
