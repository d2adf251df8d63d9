"""Training on every accelerator there is, by Keras' own means."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.embedding.quiet import quiet_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def all_devices(devices: Sequence[str] | None = None) -> Iterator[int]:
    """Split every batch over several devices (``keras.distribution.DataParallel``).

    Networks must be made and trained in this context. Keras distributes with its JAX
    backend; with another one device is used.

    Parameters
    ----------
    devices
        Keras' names of devices; None for all GPUs or TPUs. One device, or none, is left
        to the backend's own choice.

    Yields
    ------
    int
        How many devices share the work.
    """
    with quiet_stderr():
        keras = import_keras()
    if keras.backend.backend() != "jax":
        yield 1
        return
    found = list(devices or keras.distribution.list_devices())
    if devices is None:
        found = [name for name in found if not name.startswith("cpu")]
    if len(found) < 2:
        yield 1
        return
    before = keras.distribution.distribution()
    parallel = keras.distribution.DataParallel(devices=found)
    keras.distribution.set_distribution(parallel)
    try:
        yield len(found)
    finally:
        keras.distribution.set_distribution(before)
