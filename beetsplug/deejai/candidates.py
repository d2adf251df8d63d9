"""The tracks of a library that can be proposed, loaded for recommending."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from beets.dbcore.query import ParsingError
from beets.exceptions import UserError
from beets.library import Item

from beetsplug.deejai.genre_space import (
    hear_genres,
    load_genre_model,
    load_genre_space,
    scan_for,
)
from beetsplug.deejai.recommend.genres import GenreIndex, on_sphere
from beetsplug.deejai.recommend.index import UNKNOWN, Index, Labels, Seed
from beetsplug.deejai.recommend.recordings.tags import Track
from beetsplug.deejai.recommend.recordings.versions import Recordings, Versions
from beetsplug.deejai.recommend.rules import Catalogue
from beetsplug.deejai.spaces import explain_none, warn_of_others
from beetsplug.deejai.storage.facts import load_facts
from beetsplug.deejai.storage.library import load_vectors, matching_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy.typing as npt

    from beetsplug.deejai.embedding.outside import Outsider
    from beetsplug.deejai.recommend.rules import Mask
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.facts import TrackFacts
    from beetsplug.deejai.storage.genre_model import GenreModel
    from beetsplug.deejai.storage.library import TrackVectors

Space = Literal["sound", "genre"]

SPACES: tuple[Space, ...] = ("sound", "genre")
"""What tracks are compared by: how they sound, or what genres they are made of."""


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
    """The library's vectors and what rules ask about them, row by row.

    Attributes
    ----------
    index, catalogue, facts
        Of all tracks that have a vector.
    versions
        Which of them are one recording, also where the catalogue lets several be taken.
    """

    index: Index
    catalogue: Catalogue
    facts: TrackFacts
    versions: Versions

    missing: ClassVar[str] = "no vector of the encoder in use"
    """What a track lacks that is not in the index ..."""

    @property
    def scan(self) -> str:
        """... and the command that mends it."""
        return "beet deejai scan"

    def hear(
        self, session: Session, names: Sequence[str]
    ) -> tuple[dict[str, Outsider], list[tuple[str, str]]]:
        """Hear files on the fly, for :meth:`seed`; as :meth:`Session.hear` does."""
        return session.hear(names)

    def on_sphere(self) -> Candidates:
        """Return them as unit vectors, for lists that lead from track to track."""
        return self

    def seed(self, item: Item, heard: Outsider | None) -> Seed:
        """Make a seed of an item; what was heard is needed if the index has none."""
        row = None if item.id is None else self.index.row_of(item.id)
        if row is not None:
            return self.index.seed(row, self.catalogue.labels(row))
        assert heard is not None
        labels = self._labels(item, heard)
        return self._outside(heard, labels)

    def _outside(self, heard: Outsider, labels: Labels) -> Seed:
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


@dataclass(frozen=True)
class GenreCandidates(Candidates):
    """Candidates that are compared by what genres they are made of.

    Attributes
    ----------
    model
        Tells what genres a file is made of.
    is_on_sphere
        Whether the index holds the square roots of compositions, instead of these.
    """

    model: GenreModel
    is_on_sphere: bool = False

    missing: ClassVar[str] = "no slices that tell their genres"

    @property
    def scan(self) -> str:
        """The command that hears what is missing."""
        return scan_for(self.model)

    def hear(
        self, session: Session, names: Sequence[str]
    ) -> tuple[dict[str, Outsider], list[tuple[str, str]]]:
        """Hear files on the fly, and what genres they are made of.

        Their sound is wanted, too: versions of one recording are told apart by it.
        """
        heard, failures = session.hear(names)
        if self.model.kind == "head":
            compositions = {
                name: self.model.composition(one.slice_vectors)
                for name, one in heard.items()
            }
        else:
            items = [Item(path=os.fsencode(name)) for name in heard]
            slices, unheard = hear_genres(session, self.model, items)
            compositions = {os.fsdecode(p): s.mean(axis=0) for p, s in slices.items()}
            failures += [(os.fsdecode(p), reason) for p, reason in unheard.items()]
        return {
            name: replace(heard[name], composition=composition)
            for name, composition in compositions.items()
        }, failures

    def on_sphere(self) -> GenreCandidates:
        """Return them by the square roots of their compositions."""
        index = Index(self.index.ids, on_sphere(self.index.vectors))
        return replace(self, index=index, is_on_sphere=True)

    def _outside(self, heard: Outsider, labels: Labels) -> Seed:
        assert heard.composition is not None
        point = heard.composition
        return Seed(on_sphere(point) if self.is_on_sphere else point, labels=labels)


def load_candidates(
    session: Session,
    log: Logger | None,
    *,
    limits: Limits,
    space: Space = "sound",
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
    space
        What tracks are compared by. In genre space those are left out whose slices are
        not stored, and that is said.
    segue
        Compare how a track begins with how the one before it ends; by their sound only.
    allow_versions
        Take several versions of one recording.

    Raises
    ------
    UserError
        No track has a vector of this encoder yet, or ``--from`` leaves none; no genres
        are learnt, or those of no track can be told.
    """
    stored = load_vectors(session.lib, session.model_id)
    if not stored.item_ids.size:
        raise UserError(explain_none(session))
    if log is not None:
        warn_of_others(session, log, counts=stored.counts)
    if space == "genre":
        model = load_genre_model(session)
        stored, compositions = _with_genres(session, model, stored, log)
        genre_index = GenreIndex(stored.item_ids, compositions)
        known = _catalogue(session, limits, stored, allow_versions)
        return GenreCandidates(genre_index, *known, model)
    index = Index(stored.item_ids, stored.vectors)
    known = _catalogue(session, limits, stored, allow_versions)
    return Candidates(with_ends(session, index) if segue else index, *known)


def _catalogue(
    session: Session, limits: Limits, stored: TrackVectors, allow_versions: bool
) -> tuple[Catalogue, TrackFacts, Versions]:
    facts = load_facts(session.lib, stored.item_ids)
    versions = Versions(facts.tracks(stored.vectors))
    recordings: Recordings = versions
    if allow_versions:
        recordings = Recordings(np.full_like(facts.artists, UNKNOWN))
    catalogue = Catalogue(
        artists=facts.artists,
        albums=facts.albums,
        recordings=recordings,
        lengths_s=facts.lengths_s,
        allowed=_allowed(session, limits, facts, stored.item_ids),
    )
    return catalogue, facts, versions


def _with_genres(
    session: Session, model: GenreModel, stored: TrackVectors, log: Logger | None
) -> tuple[TrackVectors, npt.NDArray[np.float32]]:
    """Keep the tracks whose composition is known; return both, row by row."""
    space = load_genre_space(session, model)
    item_ids, rows, places = np.intersect1d(
        stored.item_ids, space.item_ids, assume_unique=True, return_indices=True
    )
    if not item_ids.size:
        raise UserError(
            f"no track has slices that tell its genres; run `{scan_for(model)}` first"
        )
    n_missing = len(stored.item_ids) - len(item_ids)
    if n_missing and log is not None:
        log.warning(
            "{} left out: {} no slices that tell {} genres; run `{}`",
            "1 track is" if n_missing == 1 else f"{n_missing} tracks are",
            "it has" if n_missing == 1 else "they have",
            "its" if n_missing == 1 else "their",
            scan_for(model),
        )
    kept = replace(stored, item_ids=item_ids, vectors=stored.vectors[rows])
    return kept, space.probabilities[places]


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
