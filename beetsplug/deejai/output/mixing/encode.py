"""Encode stereo, block by block, in the format that a suffix names."""

from __future__ import annotations

import os
from bisect import bisect_left
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from beets.util import displayable_path

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import explained
from beetsplug.deejai.output.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    import numpy as np
    import numpy.typing as npt

    from beetsplug.deejai.output.mixing.model import Chapter
    from beetsplug.deejai.output.mixing.tags import MixTags

    Array = npt.NDArray[np.float32]

_SAMPLE_RATES = (44_100, 48_000)


@dataclass(frozen=True)
class Format:
    """How a mix is encoded.

    Attributes
    ----------
    suffix
        Of the file's name, in lower case.
    muxer, codec, sample_format
        FFmpeg's names, except for Vorbis. Samples are rounded and clipped where the
        sample format is one of integers.
    sample_rate
        In Hz.
    options, muxer_options
        FFmpeg's.
    ceiling_db
        How high the true peak of what is encoded may be, in dB below full scale, so
        that it is at most -1 dB (EBU R128) in what is decoded again.
    """

    suffix: str
    muxer: str
    codec: str
    sample_format: str
    sample_rate: int = 44_100
    options: Mapping[str, str] = field(default_factory=dict)
    muxer_options: Mapping[str, str] = field(default_factory=dict)
    ceiling_db: float = -1.0


def _mp3_quality(quality: float) -> dict[str, str]:
    """Ask for a variable bit rate; 118 of FFmpeg's units make one step."""
    return {"flags": "+qscale", "global_quality": str(round(118 * quality))}


# LAME's own trade of speed for quality: its default.
_LAME = {"compression_level": "5"}

# The ceilings are those with which some 30 pieces of game music stayed below -1 dB when
# decoded again. FFmpeg's AAC makes single samples of up to 3 dB more at 192 kbit/s.
FORMATS: Mapping[str, Format] = {
    known.suffix: known
    for known in (
        # Variable bit rate V2: about 190 kbit/s.
        Format(
            ".mp3",
            "mp3",
            "libmp3lame",
            "fltp",
            options=_LAME | _mp3_quality(2),
            ceiling_db=-2.0,
        ),
        Format(".flac", "flac", "flac", "s16"),
        Format(
            ".ogg",
            "ogg",
            "libvorbis",
            "flt",
            options={"b": "192000"},
            ceiling_db=-1.8,
        ),
        Format(
            ".opus",
            "opus",
            "libopus",
            "flt",
            48_000,
            options={"b": "160000"},
            ceiling_db=-2.5,
        ),
        # The index before the music, so that it plays while it is being fetched.
        Format(
            ".m4a",
            "ipod",
            "aac",
            "fltp",
            options={"b": "256000"},
            muxer_options={"movflags": "+faststart"},
            ceiling_db=-3.0,
        ),
        # RF64 goes beyond the 4 GiB (6.7 h) of plain WAV, and is plain WAV below.
        Format(".wav", "wav", "pcm_s16le", "s16", muxer_options={"rf64": "auto"}),
    )
}
"""The formats of mixes, by the file's suffix."""

# At lower bit rates than usual peaks rise farther.
_COARSE_DB = 1.0
_MP3_USUAL_BITRATE = 192_000  # V2 comes to about that.

# In kbit/s. Of MP3's steps none lies between; the others take any whole number.
_MP3_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES: Mapping[str, Sequence[int]] = {
    ".mp3": _MP3_BITRATES,
    # FFmpeg's encoder takes other numbers, too, but does not come near them.
    ".m4a": range(32, 321),
    ".ogg": range(64, 501),
    ".opus": range(6, 511),
}

# Vorbis has no bit rates but qualities, here 0 to 1 in tenths, and says itself about
# how many kbit/s each takes in stereo.
_VORBIS_BITRATES = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)


def format_of(
    destination: str,
    *,
    bitrate_kbps: int | None = None,
    quality: float | None = None,
    sample_rate: int | None = None,
) -> Format:
    """Tell the format of a mix from its file's name and what the user asks for.

    Parameters
    ----------
    destination
        The file's name.
    bitrate_kbps
        For mp3 (constant), m4a, ogg and opus (average), in kbit/s.
    quality
        Of mp3 with a variable bit rate: 0 (best) to 9.
    sample_rate
        44100 or 48000 Hz; Opus is always 48000.

    Raises
    ------
    FatalError
        Mixes are not written in that format, or it cannot be as asked for; the message
        names the option.
    """
    suffix = os.path.splitext(destination)[1].lower()
    if suffix not in FORMATS:
        raise FatalError(
            f"cannot tell the format of {displayable_path(destination)}: "
            f"a mix ends in one of {' '.join(FORMATS)}"
        )
    target = FORMATS[suffix]
    if quality is not None:
        if bitrate_kbps is not None:
            raise FatalError("--quality and --bitrate: give only one of them")
        _check_quality(suffix, quality)
        target = replace(target, options=_LAME | _mp3_quality(quality))
    if bitrate_kbps is not None:
        _check_bitrate(suffix, bitrate_kbps)
        bitrate = {"b": str(1000 * bitrate_kbps)}
        if suffix == ".mp3":
            bitrate |= _LAME
        if 1000 * bitrate_kbps < int(target.options.get("b", _MP3_USUAL_BITRATE)):
            target = replace(target, ceiling_db=target.ceiling_db - _COARSE_DB)
        target = replace(target, options=bitrate)
    if sample_rate is not None:
        _check_sample_rate(suffix, sample_rate)
        target = replace(target, sample_rate=sample_rate)
    return target


def _check_quality(suffix: str, quality: float) -> None:
    if suffix != ".mp3":
        raise FatalError(f"--quality {quality:g}: it is for .mp3, not for {suffix}")
    if not 0 <= quality <= 9:
        raise FatalError(f"--quality {quality:g}: .mp3 takes 0 (best) to 9")


def _check_bitrate(suffix: str, bitrate_kbps: int) -> None:
    rates = _BITRATES.get(suffix)
    if rates is None:
        raise FatalError(
            f"--bitrate {bitrate_kbps}: {suffix} keeps every sample and has no bit "
            f"rate to choose; {' '.join(_BITRATES)} have one"
        )
    if bitrate_kbps not in rates:
        known = (
            f"{rates.start} to {rates[-1]}"
            if isinstance(rates, range)
            else f"one of {' '.join(map(str, rates))}"
        )
        raise FatalError(f"--bitrate {bitrate_kbps}: {suffix} takes {known} (kbit/s)")


def _check_sample_rate(suffix: str, sample_rate: int) -> None:
    if sample_rate not in _SAMPLE_RATES:
        raise FatalError(f"--sample-rate {sample_rate}: a mix takes 44100 or 48000")
    if suffix == ".opus" and sample_rate != FORMATS[suffix].sample_rate:
        raise FatalError(f"--sample-rate {sample_rate}: .opus is always 48000")


@contextmanager
def open_encoder(
    file: BinaryIO,
    target: Format,
    *,
    destination: str,
    tags: Callable[[], MixTags] | None = None,
) -> Iterator[Callable[[Array], None]]:
    """Open an encoder that writes to a file.

    Parameters
    ----------
    file
        Open for writing, at its start, on disk.
    target
        As :func:`format_of` tells it.
    destination
        How messages name the file.
    tags
        Asked when the context is left: where the chapters of a mix are is known only
        then. None writes no tags.

    Yields
    ------
    callable
        Takes the next block, float32 of shape (n_samples, 2), nominally in [-1, 1],
        any number of samples. 16-bit samples that were divided by 32 768 come out of
        lossless formats as they were. The encoder is flushed when the context is left.

    Raises
    ------
    FatalError
        The file cannot take more.
    """
    with explained(destination):
        kind = _VorbisEncoder if target.codec == "libvorbis" else _FFmpegEncoder
        encoder: _VorbisEncoder | _FFmpegEncoder = kind(file, target)

    def write(block: Array) -> None:
        # FFmpeg takes no empty frame.
        if len(block):
            with explained(destination):
                encoder.write(block)

    try:
        yield write
        described = tags() if tags else None
        with explained(destination):
            encoder.finish(described.chapters if described else ())
    finally:
        with suppress(OSError):
            encoder.close()
    if described:
        # Mutagen takes a while to import, and the formats above are asked for without.
        from beetsplug.deejai.output.mixing.tags import write_tags

        write_tags(file.name, target.suffix, described, destination=destination)


# Both encoders write to the file themselves. Given a Python file object they would call
# back into Python, where an exception (Ctrl-C above all) cannot pass through their C.


class _FFmpegEncoder:
    """Any of FFmpeg's encoders."""

    def __init__(self, file: BinaryIO, target: Format) -> None:
        import av

        self._make_frame = av.AudioFrame.from_ndarray
        self._container = av.open(
            file.name,
            "w",
            format=target.muxer,
            options=dict(target.muxer_options),
        )
        stream: Any = self._container.add_stream(
            target.codec,
            rate=target.sample_rate,
            options=dict(target.options),
            layout="stereo",
        )
        # PyAV converts what it is given to this by FFmpeg's resampler.
        stream.format = target.sample_format
        self._stream = stream
        self._takes_chapters = target.muxer == "ipod"
        self._n_written = 0

    def write(self, block: Array) -> None:
        frame = self._make_frame(block.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = self._stream.rate
        frame.pts = self._n_written
        self._n_written += len(block)
        self._container.mux(self._stream.encode(frame))

    def finish(self, chapters: Sequence[Chapter]) -> None:
        self._container.mux(self._stream.encode(None))
        if self._takes_chapters and chapters:
            # They are a track of their own (for Apple's players) and a list (for
            # others, of 255 at most), which FFmpeg writes last of all. Other formats
            # have their chapters among the tags.
            self._container.set_chapters([_ffmpeg_chapter(c) for c in chapters])
        self._container.close()

    def close(self) -> None:
        self._container.close()


def _ffmpeg_chapter(chapter: Chapter) -> Any:
    return {
        "id": 0,
        "start": chapter.start_ms,
        "end": chapter.end_ms,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": one_line(chapter.title)},
    }


class _VorbisEncoder:
    """libvorbis, which libsndfile brings; FFmpeg's own encoder is experimental."""

    def __init__(self, file: BinaryIO, target: Format) -> None:
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
            compression_level=1 - _vorbis_quality(int(target.options["b"]) / 1000),
            closefd=False,
        )

    def write(self, block: Array) -> None:
        with self._explained():
            self._sound.write(block)
        self._n_written += len(block)

    def finish(self, chapters: Sequence[Chapter]) -> None:
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


def _vorbis_quality(bitrate_kbps: float) -> float:
    """Return the quality, 0 to 1, that takes about this bit rate."""
    above = bisect_left(_VORBIS_BITRATES, bitrate_kbps, lo=1)
    low, high = _VORBIS_BITRATES[above - 1 : above + 1]
    return (above - (high - bitrate_kbps) / (high - low)) / 10
