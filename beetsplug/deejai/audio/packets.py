"""Open an audio file and read its compressed packets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError

from beetsplug.deejai.errors import TrackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

# A file that claims to be music may be a playlist that points at the network.
_ONLY_FILES = {"protocol_whitelist": "file"}

# Of FFmpeg's errors only the kind helps; it repeats the path and the call.
_REASONS = {
    "InvalidDataError": "no audio that can be decoded (damaged, or not music)",
    "FileNotFoundError": "the file does not exist",
    "PermissionError": "no permission to read the file",
}


def reason(error: Exception) -> str:
    """Say in one line why a file cannot be decoded."""
    known = _REASONS.get(type(error).__name__)
    return known or f"cannot be decoded ({' '.join(str(error).split())})"


def check_is_file(path: str) -> None:
    """Raise when there is nothing to decode, and say why in the user's terms."""
    if os.path.isfile(path):
        if os.path.getsize(path) == 0:
            raise TrackError("the file is empty (0 bytes)")
        return
    if os.path.islink(path) and not os.path.exists(path):
        raise TrackError("a link whose target does not exist")
    if os.path.exists(path):
        raise TrackError("not a regular file")
    raise TrackError("the file does not exist")


def open_audio(path: str) -> InputContainer:
    """Open a file that has an audio stream; the caller closes it.

    Raises
    ------
    TrackError
        The file cannot be opened, or holds no audio.
    """
    try:
        # Tags need not be UTF-8; they are not used here.
        container = av.open(
            path, metadata_errors="replace", container_options=_ONLY_FILES
        )
    except (FFmpegError, OSError) as error:
        raise TrackError(reason(error)) from error
    if not container.streams.audio:
        container.close()
        raise TrackError("no audio stream in the file")
    return container


def audio_packets(path: str) -> Iterator[Packet[AudioStream]]:
    """Yield the compressed packets of the first audio stream, the flush included.

    Raises
    ------
    TrackError
        As :func:`open_audio` does.
    FFmpegError
        The file is damaged: no packet is found after those yielded.
    """
    with open_audio(path) as container:
        yield from container.demux(container.streams.audio[0])
