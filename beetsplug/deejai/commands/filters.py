"""``beet deejai filters``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, print_
from beets.util import displayable_path

from beetsplug.deejai.commands.command_line import command_line
from beetsplug.deejai.commands.deliver import (
    PLAYLIST_SUFFIXES,
    check_outputs,
    is_playlist,
    output_path,
    playlist_base,
)
from beetsplug.deejai.commands.names import n_tracks, title_of
from beetsplug.deejai.commands.progress import ProgressLine
from beetsplug.deejai.commands.tidy_end import ends_tidily
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.output.m3u import Entry, write_m3u
from beetsplug.deejai.storage.library import query_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from logging import Logger

    from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
    from beetsplug.deejai.filters.layers import Layer
    from beetsplug.deejai.filters.report import Filter, Report, Top
    from beetsplug.deejai.session import Session

USAGE = "[OPTIONS] [QUERY]"

DEFAULT_N = 10

MAX_REASONS = 20
"""Files that could not be heard and are named."""


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--layer",
        metavar="L",
        help="name or number of the layer (default: the first convolution)",
    )
    parser.add_option(
        "--layers",
        action="store_true",
        default=False,
        help="list the encoder's layers, and do no more",
    )
    parser.add_option(
        "--filter",
        dest="filters",
        action="append",
        metavar="K",
        help="only these filters: 7, 0-15 or 3,5,8; may be given several times",
    )
    parser.add_option(
        "--by",
        type="choice",
        choices=("max", "mean"),
        default="max",
        metavar="BY",
        help="rank tracks by the max (what happens once; the default) or the mean over "
        "time (what lasts)",
    )
    parser.add_option(
        "-n",
        dest="number",
        type="int",
        default=DEFAULT_N,
        metavar="N",
        help=f"how many tracks for each filter (default: {DEFAULT_N})",
    )
    parser.add_option(
        "-o",
        dest="outputs",
        action="append",
        metavar="FILE|FOLDER",
        help="write a playlist (.m3u, .m3u8) for each filter; may be given several "
        "times",
    )
    parser.add_option(
        "--sheet",
        metavar="FILE",
        help="write a page (.html) with drawings, clips to play and tags",
    )
    parser.add_path_option()
    parser.add_format_option()


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Find the tracks that the filters of a layer respond to."""
    from beetsplug.deejai.filters.layers import find_layer, list_layers
    from beetsplug.deejai.filters.report import keras_encoder

    if options.number < 1:
        raise UserError("-n takes a whole number from 1 up")
    sheet = _read_sheet(session, options.sheet)
    outputs = [_read_output(session, output) for output in options.outputs or ()]
    items = [] if options.layers else query_items(session.lib, args)
    if not items and not options.layers:
        raise UserError(
            f"no track matches {' '.join(args)!r}"
            if args
            else "the library is empty; run `beet import` first"
        )
    encoder = keras_encoder(session)
    layers = list_layers(encoder)
    if options.layers:
        for layer in layers:
            print_(str(layer))
        return
    layer = find_layer(layers, options.layer)
    numbers = _read_numbers(options.filters, layer)
    if sheet is not None:
        _check_fits(numbers)
    files = {
        number: [_playlist_path(output, layer, number, numbers) for output in outputs]
        for number in numbers
    }
    check_outputs(
        [path for paths in files.values() for path in paths]
        + ([sheet] if sheet else [])
    )
    report = _make(session, encoder, layer, items, numbers, options)
    _tell_missing(report, log)
    if not outputs and sheet is None:
        _print(report)
    for one in report.filters:
        for path in files[one.number]:
            _write_playlist(session, report, one, path, command_line(options))
    _say_written(report, files, outputs)
    if sheet is not None:
        _write_sheet(session, encoder, report, sheet, log)


def _make(
    session: Session,
    encoder: KerasEncoder,
    layer: Layer,
    items: Sequence[Any],
    numbers: Sequence[int],
    options: Any,
) -> Report:
    from beetsplug.deejai.filters.report import make_report

    with ends_tidily(), ProgressLine(len(items), "tracks") as progress:
        return make_report(
            session,
            encoder,
            layer,
            items,
            numbers=numbers,
            by=options.by,
            n_tops=options.number,
            on_progress=progress.update,
        )


def _read_numbers(texts: Sequence[str] | None, layer: Layer) -> list[int]:
    """Read ``--filter``; all filters of the layer without."""
    if not texts:
        return list(range(layer.n_filters))
    numbers: set[int] = set()
    for text in texts:
        first_and_last = read_value("--filter", text, _ranges)
        for first, last in first_and_last:
            if last >= layer.n_filters:
                raise UserError(
                    f"--filter {text}: the filters of {layer.name} are 0 to "
                    f"{layer.n_filters - 1}"
                )
            numbers.update(range(first, last + 1))
    return sorted(numbers)


def _ranges(text: str) -> list[tuple[int, int]]:
    ranges = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*", part)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise ValueError(f"{text!r} names no filters (try 7, 0-15 or 3,5,8)")
        ranges.append((int(found[1]), int(found[2] or found[1])))
    return ranges


def _check_fits(numbers: Sequence[int]) -> None:
    from beetsplug.deejai.filters.sheet import MAX_FILTERS

    if len(numbers) > MAX_FILTERS:
        raise UserError(
            f"--sheet shows {MAX_FILTERS} filters at most, not {len(numbers)}: choose "
            f"some, as by --filter 0-{MAX_FILTERS - 1}"
        )


def _read_sheet(session: Session, name: str | None) -> bytes | None:
    if name is None:
        return None
    if os.path.splitext(name)[1].lower() != ".html":
        raise UserError(f"--sheet {name}: a name ends in .html")
    return output_path(session.settings, name)


def _read_output(session: Session, output: str) -> bytes:
    path = output_path(session.settings, output)
    if is_playlist(output) or os.path.isdir(path):
        return path
    if os.path.splitext(output)[1]:
        raise UserError(
            f"-o {output}: give a folder, or a name that ends in "
            f"{' or '.join(PLAYLIST_SUFFIXES)}"
        )
    raise UserError(f"-o {output}: the folder does not exist")


def _playlist_path(
    output: bytes, layer: Layer, number: int, numbers: Sequence[int]
) -> bytes:
    """Name the playlist of a filter; sorted by name they stand in its layer's order."""
    if os.path.isdir(output):
        # Layers may have any names.
        name = re.sub(r"[^\w.-]+", "_", layer.name)
        stem, suffix = os.path.join(output, os.fsencode(name)), b".m3u8"
    else:
        if len(numbers) == 1:
            return output
        stem, suffix = os.path.splitext(output)
    n_digits = max(3, len(str(layer.n_filters - 1)))
    return b"%s-%s%s" % (stem, str(number).zfill(n_digits).encode(), suffix)


def _tell_missing(report: Report, log: Logger) -> None:
    for track, reason in report.failures[:MAX_REASONS]:
        log.warning("{}: {}", track.shown, reason)
    if len(report.failures) > MAX_REASONS:
        log.warning("... and {} more", len(report.failures) - MAX_REASONS)
    if report.n_unknown:
        log.warning(
            "{} left out that no slices of this encoder are stored of; run "
            "`beet deejai scan`",
            f"{n_tracks(report.n_unknown)} {'is' if report.n_unknown == 1 else 'are'}",
        )


def _heading(one: Filter, report: Report) -> str:
    heading = f"{report.layer.name}, filter {one.number}"
    if one.is_silent:
        return f"{heading}: silent, the same for every track"
    return f"{heading}: {one.name}" if one.name else heading


def _print(report: Report) -> None:
    for place, one in enumerate(report.filters):
        if place and (one.tops or report.filters[place - 1].tops):
            print_("")
        print_(_heading(one, report))
        for top in one.tops:
            print_(f"{top.value:>10.4g} {_at(top):>7}  {format(top.item)}")


def _at(top: Top) -> str:
    # Not rounded up: who starts there must not miss the beginning.
    return format_duration(int(top.start_s))


def _write_playlist(
    session: Session, report: Report, one: Filter, path: bytes, command: str
) -> None:
    if not one.tops:
        return
    entries = [
        Entry(
            path=top.item.path,
            title=f"{title_of(top.item)} ({_at(top)})",
            length_s=top.item.length or 0.0,
            notes=(b"#EXTVLCOPT:start-time=%d" % int(top.start_s),),
        )
        for top in one.tops
    ]
    write_m3u(
        path,
        entries,
        base=playlist_base(session, path),
        forward_slash=session.settings.forward_slash,
        comment=f"{_heading(one, report)}; {command}",
    )


def _say_written(
    report: Report, files: Mapping[int, Sequence[bytes]], outputs: Sequence[bytes]
) -> None:
    written = [one.number for one in report.filters if one.tops]
    n_silent = len(report.filters) - len(written)
    silent = f"; {n_silent} silent" if n_silent else ""
    for place in range(len(outputs)):
        if not written:
            print_(f"no playlist{silent}")
            continue
        first, last = (files[written[end]][place] for end in (0, -1))
        if first == last:
            print_(f"wrote {displayable_path(first)}{silent}")
            continue
        until = displayable_path(os.path.basename(last))
        print_(
            f"{len(written)} playlists: {displayable_path(first)} to {until}{silent}"
        )


def _write_sheet(
    session: Session, encoder: KerasEncoder, report: Report, path: bytes, log: Logger
) -> None:
    from beetsplug.deejai.filters.layers import kernels
    from beetsplug.deejai.filters.sheet import make_sheet, n_moments

    with ends_tidily(), ProgressLine(n_moments(report), "clips") as progress:
        sheet = make_sheet(
            report,
            kernels(encoder, report.layer),
            encoder=encoder.model_id,
            n_threads=session.settings.n_threads,
            on_progress=progress.update,
        )
    if sheet.n_failed:
        log.warning("{} moments could not be decoded any more", sheet.n_failed)
    with atomic_writer(path) as file, explained(path):
        file.write(sheet.page)
    filters = f"{len(report.filters)} filter{'s' * (len(report.filters) != 1)}"
    print_(
        f"{filters} and {sheet.n_clips} clips in {displayable_path(path)} "
        f"({len(sheet.page) / 1e6:.1f} MB)"
    )
