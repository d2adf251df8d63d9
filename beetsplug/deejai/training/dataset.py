"""Music as spectrograms on disk, analysed once: memory stays small however much it is.

A shard is a ``.npy`` file of frames and a ``.json`` file that says whose they are; the
latter is written last, so a shard without it does not count. An analysis that was
broken off goes on after its last whole shard.
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from beetsplug.deejai.audio.constants import (
    HOP_LENGTH,
    N_FFT,
    N_FRAMES,
    N_MELS,
    SAMPLE_RATE,
)
from beetsplug.deejai.audio.decode import stream_waveform
from beetsplug.deejai.audio.spectrogram import AMIN, TOP_DB, mel_power
from beetsplug.deejai.errors import FatalError, TrackError
from beetsplug.deejai.output.atomic import atomic_writer, explained
from beetsplug.deejai.storage.library import file_state
from beetsplug.deejai.training.devices import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from beetsplug.deejai.training.devices import Devices
    from beetsplug.deejai.training.sources import Source

    Array = npt.NDArray[np.float32]
    DbFrames = npt.NDArray[np.float16]

SHARD_FRAMES = 1 << 18
"""Frames after which a new shard is begun: 50 MB, 1.7 hours."""

READ_AHEAD = 32
"""Tracks whose frames may wait in memory to be written."""


@dataclass(frozen=True)
class Track:
    """One track of a data set and where its frames lie.

    `path` and `group` are those of its :class:`~.sources.Source`. The frames are
    ``start:stop`` of shard `shard`.
    """

    path: str
    group: str
    shard: int
    start: int
    stop: int

    @property
    def n_slices(self) -> int:
        """Whole slices in the track."""
        return (self.stop - self.start) // N_FRAMES


class Spectrograms:
    """Log-mel spectrograms of many tracks, memory-mapped.

    Frames are stored in dB with their absolute level, not as finished slices, so that
    a slice may be cut anywhere.

    Parameters
    ----------
    folder
        Where :func:`build_spectrograms` wrote them.
    tracks
        The tracks that are used.
    """

    def __init__(self, folder: Path, tracks: Sequence[Track]) -> None:
        self.tracks = list(tracks)
        self._shards = {
            k: np.load(folder / f"{_shard_name(k)}.npy", mmap_mode="r")
            for k in sorted({track.shard for track in tracks})
        }

    def frames(self, track: Track) -> DbFrames:
        """Return a track's frames in dB, float16, shape (n_frames, 96)."""
        shard: DbFrames = self._shards[track.shard]
        return shard[track.start : track.stop]

    def slices(self, track: Track, *, max_slices: int | None = None) -> Array:
        """Return a track's whole slices as the encoder sees them in a scan.

        Parameters
        ----------
        track
            One of :attr:`tracks`.
        max_slices
            When the track has more, this many of them are returned, evenly spaced; see
            :func:`spaced`.
        """
        frames = self.frames(track)
        picked = spaced(track.n_slices, max_slices)
        crops = np.stack([frames[k * N_FRAMES : (k + 1) * N_FRAMES].T for k in picked])
        return scale_slices(crops.astype(np.float32))


def spaced(n_slices: int, max_slices: int | None) -> npt.NDArray[np.int64]:
    """Choose slices of a track, evenly spaced, its first and last among them."""
    n_wanted = n_slices if max_slices is None else min(max_slices, n_slices)
    return np.linspace(0, n_slices - 1, n_wanted).astype(np.int64)


def _shard_name(number: int) -> str:
    return f"frames-{number:05}"


def scale_slices(db: Array) -> Array:
    """Scale slices in dB to [0, 1], each by its own maximum, as the front end does.

    Parameters
    ----------
    db
        Shape (n_slices, 96, 216).

    Returns
    -------
    ndarray of float32, same shape
        As :func:`beetsplug.deejai.audio.spectrogram.normalise_slice` makes them of
        power.
    """
    high = db.max(axis=(1, 2), keepdims=True)
    clipped = np.maximum(db, high - TOP_DB)
    low = clipped.min(axis=(1, 2), keepdims=True)
    return np.asarray(
        (clipped - low) / np.where(high > low, high - low, 1.0), dtype=np.float32
    )


def db_frames(blocks: Iterable[Array], *, max_s: float) -> DbFrames:
    """Turn a waveform that comes in blocks into log-mel frames with absolute level.

    Parameters
    ----------
    blocks
        Consecutive blocks of a mono 22 050 Hz waveform.
    max_s
        What comes later than this is ignored, in seconds.

    Returns
    -------
    ndarray of float16, shape (n_frames, 96)
        Mel power in dB. The number of frames is a multiple of 216.
    """
    parts: list[Array] = [np.zeros(N_FFT // 2, dtype=np.float32)]
    n_missing = int(max_s * SAMPLE_RATE)
    for block in blocks:
        parts.append(block[:n_missing])
        n_missing -= parts[-1].size
        if n_missing <= 0:
            break
    parts.append(parts[0])
    waveform = np.concatenate(parts)
    under_slice = (N_FRAMES - 1) * HOP_LENGTH + N_FFT
    starts = range(0, waveform.size - under_slice + 1, N_FRAMES * HOP_LENGTH)
    frames = np.empty((len(starts) * N_FRAMES, N_MELS), dtype=np.float16)
    for k, start in enumerate(starts):
        power = mel_power(waveform[start : start + under_slice])
        db = 10.0 * np.log10(np.maximum(AMIN, power))
        frames[k * N_FRAMES : (k + 1) * N_FRAMES] = db.T
    return frames


@dataclass(frozen=True)
class _Entry:
    """What a shard says of a file: where its frames lie, and what they were made of.

    A file that is too short or sounds like an earlier one has no frames.
    """

    path: str
    state: str
    digest: str
    start: int
    stop: int


def build_spectrograms(
    sources: Sequence[Source],
    folder: Path,
    *,
    min_s: float = 20.0,
    max_s: float = 360.0,
    devices: Devices = ALONE,
    report: Callable[[str], None] = lambda line: None,
) -> Spectrograms:
    """Analyse music, or reuse what was analysed before.

    Of files with the same sound only the first is kept: one track under two names would
    be told to be unlike itself.

    Parameters
    ----------
    sources
        The music.
    folder
        Where the shards are written; made when it does not exist.
    min_s
        Shorter files are no music (jingles, sound effects) and are left out.
    max_s
        At most this much of a track is used.
    devices
        Tells the processes apart that write shards to the same folder at once.
    report
        Receives a line now and then, and one for each file that cannot be decoded.

    Raises
    ------
    FatalError
        There is no music to learn from, or the shards cannot be written.
    """
    with explained(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        shards = _Shards(folder, settings={"max_s": max_s}, devices=devices)
        todo = [s for s in sources if not shards.has(s.path)]
        if todo:
            report(f"analysing {len(todo)} of {len(sources)} files")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(todo), READ_AHEAD):
                part = todo[start : start + READ_AHEAD]
                done = pool.map(lambda source: _analyse(source.path, max_s), part)
                for source, (state, frames) in zip(part, done, strict=True):
                    if isinstance(frames, TrackError):
                        report(f"{source.path}: {frames}")
                    else:
                        shards.add(source.path, state, frames)
                n_done = start + len(part)
                if n_done % (8 * READ_AHEAD) == 0:
                    report(f"{n_done} of {len(todo)} files analysed")
        shards.flush()
    tracks = shards.tracks(sources, min_frames=max(N_FRAMES, _n_frames(min_s)))
    if not tracks:
        raise FatalError(f"no music of {min_s:g} s or more to learn from")
    return Spectrograms(folder, tracks)


def _n_frames(seconds: float) -> int:
    """Frames of the whole slices in so much time."""
    return int(seconds * SAMPLE_RATE / HOP_LENGTH) // N_FRAMES * N_FRAMES


def _analyse(path: str, max_s: float) -> tuple[str, DbFrames | TrackError]:
    state = file_state(path)
    try:
        return state, db_frames(stream_waveform(path), max_s=max_s)
    except TrackError as error:
        return state, error


class _Shards:
    """The shards of a folder that are whole, and the one that is being filled."""

    def __init__(
        self, folder: Path, *, settings: dict[str, float], devices: Devices
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._known: dict[str, tuple[int, _Entry]] = {}
        n_shards = 0
        self._frames: list[DbFrames] = []
        self._entries: list[_Entry] = []
        for path in sorted(folder.glob("frames-*.json")):
            number = int(path.stem.removeprefix("frames-"))
            n_shards = max(n_shards, number + 1)
            for entry in self._read(path):
                self._known[entry.path] = (number, entry)
        # With n processes each takes every n-th number: none writes another's shard.
        self._step = devices.n_processes
        self._next = n_shards + (devices.process - n_shards) % self._step

    def _read(self, path: Path) -> list[_Entry]:
        """Read what a shard says: nothing if it was made otherwise or is damaged."""
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            if index["settings"] != self._settings:
                return []
            entries = [_Entry(**entry) for entry in index["files"]]
            n_frames = len(np.load(path.with_suffix(".npy"), mmap_mode="r"))
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return []
        return entries if n_frames == max((e.stop for e in entries), default=0) else []

    def has(self, path: str) -> bool:
        known = self._known.get(path)
        return known is not None and known[1].state == file_state(path) != ""

    def add(self, path: str, state: str, frames: DbFrames) -> None:
        start = sum(map(len, self._frames))
        digest = hashlib.sha256(frames.tobytes()).hexdigest()
        entry = _Entry(path, state, digest, start, start + len(frames))
        self._frames.append(frames)
        self._entries.append(entry)
        self._known[path] = (self._next, entry)
        if entry.stop >= SHARD_FRAMES:
            self.flush()

    def flush(self) -> None:
        """Write the shard that is being filled: its frames first."""
        if not self._entries:
            return
        path = self._folder / _shard_name(self._next)
        frames = np.concatenate(self._frames)
        with atomic_writer(f"{path}.npy") as file:
            # Not np.save, which writes past the file object: on a full disk its error
            # would not say so.
            npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(frames))
            file.write(frames.tobytes())
        files = [asdict(entry) for entry in self._entries]
        with atomic_writer(f"{path}.json") as file:
            index = {"settings": self._settings, "files": files}
            file.write(json.dumps(index).encode())
        self._next += self._step
        self._frames, self._entries = [], []

    def tracks(self, sources: Sequence[Source], *, min_frames: int) -> list[Track]:
        """Find the frames of every source that has enough and is no copy."""
        tracks, seen = [], set()
        for source in sources:
            if source.path not in self._known:
                continue
            shard, entry = self._known[source.path]
            if entry.stop - entry.start >= min_frames and entry.digest not in seen:
                seen.add(entry.digest)
                place = (shard, entry.start, entry.stop)
                tracks.append(Track(source.path, source.group, *place))
        return tracks
