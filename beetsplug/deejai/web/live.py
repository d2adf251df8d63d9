"""What could be played next, from what a page hears through its microphone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from beetsplug.deejai.candidates import with_ends
from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.live.hearing import hear
from beetsplug.deejai.live.pcm import HIGHEST_RATE, LOWEST_RATE, waveform_of
from beetsplug.deejai.live.proposing import propose
from beetsplug.deejai.recommend.rules import Rules
from beetsplug.deejai.web.asked import Asked
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.tracks import Ref, Similar, picked, seeds_among

if TYPE_CHECKING:
    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.embedding.encoder import Encoder
    from beetsplug.deejai.recommend.index import Index
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.web.deck import Deck

SHORTEST_S, LONGEST_S = 5, 30
"""How much sound a request brings."""

MAX_PROPOSED = 50

LOADING = "loading the encoder: some seconds more"


class LiveQuery(Asked):
    """What a microphone's samples are, and how many tracks are wanted."""

    rate: int = Field(
        ge=LOWEST_RATE, le=HIGHEST_RATE, description="Sampling rate in Hz"
    )
    n: int = Field(5, ge=1, le=MAX_PROPOSED)
    played: list[Ref] = Field(
        [],
        max_length=100,
        description="What was played, oldest first: not these again, and the artists "
        "of the last ones are given a rest",
    )


class LiveState(BaseModel):
    """Whether the deck can listen already."""

    state: Literal["loading", "ready"]


class Proposals(BaseModel):
    """What could be played next."""

    state: Literal["loading", "quiet", "heard"] = Field(
        description="Whether the encoder is there, and something was heard by it"
    )
    tracks: list[Similar] = Field(description="Whose beginnings fit, nearest first")
    level_db: float | None = Field(
        description="Of the last 5 seconds: RMS relative to full scale"
    )
    notices: list[str]


class Listener:
    """Listens with one encoder for all pages; it is loaded when the first one asks.

    Parameters
    ----------
    session
        The library.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self._error = ""
        self._loading: threading.Thread | None = None
        self._index: tuple[Candidates, Index] | None = None

    def encoder(self) -> Encoder | None:
        """Return the encoder, or None while it is being loaded.

        Raises
        ------
        Refusal
            It could not be loaded; the next call tries again.
        """
        with self._lock:
            if self._error:
                message, self._error = self._error, ""
                raise Refusal(503, message)
            if self._encoder is None and self._loading is None:
                self._loading = threading.Thread(target=self._load, daemon=True)
                self._loading.start()
            return self._encoder

    def _load(self) -> None:
        try:
            encoder, error = self._session.load_encoder(), ""
        except DeejaiError as problem:
            encoder, error = None, str(problem)
        except Exception as problem:  # noqa: BLE001 - the page must not wait for ever
            encoder, error = None, f"the encoder cannot be loaded: {problem!r}"
        with self._lock:
            self._encoder, self._error, self._loading = encoder, error, None

    def index(self, candidates: Candidates) -> Index:
        """Return the tracks with their beginnings, which are read once."""
        with self._lock:
            if self._index is None or self._index[0] is not candidates:
                index = with_ends(self._session, candidates.index)
                self._index = candidates, index
            return self._index[1]

    def close(self) -> None:
        """Wait until nothing is being loaded."""
        if thread := self._loading:
            # A framework that is half imported ends a process badly.
            thread.join(timeout=30.0)


def proposals(deck: Deck, data: bytes, query: LiveQuery) -> Proposals:
    """Listen, and propose what could follow.

    Parameters
    ----------
    deck
        The library.
    data
        Signed 16-bit little-endian mono samples.
    query
        What they are.

    Raises
    ------
    Refusal
        There is too little, or too much; or nothing to propose from.
    """
    duration_s = len(data) / 2 / query.rate
    if len(data) % 2:
        raise Refusal(400, "half a sample: the body is signed 16-bit mono")
    if duration_s < SHORTEST_S:
        raise Refusal(400, f"{duration_s:.1f} s of sound: at least {SHORTEST_S} s")
    if duration_s > LONGEST_S:
        raise Refusal(413, f"{duration_s:.1f} s of sound: at most {LONGEST_S} s")
    candidates = deck.candidates()
    encoder = deck.listener.encoder()
    if encoder is None:
        return Proposals(state="loading", tracks=[], level_db=None, notices=[LOADING])
    heard = hear(waveform_of(data, rate=query.rate), encoder)
    level_db = round(heard.level_db, 1)
    if heard.direction is None:
        return Proposals(
            state="quiet", tracks=[], level_db=level_db, notices=[heard.complaint]
        )
    settings = deck.session.settings
    picks = propose(
        deck.listener.index(candidates),
        candidates.catalogue,
        heard.direction,
        n=query.n,
        rules=Rules(settings.artist_gap, settings.album_gap),
        played=seeds_among(candidates, query.played),
    )
    return Proposals(
        state="heard",
        tracks=picked(deck, candidates, picks),
        level_db=level_db,
        notices=[] if picks else ["no track can be proposed"],
    )
