"""beets-deejai: a beets plugin that listens.

Loaded at every start of beets, so it imports nothing heavy; a test sees to that.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from beets.plugins import BeetsPlugin

from beetsplug.deejai.commands import DeejaiCommand
from beetsplug.deejai.queries import NAME, SimilarAlbumQuery, SimilarQuery, adopt
from beetsplug.deejai.settings import DEFAULTS
from beetsplug.deejai.storage.fields import ITEM_TYPES

if TYPE_CHECKING:
    from beets.dbcore.query import FieldQueryType
    from beets.dbcore.types import Type
    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library
    from beets.ui import Subcommand

    from beetsplug.deejai.importing import Importer


class DeejaiPlugin(BeetsPlugin):
    """Finds music that sounds alike, and plays on from there."""

    item_types: dict[str, Type[Any, Any]] = ITEM_TYPES
    item_queries: ClassVar[dict[str, FieldQueryType]] = {NAME: SimilarQuery}
    album_queries: ClassVar[dict[str, FieldQueryType]] = {NAME: SimilarAlbumQuery}

    def __init__(self) -> None:
        super().__init__()
        self.config.add(DEFAULTS)
        self._importer: Importer | None = None
        self._importer_lock = threading.Lock()
        self.import_stages = [self._on_import]
        self.register_listener("import_task_files", self._on_import_files)
        self.register_listener("item_removed", self._on_removed)
        self.register_listener("library_opened", adopt)

    def commands(self) -> list[Subcommand]:
        """Return the one command, which has all verbs below it."""
        return [DeejaiCommand(self.config, self._log)]

    def _importer_for(self, lib: Library) -> Importer:
        from beetsplug.deejai.importing import Importer

        with self._importer_lock:
            if self._importer is None or self._importer.lib is not lib:
                self._importer = Importer(lib, self.config, self._log)
            return self._importer

    def _on_import(self, session: ImportSession, task: ImportTask) -> None:
        self._importer_for(session.lib).hear(task.imported_items())

    def _on_import_files(self, session: ImportSession, task: ImportTask) -> None:
        self._importer_for(session.lib).note_files(task.imported_items())

    def _on_removed(self, item: Item) -> None:
        lib = item._db
        if lib is not None:
            self._importer_for(lib).forget(item)
