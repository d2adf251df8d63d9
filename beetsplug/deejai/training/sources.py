"""Which music an encoder is trained on, and which only measures it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np

_COMPRESSED = (".aac", ".m4a", ".mp3", ".mpc", ".ogg", ".opus", ".wma")
_LOSSLESS = (".aif", ".aiff", ".ape", ".flac", ".wav", ".wv")
AUDIO_SUFFIXES = frozenset((*_COMPRESSED, *_LOSSLESS))
"""Files of a folder that are taken for music."""


@dataclass(frozen=True)
class Source:
    """A file to learn from.

    Attributes
    ----------
    path
        Absolute, as :func:`os.fsdecode` gives it.
    group
        The album or soundtrack: its tracks are learnt from or held out together, and
        need not be told apart.
    """

    path: str
    group: str


def find_music(folder: Path, *, exclude: Sequence[str] = ()) -> list[Source]:
    """List the audio files under a folder, with the first folder in it as their group.

    A file that is in no such folder is a group of its own: nothing is known of it.

    Parameters
    ----------
    folder
        Music, a folder per album, soundtrack or artist.
    exclude
        Patterns as the shell's of paths relative to `folder` to leave out; ``*``
        matches slashes too.
    """
    folder = folder.absolute()
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in AUDIO_SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder)
        if not any(fnmatchcase(name.as_posix(), glob) for glob in exclude):
            found.append(Source(str(path), name.parts[0]))
    return found


def split_named(
    sources: Sequence[Source], held_out: Iterable[str]
) -> tuple[list[Source], list[Source]]:
    """Part the tracks of some groups from all others.

    Returns
    -------
    train, validation : list of Source

    Raises
    ------
    FatalError
        A group has no track, or fewer than two tracks are left to train on.
    """
    names = set(held_out)
    if unknown := names - {source.group for source in sources}:
        raise FatalError(
            f"--hold-out {', '.join(sorted(unknown))}: no music of that name"
        )
    return _split(sources, names)


def split_drawn(
    sources: Sequence[Source], *, share: float, rng: np.random.Generator
) -> tuple[list[Source], list[Source]]:
    """Hold out whole groups, drawn at random, until a share of the tracks is reached.

    A group that alone would hold out more than twice the share is never drawn.

    Parameters
    ----------
    sources
        The music.
    share
        Of the tracks, 0 to 1.
    rng
        Draws the groups.

    Returns
    -------
    train, validation : list of Source
    """
    sizes: dict[str, int] = {}
    for source in sources:
        sizes[source.group] = sizes.get(source.group, 0) + 1
    wanted = share * len(sources)
    names: set[str] = set()
    n_held_out = 0
    for name in rng.permutation(sorted(sizes)):
        if n_held_out >= wanted:
            break
        if n_held_out + sizes[name] <= 2 * wanted:
            names.add(str(name))
            n_held_out += sizes[name]
    return _split(sources, names)


def _split(
    sources: Sequence[Source], names: set[str]
) -> tuple[list[Source], list[Source]]:
    train = [source for source in sources if source.group not in names]
    if len(train) < 2:
        raise FatalError("need two tracks or more to train on")
    return train, [source for source in sources if source.group in names]
