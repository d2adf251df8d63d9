"""Vectors of different encoders are never compared: what is said instead.

Each encoder has a space of its own. A cosine between vectors of two of them is a number
without meaning, so a library that is half scanned anew is two libraries until it is
scanned to the end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from beetsplug.deejai.storage.library import all_ids, count_by_model, stored_by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from logging import Logger

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.library import Track

MAX_NAMED = 3
"""Other encoders that a message names."""


def other_models(
    session: Session, counts: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Count the tracks whose vector is of another encoder than the one in use.

    Parameters
    ----------
    session
        The library.
    counts
        What :func:`~beetsplug.deejai.storage.library.count_by_model` would count, if
        that is known already.

    Returns
    -------
    dict
        Number of tracks by the id of the encoder, most first.
    """
    counts = count_by_model(session.lib) if counts is None else counts
    most_first = sorted(counts.items(), key=lambda count: (-count[1], count[0]))
    return {model: n for model, n in most_first if model != session.model_id}


def models_of_others(session: Session, tracks: Iterable[Track]) -> Counter[str]:
    """Count, of some tracks only, those whose vector is of another encoder."""
    stored = stored_by_id(session.lib)
    models = (stored[t.item_id].model for t in tracks if t.item_id in stored)
    return Counter(model for model in models if model != session.model_id)


def name_others(others: Mapping[str, int]) -> str:
    """Say of which other encoders vectors are."""
    named = list(others)[:MAX_NAMED]
    if len(others) > MAX_NAMED:
        named.append("...")
    return f"of another encoder ({', '.join(named)})"


def explain_none(session: Session) -> str:
    """Say why nothing can be compared: no vectors at all, or all of other encoders."""
    others = other_models(session)
    if not others:
        if not all_ids(session.lib):
            return "the library is empty; run `beet import` first"
        return (
            "no track has a vector of the current model; run `beet deejai scan` first"
        )
    n = sum(others.values())
    whose = "the vector of 1 track is" if n == 1 else f"the vectors of {n} tracks are"
    return (
        f"{whose} {name_others(others)}, not of {session.model_id}; run "
        f"`beet deejai scan`, or {_way_back(session, others)}"
    )


def _way_back(session: Session, others: Mapping[str, int]) -> str:
    if session.is_model_configured:
        return "set deejai.model back to what it was"
    names = {model.model_id: model.name for model in session.models.models()}
    for other in others:
        if other in names:
            return f"`beet deejai models choose {names[other]}`"
    return "import that encoder again"


def warn_of_others(
    session: Session, log: Logger, *, counts: Mapping[str, int] | None = None
) -> None:
    """Say how many tracks are left out because their vectors are of other encoders.

    Parameters
    ----------
    session, counts
        As for :func:`other_models`.
    log
        Where to.
    """
    others = other_models(session, counts)
    if not others:
        return
    n = sum(others.values())
    log.warning(
        "{} {}; run `beet deejai scan`",
        "1 track is left out: its vector is"
        if n == 1
        else f"{n} tracks are left out: their vectors are",
        name_others(others),
    )
