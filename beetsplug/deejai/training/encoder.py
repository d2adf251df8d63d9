"""From music and targets to an encoder: the whole of a training run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.dataset import build_spectrograms
from beetsplug.deejai.training.devices import ALONE
from beetsplug.deejai.training.fit import fit
from beetsplug.deejai.training.lessons import Lessons
from beetsplug.deejai.training.networks import compact
from beetsplug.deejai.training.seed_networks import deejai2d, dieleman1d
from beetsplug.deejai.training.sources import split_drawn, split_named
from beetsplug.deejai.training.validation import Validation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from beetsplug.deejai.training.checkpoint import Progress
    from beetsplug.deejai.training.dataset import Track
    from beetsplug.deejai.training.devices import Devices
    from beetsplug.deejai.training.fit import Recipe
    from beetsplug.deejai.training.lessons import Whitening
    from beetsplug.deejai.training.sources import Source
    from beetsplug.deejai.training.targets import Targets

NETWORKS = ("compact", "deejai2d", "dieleman1d")
"""Names of the networks that can be trained."""

CHECKPOINT = "checkpoint.npz"


@dataclass(frozen=True)
class Split:
    """Which music is held out to measure on.

    Attributes
    ----------
    groups
        Names of groups; when there are none, groups are drawn.
    share
        Of the tracks, where groups are drawn; 0 holds out nothing.
    """

    groups: tuple[str, ...] = ()
    share: float = 0.1

    def part(
        self, sources: Sequence[Source], *, seed: int
    ) -> tuple[list[Source], list[Source]]:
        """Part the music into what is learnt from and what is held out."""
        if self.groups:
            return split_named(sources, self.groups)
        rng = np.random.default_rng(seed)
        return split_drawn(sources, share=self.share, rng=rng)


def make_network(name: str, *, vector_size: int, seed: int) -> Any:
    """Make an untrained network by its name.

    Raises
    ------
    ValueError
        There is no network of this name.
    """
    if name == "compact":
        return compact(vector_size=vector_size, seed=seed)
    if name == "deejai2d":
        return deejai2d(vector_size=vector_size, seed=seed)
    if name == "dieleman1d":
        return dieleman1d(vector_size=vector_size, seed=seed)
    raise ValueError(f"no network {name!r}; there are {', '.join(NETWORKS)}")


def train_encoder(
    sources: Sequence[Source],
    *,
    output: Path,
    work: Path,
    network: str,
    recipe: Recipe,
    split: Split,
    targets: Targets | None = None,
    whitening: Whitening = "none",
    vector_size: int = 100,
    devices: Devices = ALONE,
    report: Callable[[str], None] = lambda line: None,
) -> Progress:
    """Analyse music, train a network on it and write the encoder.

    Parameters
    ----------
    sources
        The music, that which is held out included.
    output
        The ``.keras`` file.
    work
        A folder for spectrograms and the checkpoint: the same run with the same folder
        goes on where it was broken off.
    network
        One of :data:`NETWORKS`.
    recipe
        All settings of the fit; its objective's target size is set here.
    split
        What is held out.
    targets
        What the encoder is to say of each track or slice; None: contrast alone.
    whitening
        How targets are changed before; see :class:`~.lessons.Lessons`.
    vector_size
        Components of the vectors, where the targets do not say it.
    devices
        Those of :func:`~.devices.all_devices`, in whose context this is called. Every
        process analyses the music for itself.
    report
        Receives lines for the user.

    Returns
    -------
    Progress
        Steps, time and the best score.

    Raises
    ------
    FatalError
        There is too little music, or too few targets, or something cannot be written.
    """
    with devices.fail_together():
        learnt, held_out = split.part(sources, seed=recipe.seed)
        held_out_groups = {source.group for source in held_out}
        spectrograms = build_spectrograms(
            [*learnt, *held_out], work, devices=devices, report=report
        )
        train = [t for t in spectrograms.tracks if t.group not in held_out_groups]
        validation = [t for t in spectrograms.tracks if t.group in held_out_groups]
        report(f"{len(train)} tracks to learn from, {len(validation)} held out")
        if len(train) < 2:
            raise FatalError(
                "need two different tracks or more to train on that can be decoded and "
                "are long enough: give more music, or hold out less"
            )
        if recipe.objective.contrast and len({track.group for track in train}) < 2:
            report("all of them are of one album, so that there is nothing to contrast")
        lessons = None
        if targets is not None:
            lessons = Lessons(
                targets,
                spectrograms.tracks,
                fitted_to=train,
                whitening=whitening,
                n_components=vector_size,
            )
            recipe = replace(
                recipe, objective=replace(recipe.objective, target_size=lessons.size)
            )
            report(f"{len(lessons)} tracks have a target of {lessons.size} numbers")
            if not recipe.discriminant:
                vector_size = lessons.size
    measured = Validation(spectrograms, validation, lessons)
    run = _run_id(network, recipe, whitening, train, lessons)
    devices.require_alike(run, *(f"{t.path} {t.stop - t.start}" for t in validation))
    with quiet_stderr():
        model = make_network(network, vector_size=vector_size, seed=recipe.seed)
    progress = fit(
        model,
        spectrograms,
        train=train,
        validation=measured,
        output=output,
        recipe=recipe,
        lessons=lessons,
        checkpoint=work / CHECKPOINT,
        run=run,
        devices=devices,
        report=report,
    )
    if progress.untrained is not None and progress.best_score is not None:
        report(_outcome(progress, measured))
    return progress


def _outcome(progress: Progress, validation: Validation) -> str:
    """Say how well held-out music is heard, and how well it is without training."""
    others = f"untrained network {progress.untrained:.3f}"
    if validation.taught:
        constant = validation.constant_similarity()
        what = "cosine similarity to the targets of held-out music"
        others = f"best constant vector {constant:.3f}, {others}"
    else:
        what = "second halves of held-out tracks found from the first (MRR)"
    return f"{what}: {progress.best_score:.3f}; {others}"


def _run_id(
    network: str,
    recipe: Recipe,
    whitening: str,
    train: Sequence[Track],
    lessons: Lessons | None,
) -> str:
    """Hash all that a checkpoint depends on."""
    state = {
        "network": network,
        "recipe": asdict(recipe),
        "whitening": whitening,
        "tracks": [(track.path, track.stop - track.start) for track in train],
        "constant": lessons.constant.tolist() if lessons else None,
    }
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
