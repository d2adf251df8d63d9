"""Encode 16-bit stereo, block by block, in the format that a suffix names."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    import numpy as np
    import numpy.typing as npt

    Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Format:
    """How a mix is encoded.

    Attributes
    ----------
    muxer, codec
        FFmpeg's names, except for Vorbis.
    sample_rate
        In Hz.
    options, muxer_options
        FFmpeg's.
    """

    muxer: str
    codec: str
    sample_rate: int = 44_100
    options: Mapping[str, str] = field(default_factory=dict)
    muxer_options: Mapping[str, str] = field(default_factory=dict)


FORMATS: Mapping[str, Format] = {
    # Variable bit rate V2, about 190 kbit/s (118 of FFmpeg's units make one step).
    ".mp3": Format(
        "mp3",
        "libmp3lame",
        options={
            "flags": "+qscale",
            "global_quality": str(2 * 118),
            "compression_level": "5",
        },
    ),
    ".flac": Format("flac", "flac"),
    ".ogg": Format("ogg", "libvorbis"),
    ".opus": Format("opus", "libopus", sample_rate=48_000, options={"b": "160000"}),
    ".m4a": Format("ipod", "aac", options={"b": "192000"}),
    # RF64 goes beyond the 4 GiB (6.7 h) of plain WAV, and is plain WAV below.
    ".wav": Format("wav", "pcm_s16le", muxer_options={"rf64": "auto"}),
}
"""The formats of mixes, by the file's suffix."""

_VORBIS_QUALITY = 0.6  # About 190 kbit/s.


def format_of(destination: str) -> Format:
    """Tell the format of a mix from its file's name.

    Raises
    ------
    FatalError
        Mixes are not written in that format.
    """
    suffix = os.path.splitext(destination)[1].lower()
    if suffix not in FORMATS:
        raise FatalError(
            f"cannot tell the format of {displayable_path(destination)}: "
            f"a mix ends in one of {' '.join(FORMATS)}"
        )
    return FORMATS[suffix]


@contextmanager
def open_encoder(
    file: BinaryIO, target: Format, *, title: str, destination: str
) -> Iterator[Callable[[Pcm], None]]:
    """Open an encoder that writes to a file.

    Parameters
    ----------
    file
        Open for writing, at its start, on disk.
    target
        One of :data:`FORMATS`.
    title
        The title tag.
    destination
        How messages name the file.

    Yields
    ------
    callable
        Takes the next block, int16 of shape (n_samples, 2), any number of samples. The
        encoder is flushed when the context is left.

    Raises
    ------
    FatalError
        The file cannot take more.
    """
    # Tags come from files: they may hold what UTF-8 cannot, and C strings end at NUL.
    tag = title.encode("utf-8", "replace").decode().replace("\0", " ")
    with explained(destination):
        kind = _VorbisEncoder if target.codec == "libvorbis" else _FFmpegEncoder
        encoder: _VorbisEncoder | _FFmpegEncoder = kind(file, target, tag)

    def write(pcm: Pcm) -> None:
        with explained(destination):
            encoder.write(pcm)

    try:
        yield write
        with explained(destination):
            encoder.finish()
    finally:
        with suppress(OSError):
            encoder.close()


# Both encoders write to the file themselves. Given a Python file object they would call
# back into Python, where an exception (Ctrl-C above all) cannot pass through their C.


class _FFmpegEncoder:
    """Any of FFmpeg's encoders."""

    def __init__(self, file: BinaryIO, target: Format, title: str) -> None:
        import av

        self._make_frame = av.AudioFrame.from_ndarray
        self._container = av.open(
            file.name,
            "w",
            format=target.muxer,
            options=dict(target.muxer_options),
        )
        self._container.metadata["title"] = title
        self._stream: Any = self._container.add_stream(
            target.codec,
            rate=target.sample_rate,
            options=dict(target.options),
            layout="stereo",
        )
        self._n_written = 0

    def write(self, pcm: Pcm) -> None:
        frame = self._make_frame(pcm.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = self._stream.rate
        frame.pts = self._n_written
        self._n_written += len(pcm)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def close(self) -> None:
        self._container.close()


class _VorbisEncoder:
    """libvorbis, which libsndfile brings; FFmpeg's own encoder is experimental."""

    def __init__(self, file: BinaryIO, target: Format, title: str) -> None:
        import soundfile

        self._soundfile = soundfile
        self._path = os.fsencode(file.name)
        self._n_written = 0
        self._sound = soundfile.SoundFile(
            file.fileno(),
            "w",
            samplerate=target.sample_rate,
            channels=2,
            format="OGG",
            subtype="VORBIS",
            compression_level=1 - _VORBIS_QUALITY,
            closefd=False,
        )
        self._sound.title = title

    def write(self, pcm: Pcm) -> None:
        with self._explained():
            self._sound.write(pcm)
        self._n_written += len(pcm)

    def finish(self) -> None:
        self.close()
        # A failure to write the last pages is not told.
        with self._explained():
            if self._soundfile.info(self._path).frames != self._n_written:
                raise OSError("the file is not complete; the disk may be full")

    def close(self) -> None:
        with self._explained():
            self._sound.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._soundfile.LibsndfileError as error:
            # libsndfile itself says no more than "System error."
            raise OSError("the disk may be full") from error
