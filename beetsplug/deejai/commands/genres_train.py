"""``beet deejai genres train``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.commands.genres_scan import hear
from beetsplug.deejai.commands.learning import check_from, check_seed
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.atomic import replaceable
from beetsplug.deejai.output.text import counted
from beetsplug.deejai.spaces import explain_none
from beetsplug.deejai.storage.exclusive import exclusive
from beetsplug.deejai.storage.genre_model import FILE, genre_folder
from beetsplug.deejai.storage.library import (
    Track,
    matching_ids,
    signatures_of,
    stored_by_id,
)
from beetsplug.deejai.training.genres.labels import (
    MIN_TRACKS,
    MIN_USEFUL,
    label_tracks,
    read_tree,
)
from beetsplug.deejai.training.tags import load_tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from logging import Logger

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.storage.genre_model import GenreModel
    from beetsplug.deejai.training.genres.course import Settings
    from beetsplug.deejai.training.genres.labels import GenreLabels
    from beetsplug.deejai.training.tags import TaggedTrack

    Learning = Callable[[], tuple[GenreModel, Path | None]]

USAGE = "[OPTIONS] [QUERY]"

DOING = "`beet deejai genres train`"

WORK = "work"
"""Name of the folder for spectrograms and checkpoints, in the genre folder."""

MAX_DECODED = 300
"""Tracks that are decoded for the MFCC baseline without being asked to."""

DECODING_S = 0.8
"""What a track of it takes on one core, in seconds."""

MAX_NAMED = 20
"""Genres that are named, the commonest first; the card names all."""

MAX_MERGED = 6
"""Rare genres that are named."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--network",
        type="choice",
        choices=["head", "cnn"],
        default="head",
        help="head: a layer on the stored slice vectors (default); cnn: a network of "
        "its own, from the audio",
    )
    parser.add_option(
        "--min-tracks",
        type="int",
        default=MIN_TRACKS,
        metavar="N",
        help=f"rarer genres count as a wider one (default: {MIN_TRACKS})",
    )
    parser.add_option(
        "--no-tree",
        action="store_true",
        help="do without the tree of genres of beets' plugin lastgenre",
    )
    parser.add_option(
        "--baselines",
        action="store_true",
        dest="baselines",
        default=None,
        help="compare with MFCC statistics, which decodes every track (default: up to "
        f"{MAX_DECODED} tracks)",
    )
    parser.add_option(
        "--no-baselines", action="store_false", dest="baselines", help="do without it"
    )
    parser.add_option(
        "--pretend", action="store_true", help="measure, and leave the model as it is"
    )
    parser.add_option(
        "--seed",
        type="int",
        default=0,
        metavar="INT",
        help="of everything random (default: 0)",
    )
    parser.add_option(
        "--validation",
        type="float",
        default=0.2,
        metavar="SHARE",
        help="cnn: share of the tracks that is held out, whole artists (default: 0.2)",
    )
    parser.add_option(
        "--steps",
        type="int",
        default=800,
        metavar="N",
        help="cnn: batches to learn from, at most (default: 800)",
    )
    parser.add_option(
        "--tracks",
        type="int",
        default=48,
        metavar="N",
        help="cnn: tracks in a batch, two slices of each (default: 48)",
    )
    parser.add_option(
        "--patience",
        type="int",
        default=6,
        metavar="N",
        help="cnn: stop after N measurements that are no better; 0 = never "
        "(default: 6)",
    )
    parser.add_option(
        "--work",
        metavar="DIR",
        help="cnn: where spectrograms and checkpoints are kept (default: work, in the "
        "genre folder)",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Learn genres from the library's tags, and tell how well that went."""
    _check(options)
    folder = genre_folder(session.lib.path)
    if folder is None:
        raise UserError("a library in memory has no place to keep genres")
    tracks = _tracks(session, args)
    parents = _parents(options)
    work = Path(os.path.expanduser(options.work)) if options.work else folder / WORK
    if options.network == "cnn":
        learn = _network_learning(session, options, tracks, parents, work)
    else:
        learn = _head_learning(session, options, tracks, parents)
    with ExitStack() as stack:
        if not options.pretend:
            # What cannot be kept is said before anything is learnt.
            stack.enter_context(exclusive(folder, doing=DOING))
            replaceable(str(folder / FILE))
        if options.network == "cnn":
            stack.enter_context(exclusive(work, doing=DOING))
        try:
            model, network = learn()
        except KeyboardInterrupt:
            print_(_interrupted(options))
            raise
        print_("")
        for line in _figures(model):
            print_(line)
        if options.pretend:
            print_("\nnothing is stored: --pretend")
        else:
            _keep(folder, model, network)
    if network is not None and not options.pretend:
        tracks_of = [
            Track(track.item_id, track.path) for track in load_tagged(session.lib)
        ]
        hear(session, model, tracks_of, n_threads=session.settings.n_threads)
    if network is not None or (work.exists() and not options.pretend):
        print_(
            f"{displayable_path(str(work))} keeps the spectrograms and the checkpoint "
            "of a network; it may be deleted"
        )
    if options.pretend:
        return
    print_(
        "to use it: beet deejai genres show QUERY, beet deejai similar --space genre"
    )


def _keep(folder: Path, model: GenreModel, network: Path | None) -> None:
    from beetsplug.deejai.training.genres.keep import CARD, keep_model

    keep_model(folder, model, network)
    if network is not None:
        from beetsplug.deejai.training.genres.network import remove_others

        remove_others(network)
    print_(f"\nwrote {displayable_path(str(folder / CARD))}, and the model beside it")


def _interrupted(options: Any) -> str:
    if options.network == "cnn":
        return "interrupted: the same command goes on from the last checkpoint"
    return "interrupted: nothing has changed"


def _figures(model: GenreModel) -> list[str]:
    from beetsplug.deejai.training.genres.card import confusion_lines, figure_lines

    lines = figure_lines(model.card)
    measured = model.card["measured"]
    if measured is not None:
        lines += ["", *confusion_lines(model.genres, measured["confusion"])]
    return lines


def _check(options: Any) -> None:
    check_from(options, MIN_USEFUL, "min_tracks", "tracks")
    check_from(options, 1, "steps")
    check_from(options, 0, "patience")
    check_seed(options)
    if not 0 <= options.validation <= 0.5:
        raise UserError("--validation takes a share from 0 to 0.5")


def _tracks(session: Session, query: list[str]) -> list[TaggedTrack]:
    tracks = load_tagged(session.lib)
    if not tracks:
        raise UserError("the library is empty; run `beet import` first")
    if query:
        wanted = matching_ids(session.lib, query)
        tracks = [track for track in tracks if track.item_id in wanted]
        if not tracks:
            raise UserError("no track of the library matches the query")
    return tracks


def _parents(options: Any) -> Mapping[str, str]:
    if options.no_tree:
        return {}
    parents = read_tree()
    if parents is None:
        print_(
            "beets' tree of genres cannot be read: rare genres are not learnt as wider "
            "ones"
        )
    return parents or {}


def _say_labels(labels: GenreLabels, tracks: Sequence[TaggedTrack]) -> None:
    n_without = sum(1 for track in tracks if not track.genres)
    more = ", ..." if len(labels.genres) > MAX_NAMED else ""
    print_(
        f"{counted(len(labels.tracks), 'track')} by "
        f"{counted(len(set(labels.groups)), 'artist')}, "
        f"{len(labels.genres)} genres: {', '.join(labels.genres[:MAX_NAMED])}{more}"
    )
    if n_without:
        print_(
            "1 track has no genre and is not learnt from"
            if n_without == 1
            else f"{n_without} tracks have no genre and are not learnt from"
        )
    taken = [f"{name} as {new}" for name, new in labels.merged.items() if new]
    if taken:
        more = f" and {len(taken) - MAX_MERGED} more" if len(taken) > MAX_MERGED else ""
        print_(f"rare ones: {', '.join(taken[:MAX_MERGED])}{more}")
    left_out = [name for name, new in labels.merged.items() if not new]
    if left_out:
        more = ", ..." if len(left_out) > MAX_MERGED else ""
        print_(
            f"too rare to be learnt (--min-tracks): {', '.join(left_out[:MAX_MERGED])}"
            f"{more}"
        )
    if not labels.by_artist:
        print_(
            "no two genres are by two artists each: the figures are of other tracks by "
            "the same artists, and flatter"
        )


def _decodes(options: Any, n_tracks: int, n_threads: int) -> bool:
    """Tell whether to decode all audio for the MFCC baseline, or say why not."""
    if options.baselines is not None:
        return bool(options.baselines)
    if n_tracks <= MAX_DECODED:
        return True
    duration = format_duration(n_tracks * DECODING_S / max(1, n_threads))
    print_(
        f"the MFCC baseline is left out, as it decodes all {n_tracks} tracks: "
        f"--baselines asks for it, about {duration}"
    )
    return False


def _settings(
    options: Any, session: Session, n_tracks: int, has_tree: bool
) -> Settings:
    from beetsplug.deejai.training.genres.course import Settings

    n_threads = session.settings.n_threads
    return Settings(
        seed=options.seed,
        min_tracks=options.min_tracks,
        has_tree=has_tree,
        decodes=_decodes(options, n_tracks, n_threads),
        n_threads=n_threads,
    )


def _head_learning(
    session: Session,
    options: Any,
    tracks: Sequence[TaggedTrack],
    parents: Mapping[str, str],
) -> Learning:
    """Gather what a head is learnt from, and return what learns it."""
    # They import Keras: not before mistakes that are told at once.
    from beetsplug.deejai.training.genres.course import learn_head
    from beetsplug.deejai.training.genres.head import gather_slices

    wanted = {track.item_id for track in tracks if track.genres}
    signatures = signatures_of(stored_by_id(session.lib), session.model_id)
    if wanted and not signatures:
        raise UserError(explain_none(session))
    signatures = {i: one for i, one in signatures.items() if i in wanted}
    # Opening it would make it.
    has_slices = bool(signatures) and session.has_store
    item_ids, slices = gather_slices(
        session.store.iterate(session.model_id, signatures) if has_slices else ()
    )
    row_of = {item_id: row for row, item_id in enumerate(item_ids.tolist())}
    if wanted and not row_of:
        raise UserError(
            "no track that has a genre has current slices; run `beet deejai scan` first"
        )
    known = [t for t in tracks if t.item_id in row_of or not t.genres]
    labels = label_tracks(known, parents=parents, min_tracks=options.min_tracks)
    _say_labels(labels, known)
    if n_missing := len(wanted) - len(row_of):
        print_(
            f"without current slices, and so not learnt from: "
            f"{counted(n_missing, 'track')} of a genre; run `beet deejai scan`"
        )
    rows = np.array([row_of[track.item_id] for track in labels.tracks])
    settings = _settings(options, session, len(labels.tracks), bool(parents))

    def learn() -> tuple[GenreModel, None]:
        model = learn_head(
            labels,
            slices.of(rows),
            encoder=session.model_id,
            settings=settings,
            report=print_,
        )
        return model, None

    return learn


def _network_learning(
    session: Session,
    options: Any,
    tracks: Sequence[TaggedTrack],
    parents: Mapping[str, str],
    work: Path,
) -> Learning:
    """Gather what a network is learnt from, and return what learns it."""
    labels = label_tracks(tracks, parents=parents, min_tracks=options.min_tracks)
    _say_labels(labels, tracks)

    from beetsplug.deejai.training.fit import Recipe
    from beetsplug.deejai.training.genres.course import learn_network

    return partial(
        learn_network,
        labels,
        work=work,
        recipe=Recipe(
            n_steps=options.steps,
            n_tracks=options.tracks,
            patience=options.patience,
            seed=options.seed,
        ),
        validation=options.validation,
        settings=_settings(options, session, len(labels.tracks), bool(parents)),
        report=print_,
    )
