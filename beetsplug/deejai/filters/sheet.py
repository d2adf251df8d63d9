"""Filters as a page: what each looks for, what it found, and how that sounds."""

from __future__ import annotations

import os
from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.audio.constants import N_MELS
from beetsplug.deejai.output.clips import (
    CLIP_FRAMES,
    CLIP_S,
    clip_mp3,
    clip_spectrogram,
    read_clip,
)
from beetsplug.deejai.output.standalone import standalone_page
from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy.typing as npt
    from beets.library import Item

    from beetsplug.deejai.filters.report import Filter, Report, Top

    Array = npt.NDArray[np.floating]
    Moment = tuple[bytes, float]

MAX_FILTERS = 512
"""Filters on one page: what is drawn of them takes 4 MB, and their clips 10 MB."""

MAX_CLIPS = 600
"""Clips on one page, 20 kB each; every filter has one at least."""

MAX_TAGS = 6
"""Tags that are told of a filter."""

_MAX_TEXT_BYTES = 400
_FRAMES_A_COLUMN = 2


@dataclass(frozen=True)
class Sheet:
    """The page, how many clips are on it, and how many moments could not be read."""

    page: bytes
    n_clips: int
    n_failed: int


def n_moments(report: Report) -> int:
    """Count what :func:`make_sheet` has to decode."""
    return len(_moments(report))


def make_sheet(
    report: Report,
    kernels: Array | None,
    *,
    encoder: str,
    n_threads: int,
    on_progress: Callable[[int], None] = lambda n_done: None,
) -> Sheet:
    """Draw filters and cut out what they fire at.

    A moment that several filters fire at is decoded once and stands on the page once.

    Parameters
    ----------
    report
        What the filters hear; at most :data:`MAX_FILTERS` of them.
    kernels
        Weights of all filters of the layer, shape (n_filters, n_mels, n_frames); None
        where there is no way to draw them.
    encoder
        Its name.
    n_threads
        How many files are decoded at the same time.
    on_progress
        Called with how many moments are done, of :func:`n_moments`.
    """
    moments = _moments(report)
    clips: dict[Moment, str] = {}
    sums = {
        one.number: np.zeros((N_MELS, CLIP_FRAMES // _FRAMES_A_COLUMN))
        for one in report.filters
    }
    counts = dict.fromkeys(sums, 0)
    n_failed = 0
    # Closed at once when the user gives up, and not when garbage is collected.
    with closing(_sounds(moments, n_threads)) as made:
        for n_done, (moment, sound) in enumerate(made, 1):
            if sound is None:
                n_failed += 1
            else:
                for number in moments[moment].filters:
                    sums[number] += sound.drawing
                    counts[number] += 1
                if sound.mp3:
                    clips[moment] = b64encode(sound.mp3).decode()
            on_progress(n_done)
    # They were made in no fixed order.
    order = [moment for moment in moments if moment in clips]
    places = {moment: place for place, moment in enumerate(order)}
    data = {
        "by": report.by,
        "layer": report.layer.name,
        "seen": round(report.seen_s, 2),
        "tracks": report.n_tracks,
        "patch": [N_MELS, CLIP_FRAMES // _FRAMES_A_COLUMN, round(CLIP_S, 2)],
        "kernel": None if kernels is None else list(kernels.shape[1:]),
        "clips": [clips[moment] for moment in order],
        "filters": [
            _described(one, places)
            | {
                "patch": _packed_patch(sums[one.number], counts[one.number]),
                "kernel": None
                if kernels is None
                else _packed_kernel(kernels[one.number]),
            }
            for one in report.filters
        ],
    }
    page = standalone_page(
        data,
        title=f"What the filters of {report.layer.name} hear",
        lead=_lead(report, encoder),
        main="filters",
        script="filters.js",
        styles=("page.css", "filters.css"),
        media=("media",),
    )
    return Sheet(page, len(clips), n_failed)


def _lead(report: Report, encoder: str) -> str:
    ranked = "their loudest moment" if report.by == "max" else "the mean over time"
    tracks = f"{report.n_tracks:,} track{'s' * (report.n_tracks != 1)}"
    return (
        f"{report.layer.kind} of {one_line(encoder)}; {tracks} ranked by {ranked}; "
        f"one answer depends on about {report.seen_s:.1f} s of music."
    )


@dataclass
class _Use:
    """Which filters fire at a moment, and whether one of them needs a clip of it."""

    filters: list[int]
    is_clip_wanted: bool


def _moments(report: Report) -> dict[Moment, _Use]:
    n_clips = max(1, MAX_CLIPS // max(1, len(report.filters)))
    moments: dict[Moment, _Use] = {}
    for one in report.filters:
        for place, top in enumerate(one.tops):
            use = moments.setdefault(_moment(top), _Use([], False))
            use.filters.append(one.number)
            use.is_clip_wanted |= place < n_clips
    return moments


def _moment(top: Top) -> Moment:
    return top.item.path, round(top.middle_s, 1)


@dataclass(frozen=True)
class _Sound:
    """A moment: what is drawn of it, and a clip if one is wanted."""

    drawing: Array
    mp3: bytes | None


def _sounds(
    moments: dict[Moment, _Use], n_threads: int
) -> Generator[tuple[Moment, _Sound | None], None, None]:
    """Decode moments, in any order; None for one that cannot be.

    These queues have no lock that Ctrl-C could leave closed, as an executor's have: the
    threads that wait for it would never end.
    """
    waiting: SimpleQueue[tuple[Moment, _Use]] = SimpleQueue()
    made: SimpleQueue[tuple[Moment, _Sound | Exception | None]] = SimpleQueue()
    for one in moments.items():
        waiting.put(one)

    def work() -> None:
        with suppress(Empty):
            while True:
                moment, use = waiting.get_nowait()
                try:
                    made.put((moment, _sound(moment, use)))
                except Exception as error:  # noqa: BLE001 - raised below
                    made.put((moment, error))

    threads = [
        Thread(target=work, name=f"deejai-clips-{number}", daemon=True)
        for number in range(n_threads)
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in moments:
            moment, sound = made.get()
            if isinstance(sound, Exception):
                raise sound
            yield moment, sound
    finally:
        with suppress(Empty):
            while True:
                waiting.get_nowait()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _sound(moment: Moment, use: _Use) -> _Sound | None:
    path, middle_s = moment
    try:
        wave = read_clip(os.fsdecode(path), middle_s)
    except Exception:  # noqa: BLE001 - files break decoders in new ways
        # It was there a minute ago; the page is still worth having.
        return None
    pairs = clip_spectrogram(wave).reshape(N_MELS, -1, _FRAMES_A_COLUMN)
    return _Sound(pairs.mean(axis=2), clip_mp3(wave) if use.is_clip_wanted else None)


def _described(one: Filter, places: dict[Moment, int]) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": _text(one.name),
        "silent": one.is_silent,
        "tags": [
            {
                "kind": excess.tag.kind,
                "value": _text(excess.tag.value),
                "inside": excess.n_inside,
                "group": excess.n_group,
                "tagged": excess.n_tagged,
                "all": excess.n_all,
                "q": excess.q,
            }
            for excess in one.tags[:MAX_TAGS]
        ],
        "tops": [
            {
                "title": _text(_title(top.item)),
                "artist": _text(top.item.artist),
                "value": float(f"{top.value:.4g}"),
                "start": round(top.start_s, 1),
                "clip": places.get(_moment(top)),
            }
            for top in one.tops
        ],
    }


def _title(item: Item) -> str:
    return item.title or os.path.splitext(os.path.basename(os.fsdecode(item.path)))[0]


def _text(value: str | None) -> str:
    return one_line(value or "", max_bytes=_MAX_TEXT_BYTES)


def _packed_patch(total: Array, count: int) -> str | None:
    """Write the mean of drawings as bytes, row by row; 255 is the loudest."""
    return _packed(np.rint(255 * total / count)) if count else None


def _packed_kernel(kernel: Array) -> str:
    """Write weights as bytes, row by row: 128 is 0, and 127 apart the largest."""
    largest = np.abs(kernel).max() or 1.0
    return _packed(128 + np.rint(127 * kernel / largest))


def _packed(values: Array) -> str:
    return b64encode(values.astype(np.uint8).tobytes()).decode()
