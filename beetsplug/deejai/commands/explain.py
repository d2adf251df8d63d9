"""``similar --explain``: why each track is listed, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from beets.exceptions import UserError

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.candidates import GenreCandidates
from beetsplug.deejai.commands.names import title_of
from beetsplug.deejai.commands.weights import seeds_of, shares
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.embedding.ends import N_SLICES
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.evaluation.overrepresented import overrepresented
from beetsplug.deejai.genre_space import load_genre_model, load_genre_space
from beetsplug.deejai.output.text import percent
from beetsplug.deejai.recommend.explain import best_matches, common_genres
from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.storage.genre_model import OTHER
from beetsplug.deejai.storage.library import signatures_of, stored_by_id
from beetsplug.deejai.storage.track_tags import load_recording_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from logging import Logger

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.deliver import Line
    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.commands.weights import Group
    from beetsplug.deejai.evaluation.overrepresented import Excess
    from beetsplug.deejai.recommend.explain import Match
    from beetsplug.deejai.session import Session

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
"""Recordings that make the neighbourhood of the seeds."""

TAGS = ("genre", "style", "mood", "grouping", "language", "decade")
"""Kinds of tags that say something of the sound; artists are in the list itself."""


def explain_similar(
    session: Session,
    candidates: Candidates,
    query: Array,
    *,
    groups: Sequence[Group],
    lines: list[Line],
    log: Logger,
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
    groups
        What was looked for, as the user named it, without what was to be avoided.
    lines
        What was found.
    log
        Where to say that the genres that were learnt cannot be read.

    Returns
    -------
    lines
        The same, with reasons.
    remarks
        What there is to say of the list as a whole.
    """
    if not lines:
        return lines, []
    reasons = _reasons(session, candidates, query, groups, lines, log)
    remarks = _around(session, candidates, query, seeds_of(groups))
    return [
        replace(line, reasons=tuple(some))
        for line, some in zip(lines, reasons, strict=True)
    ], remarks


def _reasons(
    session: Session,
    candidates: Candidates,
    query: Array,
    groups: Sequence[Group],
    lines: Sequence[Line],
    log: Logger,
) -> Iterator[list[str]]:
    seeds = seeds_of(groups)
    explained = _nearest(seeds, query)
    items = [line.item for line in lines] + [named.item for named in explained]
    slices = _stored_slices(session, items)
    for named in explained:
        if named.heard is not None:
            slices[named.item.path] = named.heard.slice_vectors
    genres, compositions = _compositions(session, candidates, lines, seeds, log)
    of_seeds = _mean(
        [compositions.get(named.item.path) for named in seeds], shares(groups)
    )
    sources = [named.item for named in explained if named.item.path in slices]
    seed_slices = [slices[item.path] for item in sources]
    is_segue = candidates.index.beginnings is not None
    for line in lines:
        path = line.item.path
        matches = []
        if path in slices:
            matches = _matches(slices[path], seed_slices, is_segue=is_segue)
        yield [
            *(_match_in_words(match, sources, n_seeds=len(seeds)) for match in matches),
            *_genres_in_words(genres, compositions.get(path), of_seeds),
        ]


def _nearest(seeds: Sequence[Named], query: Array) -> list[Named]:
    """Choose the seeds to compare, each once, in the order in which they were named."""
    each = list({named.item.path: named for named in seeds}.values())
    # By sound they are unit vectors, of which the nearest have the largest cosine, too.
    distances = [np.linalg.norm(named.seed.departure - query) for named in each]
    chosen = np.sort(np.argsort(distances, kind="stable")[:MAX_SEEDS])
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
    session: Session,
    candidates: Candidates,
    lines: Sequence[Line],
    seeds: Sequence[Named],
    log: Logger,
) -> tuple[tuple[str, ...], dict[bytes, Array]]:
    """Tell what genres there are, and by path what tracks are made of, if learnt."""
    if isinstance(candidates, GenreCandidates):
        index = candidates.index
        found = {named.item.path: named.seed.vector for named in seeds}
        for line in lines:
            row = None if line.item.id is None else index.row_of(line.item.id)
            if row is not None:
                found[line.item.path] = index.vectors[row]
        return candidates.model.genres, found
    try:
        model = load_genre_model(session)
        space = load_genre_space(session, model)
    except UserError:
        return (), {}
    except FatalError as error:
        log.warning("genres are left out: {}", error)
        return (), {}
    row_of = {item_id: row for row, item_id in enumerate(space.item_ids.tolist())}
    items = [line.item for line in lines] + [named.item for named in seeds]
    found = {
        item.path: space.probabilities[row_of[item.id]]
        for item in items
        if item.id in row_of
    }
    if model.kind == "head":
        for named in seeds:
            if named.heard is not None:
                vectors = named.heard.slice_vectors
                found[named.item.path] = model.composition(vectors)
    return model.genres, found


def _mean(
    compositions: Sequence[Array | None], weights: Sequence[float]
) -> Array | None:
    """Mix those that are known."""
    known = [
        (composition, weight)
        for composition, weight in zip(compositions, weights, strict=True)
        if composition is not None
    ]
    if not known:
        return None
    mixed, of_mixed = zip(*known, strict=True)
    return np.average(mixed, axis=0, weights=of_mixed)


def _matches(track: Array, seeds: Sequence[Array], *, is_segue: bool) -> list[Match]:
    """Find what sounds alike in what was compared: as a segue the ends that meet."""
    if not is_segue:
        return best_matches(track, seeds, n=N_MATCHES)
    endings = [seed[-N_SLICES:] for seed in seeds]
    return [
        replace(match, seed_start=len(seeds[match.seed][:-N_SLICES]) + match.seed_start)
        for match in best_matches(track[:N_SLICES], endings, n=N_MATCHES)
    ]


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
    session: Session, candidates: Candidates, query: Array, seeds: Sequence[Named]
) -> list[str]:
    """Say which tags are commoner among the nearest recordings than elsewhere.

    Those of the seeds are neither here nor there.
    """
    index = candidates.index
    tags, recordings = load_recording_tags(
        session.lib, index.ids, candidates.versions, kinds=TAGS
    )
    # What is outside the library may be a version of what is inside: the code of a
    # recording is the row of one of its tracks.
    rows = (
        named.seed.labels.recording if named.seed.row is None else named.seed.row
        for named in seeds
    )
    own = set(recordings[[row for row in rows if row != UNKNOWN]].tolist())
    nearest_first = np.argsort(-index.followers(query), kind="stable")
    others = [
        recording
        for recording in dict.fromkeys(recordings[nearest_first].tolist())
        if recording not in own
    ]
    # With the nearest in front, they are the first rows.
    (found,) = overrepresented(
        [tags[recording] for recording in others], [range(min(N_AROUND, len(others)))]
    )
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
