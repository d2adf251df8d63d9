"""The whole of learning genres: from labelled tracks to a model with its card."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.output.text import counted
from beetsplug.deejai.storage.genre_model import GenreModel
from beetsplug.deejai.training.genres.baselines import majority, mfcc_regression
from beetsplug.deejai.training.genres.card import (
    genre_rows,
    measured_as_data,
    scores_as_data,
)
from beetsplug.deejai.training.genres.folds import draw_folds, draw_held_out
from beetsplug.deejai.training.genres.head import fit_head, held_out_logits
from beetsplug.deejai.training.genres.keep import name_network
from beetsplug.deejai.training.genres.measured import measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.training.fit import Recipe
    from beetsplug.deejai.training.genres.head import TrackSlices
    from beetsplug.deejai.training.genres.labels import GenreLabels
    from beetsplug.deejai.training.genres.measured import Measured

    Ints = npt.NDArray[np.int64]

LIMITS = (
    "It learnt what this library's tags say, mistakes included, and knows no genre "
    "that is not in the table above.",
    "A probability says how sure it is; of music unlike any that it has learnt from it "
    "may be sure all the same.",
    "Genres by few artists are told by the sound of those.",
)

KNOWN_ARTISTS = (
    "No two genres are by two artists each, so other tracks by the same artists were "
    "predicted: of artists that were not learnt from the figures would be lower."
)


@dataclass(frozen=True)
class Settings:
    """How genres are learnt and measured.

    Attributes
    ----------
    seed
        Of everything random.
    min_tracks, has_tree
        How the labels were made, for the card.
    decodes
        Whether the audio is decoded for the MFCC baseline.
    n_threads
        How many files are decoded at the same time.
    """

    seed: int
    min_tracks: int
    has_tree: bool
    decodes: bool
    n_threads: int


def learn_head(
    labels: GenreLabels,
    slices: TrackSlices,
    *,
    encoder: str,
    settings: Settings,
    report: Callable[[str], None],
) -> GenreModel:
    """Learn a softmax layer, measured by cross-validation.

    Parameters
    ----------
    labels
        The tracks.
    slices
        Theirs, in the same order.
    encoder
        Id of the encoder that made them.
    settings
        How.
    report
        Receives lines for the user.
    """
    folds = draw_folds(labels, seed=settings.seed)
    measured, baselines = None, None
    if folds.any():
        logits = held_out_logits(slices, labels.targets, folds, seed=settings.seed)
        measured = measure(logits, slices.counts, labels.targets, folds)
        baselines = _baselines(labels, folds, np.unique(folds), settings, report)
    weights, bias = fit_head(slices, labels.targets, seed=settings.seed)
    temperature = np.float32(measured.temperature if measured else 1.0)
    n_folds = int(folds.max()) + 1
    split = (
        f"The tracks were parted in {n_folds}, and each part predicted by a layer that "
        "had learnt from all others. "
    )
    split += "No artist was in two parts." if labels.by_artist else KNOWN_ARTISTS
    card = _card(
        labels,
        measured,
        baselines,
        settings,
        method="A softmax layer on the unit slice vectors of the library's encoder, "
        "every track and every genre weighing the same; a track is the mean of its "
        "slices.",
        split=split,
        details={"encoder": encoder, "seed": settings.seed},
    )
    return GenreModel(
        genres=labels.genres,
        kind="head",
        encoder=encoder,
        weights=weights / temperature,
        bias=bias / temperature,
        card=card,
    )


def learn_network(
    labels: GenreLabels,
    *,
    work: Path,
    recipe: Recipe,
    validation: float,
    settings: Settings,
    report: Callable[[str], None],
) -> tuple[GenreModel, Path]:
    """Train a network of its own, measured on artists that are held out.

    Parameters
    ----------
    labels
        The tracks.
    work
        Where spectrograms and the checkpoint are kept.
    recipe
        Settings of the fit.
    validation
        Share of the tracks that is held out, 0 to 0.5.
    settings
        How.
    report
        Receives lines for the user.

    Returns
    -------
    model : GenreModel
    network : Path
        The file of its network, in the folder `work`.
    """
    # It imports Keras, which a head needs later.
    from beetsplug.deejai.training.genres.network import train_network

    is_held_out = draw_held_out(labels, share=validation, seed=settings.seed)
    trained = train_network(
        labels, is_held_out, work=work, recipe=recipe, report=report
    )
    name, network_id = name_network(trained.path)
    measured, baselines = trained.measured, None
    split = "Nothing was held out."
    if measured is not None:
        # What is learnt from is fold 1, which nobody asks for.
        folds = (~is_held_out).astype(np.int64)
        first = np.zeros(1, dtype=np.int64)
        baselines = _baselines(labels, folds, first, settings, report)
        split = (
            f"Held out: {counted(measured.n_tracks, 'track')}; learnt from: "
            f"{trained.n_learnt}"
            + (", no artist among both." if labels.by_artist else f". {KNOWN_ARTISTS}")
            + " They also chose when to stop, which flatters a little."
        )
    temperature = np.float32(measured.temperature if measured else 1.0)
    n_genres = len(labels.genres)
    card = _card(
        labels,
        measured,
        baselines,
        settings,
        method="A convolutional network on log-mel spectrograms of 5 s, every genre "
        "weighing the same; a track is the mean of its slices.",
        split=split,
        details={"network": name, "seed": settings.seed},
    )
    model = GenreModel(
        genres=labels.genres,
        kind="cnn",
        encoder=network_id,
        weights=np.eye(n_genres, dtype=np.float32) / temperature,
        bias=np.zeros(n_genres, dtype=np.float32),
        network=name,
        card=card,
    )
    return model, trained.path


def _baselines(
    labels: GenreLabels,
    folds: Ints,
    measured: Ints,
    settings: Settings,
    report: Callable[[str], None],
) -> dict[str, Any]:
    mfcc = None
    if settings.decodes:
        report(f"decoding {counted(len(labels.tracks), 'track')} for the MFCC baseline")
        mfcc, n_missing = mfcc_regression(
            [track.path for track in labels.tracks],
            labels.targets,
            folds,
            measured=measured,
            n_threads=settings.n_threads,
        )
        if n_missing:
            report(f"{n_missing} of them cannot be heard and are left out of it")
    targets = labels.targets[np.isin(folds, measured)]
    commonest = {"genre": labels.genres[int(targets.mean(axis=0).argmax())]}
    return {
        "majority": scores_as_data(majority(targets)) | commonest,
        "mfcc": scores_as_data(mfcc) if mfcc else None,
    }


def _card(
    labels: GenreLabels,
    measured: Measured | None,
    baselines: dict[str, Any] | None,
    settings: Settings,
    *,
    method: str,
    split: str,
    details: dict[str, Any],
) -> dict[str, Any]:
    return {
        "made": time.strftime("%Y-%m-%d %H:%M"),
        "version": version("beets-deejai"),
        "method": method,
        "n_tracks": len(labels.tracks),
        "n_artists": len(set(labels.groups)),
        "genres": genre_rows(labels),
        "min_tracks": settings.min_tracks,
        "merged": dict(labels.merged),
        "split": split if measured else "Nothing could be held out.",
        "measured": measured_as_data(measured) if measured else None,
        "baselines": baselines,
        "limits": list(LIMITS),
        "details": {
            **details,
            "fewest tracks of a genre": settings.min_tracks,
            "tree of genres": "lastgenre's" if settings.has_tree else "none",
        },
    }
