"""What the query ``similar:SEED`` finds: the work behind :mod:`.queries`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import beets
import numpy as np
from beets import logging
from beets.dbcore.query import PathQuery
from beets.exceptions import UserError
from beets.library import Album, Item, parse_query_parts
from beets.util import normpath

from beetsplug.deejai.commands import VERBS, Verb
from beetsplug.deejai.commands.albums import find_albums
from beetsplug.deejai.commands.listing import Amount, load_candidates
from beetsplug.deejai.commands.seeds import is_file, no_match
from beetsplug.deejai.commands.similar import find_similar
from beetsplug.deejai.recommend.index import query_vector
from beetsplug.deejai.session import Session
from beetsplug.deejai.storage.albums import load_album_ids
from beetsplug.deejai.storage.fields import MODEL_FIELD, VECTOR_FIELD
from beetsplug.deejai.storage.library import matching_ids, split_query
from beetsplug.deejai.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from beets.dbcore.query import Query
    from beets.library import LibModel, Library

    Vector = npt.NDArray[np.float32]

log = logging.getLogger("beets.deejai")


@dataclass(frozen=True)
class Found:
    """What is near a seed.

    Attributes
    ----------
    similarities
        Cosine similarities by id, nearest first.
    revision
        Of the database when it was searched.
    query
        Unit vector, shape (d,); None when there was nothing to search with.
    model
        Id of the encoder whose vectors were compared.
    is_full
        Whether as many were found as were wanted.
    """

    similarities: Mapping[int, float] = field(default_factory=dict)
    revision: int = -1
    query: Vector | None = None
    model: str = ""
    is_full: bool = False

    def would_include(self, obj: LibModel) -> bool:
        """Whether an item or album that was not found is as near by now."""
        vector = _vector_of(obj, self.model)
        if self.query is None or vector is None or vector.shape != self.query.shape:
            return False
        farthest = min(self.similarities.values(), default=-1.0)
        return not self.is_full or float(vector @ self.query) >= farthest


def parse_seed(text: str) -> Query | None:
    """Read what stands after ``similar:``, a file of the library or a query.

    Returns
    -------
    Query or None
        None when nothing stands there.
    """
    if is_file(text):
        return PathQuery("path", normpath(text))
    terms = split_query(text)
    if not any(term.strip() for term in terms):
        return None
    return parse_query_parts(terms, Item)[0]


def search(lib: Library, seed: Query, *, name: str, albums: bool) -> Found:
    """Find what ``beet deejai similar`` would list, without hearing anything.

    Parameters
    ----------
    lib
        The library.
    seed
        Every match is a seed.
    name
        How the user wrote it.
    albums
        Find albums instead of tracks.

    Raises
    ------
    UserError
        No seed is in the library, or none has a vector of the encoder in use.
    """
    session = Session(lib, beets.config["deejai"])
    options = Verb("similar", VERBS["similar"]).parser.get_default_values()
    revision = lib.revision
    ids = matching_ids(lib, seed)
    if not ids:
        if isinstance(seed, PathQuery):
            raise UserError(
                f"{name!r} is not in the library; `beet deejai similar` hears it"
            )
        raise UserError(no_match(name))
    candidates = load_candidates(session, options, log)
    index = candidates.index
    rows = np.flatnonzero(np.isin(index.ids, list(ids)))
    if not len(rows):
        raise UserError(
            f"nothing that matches {name!r} has a vector of the encoder in use; run "
            "`beet deejai scan`"
        )
    if unheard := len(ids) - len(rows):
        log.warning(
            "{} of {} seeds are left out: they have no vector of the encoder in use",
            unheard,
            len(ids),
        )
    query = query_vector(index.vectors[rows])
    count = session.settings.similar_count
    if albums:
        own = set(load_album_ids(lib, np.array(list(ids))).tolist())
        found = find_albums(session, candidates, query, excluded=own, n=count)
    else:
        seeds = [
            index.seed(row, candidates.catalogue.labels(row)) for row in rows.tolist()
        ]
        picks = find_similar(
            candidates, query, excluded=seeds, amount=Amount(count, None)
        )
        found = {int(index.ids[pick.row]): pick.similarity for pick in picks}
    return Found(found, revision, query, session.model_id, len(found) == count)


def _vector_of(obj: LibModel, model: str) -> Vector | None:
    """Return the unit vector of an item, or the mean of an album's."""
    items: list[Any] = list(obj.items()) if isinstance(obj, Album) else [obj]
    vectors = []
    for item in items:
        if item.get(MODEL_FIELD, with_album=False) == model:
            try:
                raw = base64.b64decode(item.get(VECTOR_FIELD, with_album=False) or "")
                vectors.append(unit(np.frombuffer(raw, dtype="<f4")))
            except ValueError:  # Somebody edited it.
                continue
    if not vectors or len({vector.shape for vector in vectors}) > 1:
        return None
    return unit(np.mean(vectors, axis=0))
