"""``beet deejai train encoder``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands import sources as playlist_sources
from beetsplug.deejai.commands.learning import check_seed
from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.output.atomic import replaceable
from beetsplug.deejai.storage.library import query_items

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beets.library import Item

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.training.fit import Recipe
    from beetsplug.deejai.training.sources import Source
    from beetsplug.deejai.training.targets import Targets

USAGE = "-o FILE.keras [OPTIONS] [QUERY | FOLDER...]"


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option("-o", "--output", metavar="FILE", help="the .keras file to write")
    parser.add_option(
        "--targets",
        metavar="FILE",
        help="vectors of tracks or slices (.npz) that the encoder is to say",
    )
    playlist_sources.add_options(parser)
    parser.add_option(
        "--network",
        type="choice",
        choices=["compact", "deejai2d", "dieleman1d"],
        default="compact",
        help="compact (default), deejai2d or dieleman1d",
    )
    parser.add_option(
        "--loss",
        type="choice",
        choices=["cosine", "mse"],
        default="cosine",
        help="how targets are missed: cosine (default) or mse",
    )
    parser.add_option(
        "--contrast",
        type="float",
        metavar="W",
        help="weight of knowing tracks apart (default: 0.1 with targets, else 1)",
    )
    parser.add_option(
        "--vectors",
        type="choice",
        choices=["target", "discriminant"],
        help="whether the encoder says the target (default with targets), or what "
        "parts tracks best (default without)",
    )
    parser.add_option(
        "--whiten",
        type="choice",
        choices=["none", "principal", "discriminant"],
        default="none",
        help="change targets before they are learnt: none (default), principal or "
        "discriminant",
    )
    parser.add_option(
        "--hold-out",
        action="append",
        default=[],
        metavar="NAME",
        help="an album, or a folder of FOLDER, to measure on; repeatable",
    )
    parser.add_option(
        "--validation",
        type="float",
        default=0.1,
        metavar="SHARE",
        help="share of the tracks to measure on, whole albums (default: 0.1)",
    )
    parser.add_option(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="files of FOLDER to leave out, such as '*/sounds/*'; repeatable",
    )
    parser.add_option(
        "--work",
        metavar="DIR",
        help="where spectrograms and checkpoints are kept (default: FILE.work)",
    )
    parser.add_option(
        "--steps",
        type="int",
        default=2000,
        metavar="N",
        help="batches to learn from, at most (default: 2000)",
    )
    parser.add_option(
        "--tracks",
        type="int",
        default=96,
        metavar="N",
        help="tracks in a batch, two slices of each (default: 96)",
    )
    parser.add_option(
        "--patience",
        type="int",
        default=10,
        metavar="N",
        help="stop after N measurements that are no better; 0 = never (default: 10)",
    )
    parser.add_option(
        "--learning-rate",
        type="float",
        default=2e-3,
        metavar="X",
        help="the highest of the schedule (default: 0.002)",
    )
    parser.add_option(
        "--seed",
        type="int",
        default=0,
        metavar="INT",
        help="of everything random (default: 0)",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Train an encoder on the library's music, or on folders of music."""
    output, work = _check(options)
    music = _find_music(session, args, options.exclude)
    targets = _targets(session, options)
    recipe = _recipe(options, has_targets=targets is not None)

    # They import Keras: not before all mistakes have been told.
    from beetsplug.deejai.training.devices import all_devices
    from beetsplug.deejai.training.encoder import Split, train_encoder

    with all_devices(report=print_) as devices:
        # Of several processes one tells how it goes.
        report = print_ if devices.is_first else lambda line: None
        if devices.n_devices > 1:
            print_(str(devices))
        try:
            progress = train_encoder(
                music,
                output=output,
                work=work,
                network=options.network,
                recipe=recipe,
                split=Split(tuple(options.hold_out), options.validation),
                targets=targets,
                whitening=options.whiten,
                devices=devices,
                report=report,
            )
        except KeyboardInterrupt:
            print_("interrupted: the same command goes on from the last checkpoint")
            raise
    report(f"wrote {output}, the network after step {progress.best_step}")
    report(f"to use it: beet deejai models import {output}, then beet deejai scan")
    report(f"{work} keeps the spectrograms and the checkpoint; it may be deleted")


def _check(options: Any) -> tuple[Path, Path]:
    if not options.output:
        raise UserError("train encoder needs -o FILE.keras")
    output = Path(os.path.abspath(os.path.expanduser(options.output)))
    if output.suffix != ".keras":
        raise UserError(f"{options.output}: the name of an encoder ends in .keras")
    if options.steps < 1 or options.tracks < 2:
        raise UserError("--steps must be 1 or more, --tracks 2 or more")
    if not 0 <= options.validation <= 0.5:
        raise UserError("--validation takes a share from 0 to 0.5")
    if options.patience < 0 or not options.learning_rate > 0:
        raise UserError("--patience must be 0 or more, --learning-rate more than 0")
    check_seed(options)
    if options.contrast is not None and not options.contrast >= 0:
        raise UserError("--contrast must be 0 or more")
    if output.parent.exists():
        replaceable(str(output))
    work = Path(os.path.expanduser(options.work or f"{output}.work"))
    return output, work


def _find_music(
    session: Session, args: list[str], exclude: Sequence[str]
) -> list[Source]:
    from beetsplug.deejai.training.sources import Source, find_music

    folders = [os.path.expanduser(arg) for arg in args]
    if folders and all(os.path.isdir(folder) for folder in folders):
        return [s for f in folders for s in find_music(Path(f), exclude=exclude)]
    items = query_items(session.lib, args)
    if not items:
        raise UserError("no track of the library matches, and there is no such folder")
    return [Source(os.fsdecode(item.path), _album(item)) for item in items]


def _album(item: Item) -> str:
    """Name what a track's album is, or its folder where it has none."""
    if item.album:
        return f"{item.albumartist or item.artist} - {item.album}"
    return os.path.dirname(os.fsdecode(item.path))


def _targets(session: Session, options: Any) -> Targets | None:
    from beetsplug.deejai.training.targets import read_targets

    if options.targets:
        return read_targets(os.path.expanduser(options.targets))
    if not playlist_sources.any_given(options):
        return None
    from beetsplug.deejai.training.track2vec import track2vec

    playlists, lines = playlist_sources.gather(session.lib, options)
    for line in lines:
        print_(line)
    with ProgressLine(0, "epochs") as progress:
        targets = track2vec(playlists, seed=options.seed, on_epoch=progress.update)
    print_(f"Track2Vec: vectors of {len(targets)} tracks")
    return targets


def _recipe(options: Any, *, has_targets: bool) -> Recipe:
    from beetsplug.deejai.training.fit import Recipe
    from beetsplug.deejai.training.objective import Objective

    contrast = options.contrast
    if contrast is None:
        contrast = 0.1 if has_targets else 1.0
    if not has_targets and not contrast:
        raise UserError("--contrast 0 leaves nothing to learn without targets")
    vectors = options.vectors or ("target" if has_targets else "discriminant")
    if vectors == "target" and not has_targets:
        raise UserError("--vectors target needs --targets or playlists")
    return Recipe(
        objective=Objective(target_loss=options.loss, contrast=contrast),
        discriminant=vectors == "discriminant",
        n_steps=options.steps,
        n_tracks=options.tracks,
        patience=options.patience,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
