"""The tracks of a library that can be proposed, loaded for recommending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from beets.dbcore.query import ParsingError
from beets.exceptions import UserError

from beetsplug.deejai.recommend.index import UNKNOWN, Index, Labels, Seed
from beetsplug.deejai.recommend.recordings.tags import Track
from beetsplug.deejai.recommend.recordings.versions import Recordings, Versions
from beetsplug.deejai.recommend.rules import Catalogue
from beetsplug.deejai.spaces import explain_none, warn_of_others
from beetsplug.deejai.storage.facts import load_facts
from beetsplug.deejai.storage.library import load_vectors, matching_ids

if TYPE_CHECKING:
    from logging import Logger

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.embedding.outside import Outsider
    from beetsplug.deejai.recommend.rules import Mask
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.facts import TrackFacts


@dataclass(frozen=True)
class Limits:
    """Which tracks may be proposed.

    Attributes
    ----------
    from_query
        Only tracks that match this query of beets; None is no limit.
    excluded
        No tracks that match one of these, beside those that the configuration excludes.
    max_length_s
        No longer tracks; None: as configured.
    """

    from_query: str | None = None
    excluded: tuple[str, ...] = ()
    max_length_s: float | None = None


@dataclass(frozen=True)
class Candidates:
    """The library's vectors and what rules ask about them, row by row."""

    index: Index
    catalogue: Catalogue
    facts: TrackFacts

    def seed(self, item: Item, heard: Outsider | None) -> Seed:
        """Make a seed of an item; what was heard is needed if the index has none."""
        row = None if item.id is None else self.index.row_of(item.id)
        if row is not None:
            return self.index.seed(row, self.catalogue.labels(row))
        assert heard is not None
        labels = self._labels(item, heard)
        if self.index.beginnings is None:
            return Seed(heard.vector, labels=labels)
        return Seed(heard.vector, None, labels, heard.beginning, heard.ending)

    def _labels(self, item: Item, heard: Outsider) -> Labels:
        artist, album, recording_id = self.facts.codes_of(item)
        recording = self.catalogue.recordings.code_of(
            Track(
                title=item.title,
                artist=artist,
                album=album,
                recording_id=recording_id,
                length_s=item.length or 0.0,
                vector=heard.vector,
            )
        )
        return Labels(artist, album, recording)


def load_candidates(
    session: Session,
    log: Logger | None,
    *,
    limits: Limits,
    segue: bool = False,
    allow_versions: bool = False,
) -> Candidates:
    """Load every track that has a vector, and mark those that may be proposed.

    Vectors of another encoder than the one in use are left out, and that is said.

    Parameters
    ----------
    session, log
        The library, and where to say what is left out, if anywhere.
    limits
        Which tracks may be proposed.
    segue
        Compare how a track begins with how the one before it ends.
    allow_versions
        Take several versions of one recording.

    Raises
    ------
    UserError
        No track has a vector of this encoder yet, or ``--from`` leaves none.
    """
    stored = load_vectors(session.lib, session.model_id)
    if not stored.item_ids.size:
        raise UserError(explain_none(session))
    if log is not None:
        warn_of_others(session, log, counts=stored.counts)
    facts = load_facts(session.lib, stored.item_ids)
    recordings: Recordings = Versions(facts.tracks(stored.vectors))
    if allow_versions:
        recordings = Recordings(np.full_like(facts.artists, UNKNOWN))
    index = Index(stored.item_ids, stored.vectors)
    return Candidates(
        with_ends(session, index) if segue else index,
        Catalogue(
            artists=facts.artists,
            albums=facts.albums,
            recordings=recordings,
            lengths_s=facts.lengths_s,
            allowed=_allowed(session, limits, facts, stored.item_ids),
        ),
        facts,
    )


def with_ends(session: Session, index: Index) -> Index:
    """Add to an index of whole tracks how each begins and ends."""
    from beetsplug.deejai.embedding.ends import load_ends

    beginnings, endings = load_ends(
        session.lib,
        session.store if session.has_store else None,
        model=session.model_id,
        item_ids=index.ids,
        vectors=index.vectors,
    )
    return replace(index, beginnings=beginnings, endings=endings)


def _allowed(
    session: Session,
    limits: Limits,
    facts: TrackFacts,
    item_ids: npt.NDArray[np.int64],
) -> Mask:
    settings = session.settings
    max_length_s = limits.max_length_s
    if max_length_s is None:
        max_length_s = settings.max_length_s
    allowed = facts.lengths_s <= max_length_s
    excluding = [("deejai.exclude in the configuration", settings.exclude)]
    excluding += [("--exclude", query) for query in limits.excluded]
    for what, query in excluding:
        if query.strip():
            allowed &= ~_matching(session, what, query, item_ids)
    if limits.from_query is not None:
        matching = _matching(session, "--from", limits.from_query, item_ids)
        if not matching.any():
            raise UserError(f"--from {limits.from_query!r} leaves no track to choose")
        allowed &= matching
    return allowed


def _matching(
    session: Session, what: str, query: str, item_ids: npt.NDArray[np.int64]
) -> Mask:
    try:
        ids = matching_ids(session.lib, query)
    except ParsingError as error:
        raise ParsingError(f"{what}: {error}") from error
    return np.isin(item_ids, list(ids))
