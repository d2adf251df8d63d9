"""What the pages and the API of one deck share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beetsplug.deejai.web.covers import Covers
from beetsplug.deejai.web.gate import Gate
from beetsplug.deejai.web.live import Listener
from beetsplug.deejai.web.maps import Maps
from beetsplug.deejai.web.mixes import Mixes
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.shelf import Shelf
from beetsplug.deejai.web.uploads import Uploads
from beetsplug.deejai.web.waves import Waves

if TYPE_CHECKING:
    from logging import Logger

    from beetsplug.deejai.candidates import Candidates, Limits
    from beetsplug.deejai.session import Session


@dataclass(frozen=True)
class DeckOptions:
    """How a deck is run.

    Attributes
    ----------
    host, port
        Where it listens.
    token
        What a visitor has to know; None: nothing, for a deck that only this machine can
        reach.
    hosts
        Further names by which it may be called.
    demo_s
        Seconds that are played of each track; None: all of it.
    crossfade_s
        How long tracks overlap, in seconds.
    """

    host: str = "127.0.0.1"
    port: int = 8050
    token: str | None = None
    hosts: tuple[str, ...] = ()
    demo_s: float | None = None
    crossfade_s: float = 6.0

    @property
    def is_shared(self) -> bool:
        """Whether other machines may reach it."""
        return self.token is not None


class Deck:
    """One library, which is only read, and what is made of it for as long as it runs.

    Parameters
    ----------
    session
        Of a library that cannot be written to.
    options
        How the deck is run.
    limits
        Which tracks may be proposed.
    log
        Where to say what goes wrong in the background.
    """

    def __init__(
        self, session: Session, options: DeckOptions, limits: Limits, log: Logger
    ) -> None:
        self.session = session
        self.options = options
        self.log = log
        self.gate = Gate(options.token)
        self.shelf = Shelf(session, log, limits)
        self.covers = Covers()
        self.waves = Waves()
        self.uploads = Uploads(session.hear)
        self.mixes = Mixes(log)
        self.maps = Maps(session, self.shelf)
        self.listener = Listener(session)

    def candidates(self) -> Candidates:
        """Return the tracks that can be compared.

        Raises
        ------
        Refusal
            There are none; the message says what to do.
        """
        contents = self.shelf.contents()
        if contents.candidates is None:
            raise Refusal(409, contents.reason)
        return contents.candidates

    def close(self) -> None:
        """Stop what runs in the background, and delete what was uploaded and made."""
        # Whoever is impatient interrupts this, too; the rest is closed all the same.
        with ExitStack() as parts:
            for part in (
                self.listener,
                self.maps,
                self.waves,
                self.mixes,
                self.uploads,
            ):
                parts.callback(part.close)
