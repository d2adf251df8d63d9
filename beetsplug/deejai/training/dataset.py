"""A folder of music as spectrograms on disk, and pairs of slices drawn from them."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]
    DbFrames = npt.NDArray[np.float16]

SHARD_FRAMES = 1 << 20
"""Frames after which a new shard is begun: 200 MB, 6.8 hours."""

INDEX_FILE = "index.json"

_COMPRESSED = (".aac", ".m4a", ".mp3", ".mpc", ".ogg", ".opus", ".wma")
_LOSSLESS = (".aif", ".aiff", ".ape", ".flac", ".wav", ".wv")
AUDIO_SUFFIXES = frozenset((*_COMPRESSED, *_LOSSLESS))
"""Files of a folder that are taken for music."""


@dataclass(frozen=True)
class Track:
    """One track of a data set and where its frames lie.

    `path` is relative to the audio folder, with slashes; `group` is the first folder
    of it: a soundtrack, an artist. The frames are ``start:stop`` of shard `shard`.
    """

    path: str
    group: str
    shard: int
    start: int
    stop: int


class Spectrograms:
    """Log-mel spectrograms of many tracks, memory-mapped.

    Frames are stored in dB with their absolute level, not as finished slices, so that
    a slice may be cut anywhere.

    Parameters
    ----------
    folder
        Where :func:`build_spectrograms` wrote them.
    """

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
        self.tracks = [Track(**entry) for entry in index["tracks"]]
        self._shards = [
            np.load(folder / _shard_name(k), mmap_mode="r")
            for k in range(index["n_shards"])
        ]

    def frames(self, track: Track) -> DbFrames:
        """Return a track's frames in dB, float16, shape (n_frames, 96)."""
        shard: DbFrames = self._shards[track.shard]
        return shard[track.start : track.stop]

    def slices(self, track: Track) -> Array:
        """Return a track's whole slices as the encoder sees them in a scan."""
        frames = self.frames(track).astype(np.float32)
        n_slices = len(frames) // N_FRAMES
        crops = frames[: n_slices * N_FRAMES].reshape(n_slices, N_FRAMES, N_MELS)
        return scale_slices(crops.transpose(0, 2, 1))


def _shard_name(number: int) -> str:
    return f"frames-{number:03}.npy"


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


def build_spectrograms(
    audio_dir: Path,
    folder: Path,
    *,
    exclude: Sequence[str] = (),
    min_s: float = 20.0,
    max_s: float = 360.0,
    report: Callable[[str], None] = lambda line: None,
) -> Spectrograms:
    """Analyse every audio file under a folder, or reuse what was analysed before.

    Of files with the same sound only the first is kept: one track under two names would
    be told to be unlike itself.

    Parameters
    ----------
    audio_dir
        Music, a folder per soundtrack or artist.
    folder
        Where the shards are written; made when it does not exist.
    exclude
        Patterns as the shell's of paths relative to `audio_dir` to leave out; ``*``
        matches slashes too.
    min_s
        Shorter files are no music (jingles, sound effects) and are left out.
    max_s
        At most this much of a track is used.
    report
        Receives a line now and then, and one for each file that cannot be decoded.

    Raises
    ------
    FatalError
        There is no music to learn from.
    """
    paths = sorted(
        path.relative_to(audio_dir).as_posix()
        for path in audio_dir.rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    )
    paths = [p for p in paths if not any(fnmatchcase(p, glob) for glob in exclude)]
    wanted = {"paths": paths, "min_s": min_s, "max_s": max_s}
    if _read_index(folder).get("made_of") == wanted:
        report(f"reusing the spectrograms in {folder}")
        return Spectrograms(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def analyse(path: str) -> DbFrames | TrackError:
        try:
            return db_frames(stream_waveform(str(audio_dir / path)), max_s=max_s)
        except TrackError as error:
            return error

    writer = _ShardWriter(folder)
    seen: set[bytes] = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for n_done, (path, frames) in enumerate(
            zip(paths, pool.map(analyse, paths), strict=True), start=1
        ):
            if isinstance(frames, TrackError):
                report(f"{path}: {frames}")
            elif len(frames) * HOP_LENGTH >= min_s * SAMPLE_RATE:
                digest = hashlib.sha256(frames.tobytes()).digest()
                if digest not in seen:
                    writer.add(path, frames)
                seen.add(digest)
            if n_done % 100 == 0:
                report(f"{n_done} of {len(paths)} files analysed")
    if not writer.tracks:
        raise FatalError(f"no music of {min_s:g} s or more under {audio_dir}")
    writer.close(wanted)
    return Spectrograms(folder)


def _read_index(folder: Path) -> dict[str, object]:
    try:
        index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


class _ShardWriter:
    """Writes frames shard by shard, and the index last: no index, no data set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n_shards = 0
        self._pending: list[DbFrames] = []
        self._n_pending = 0
        self.tracks: list[Track] = []
        (folder / INDEX_FILE).unlink(missing_ok=True)

    def add(self, path: str, frames: DbFrames) -> None:
        start, stop = self._n_pending, self._n_pending + len(frames)
        group = Path(path).parts[0]
        self.tracks.append(Track(path, group, self._n_shards, start, stop))
        self._pending.append(frames)
        self._n_pending = stop
        if stop >= SHARD_FRAMES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            shard = np.concatenate(self._pending)
            np.save(self._folder / _shard_name(self._n_shards), shard)
            self._n_shards += 1
            self._pending, self._n_pending = [], 0

    def close(self, made_of: dict[str, object]) -> None:
        self._flush()
        index = {
            "made_of": made_of,
            "n_shards": self._n_shards,
            "tracks": [asdict(track) for track in self.tracks],
        }
        temporary = self._folder / f"{INDEX_FILE}.part"
        temporary.write_text(json.dumps(index), encoding="utf-8")
        temporary.replace(self._folder / INDEX_FILE)


def split_held_out(
    tracks: Sequence[Track], held_out: Iterable[str]
) -> tuple[list[Track], list[Track]]:
    """Part the tracks of some groups from all others.

    Returns
    -------
    train, validation : list of Track

    Raises
    ------
    FatalError
        A group has no track, no group has two, or fewer than two are left to train on.
    """
    names = set(held_out)
    sizes = Counter(track.group for track in tracks if track.group in names)
    if unknown := names - sizes.keys():
        raise FatalError(
            f"--hold-out {', '.join(sorted(unknown))}: no such folder with music"
        )
    if names and max(sizes.values()) < 2:
        raise FatalError("--hold-out needs a folder with two tracks or more")
    train = [track for track in tracks if track.group not in names]
    if len(train) < 2:
        raise FatalError("need two tracks or more to train on")
    return train, [track for track in tracks if track.group in names]
