"""End long work tidily when the system asks for it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP.


@contextmanager
def ends_tidily() -> Iterator[None]:
    """Leave through the contexts that clean up when the process is told to end.

    A closed terminal or a shutdown would otherwise end it at once, and leave temporary
    files. Signals that somebody else handles or ignores (``nohup``) stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    ours = [each for each in numbers if signal.getsignal(each) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, frame: object) -> NoReturn:
    # As a shell tells a process that a signal has ended.
    raise SystemExit(128 + number)
