"""Hearing tracks while beets imports them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.errors import DeejaiError, TrackError
from beetsplug.deejai.session import Session
from beetsplug.deejai.storage.fields import (
    MODEL_FIELD,
    SIGNATURE_FIELD,
    VECTOR_FIELD,
)
from beetsplug.deejai.storage.library import Track, item_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.library import Item, Library

    from beetsplug.deejai.storage.library import Stored


class Importer:
    """Gives imported items their vectors; lives as long as the plugin.

    Whatever happens here is logged and stays here: an exception would abort the whole
    import and leave rows that point at files not yet copied.
    """

    def __init__(self, lib: Library, config: Any, log: Logger) -> None:
        self.lib = lib
        self._log = log
        self._session = Session(lib, config)
        self._broken = False
        self._said_others = False

    def hear(self, items: Sequence[Item]) -> None:
        """Vectorise the items of one import task, those whose audio is new."""
        if self._broken:
            return
        try:
            if not self._session.settings.auto:
                return
            self._hear({item_id(item): item for item in items})
        except DeejaiError as error:
            # The same remedy holds for the rest of the import; once is enough.
            self._broken = True
            self._log.warning("tracks are imported without vectors: {}", error)
        except Exception as error:  # noqa: BLE001 - see the class: nothing may escape
            reason = f"{type(error).__name__}: {error}"
            self._log.warning("tracks are imported without vectors: {}", reason)
            self._log.debug("the traceback:", exc_info=True)

    def _hear(self, items: dict[int, Item]) -> None:
        from beetsplug.deejai.embedding.scan import pool_stored, scan

        session = self._session
        tracks = [
            Track.from_item(item) for item in items.values() if not self._is_fresh(item)
        ]
        if not tracks:
            return

        def write(vectors: Sequence[tuple[int, Any, Stored]]) -> None:
            # On the importer's own objects: it stores and reloads them later.
            with self.lib.transaction():
                for item_id, vector, stored in vectors:
                    item = items[item_id]
                    item[VECTOR_FIELD] = vector
                    item[MODEL_FIELD] = stored.model
                    item[SIGNATURE_FIELD] = stored.signature
                    item.store()

        thread = threading.current_thread()
        for summary in scan(
            tracks,
            store=session.store,
            write=write,
            model=session.model_id,
            pooling=session.pooling,
            load_encoder=session.load_encoder,
            n_threads=session.settings.n_threads,
            should_stop=lambda: getattr(thread, "abort_flag", False),
        ):
            while summary.failures:
                track, reason = summary.failures.pop()
                self._log.warning("no vector for {}: {}", track.shown, reason)
        pool_stored(
            self.lib,
            session.store,
            write=write,
            model=session.model_id,
            pooling=session.pooling,
            only=set(items),
        )
        self._warn_of_others()

    def _warn_of_others(self) -> None:
        """Say, once, that older tracks are not comparable with the imported ones."""
        if self._said_others:
            return
        self._said_others = True
        from beetsplug.deejai.spaces import name_others, other_models

        if others := other_models(self._session):
            self._log.warning(
                "vectors {} are in the library (tracks: {}) and are not compared with "
                "those of what is imported now; run `beet deejai scan`",
                name_others(others),
                sum(others.values()),
            )

    def _is_fresh(self, item: Item) -> bool:
        """Whether a re-imported item still has the vector and slices of its file."""
        from beetsplug.deejai.audio.decode import audio_signature

        signature = item.get(SIGNATURE_FIELD, with_album=False)
        row = self._session.store.row(item_id(item))
        if (
            row is None
            or item.get(MODEL_FIELD, with_album=False) != self._session.model_id
            or (row.model, row.signature) != (self._session.model_id, signature)
        ):
            return False
        try:
            return audio_signature(os.fsdecode(item.path)) == row.signature
        except TrackError:
            return False

    def note_files(self, items: Sequence[Item]) -> None:
        """Remember the files as they are after copying and tagging."""
        if self._broken or not self._session.has_store:
            return
        tracks = [Track.from_item(item) for item in items]
        try:
            self._session.store.set_file_states(
                {track.item_id: track.file_state() for track in tracks}
            )
        except Exception:  # noqa: BLE001 - only a hint is lost
            self._log.debug("file states not noted", exc_info=True)

    def forget(self, item: Item) -> None:
        """Remove a removed item's slices."""
        if not self._session.has_store:
            return
        try:
            self._session.store.remove([item_id(item)])
        except Exception:  # noqa: BLE001 - the next scan removes what is left over
            self._log.debug("slices not removed", exc_info=True)
