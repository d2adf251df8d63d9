"""How much of a file cannot be decoded, and whether it ends too early.

Decoders step over damage in silence. What is missing shows in the packets that fail,
in time stamps that jump over bytes nobody could read, and in an end that comes before
the duration which the file declares. Each of these also occurs in healthy files (junk
between tags, streams joined together, headers that lie), so each is believed only
where nothing but damage explains it.
"""

from __future__ import annotations

import os
import re
import struct
from collections import deque
from typing import TYPE_CHECKING

from av.error import PatchWelcomeError

from beetsplug.deejai.audio.packets import open_audio
from beetsplug.deejai.durations import format_duration
from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.error import FFmpegError
    from av.packet import Packet

SHORT_SHARE = 0.02
"""How much less of its declared duration a file may hold: encoders round it."""

_SAME_S = 0.05
"""Time stamps closer than this are the same: containers and block lengths round."""

_N_RECENT = 8
"""Packets among which the bytes that a jump of the time stamps skips are sought."""

COUNTED_TIME = {"mp3", "aac", "ac3", "eac3", "dts"}
"""Formats without time stamps: FFmpeg counts packets, and sees no jump."""

_DECLARING = {"flac", "mov,mp4,m4a,3gp,3g2,mj2", "wv", "aiff", "ape", "tta"}
"""Formats whose header gives the duration of each stream; others are estimated."""

_DECLARING_ALONE = {"ogg", "matroska,webm"}
"""Formats whose duration is that of the longest stream: of the audio if it is alone."""

_PLACEHOLDER_BYTES = 0x7E000000
"""Writers to a pipe declare 2 or 4 GiB, or a little less, for "as long as it lasts"."""

_OGG_PAGE_BYTES = 65_307
"""The largest page of an Ogg."""

_MPEG_HEADER_BYTES = 3000
"""An MPEG audio frame, and so the one with the Xing header, is shorter than this."""


class Losses:
    """Counts, packet by packet, the seconds of a file that cannot be decoded.

    Parameters
    ----------
    path
        A file with an audio stream.
    max_loss_s
        More than this many seconds lost is damage; less is a glitch.

    Attributes
    ----------
    max_loss_s
        The same.
    declared_s
        The duration that the file itself declares, in s; None where it declares none
        or one that cannot be trusted.

    Raises
    ------
    TrackError
        By the constructor: the file cannot be opened. By :meth:`decoded` and
        :meth:`ended`: more than `max_loss_s` is lost, with the position in the track.
    """

    def __init__(self, path: str, max_loss_s: float) -> None:
        self.max_loss_s = max_loss_s
        with open_audio(path) as container:
            self.declared_s = declared_s(container, path)
            self._is_counted = container.format.name in COUNTED_TIME
        self._decoded_s = 0.0
        self._lost_s = 0.0
        self._skipped_s = 0.0
        self._failed_s = 0.0
        self._n_bytes = 0
        self._end_byte = 0
        self._tag_end_byte = 0
        self._recent: deque[tuple[int, float]] = deque(maxlen=_N_RECENT)
        self._origin_s: float | None = None
        self._coding: tuple[str, str, int] | None = None

    def failed(self, packet: Packet[AudioStream]) -> None:
        """Count a packet that could not be decoded; tags and other junk do not count.

        Whether it is damage shows only when audio follows it.
        """
        begin_byte = packet.pos or 0
        if self._decoded_s == 0 or begin_byte < self._tag_end_byte:
            return
        self._look_for_tag(packet)
        if packet.duration and packet.time_base:
            self._failed_s += float(packet.duration * packet.time_base)

    def decoded(
        self, packet: Packet[AudioStream], frames: Sequence[AudioFrame]
    ) -> None:
        """Count a packet that could be decoded, before its frames are used."""
        self._look_for_tag(packet)
        if not frames:
            return
        first = frames[0]
        time_s = stamp_s(first)
        begin_byte = self._end_byte if packet.pos is None else packet.pos
        unread = max(0, begin_byte - max(self._end_byte, self._tag_end_byte))
        coding = (first.format.name, first.layout.name, first.sample_rate)
        is_other, self._coding = coding != self._coding, coding
        if is_other and not self._is_counted:
            # Streams joined together begin to count time anew.
            self._origin_s = None
            self._failed_s = 0.0
        elif self._decoded_s > 0:
            self._count_losses(time_s, unread)
        if self._origin_s is None and time_s is not None:
            self._origin_s = time_s - self._reached_s
        seconds = sum(frame.samples / frame.sample_rate for frame in frames)
        self._decoded_s += seconds
        self._n_bytes += packet.size
        self._end_byte = max(self._end_byte, begin_byte) + packet.size
        self._recent.append((unread + packet.size, seconds))

    def ended(self, error: FFmpegError | None = None) -> None:
        """Judge the end of the file, or the error that ended its reading."""
        if self._decoded_s == 0:
            return
        if not self._is_counted:
            self._lose(self._failed_s)
        reached = format_duration(self._reached_s)
        if self.declared_s is not None:
            tolerance_s = max(self.max_loss_s, SHORT_SHARE * self.declared_s)
            if self._reached_s >= self.declared_s - tolerance_s:
                return
        if isinstance(error, PatchWelcomeError):
            raise TrackError(f"cannot be decoded beyond {reached} (changes its format)")
        if error is not None:
            raise TrackError(f"damaged at {reached}")
        if self.declared_s is not None:
            declared = format_duration(self.declared_s)
            raise TrackError(f"ends at {reached} of {declared} (truncated?)")

    def _look_for_tag(self, packet: Packet[AudioStream]) -> None:
        """Note where a tag between packets ends: what decodes there is no audio."""
        if self._is_counted and (tag := _find_tag(bytes(packet))) is not None:
            end_byte = (packet.pos or 0) + tag
            self._tag_end_byte = max(self._tag_end_byte, end_byte)

    @property
    def _reached_s(self) -> float:
        return self._decoded_s + self._lost_s + self._skipped_s

    def _count_losses(self, time_s: float | None, unread: int) -> None:
        """Count what is lost between the last frames and those at `time_s`.

        A gap cannot have held more than the bytes in it would have lasted: where time
        stamps jump over no bytes, the recording had a pause.
        """
        s_per_byte = self._decoded_s / max(1, self._n_bytes)
        failed_s, self._failed_s = self._failed_s, 0.0
        if self._is_counted:
            self._lose(max(failed_s, unread * s_per_byte if failed_s else 0.0))
            return
        jump_s = self._jump_s(time_s)
        # A jump shows a packet or two after the bytes that caused it.
        room_s = unread * s_per_byte + sum(
            n_bytes * s_per_byte - seconds for n_bytes, seconds in self._recent
        )
        lost_s = max(failed_s, min(jump_s, room_s))
        self._lose(lost_s)
        self._skipped_s += max(0.0, jump_s - lost_s)

    def _jump_s(self, time_s: float | None) -> float:
        """How far a time stamp is ahead of what has been decoded; 0 if it is not."""
        if time_s is None or self._origin_s is None:
            return 0.0
        jump_s = time_s - self._origin_s - self._reached_s
        if jump_s < -_SAME_S:
            # Streams joined together begin to count time anew.
            self._origin_s += jump_s
        return jump_s if jump_s > _SAME_S else 0.0

    def _lose(self, seconds: float) -> None:
        reached_s = self._reached_s
        self._lost_s += seconds
        if self._lost_s > self.max_loss_s:
            raise TrackError(f"damaged at {format_duration(reached_s)}")


def stamp_s(frame: AudioFrame) -> float | None:
    """Time stamp of a frame, in s; None where it has none."""
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _find_tag(data: bytes) -> int | None:
    """Find where a tag that begins in `data` ends, counted from the start of `data`."""
    if match := re.search(rb"ID3[\2-\4].{2}([\0-\x7f]{4})", data, re.S):
        size = 0
        for byte in match[1]:
            size = size << 7 | byte
        return match.start() + 10 + size
    if match := re.search(rb"APETAGEX.{4}(.{4})", data, re.S):
        return match.start() + 32 + int(struct.unpack("<I", match[1])[0])
    return None


def declared_s(container: InputContainer, path: str) -> float | None:
    """Return the duration that an open file declares, in s.

    None where it declares none or one that cannot be trusted.
    """
    name = container.format.name
    stream = container.streams.audio[0]
    if name == "mp3":
        return _declared_by_xing(stream, path)
    if name == "wav":
        return _declared_by_riff(path)
    if name == "ogg" and not _ends_as_it_begins(path):
        return None
    declared_s = None
    is_alone = len(container.streams) == 1
    if name in _DECLARING or (name in _DECLARING_ALONE and is_alone):
        if stream.duration is not None and stream.time_base is not None:
            declared_s = float(stream.duration * stream.time_base)
        elif is_alone and container.duration is not None:
            declared_s = container.duration / 1e6
    if name == "aiff" and declared_s is not None:
        n_bytes = declared_s * (stream.codec_context.bit_rate or 0) / 8
        return None if n_bytes >= _PLACEHOLDER_BYTES else declared_s
    return declared_s


def _ends_as_it_begins(path: str) -> bool:
    """Whether the last page of an Ogg belongs to its first stream (RFC 3533).

    Else (streams joined together, a tail of zeros) FFmpeg guesses by the bit rate.
    """
    with open(path, "rb") as file:
        serial = file.read(18)[14:]
        file.seek(-min(_OGG_PAGE_BYTES, os.path.getsize(path)), os.SEEK_END)
        tail = file.read()
    return re.search(b"OggS.{10}" + re.escape(serial), tail, re.S) is not None


def _declared_by_xing(stream: AudioStream, path: str) -> float | None:
    """Read the number of frames from the Xing, Info or VBRI header of an MP3.

    Without one FFmpeg guesses the duration from the bit rate. See Gabriel Bouvigne,
    "MP3 Info Tag specifications rev 1" and Fraunhofer IIS, "VBRI header".
    """
    with open(path, "rb") as file:
        head = file.read(10)
        if (start := _find_tag(head)) is None or not head.startswith(b"ID3"):
            start = 0
        file.seek(start)
        frame = file.read(_MPEG_HEADER_BYTES)
    if match := re.search(rb"(?:Xing|Info)\0{3}(.)(.{4})", frame, re.S):
        has_frames = match[1][0] & 1
        n_frames = int(struct.unpack(">I", match[2])[0]) if has_frames else 0
    elif match := re.search(rb"VBRI.{10}(.{4})", frame, re.S):
        n_frames = int(struct.unpack(">I", match[1])[0])
    else:
        return None
    codec = stream.codec_context
    n_samples = n_frames * _samples_per_frame(codec.name, codec.sample_rate)
    return n_samples / codec.sample_rate or None


def _samples_per_frame(codec: str, sample_rate: int) -> int:
    if codec.startswith("mp3"):
        return 1152 if sample_rate >= 32_000 else 576
    return 384 if codec.startswith("mp1") else 1152


def _declared_by_riff(path: str) -> float | None:
    """Read the duration from a WAV header: FFmpeg takes the size of the file."""
    bytes_per_s = 0
    with open(path, "rb") as file:
        if file.read(12)[:4] != b"RIFF":
            return None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            body = file.tell()
            if name == b"data":
                is_known = bytes_per_s > 0 and 0 < size < _PLACEHOLDER_BYTES
                return size / bytes_per_s if is_known else None
            if name == b"fmt " and len(coding := file.read(12)) == 12:
                bytes_per_s = struct.unpack("<8xI", coding)[0]
            # Chunks are padded to an even length.
            file.seek(body + size + size % 2)
    return None
