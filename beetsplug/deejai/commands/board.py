"""What is proposed, as a block that renews itself on a terminal, elsewhere as lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from beets.ui import print_

from beetsplug.deejai.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

_UP_AND_CLEAR = "\x1b[{n}F\x1b[J"

# A line that the terminal broke in two could not be counted.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


class Board:
    """Shows what is proposed at a time.

    On a terminal the last block is replaced. Elsewhere a block is printed when it says
    something else than the one before, each line with its time.
    """

    def __init__(self) -> None:
        self._on_terminal = sys.stdout.isatty()
        self._told: object = None
        self._height = 0

    def show(
        self, time_s: float, state: str, lines: Sequence[str], *, news: object
    ) -> None:
        """Show lines, or what is said instead of them.

        Parameters
        ----------
        time_s
            When it was heard, in seconds.
        state
            How it is going.
        lines
            What is proposed; when there are none, `state` is told in their place.
        news
            What is told by this: equal to that of the last call if it is the same.
        """
        clock = format_duration(time_s)
        if self._on_terminal:
            block = [f"{clock}  {state}", *(f"  {line}" for line in lines)]
            up = _UP_AND_CLEAR.format(n=self._height) if self._height else ""
            print_(up + _NO_WRAP + "\n".join(block) + _WRAP)
            self._height = len(block)
        elif news != self._told:
            for line in lines or [state]:
                print_(f"{clock:>6}  {line}")
        self._told = news
        sys.stdout.flush()
