"""Train an encoder: ``python -m beetsplug.deejai.training AUDIO_DIR -o FILE``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from beetsplug.deejai.embedding.encoder import quiet_stderr
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.dataset import build_spectrograms, split_held_out
from beetsplug.deejai.training.fit import Recipe, fit
from beetsplug.deejai.training.networks import compact

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; the defaults are the recipe of the shipped encoder."""
    parser = argparse.ArgumentParser(
        prog="python -m beetsplug.deejai.training",
        description="Train an encoder on a folder of music: slices of one track "
        "attract, those of all others repel.",
    )
    parser.add_argument(
        "audio_dir", type=Path, help="music, a folder per soundtrack or artist"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="the .keras file to write"
    )
    parser.add_argument(
        "--hold-out",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of audio_dir that are not trained on but measured",
    )
    parser.add_argument(
        "--exclude",
        nargs="+",
        default=[],
        metavar="GLOB",
        help="files of audio_dir to leave out, such as '*/sounds/*'",
    )
    parser.add_argument(
        "--spectrograms",
        type=Path,
        metavar="DIR",
        help="where to keep the analysed audio for the next run (default: nowhere)",
    )
    recipe = Recipe()
    parser.add_argument("--steps", type=int, default=recipe.n_steps)
    parser.add_argument(
        "--tracks", type=int, default=recipe.n_tracks, help="tracks in a batch"
    )
    parser.add_argument("--seed", type=int, default=recipe.seed)
    return parser.parse_args(arguments)


def train(options: argparse.Namespace, *, spectrogram_dir: Path) -> None:
    """Analyse the music, train on it and write the encoder.

    Raises
    ------
    FatalError
        An option cannot be followed.
    """
    if not options.audio_dir.is_dir():
        raise FatalError(f"{options.audio_dir} is not a folder")
    if options.output.suffix != ".keras":
        raise FatalError(f"{options.output}: the name of an encoder ends in .keras")
    if options.steps < 1 or options.tracks < 2:
        raise FatalError("--steps must be 1 or more, --tracks 2 or more")
    spectrograms = build_spectrograms(
        options.audio_dir, spectrogram_dir, exclude=options.exclude, report=_say
    )
    learn, held_out = split_held_out(
        spectrograms.tracks, [Path(name).name for name in options.hold_out]
    )
    _say(f"{len(learn)} tracks to learn from, {len(held_out)} held out")
    with quiet_stderr():
        model = compact(seed=options.seed)
    recipe = Recipe(n_steps=options.steps, n_tracks=options.tracks, seed=options.seed)
    fit(
        model,
        spectrograms,
        train=learn,
        validation=held_out,
        output=options.output,
        recipe=recipe,
        report=_say,
    )
    _say(f"wrote {options.output}")


def _say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    try:
        if options.spectrograms is not None:
            train(options, spectrogram_dir=options.spectrograms)
        else:
            with tempfile.TemporaryDirectory(prefix="deejai-") as folder:
                train(options, spectrogram_dir=Path(folder))
    except FatalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
