"""``beet deejai evaluate``."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_

from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.evaluation.bootstrap import LEVEL, N_RESAMPLES
from beetsplug.deejai.evaluation.figures import MFCC, UNTRAINED
from beetsplug.deejai.evaluation.made_lists import LIST_TITLES, average_lists
from beetsplug.deejai.evaluation.material import Material, load_material
from beetsplug.deejai.evaluation.report import LEGEND, figure_table, figures_as_data
from beetsplug.deejai.evaluation.sampling import choose_sample
from beetsplug.deejai.evaluation.space import Space, pool_halves, pool_space
from beetsplug.deejai.evaluation.study import Study, study
from beetsplug.deejai.settings import POOLINGS
from beetsplug.deejai.spaces import explain_none, warn_of_others
from beetsplug.deejai.storage.library import matching_ids, shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beetsplug.deejai.embedding.scan import Pooling
    from beetsplug.deejai.session import Session
    from beetsplug.deejai.training.playlists import Playlist

USAGE = "[OPTIONS] [QUERY]"

DEFAULT_SAMPLE = 200

MIN_TRACKS = 10
"""With fewer there is nothing that a neighbour could be told from."""

UNTRAINED_SEEDS = (0, 1, 2)
"""Networks of random weights, whose mean counts: one may be lucky."""

MAX_REASONS = 5
"""Tracks that could not be heard which are named."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--playlists",
        action="append",
        metavar="DIR|FILE",
        help="measure too how well the second half of these M3U playlists is found "
        "from the first; may be given several times",
    )
    parser.add_option(
        "--sample",
        type="int",
        metavar="N",
        help="tracks to hear for the comparison with an untrained network and with "
        f"MFCC statistics; all figures stand on them (default: {DEFAULT_SAMPLE})",
    )
    parser.add_option(
        "--no-baselines",
        action="store_true",
        help="read no audio: measure the stored vectors of all tracks, beside chance "
        "and random tracks of the same genre",
    )
    parser.add_option(
        "--pooling",
        type="choice",
        choices=POOLINGS,
        metavar="METHOD",
        help=f"pool the slices anew: one of {', '.join(POOLINGS)}",
    )
    parser.add_option(
        "--seed",
        type="int",
        metavar="INT",
        help="of all that is drawn: same seed, same figures (default: 0)",
    )
    parser.add_option("--json", action="store_true", help="print JSON")


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Report how well the encoder hears this library."""
    n_sample, seed = _read_numbers(options)
    playlists, matched = _read_playlists(session, options.playlists)
    everything = _load(session, args, playlists)
    warn_of_others(session, log)
    pooling = session.pooling
    if options.pooling:
        pooling = replace(pooling, method=options.pooling)
    n_unfit, unheard = 0, list[tuple[str, str]]()
    rivals: dict[str, list[Space]] = {}
    if options.no_baselines:
        material = everything
        space = _stored_space(material, pooling, anew=bool(options.pooling))
    else:
        usable = _usable(session, everything)
        n_unfit = len(everything) - len(usable)
        material = _choose(usable, n_sample, seed)
        material, space, rivals, unheard = _hear(session, material, pooling, log)
    facts = material.facts()
    with ProgressLine(1, "measures") as progress:
        result = study(space, facts, rivals=rivals, seed=seed, on_step=progress.update)
    yours = average_lists(facts.playlists, space=space, facts=facts)
    about = {
        "model": session.model_id,
        "pooling": {"method": pooling.method, "epsilon": pooling.epsilon},
        "tracks": {
            "with_vector": len(everything),
            "measured": len(material),
            "halved": len(material.halved),
            "short_or_long": n_unfit,
            "unheard": [{"path": p, "reason": reason} for p, reason in unheard],
        },
        "playlists": {"matched": matched, "your_lists": yours},
        "intervals": {"level": LEVEL, "resamples": N_RESAMPLES, "seed": seed},
    }
    if options.json:
        _print_json(about, result)
    else:
        _print_table(about, result)


def _read_numbers(options: Any) -> tuple[int, int]:
    n_sample = DEFAULT_SAMPLE if options.sample is None else options.sample
    if n_sample < MIN_TRACKS:
        raise UserError(f"--sample takes a whole number from {MIN_TRACKS} up")
    if options.sample is not None and options.no_baselines:
        raise UserError(
            "--sample and --no-baselines exclude each other: without baselines all "
            "tracks are measured"
        )
    if options.seed is not None and options.seed < 0:
        raise UserError("--seed takes a whole number from 0 up")
    return n_sample, options.seed or 0


def _read_playlists(
    session: Session, places: Sequence[str] | None
) -> tuple[list[Playlist], list[str]]:
    """Read the playlists to continue, and say what was matched."""
    if not places:
        return [], []
    from beetsplug.deejai.training.playlists import read_playlists
    from beetsplug.deejai.training.tags import load_tagged

    found, report = read_playlists(
        places, tracks=load_tagged(session.lib), music_dir=session.lib.directory
    )
    if not found:
        raise UserError(
            "no playlist has two tracks of this library "
            f"({report.lines()[0]}); give --playlists a folder of M3U files"
        )
    return found, report.lines()


def _load(session: Session, args: list[str], playlists: Sequence[Playlist]) -> Material:
    only = matching_ids(session.lib, shlex.join(args)) if args else None
    if only is not None and not only:
        raise UserError(f"no track matches {shlex.join(args)}")
    material = load_material(
        session.lib,
        model=session.model_id,
        store=session.store if session.has_store else None,
        only=only,
        playlists=playlists,
    )
    if not len(material):
        if only is None:
            raise UserError(explain_none(session))
        raise UserError(
            f"none of the {len(only)} tracks has a vector of the current model; run "
            "`beet deejai scan` first"
        )
    return _enough(material, "a vector")


def _enough(material: Material, what: str) -> Material:
    if len(material) < MIN_TRACKS:
        raise UserError(
            f"only {len(material)} tracks have {what}; "
            f"an evaluation needs {MIN_TRACKS} or more"
        )
    return material


def _stored_space(material: Material, pooling: Pooling, *, anew: bool) -> Space:
    """Take the stored vectors; where they shall be pooled anew, those with slices."""
    first, second = pool_halves(
        material.slices, method=pooling.method, epsilon=pooling.epsilon
    )
    if not anew:
        return Space(material.vectors, first, second)
    if any(not len(one) for one in material.slices):
        raise UserError(
            "--pooling needs the slices of all tracks, and some have none; run "
            "`beet deejai scan`"
        )
    return pool_space(material.slices, method=pooling.method, epsilon=pooling.epsilon)


def _usable(session: Session, material: Material) -> Material:
    """Leave out tracks that have no halves and those that are not proposed either."""
    fits = np.zeros(len(material), dtype=bool)
    fits[material.halved] = True
    fits &= material.lengths_s <= session.settings.max_length_s
    return _enough(
        material.of(np.flatnonzero(fits)),
        "two stored slices (10 s) and are no longer than max_length",
    )


def _choose(material: Material, n: int, seed: int) -> Material:
    rows = choose_sample(
        n,
        artists=material.artists,
        albums=material.albums,
        playlists=material.playlists,
        rng=np.random.default_rng(seed),
    )
    return material.of(rows)


def _hear(
    session: Session, material: Material, pooling: Pooling, log: Logger
) -> tuple[Material, Space, dict[str, list[Space]], list[tuple[str, str]]]:
    """Hear tracks by the baselines; what cannot be heard counts for nobody."""
    from beetsplug.deejai.evaluation.baselines import (
        Listened,
        has_untrained,
        listen_to,
        standardise,
        untrained_encoders,
    )

    untrained = {}
    if has_untrained(session.model_path):
        untrained = untrained_encoders(session.model_path, seeds=UNTRAINED_SEEDS)
    else:
        log.warning("no untrained network: an ONNX file does not tell how to make one")
    heard: dict[int, Listened] = {}
    unheard = []
    with ProgressLine(len(material), "tracks") as progress:
        for row, one in enumerate(
            listen_to(
                material.paths,
                encoders=untrained,
                n_threads=session.settings.n_threads,
            )
        ):
            if isinstance(one, Listened):
                heard[row] = one
            else:
                unheard.append((shown_path(material.paths[row]), str(one)))
            progress.update(row + 1)
    material = material.of(np.array(sorted(heard), dtype=np.int64))
    _enough(material, "audio that can be heard")
    every = [heard[row] for row in sorted(heard)]

    def pool(tracks: Sequence[Any]) -> Space:
        return pool_space(tracks, method=pooling.method, epsilon=pooling.epsilon)

    # Silence is left out for everybody, as long as the slices are the same ones.
    own = [
        stored[one.audible] if len(stored) == len(one.audible) else stored
        for stored, one in zip(material.slices, every, strict=True)
    ]
    rivals = {
        UNTRAINED: [
            pool([one.vectors[name][one.audible] for one in every])
            for name in untrained
        ],
        MFCC: [pool(standardise([one.mfcc[one.audible] for one in every]))],
    }
    return material, pool(own), {k: v for k, v in rivals.items() if v}, unheard


def _print_json(about: dict[str, Any], result: Study) -> None:
    data = {
        **about,
        "figures": figures_as_data(result.figures),
        "left_out": result.left_out,
    }
    print_(json.dumps(data, indent=2, allow_nan=False))


def _print_table(about: dict[str, Any], result: Study) -> None:
    tracks = about["tracks"]
    print_(f"encoder {about['model']}, pooling {about['pooling']['method']}")
    line = f"measured on {tracks['measured']} of {tracks['with_vector']} tracks"
    line += " with a vector"
    if tracks["short_or_long"]:
        line += f" (too short or too long to be heard: {tracks['short_or_long']})"
    print_(line)
    for line in about["playlists"]["matched"]:
        print_(line)
    print_()
    print_(figure_table(result.figures))
    print_()
    print_(LEGEND)
    for line in result.left_out:
        print_(f"not measured: {line}")
    yours = about["playlists"]["your_lists"]
    if yours:
        print_("the given playlists themselves, as the lists above:")
        for key, value in yours.items():
            print_(f"  {LIST_TITLES[key].removeprefix('lists: '):32}  {value:.2f}")
    unheard = tracks["unheard"]
    if unheard:
        print_(f"{len(unheard)} tracks could not be heard and count for nobody:")
        for one in unheard[:MAX_REASONS]:
            print_(f"  {one['path']}: {one['reason']}")
