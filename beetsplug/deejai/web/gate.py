"""Who may come in: the token of a deck that other machines can reach."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from beetsplug.deejai.web.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_WRONG = 10
"""Wrong tokens within :data:`PERIOD_S` after which an address has to wait."""

PERIOD_S = 60.0

_MAX_ADDRESSES = 1000

_UNGUESSABLE = 24
"""Characters of a token that nobody finds by trying."""


class Gate:
    """Compares tokens, and slows down whoever guesses.

    Parameters
    ----------
    token
        The right one; None lets everybody in.
    clock
        Tells the time in seconds.
    """

    def __init__(
        self, token: str | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token
        self._is_guessable = token is not None and len(token) < _UNGUESSABLE
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """Whether no token is needed."""
        return self._token is None

    def is_right(self, given: str) -> bool:
        """Whether this is the token; takes as long for any wrong one."""
        return self.matches(given, lambda token: token)

    def matches(self, given: str, proof: Callable[[str], str]) -> bool:
        """Whether this is what `proof` makes of the token."""
        if self._token is None:
            return True
        return hmac.compare_digest(given.encode(), proof(self._token).encode())

    def admit(self, address: str, *, is_right: bool | None) -> None:
        """Let somebody in, or raise.

        Parameters
        ----------
        address
            Where the request comes from.
        is_right
            Whether the token that was given is the right one; None: none was given.

        Raises
        ------
        Refusal
            401 without the right token; 429 after too many wrong ones.
        """
        if self.is_open:
            return
        with self._lock:
            # A right token waits, too, if it may be guessed. A long one does not: a
            # stranger behind the same proxy could lock everybody out.
            is_sure = is_right is None or (is_right and not self._is_guessable)
            wait_s = 0.0 if is_sure else self._wait_s(address)
            if wait_s > 0.0:
                raise Refusal(
                    429,
                    "too many wrong tokens: wait a minute",
                    {"Retry-After": str(int(wait_s) + 1)},
                )
            if is_right:
                return
            if is_right is not None:
                self._note(address)
        raise Refusal(
            401,
            "open the address that the deck printed at its start, with its token",
            {"WWW-Authenticate": 'Bearer realm="deck"'},
        )

    def admit_any(self, address: str, given: Sequence[str]) -> None:
        """Let somebody in who gives the right token among some, or raise.

        Raises
        ------
        Refusal
            As :meth:`admit`.
        """
        is_right = any(map(self.is_right, given)) if given else None
        self.admit(address, is_right=is_right)

    def _wait_s(self, address: str) -> float:
        times = self._wrong.get(address, [])
        if len(times) < MAX_WRONG:
            return 0.0
        return times[-MAX_WRONG] + PERIOD_S - self._clock()

    def _note(self, address: str) -> None:
        times = self._wrong.setdefault(address, [])
        times.append(self._clock())
        del times[:-MAX_WRONG]
        self._wrong.move_to_end(address)
        if len(self._wrong) > _MAX_ADDRESSES:
            self._wrong.popitem(last=False)
