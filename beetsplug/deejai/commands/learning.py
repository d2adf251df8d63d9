"""What the verbs share that learn vectors of tracks: options, the check, the file."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import print_
from beets.util import displayable_path, normpath

from beetsplug.deejai.output.atomic import replaceable
from beetsplug.deejai.storage.library import (
    artist_key,
    item_id,
    items_by_id,
    shown_path,
)
from beetsplug.deejai.training.neighbours import nearest, share_of_same
from beetsplug.deejai.training.tags import load_tagged
from beetsplug.deejai.training.targets import write_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from beets.library import Library
    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.training.playlists import Playlist
    from beetsplug.deejai.training.tags import TaggedTrack
    from beetsplug.deejai.training.targets import Targets

SUFFIX = ".npz"
MAX_SEED = 2**32 - 1
N_EXAMPLES = 3
N_NEAREST = 3


def add_vector_options(
    parser: CommonOptionsParser, *, default_size: int, default_min_count: int
) -> None:
    """Add the options that both verbs have besides those of the sources."""
    parser.add_option(
        "-o",
        "--output",
        metavar="FILE",
        help=f"the {SUFFIX} file to write the vectors to",
    )
    parser.add_option(
        "--size",
        type="int",
        default=default_size,
        metavar="N",
        help=f"components of a vector (default: {default_size})",
    )
    parser.add_option(
        "--min-count",
        type="int",
        default=default_min_count,
        metavar="N",
        help="leave out tracks that are in fewer playlists "
        f"(default: {default_min_count})",
    )
    parser.add_option(
        "--seed",
        type="int",
        default=0,
        metavar="INT",
        help="of all that is random: same seed, same vectors (default: 0)",
    )


def read_output(options: Any) -> bytes:
    """Read ``-o``; what cannot be written is refused before any work is done."""
    if not options.output:
        raise UserError(f"say where to write the vectors: -o FILE{SUFFIX}")
    if os.path.splitext(options.output)[1].lower() != SUFFIX:
        raise UserError(
            f"-o {options.output}: the name of such a file ends in {SUFFIX}"
        )
    path = normpath(options.output)
    if not os.path.isdir(os.path.dirname(path)):
        raise UserError(
            f"-o {options.output}: there is no folder "
            f"{displayable_path(os.path.dirname(path))}"
        )
    replaceable(path)
    return path


def check_from(options: Any, low: int, *names: str) -> None:
    """Refuse options that are below a number."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < low:
            raise UserError(
                f"--{name.replace('_', '-')} takes a whole number from {low} up"
            )


def check_seed(options: Any) -> None:
    """Refuse seeds that some of the libraries that learn do not take."""
    if not 0 <= options.seed <= MAX_SEED:
        raise UserError(f"--seed takes a whole number from 0 to {MAX_SEED}")


def finish(
    lib: Library, targets: Targets, playlists: Sequence[Playlist], path: bytes
) -> None:
    """Write the vectors, and print the check of what they learnt."""
    write_targets(path, targets)
    for line in most_similar(lib, targets, playlists):
        print_(line)
    print_(
        f"{len(targets)} vectors of {targets.size} components in "
        f"{displayable_path(path)}"
    )


def most_similar(
    lib: Library, targets: Targets, playlists: Iterable[Playlist]
) -> list[str]:
    """Describe who is next to whom.

    Returns
    -------
    list of str
        For a few tracks that are in many playlists, no two by one artist if that can
        be, the nearest with their similarity; then how often the nearest track is by
        the same artist, and on the same album.
    """
    vectors = targets.matrix()
    tracks = {track.path: track for track in load_tagged(lib)}
    known = [tracks.get(key) for key in targets]
    artists = _codes(artist_key(t.artist) if t else "" for t in known)
    albums = _codes(str(t.album_id or "") if t else "" for t in known)
    counts = Counter(track for playlist in playlists for track in playlist.tracks)
    rows = _examples([counts[key] for key in targets], artists)
    found, similarities = nearest(vectors, rows, n=N_NEAREST)
    names = _names(lib, targets.keys, known, {*rows, *found.ravel().tolist()})
    lines = []
    for row, near, values in zip(rows, found, similarities, strict=True):
        lines.append(f"most similar to {names[row]}")
        lines += (
            f"{value:>7.3f}  {names[int(other)]}"
            for other, value in zip(near, values, strict=True)
        )
    for what, labels in (
        ("by the same artist", artists),
        ("on the same album", albums),
    ):
        shares = share_of_same(vectors, labels)
        if shares:
            lines.append(
                f"nearest track {what}: {shares[0]:.0%} (by chance {shares[1]:.1%})"
            )
    return lines


def _codes(names: Iterable[str]) -> npt.NDArray[np.int64]:
    """Give equal names equal numbers, and empty ones -1."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(name, len(numbers)) if name else -1 for name in names],
        dtype=np.int64,
    )


def _examples(counts: Sequence[int], artists: npt.NDArray[np.int64]) -> list[int]:
    """Choose the rows of most playlists, at first no two by one artist."""
    order = sorted(range(len(counts)), key=lambda row: -counts[row])
    seen: set[int] = set()
    first: list[int] = []
    rest: list[int] = []
    for row in order:
        artist = int(artists[row])
        (rest if artist >= 0 and artist in seen else first).append(row)
        seen.add(artist)
    return [*first, *rest][:N_EXAMPLES]


def _names(
    lib: Library,
    keys: Sequence[str],
    known: Sequence[TaggedTrack | None],
    rows: Iterable[int],
) -> dict[int, str]:
    """Name tracks as beets does; those that are not in the library by their path."""
    names = {row: shown_path(keys[row]) for row in rows}
    ids = {track.item_id: row for row in names if (track := known[row]) is not None}
    for item in items_by_id(lib, list(ids)):
        names[ids[item_id(item)]] = format(item)
    return names
