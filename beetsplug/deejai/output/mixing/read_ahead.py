"""Compute the next blocks in a second thread while the last ones are used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_PATIENCE_S = 0.1


@contextmanager
def read_ahead(
    blocks: Iterable[T], *, max_blocks: int, meanwhile: T | None = None
) -> Iterator[Iterator[T]]:
    """Iterate over `blocks` in a thread that runs ahead of its reader.

    Parameters
    ----------
    blocks
        Only touched by the thread.
    max_blocks
        How many blocks may wait for the reader: the bound on memory.
    meanwhile
        What the reader gets, several times a second, while there is no block; None
        lets it wait.

    Yields
    ------
    iterator
        The same blocks in the same order. An exception raised by `blocks` comes out
        where its block would have come.

    Notes
    -----
    However the context is left, its thread has ended afterwards.
    """
    queue: Queue[T | None] = Queue(max_blocks)
    stopped = Event()

    def put(block: T | None) -> None:
        while not stopped.is_set():
            try:
                queue.put(block, timeout=_PATIENCE_S)
            except Full:
                continue
            return

    def fill() -> None:
        try:
            for block in blocks:
                put(block)
                if stopped.is_set():
                    return
        finally:
            put(None)

    def drain() -> Iterator[T]:
        while True:
            try:
                block = queue.get(timeout=None if meanwhile is None else _PATIENCE_S)
            except Empty:
                assert meanwhile is not None
                yield meanwhile
                continue
            if block is None:
                break
            yield block
        filled.result()

    with ThreadPoolExecutor(1, thread_name_prefix="deejai-read-ahead") as pool:
        filled = pool.submit(fill)
        try:
            yield drain()
        finally:
            stopped.set()
