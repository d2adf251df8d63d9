"""``beet deejai genres show``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_, term_width
from beets.util import displayable_path

from beetsplug.deejai.audio.constants import SLICE_S
from beetsplug.deejai.commands.bars import bars, runs
from beetsplug.deejai.commands.deliver import check_outputs, output_path
from beetsplug.deejai.commands.names import n_tracks, title_of
from beetsplug.deejai.commands.seeds import find_lines, nothing_heard, tell_failures
from beetsplug.deejai.genre_space import hear_genres, load_genre_model
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.output.portions import portions
from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] TRACK..."

MAX_TRACKS = 20
"""Tracks that are shown at once."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE",
        help="draw a pie (.png), or the course over time if the name contains "
        '"timeline"; may be given several times',
    )
    parser.add_option(
        "--timeline",
        action="store_true",
        default=False,
        help="show how it goes from the beginning to the end, too",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Show which genres tracks are made of."""
    outputs = options.outputs or ()
    for output in outputs:
        if os.path.splitext(output)[1].lower() != ".png":
            raise UserError(f"-o {output}: a name ends in .png")
    model = load_genre_model(session)
    items = _find(session, args, log)
    names = [_numbered(outputs, number, len(items)) for number in range(len(items))]
    paths = [[output_path(session.settings, name) for name in some] for some in names]
    check_outputs(path for some in paths for path in some)
    heard, failures = hear_genres(session, model, items)
    if not heard:
        raise nothing_heard(failures)
    tell_failures(failures, log)
    for item, pictures in zip(items, paths, strict=True):
        if item.path in heard:
            shown = Shown(one_line(title_of(item)), model.genres, heard[item.path])
            shown.tell(timeline=options.timeline)
            for path, name in zip(pictures, outputs, strict=True):
                shown.draw(path, timeline=_is_timeline(name, options))


def _find(session: Session, args: Sequence[str], log: Logger) -> list[Item]:
    lines = find_lines(session, args, what="a track")
    # A track that is named twice is shown once.
    items = list({line.item.path: line.item for line in lines}.values())
    if len(items) > MAX_TRACKS:
        log.warning(
            "of {} the first {} are shown; name fewer for others",
            n_tracks(len(items)),
            MAX_TRACKS,
        )
    return items[:MAX_TRACKS]


def _numbered(outputs: Sequence[str], number: int, n_items: int) -> list[str]:
    """Name the pictures of one of several tracks: ``pie-01.png``, ``pie-02.png``."""
    if n_items == 1:
        return list(outputs)
    digits = len(str(n_items))
    parts = [os.path.splitext(output) for output in outputs]
    return [f"{stem}-{number + 1:0{digits}}{suffix}" for stem, suffix in parts]


def _is_timeline(output: str, options: Any) -> bool:
    name = os.path.basename(output).lower()
    return "timeline" in name or (options.timeline and "pie" not in name)


@dataclass(frozen=True)
class Shown:
    """A track that is shown.

    Attributes
    ----------
    title
        What it is called.
    genres
        Names of all genres.
    probabilities
        Of each genre in each slice, float32, shape (n_slices, n_genres).
    """

    title: str
    genres: Sequence[str]
    probabilities: npt.NDArray[Any]

    @property
    def composition(self) -> npt.NDArray[Any]:
        """Probability of each genre in the whole track, shape (n_genres,)."""
        return np.asarray(self.probabilities.mean(axis=0))

    def tell(self, *, timeline: bool) -> None:
        """Print what the track is made of, and how it goes if that is wanted."""
        width = term_width()
        print_(self.title)
        for line in bars(
            portions(self.composition, self.genres, least=0.0), width=width
        ):
            print_(line)
        if timeline:
            for line in runs(
                self.probabilities, self.genres, slice_s=SLICE_S, width=width
            ):
                print_(line)

    def draw(self, path: bytes, *, timeline: bool) -> None:
        """Write a picture, and say so."""
        # Pillow is for pictures only.
        from beetsplug.deejai.output.genre_pictures import draw_pie, draw_timeline

        parts = portions(self.composition, self.genres)
        n_slices = len(self.probabilities)
        slices = f"{n_slices} slice{'s' * (n_slices != 1)} of {SLICE_S:.0f} s"
        if timeline:
            data = draw_timeline(
                self.probabilities,
                parts,
                slice_s=SLICE_S,
                title=self.title,
                caption=f"How probable each genre is in each of {slices}.",
            )
        else:
            caption = f"How probable each genre is, on average over {slices}."
            data = draw_pie(parts, title=self.title, caption=caption)
        with atomic_writer(path) as file, explained(path):
            file.write(data)
        kind = "timeline" if timeline else "pie"
        print_(f"{kind} in {displayable_path(path)}")
