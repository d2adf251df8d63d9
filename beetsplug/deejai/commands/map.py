"""``beet deejai map``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.atlas.colours import BY, colour
from beetsplug.deejai.atlas.fields import map_fields
from beetsplug.deejai.atlas.keep import update_places
from beetsplug.deejai.atlas.shown import load_shown
from beetsplug.deejai.commands.deliver import check_outputs, is_playlist, output_path
from beetsplug.deejai.commands.names import n_tracks
from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.commands.seeds import file_lines, is_file
from beetsplug.deejai.commands.tidy_end import ends_tidily
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.output.palette import LIGHT
from beetsplug.deejai.recommend.index import UNKNOWN
from beetsplug.deejai.spaces import explain_none, warn_of_others
from beetsplug.deejai.storage.library import matching_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

    from beetsplug.deejai.atlas.columns import Columns
    from beetsplug.deejai.atlas.places import Places
    from beetsplug.deejai.atlas.shown import Shown
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] [QUERY] -o FILE"
SUFFIXES = (".html", ".png")


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE",
        help="write a page to look around in (.html) or a picture (.png); may be given "
        "several times",
    )
    parser.add_option(
        "--color",
        "--colour",
        dest="colour",
        type="choice",
        choices=BY,
        default=BY[0],
        metavar="BY",
        help=f"colour the tracks by {', '.join(BY[:-1])} or {BY[-1]}",
    )
    parser.add_option(
        "--journey",
        metavar="FILE",
        help="draw the way of this playlist (.m3u, .m3u8)",
    )
    parser.add_option(
        "--remake",
        action="store_true",
        default=False,
        help="lay the whole map out anew",
    )


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Bring the map up to date, and write it to the outputs."""
    outputs = _read_outputs(session, options.outputs or ())
    journey_ids = _read_journey(session, options.journey)
    places = _update(session, options, log)
    shown = places.item_ids
    if args:
        matching = shown[np.isin(shown, list(matching_ids(session.lib, args)))]
        if not matching.size:
            raise UserError(f"no track on the map matches {' '.join(args)!r}")
        # What the way leads over is shown, too.
        shown = shown[np.isin(shown, matching) | np.isin(shown, journey_ids)]
    part = load_shown(session.lib, places, shown)
    number = len(part.columns.titles)
    drawing = Drawing(
        shown=part,
        way=_way(part.columns, journey_ids, log),
        title=_title(number, args),
        by=options.colour,
    )
    for path in outputs:
        data = drawing.page() if _suffix(path) == ".html" else drawing.picture()
        with atomic_writer(path) as file, explained(path):
            file.write(data)
        print_(f"{n_tracks(number)} in {displayable_path(path)}")


@dataclass(frozen=True)
class Drawing:
    """A map that can be written down.

    Attributes
    ----------
    shown
        The tracks that are shown.
    way
        Rows of a playlist's tracks, in order; none without a playlist.
    title, by
        What stands above, and what the colours mean.
    """

    shown: Shown
    way: list[int]
    title: str
    by: str

    def page(self) -> bytes:
        """Return the page."""
        from beetsplug.deejai.atlas.page import map_page

        columns = self.shown.columns
        fields = map_fields(self.shown)
        fields |= {"path": columns.paths, "album": columns.albums}
        return map_page({**fields, "way": self.way, "by": self.by}, title=self.title)

    def picture(self) -> bytes:
        """Return the picture."""
        from beetsplug.deejai.atlas.picture import Way, draw_map

        columns, faithfulness = self.shown.columns, self.shown.faithfulness
        way = None
        if self.way:
            first, last = self.way[0], self.way[-1]
            way = Way(self.way, (columns.name(first), columns.name(last)))
        return draw_map(
            self.shown.positions,
            colour(columns, self.by, LIGHT),
            title=self.title,
            by=self.by,
            way=way,
            regions=self.shown.regions,
            caption=faithfulness.sentence() if faithfulness else "",
        )


def _suffix(path: bytes | str) -> str:
    return os.path.splitext(os.fsdecode(path))[1].lower()


def _title(number: int, args: Sequence[str]) -> str:
    title = f"{number:,} track{'s' * (number != 1)}"
    return f"{title}: {' '.join(args)}" if args else title


def _read_outputs(session: Session, outputs: Sequence[str]) -> list[bytes]:
    """Check where the map is to be written, before any work is done."""
    if not outputs:
        raise UserError("say where to: -o map.html, -o map.png, or both")
    for output in outputs:
        if _suffix(output) not in SUFFIXES:
            raise UserError(f"-o {output}: a name ends in {' or '.join(SUFFIXES)}")
    paths = [output_path(session.settings, output) for output in outputs]
    check_outputs(paths)
    return paths


def _read_journey(session: Session, name: str | None) -> list[int]:
    """Return the ids of the tracks of a playlist, UNKNOWN outside the library."""
    if name is None:
        return []
    if not is_playlist(name) or not is_file(name):
        raise UserError(f"--journey {name}: there is no such playlist")
    items = [line.item for line in file_lines(session, name)]
    return [UNKNOWN if item.id is None else item.id for item in items]


def _way(columns: Columns, journey_ids: Sequence[int], log: Logger) -> list[int]:
    """Return the rows of the tracks of a playlist, in its order."""
    row_of = {item_id: row for row, item_id in enumerate(columns.item_ids.tolist())}
    rows = [row_of[item_id] for item_id in journey_ids if item_id in row_of]
    if journey_ids and not rows:
        raise UserError("no track of the playlist is on the map")
    if missing := len(journey_ids) - len(rows):
        log.warning(
            "{} of the playlist's {} not on the map",
            missing,
            f"{n_tracks(len(journey_ids))} {'is' if missing == 1 else 'are'}",
        )
    return rows


def _update(session: Session, options: Any, log: Logger) -> Places:
    with ends_tidily(), ProgressLine(100, "percent") as progress:
        update = update_places(
            session.lib,
            session.model_id,
            remake=options.remake,
            n_threads=session.settings.n_threads,
            on_progress=lambda part: progress.update(100 * part),
        )
    if not len(update.places):
        raise UserError(explain_none(session))
    warn_of_others(session, log)
    for notice in update.notices:
        log.warning("{}", notice)
    if update.n_placed and not update.is_new:
        log.info("{} found a place on the map", n_tracks(update.n_placed))
    return update.places
