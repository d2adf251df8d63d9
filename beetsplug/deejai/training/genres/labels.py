"""From the genres in a library's tags to what a classifier is taught."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.evaluation.classification import main_class
from beetsplug.deejai.output.text import counted, one_line
from beetsplug.deejai.storage.genre_model import OTHER
from beetsplug.deejai.storage.library import artist_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from beetsplug.deejai.training.tags import TaggedTrack

MIN_TRACKS = 10
"""Tracks that a genre needs by default to be learnt by itself."""

MIN_ARTISTS = 2
"""Artists that a genre needs so that one can be held out and another one learnt."""

MIN_USEFUL = 2
"""Tracks under which a genre cannot be learnt: one to learn, one to test."""

NAMED = 5
"""Genres that a message names at most."""


@dataclass(frozen=True)
class GenreLabels:
    """Tracks, and the genres that they are taught as.

    Attributes
    ----------
    genres
        The commonest first; :data:`OTHER` last, where there is one.
    tracks
        Those that have a genre of these.
    targets
        Float32, shape (n_tracks, n_genres): a track of k genres is 1/k of each.
    groups
        The artist of each track, by which music is held out; where the artist is not
        known, the folder.
    by_artist
        False when there are no two genres with two artists each: then nothing can be
        said of artists that were not learnt from.
    merged
        What rare genres were taken for, by their shown names; None: left out.
    """

    genres: tuple[str, ...]
    tracks: tuple[TaggedTrack, ...]
    targets: npt.NDArray[np.float32]
    groups: tuple[str, ...]
    by_artist: bool
    merged: Mapping[str, str | None]

    @property
    def main(self) -> npt.NDArray[np.int64]:
        """The genre of each track, of several the rarest: int64, shape (n_tracks,)."""
        return main_class(self.targets)

    def of(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> GenreLabels:
        """Return the same of some of the tracks."""
        rows = np.asarray(rows, dtype=np.int64)
        return GenreLabels(
            self.genres,
            tuple(self.tracks[row] for row in rows),
            self.targets[rows],
            tuple(self.groups[row] for row in rows),
            self.by_artist,
            self.merged,
        )


def genre_key(genre: str) -> str:
    """Reduce a genre to what tells genres apart: ``Hip-Hop`` is ``hip hop``."""
    text = unicodedata.normalize("NFKC", one_line(genre)).casefold()
    return " ".join(text.replace("-", " ").replace("_", " ").split())


def read_tree() -> dict[str, str] | None:
    """Read the tree of genres that beets' plugin lastgenre brings.

    Returns
    -------
    dict or None
        The parent of each genre that has one, both as :func:`genre_key` gives them;
        None when the tree is absent or broken.
    """
    import yaml

    spec = find_spec("beetsplug.lastgenre")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations)), "genres-tree.yaml")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    parents: dict[str, str] = {}
    for child, parent in _edges(tree, ""):
        # A few stand in several places: the first one counts, as for lastgenre.
        parents.setdefault(child, parent)
    return {child: parent for child, parent in parents.items() if parent} or None


def _edges(node: Any, parent: str) -> Iterator[tuple[str, str]]:
    """List a tree's nodes with their parents; "" for those at the root."""
    if isinstance(node, dict):
        for name, below in node.items():
            yield genre_key(str(name)), parent
            yield from _edges(below, genre_key(str(name)))
    elif isinstance(node, list):
        for one in node:
            yield from _edges(one, parent)
    elif node is not None:
        yield genre_key(str(node)), parent


def label_tracks(
    tracks: Sequence[TaggedTrack],
    *,
    parents: Mapping[str, str],
    min_tracks: int = MIN_TRACKS,
) -> GenreLabels:
    """Choose the genres to learn, and say which of them each track is.

    A genre that is rare, on fewer than `min_tracks` tracks or by a single artist,
    counts as its nearest ancestor that is not. What has none becomes :data:`OTHER` for
    tracks that have no common genre besides, and is left out where even that is rare.

    Parameters
    ----------
    tracks
        Any; those without a genre are not taught.
    parents
        As :func:`read_tree` gives them; empty for no tree.
    min_tracks
        Of a genre that is learnt by itself.

    Raises
    ------
    FatalError
        There are no two genres to tell apart; the message says why.
    """
    genres_of = [[k for k in map(genre_key, track.genres) if k] for track in tracks]
    tagged = [row for row, keys in enumerate(genres_of) if keys]
    if not tagged:
        raise FatalError(
            f"none of {counted(len(tracks), 'track')} has a genre: tag them, for "
            "example by beets' plugin lastgenre (`beet lastgenre`)"
        )
    chosen = [tracks[row] for row in tagged]
    keys = [tuple(dict.fromkeys(genres_of[row])) for row in tagged]
    groups = [_group(track) for track in chosen]
    shown = _spellings(chosen)
    became, by_artist = _choose(keys, groups, parents, min_tracks)
    if not became:
        may_lower = bool(_choose(keys, groups, parents, MIN_USEFUL)[0])
        raise FatalError(_too_few(keys, shown, min_tracks, may_lower=may_lower))
    kept = [_learnt(names, became) for names in keys]
    return _labels(chosen, kept, groups, became, shown, by_artist)


def _choose(
    keys: Sequence[tuple[str, ...]],
    groups: Sequence[str],
    parents: Mapping[str, str],
    min_tracks: int,
) -> tuple[dict[str, str | None], bool]:
    """Say what each genre counts as, and whether each is by several artists.

    What they count as is empty where that would be less than two genres.
    """
    for min_artists in (MIN_ARTISTS, 1):
        became = _roll_up(keys, groups, parents, min_tracks, min_artists)
        if len({name for names in keys for name in _learnt(names, became)}) > 1:
            return became, min_artists > 1
    return {}, False


def _spellings(tracks: Sequence[TaggedTrack]) -> dict[str, str]:
    """Find the commonest spelling of each genre."""
    counts: dict[str, Counter[str]] = {}
    for track in tracks:
        for genre in track.genres:
            counts.setdefault(genre_key(genre), Counter())[one_line(genre)] += 1
    return {
        key: min(spellings, key=lambda name: (-spellings[name], name))
        for key, spellings in counts.items()
    }


def _group(track: TaggedTrack) -> str:
    artist = artist_key(track.artist)
    return artist or f"\0{os.path.dirname(track.path)}"


def _depth(key: str, parents: Mapping[str, str]) -> int:
    seen = {key}
    while (parent := parents.get(key)) is not None and parent not in seen:
        seen.add(parent)
        key = parent
    return len(seen)


def _roll_up(
    keys: Sequence[tuple[str, ...]],
    groups: Sequence[str],
    parents: Mapping[str, str],
    min_tracks: int,
    min_artists: int,
) -> dict[str, str | None]:
    """Say what each genre counts as: itself, an ancestor, OTHER, or None: nothing."""
    rows_of: dict[str, set[int]] = {}
    for row, names in enumerate(keys):
        for name in names:
            rows_of.setdefault(name, set()).add(row)
    came_from = {name: {name} for name in rows_of}
    rare = came_from.pop(OTHER, set())
    rows_of.pop(OTHER, None)

    def is_rare(rows: set[int]) -> bool:
        artists = {groups[row] for row in rows}
        return len(rows) < min_tracks or len(artists) < min_artists

    # From the leaves up: what comes from all children decides about their parent.
    depths = {name: _depth(name, parents) for name in rows_of}
    for depth in range(max(depths.values(), default=0), 0, -1):
        for name in sorted(n for n, d in depths.items() if d == depth):
            if not is_rare(rows_of[name]):
                continue
            rows, descendants = rows_of.pop(name), came_from.pop(name)
            if depth == 1:
                rare |= descendants
                continue
            parent = parents[name]
            depths[parent] = depth - 1
            rows_of.setdefault(parent, set()).update(rows)
            came_from.setdefault(parent, set()).update(descendants)
    rest = {row for row, names in enumerate(keys) if rare.issuperset(names)}
    became: dict[str, str | None] = dict.fromkeys(
        rare, None if is_rare(rest) else OTHER
    )
    for name, descendants in came_from.items():
        became |= dict.fromkeys(descendants, name)
    return became


def _learnt(names: Sequence[str], became: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return what a track is taught as: OTHER only where there is nothing better."""
    learnt = tuple(dict.fromkeys(new for n in names if (new := became[n]) is not None))
    return tuple(name for name in learnt if name != OTHER) or learnt


def _labels(
    tracks: Sequence[TaggedTrack],
    kept: Sequence[tuple[str, ...]],
    groups: Sequence[str],
    became: Mapping[str, str | None],
    shown: Mapping[str, str],
    by_artist: bool,
) -> GenreLabels:
    counts = Counter(name for names in kept for name in names)
    order = sorted(counts, key=lambda name: (name == OTHER, -counts[name], name))
    # OTHER stays itself, however a tag of that name is spelt.
    shown = {name: shown.get(name, name) for name in {*became, *order}} | {OTHER: OTHER}
    column = {name: number for number, name in enumerate(order)}
    rows = [row for row, names in enumerate(kept) if names]
    targets = np.zeros((len(rows), len(order)), dtype=np.float32)
    for number, row in enumerate(rows):
        targets[number, [column[name] for name in kept[row]]] = 1 / len(kept[row])
    return GenreLabels(
        genres=tuple(shown[name] for name in order),
        tracks=tuple(tracks[row] for row in rows),
        targets=targets,
        groups=tuple(groups[row] for row in rows),
        by_artist=by_artist,
        merged={
            shown[name]: None if new is None else shown[new]
            for name, new in sorted(became.items())
            if new != name
        },
    )


def _too_few(
    keys: Sequence[tuple[str, ...]],
    shown: Mapping[str, str],
    min_tracks: int,
    *,
    may_lower: bool,
) -> str:
    """Say why there are no two genres to tell apart, and what helps."""
    counts = Counter(name for names in keys for name in names)
    if len(counts) == 1:
        return (
            f"{shown[keys[0][0]]} is the only genre, of {counted(len(keys), 'track')}: "
            "there is nothing to tell apart; tag other genres, for example by lastgenre"
        )
    named = ", ".join(f"{shown[k]} ({n})" for k, n in counts.most_common(NAMED))
    more = ", ..." if len(counts) > NAMED else ""
    remedy = "tag or add more music"
    if may_lower:
        remedy += ", or lower --min-tracks"
    return f"no two genres have {min_tracks} tracks each: {named}{more}; {remedy}"
