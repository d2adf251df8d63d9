"""Which tracks still have the vector of the audio that is in their file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from beetsplug.deejai.audio.decode import audio_signature
from beetsplug.deejai.errors import TrackError
from beetsplug.deejai.storage.library import stored_by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from beets.library import Library

    from beetsplug.deejai.storage.library import Stored, Track
    from beetsplug.deejai.storage.slices import SliceRow, SliceStore


@dataclass
class Freshness:
    """Tracks sorted by what is known of them.

    Attributes
    ----------
    fresh
        Their vector is of the current model and of the audio in the file.
    stale
        They have a vector of another model or of other audio.
    missing
        They have no vector.
    failed
        They could not be heard, with the reason, and their file has not changed since.
    """

    fresh: list[Track] = field(default_factory=list)
    stale: list[Track] = field(default_factory=list)
    missing: list[Track] = field(default_factory=list)
    failed: list[tuple[Track, str]] = field(default_factory=list)

    @property
    def to_hear(self) -> list[Track]:
        """What a scan has to do."""
        return self.missing + self.stale


def assess(
    lib: Library, store: SliceStore, tracks: Iterable[Track], *, model: str
) -> Freshness:
    """Sort tracks by freshness.

    A file is read only when its time of change or size differs from what is
    remembered, and then only as far as its signature needs. A file that cannot be
    reached (a drive that is not plugged in) keeps its vector.
    """
    return assess_stored(stored_by_id(lib), store, tracks, model=model)


def assess_stored(
    stored: Mapping[int, Stored],
    store: SliceStore,
    tracks: Iterable[Track],
    *,
    model: str,
) -> Freshness:
    """Do as :func:`assess`, where the library itself does not say what is on items.

    Parameters
    ----------
    stored
        Model and signature of the vector of each track, by item id.
    store, tracks, model
        As for :func:`assess`.
    """
    rows, failures = store.rows(), store.failures()
    result = Freshness()
    compared: dict[int, str] = {}
    for track in tracks:
        on_item, row = stored.get(track.item_id), rows.get(track.item_id)
        state = track.file_state()
        failure = failures.get(track.item_id)
        if failure is not None and failure.file_state == state != "":
            result.failed.append((track, failure.reason))
        elif on_item is None:
            result.missing.append(track)
        elif (
            row is None
            or on_item.model != model
            or row.model != model
            or row.signature != on_item.signature
        ):
            result.stale.append(track)
        elif state in ("", row.file_state):
            result.fresh.append(track)
        elif same_audio(track, row):
            compared[track.item_id] = state
            result.fresh.append(track)
        else:
            result.stale.append(track)
    if compared:
        store.set_file_states(compared)
    return result


def same_audio(track: Track, row: SliceRow) -> bool:
    """Tell by reading a track's file whether it holds the audio that was heard."""
    try:
        return audio_signature(track.path) == row.signature
    except TrackError:
        return False
