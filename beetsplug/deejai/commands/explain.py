"""``similar --explain``: why each track is listed, in words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.candidates import GenreCandidates
from beetsplug.deejai.commands.names import title_of
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.evaluation.overrepresented import overrepresented
from beetsplug.deejai.genre_space import load_genre_model, stored_probabilities
from beetsplug.deejai.output.text import percent
from beetsplug.deejai.recommend.explain import best_matches, common_genres
from beetsplug.deejai.storage.genre_model import OTHER
from beetsplug.deejai.storage.library import signatures_of, stored_by_id
from beetsplug.deejai.storage.track_tags import load_track_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.deliver import Line
    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.evaluation.overrepresented import Excess
    from beetsplug.deejai.recommend.explain import Match
    from beetsplug.deejai.recommend.index import Index
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.genre_model import GenreModel

    Array = npt.NDArray[np.float32]

MAX_SEEDS = 20
"""Of many seeds so many are compared slice by slice: those nearest to their mean."""

N_MATCHES = 3
"""Stretches that are named for a track ..."""

N_GENRES = 3
"""... genres ..."""

N_TAGS = 5
"""... and tags for the neighbourhood."""

N_AROUND = 30
"""Tracks that make the neighbourhood of the seeds."""

TAGS = ("genre", "style", "mood", "grouping", "language", "decade")
"""Kinds of tags that say something of the sound; artists are in the list itself."""


def explain_similar(
    session: Session,
    candidates: Candidates,
    query: Array,
    *,
    seeds: Sequence[Named],
    lines: Sequence[Line],
) -> tuple[list[Line], list[str]]:
    """Say of each track why it is near, and what its surroundings are.

    What is not known is left out: slices that are not stored, genres that are not
    learnt, tags that are not set.

    Parameters
    ----------
    session
        The library.
    candidates
        What was searched.
    query
        What was looked for, as the index makes it.
    seeds
        What was looked for, as the user named it.
    lines
        What was found.

    Returns
    -------
    lines
        The same, with reasons.
    remarks
        What there is to say of the list as a whole.
    """
    if isinstance(candidates, GenreCandidates):
        reasons = _genre_reasons(candidates, query, lines)
    else:
        reasons = _sound_reasons(session, query, seeds, lines)
    remarks = _around(session, candidates.index, query, seeds)
    return [
        replace(line, reasons=tuple(some))
        for line, some in zip(lines, reasons, strict=True)
    ], remarks


def _genre_reasons(
    candidates: GenreCandidates, query: Array, lines: Sequence[Line]
) -> Iterator[list[str]]:
    index = candidates.index
    for line in lines:
        row = None if line.item.id is None else index.row_of(line.item.id)
        composition = None if row is None else index.vectors[row]
        yield _genres_in_words(candidates.model.genres, composition, query)


def _sound_reasons(
    session: Session, query: Array, seeds: Sequence[Named], lines: Sequence[Line]
) -> Iterator[list[str]]:
    explained = _nearest(seeds, query)
    items = [line.item for line in lines] + [named.item for named in explained]
    slices = _stored_slices(session, items)
    for named in explained:
        if named.heard is not None:
            slices[named.item.path] = named.heard.slice_vectors
    model, compositions = _compositions(session, items, slices)
    genres = model.genres if model else ()
    sources = [named.item for named in explained if named.item.path in slices]
    known = [
        compositions[named.item.path]
        for named in explained
        if named.item.path in compositions
    ]
    of_seeds = np.mean(known, axis=0) if known else None
    for line in lines:
        path = line.item.path
        matches = []
        if path in slices:
            seed_slices = [slices[item.path] for item in sources]
            matches = best_matches(slices[path], seed_slices, n=N_MATCHES)
        yield [
            *(_match_in_words(match, sources, n_seeds=len(seeds)) for match in matches),
            *_genres_in_words(genres, compositions.get(path), of_seeds),
        ]


def _nearest(seeds: Sequence[Named], query: Array) -> list[Named]:
    """Choose the seeds to compare, each once, in the order in which they were named."""
    each = list({named.item.path: named for named in seeds}.values())
    similarities = np.array([named.seed.departure @ query for named in each])
    chosen = np.sort(np.argsort(-similarities, kind="stable")[:MAX_SEEDS])
    return [each[number] for number in chosen]


def _stored_slices(session: Session, items: Sequence[Item]) -> dict[bytes, Array]:
    """Read the slice vectors of some tracks, by path; what is not stored is missing."""
    if not session.has_store:
        return {}
    path_of = {item.id: item.path for item in items if item.id is not None}
    current = signatures_of(stored_by_id(session.lib), session.model_id)
    wanted = {i: current[i] for i in path_of if i in current}
    found: dict[bytes, Array] = {}
    for part in session.store.iterate(session.model_id, wanted):
        tracks = np.split(part.vectors, np.cumsum(part.counts)[:-1])
        for item_id, vectors in zip(part.item_ids.tolist(), tracks, strict=True):
            found[path_of[item_id]] = vectors.astype(np.float32)
    return found


def _compositions(
    session: Session, items: Sequence[Item], slices: Mapping[bytes, Array]
) -> tuple[GenreModel | None, dict[bytes, Array]]:
    """Tell what genres tracks are made of, by path, if genres were learnt."""
    with suppress(UserError):
        model = load_genre_model(session)
        if model.kind == "head":
            return model, {p: model.composition(some) for p, some in slices.items()}
        stored = stored_probabilities(session, model, items)
        return model, {path: some.mean(axis=0) for path, some in stored.items()}
    return None, {}


def _match_in_words(match: Match, sources: Sequence[Item], *, n_seeds: int) -> str:
    whose = f" of {title_of(sources[match.seed])}" if n_seeds > 1 else ""
    here = _span(match.start, match.n_slices)
    there = _span(match.seed_start, match.n_slices)
    return f"{here} sounds like {there}{whose} ({match.similarity:.2f})"


def _span(start: int, n_slices: int) -> str:
    start_s, end_s = start * SLICE_S, (start + n_slices) * SLICE_S
    return f"{format_duration(start_s)} - {format_duration(end_s)}"


def _genres_in_words(
    genres: Sequence[str], composition: Array | None, of_seeds: Array | None
) -> list[str]:
    if composition is None or of_seeds is None:
        return []
    common = common_genres(composition, of_seeds, n=N_GENRES)
    words = [
        f"{genres[k]} {percent(composition[k])} / {percent(of_seeds[k])}"
        for k in common
        if genres[k] != OTHER
    ]
    return [f"genres agree: {', '.join(words)}"] if words else []


def _around(
    session: Session, index: Index, query: Array, seeds: Sequence[Named]
) -> list[str]:
    """Say which tags are commoner among the nearest tracks than elsewhere."""
    similarities = index.followers(query).copy()
    own = [named.seed.row for named in seeds if named.seed.row is not None]
    similarities[own] = -np.inf
    n_around = min(N_AROUND, len(index) - len(set(own)))
    nearest = np.argsort(-similarities, kind="stable")[:n_around]
    tags = load_track_tags(session.lib, index.ids.tolist(), kinds=TAGS)
    if not any(tags):
        return []
    (found,) = overrepresented(tags, [nearest.tolist()])
    words = [_excess_in_words(excess) for excess in found[:N_TAGS]]
    whom = "it" if len(seeds) == 1 else "them"
    return [f"around {whom}: {', '.join(words)}"] if words else []


def _excess_in_words(excess: Excess) -> str:
    n_outside = excess.n_all - excess.n_group
    elsewhere = excess.n_tagged - excess.n_inside
    if not elsewhere:
        rest = "none"
    elif 2 * elsewhere < n_outside:
        rest = f"1 of {n_outside / elsewhere:.0f}"
    else:
        rest = percent(elsewhere / n_outside)
    count = f"{excess.n_inside} of {excess.n_group}"
    return f"{excess.tag.value} ({count}; {rest} elsewhere)"
