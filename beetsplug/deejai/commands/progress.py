"""Progress on a terminal as one line that renews itself, elsewhere as lines."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from beetsplug.deejai.durations import format_duration

if TYPE_CHECKING:
    from types import TracebackType

TERMINAL_INTERVAL_S = 0.2
PLAIN_INTERVAL_S = 30.0


class ProgressLine:
    """Prints how much is done, at which rate, and how long it will take.

    Goes to standard error, so that a list on standard output stays clean.

    Parameters
    ----------
    total
        How much there is to do.
    unit
        Of what.
    """

    def __init__(self, total: float, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._start = time.monotonic()
        self._on_terminal = sys.stderr.isatty()
        # The first line elsewhere comes only when a job turns out to be long.
        self._shown_at = 0.0 if self._on_terminal else self._start
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._on_terminal and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def update(self, done: float, total: float | None = None) -> None:
        """Show that `done` of the total is done, if it is time to show it."""
        self._total = self._total if total is None else total
        now = time.monotonic()
        interval_s = TERMINAL_INTERVAL_S if self._on_terminal else PLAIN_INTERVAL_S
        if now - self._shown_at < interval_s:
            return
        self._shown_at = now
        text = self._text(done, now - self._start)
        if self._on_terminal:
            sys.stderr.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _text(self, done: float, elapsed_s: float) -> str:
        rate = done / elapsed_s if elapsed_s > 0 else 0.0
        text = f"{done:.0f}/{self._total:.0f} {self._unit}, {rate:.1f}/s"
        if rate > 0:
            text += f", {format_duration((self._total - done) / rate)} to go"
        return text
