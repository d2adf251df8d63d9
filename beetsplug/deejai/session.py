"""What a command or an import works with: settings, model and side store, lazily."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from beets.library import Library

    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.embedding.model_folder import ModelFolder
    from beetsplug.deejai.embedding.outside import Outsider
    from beetsplug.deejai.embedding.scan import Pooling
    from beetsplug.deejai.storage.slices import SliceStore


class Session:
    """One library under one configuration.

    Everything is made at its first use: ``similar`` must not wait for what only
    ``scan`` needs.
    """

    def __init__(self, lib: Library, config: Any) -> None:
        self.lib = lib
        self._config = config
        # Several threads of the deck may ask for it at once.
        self._encoder_lock = threading.Lock()
        self._encoder: Encoder | None = None

    @cached_property
    def settings(self) -> Settings:
        """The checked configuration."""
        return Settings.from_config(self._config)

    @cached_property
    def models(self) -> ModelFolder:
        """The imported encoders, in a folder beside beets' configuration."""
        from pathlib import Path

        from beets import config

        from beetsplug.deejai.embedding.model_folder import ModelFolder

        return ModelFolder(Path(config.config_dir(), "deejai", "models"))

    @property
    def is_model_configured(self) -> bool:
        """Whether the configuration names a model file, so that no choice holds."""
        return self.settings.model != "default"

    @cached_property
    def model_path(self) -> Path:
        """The encoder's file: as configured, else as chosen, else the shipped one."""
        from beetsplug.deejai.embedding.encoder import model_path

        if self.is_model_configured:
            return model_path(self.settings.model)
        return self.models.chosen_path()

    @cached_property
    def model_id(self) -> str:
        """Id of the encoder, as stored beside each vector."""
        return self.models.id_of(self.model_path)

    @property
    def encoder(self) -> Encoder:
        """The encoder itself; its framework takes seconds to import, once."""
        with self._encoder_lock:
            if self._encoder is None:
                self._encoder = self.models.load(self.model_path)
            return self._encoder

    def load_encoder(self) -> Encoder:
        """Return :attr:`encoder`, for whoever wants to decide when, in any thread."""
        return self.encoder

    @property
    def has_store(self) -> bool:
        """Whether a side store exists already."""
        return "store" in self.__dict__ or os.path.exists(self._store_path)

    @property
    def _store_path(self) -> str:
        from beetsplug.deejai.storage.slices import store_path

        return store_path(self.lib.path)

    @cached_property
    def store(self) -> SliceStore:
        """The side store of slice vectors, beside the library."""
        from beetsplug.deejai.storage.slices import SliceStore

        return SliceStore(self._store_path)

    def hear(
        self, names: Sequence[str], *, progress: Callable[[float], None] | None = None
    ) -> tuple[dict[str, Outsider], list[tuple[str, str]]]:
        """Hear files on the fly; nothing of it is stored.

        Parameters
        ----------
        names
            The files.
        progress
            Called with the part that is heard, 0 to 1.

        Returns
        -------
        heard, failures
            As of :func:`~beetsplug.deejai.embedding.outside.hear_files`.
        """
        from beetsplug.deejai.embedding.outside import hear_files

        return hear_files(
            self.lib,
            self.store if self.has_store else None,
            names,
            model=self.model_id,
            pooling=self.pooling,
            load_encoder=self.load_encoder,
            n_threads=self.settings.n_threads,
            progress=progress,
        )

    @cached_property
    def pooling(self) -> Pooling:
        """How slice vectors become a track vector."""
        from beetsplug.deejai.embedding.scan import Pooling

        return Pooling(self.settings.pooling, self.settings.epsilon)
