"""Several seeds of different weight: ``--also`` and ``--not``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError

from beetsplug.deejai.commands.seeds import find_seeds, is_file
from beetsplug.deejai.storage.library import matching_ids, split_query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.candidates import Candidates
    from beetsplug.deejai.commands.seeds import Named
    from beetsplug.deejai.session import Session

MAX_WEIGHT = 1000.0

_WEIGHTED = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\*(.*)", re.DOTALL)
"""A number and a star before a seed: ``2*roxanne``."""


@dataclass(frozen=True)
class Group:
    """The tracks that one argument named, and how much they count together."""

    tracks: list[Named]
    weight: float = 1.0


def add_weight_options(parser: CommonOptionsParser) -> None:
    """Add ``--also`` and ``--not``."""
    parser.add_option(
        "--also",
        dest="also",
        action="append",
        metavar="[W*]QUERY|FILE",
        help="another seed, W times as much as the first (default: 1); may be given "
        "several times",
    )
    parser.add_option(
        "--not",
        dest="negatives",
        action="append",
        metavar="[W*]QUERY|FILE",
        help="less like this, W times as much (default: 1); may be given several times",
    )


def find_sought(
    session: Session,
    args: Sequence[str],
    options: Any,
    candidates: Candidates,
    log: Logger,
) -> list[Group]:
    """Resolve the seeds that a verb takes, and those of ``--also``."""
    return [
        Group(find_seeds(session, args, candidates, log)),
        *find_groups(session, options.also, candidates, log),
    ]


def find_groups(
    session: Session,
    arguments: Sequence[str] | None,
    candidates: Candidates,
    log: Logger,
) -> list[Group]:
    """Resolve the arguments of ``--also`` or ``--not``.

    Each is a file or a query of its own.

    Raises
    ------
    UserError
        One matches nothing, or its weight is out of range.
    """
    groups = []
    for argument in arguments or []:
        weight, seed = read_weight(session, argument)
        terms = [seed] if is_file(seed) else split_query(seed)
        groups.append(Group(find_seeds(session, terms, candidates, log), weight))
    return groups


def read_weight(session: Session, argument: str) -> tuple[float, str]:
    """Split ``2*roxanne`` into 2 and ``roxanne``; without a weight it is 1.

    A title may begin that way: when the whole argument is a file or matches something,
    it is that.

    Raises
    ------
    UserError
        The weight is out of range, or nothing follows it.
    """
    found = _WEIGHTED.fullmatch(argument)
    if not found or is_file(argument):
        return 1.0, argument
    # A minus negates a query of beets, which then matches nearly everything.
    if found[1][0] != "-" and matching_ids(session.lib, argument):
        return 1.0, argument
    weight, seed = float(found[1]), found[2].strip()
    if not 0.0 < weight <= MAX_WEIGHT:
        raise UserError(
            f"{argument!r}: a weight is above 0 and at most {MAX_WEIGHT:g}; --not "
            "leads away from a seed"
        )
    if not seed:
        raise UserError(f"{argument!r}: name a seed after the weight")
    return weight, seed


def seeds_of(groups: Sequence[Group]) -> list[Named]:
    """List the tracks of all groups, in order."""
    return [named for group in groups for named in group.tracks]


def check_not_all(tracks: Sequence[Named], negatives: Sequence[Group]) -> None:
    """Refuse to go away from all that is sought."""
    avoided = {named.item.path for named in seeds_of(negatives)}
    if tracks and all(named.item.path in avoided for named in tracks):
        raise UserError("--not names every seed: nothing is left to look for")


def shares(groups: Sequence[Group]) -> list[float]:
    """Share each group's weight equally among its tracks.

    A query that matches a hundred tracks then counts as much as one that matches a
    single one.

    Returns
    -------
    list of float
        One for each track of :func:`seeds_of`; they are 1 on average when all groups
        weigh 1.
    """
    n_tracks = sum(len(group.tracks) for group in groups)
    return [
        group.weight * n_tracks / (len(groups) * len(group.tracks))
        for group in groups
        for _ in group.tracks
    ]
