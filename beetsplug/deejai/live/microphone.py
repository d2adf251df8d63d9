"""Listen to a microphone, through miniaudio, whose wheel needs no system package."""

from __future__ import annotations

import queue
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MICROPHONE_RATE = 48_000
"""Sampling rate in Hz: what most of them have, so that nothing is converted twice."""

CHUNK_MS = 100

MAX_CHUNKS = 100
"""Chunks that wait to be listened to: 10 s. What comes then is lost."""

TIMEOUT_S = 5.0
"""A microphone that gives nothing for so long is gone."""

NO_MICROPHONE = (
    "no microphone is found; plug one in and allow its use, or give a file by --input"
)

# What stands in where a system has no sound. That of ALSA gives silence as fast as it
# is taken.
_NO_DEVICE = re.compile(r"Discard all samples|NULL Capture Device")
_NO_BACKEND = "Null"

# Without a sound card, ALSA and JACK tell a dozen lines about their own insides.
_ALL = re.compile(b"")


@dataclass(frozen=True)
class Device:
    """A microphone, or any other input.

    Attributes
    ----------
    number
        Its place in the list, from 1.
    name
        As the system calls it.
    handle
        What miniaudio knows it by.
    """

    number: int
    name: str
    handle: Any


def devices() -> list[Device]:
    """List the microphones of this machine.

    Raises
    ------
    FatalError
        miniaudio is missing.
    """
    miniaudio = _miniaudio()
    try:
        with quiet_stderr(noise=_ALL):
            found = miniaudio.Devices().get_captures()
    except miniaudio.MiniaudioError:
        # The system has no sound at all.
        found = []
    real = [each for each in found if not _NO_DEVICE.match(each["name"])]
    return [
        Device(number, each["name"], each["id"]) for number, each in enumerate(real, 1)
    ]


def find_device(wanted: str) -> Device:
    """Find a microphone by its number, its name or a part of that.

    Raises
    ------
    FatalError
        There is none, or more than one.
    """
    known = devices()
    text = wanted.strip().casefold()
    matches = [each for each in known if text == str(each.number)]
    matches = matches or [each for each in known if text == each.name.casefold()]
    matches = matches or [each for each in known if text in each.name.casefold()]
    if len(matches) != 1:
        problem = "several microphones match" if matches else "there is no microphone"
        raise FatalError(f"{problem} {wanted!r}; --list-devices lists them all")
    return matches[0]


def record(device: Device | None = None) -> Iterator[bytes]:
    """Record until the caller closes the iterator.

    Parameters
    ----------
    device
        None: the system's own choice.

    Yields
    ------
    bytes
        Signed 16-bit little-endian mono samples at :data:`MICROPHONE_RATE`.

    Raises
    ------
    FatalError
        The microphone cannot be opened, or has gone away.
    """
    miniaudio = _miniaudio()
    chunks: queue.Queue[bytes] = queue.Queue(MAX_CHUNKS)
    microphone = None
    try:
        with quiet_stderr(noise=_ALL):
            microphone = miniaudio.CaptureDevice(
                miniaudio.SampleFormat.SIGNED16,
                nchannels=1,
                sample_rate=MICROPHONE_RATE,
                buffersize_msec=CHUNK_MS,
                device_id=device.handle if device else None,
                app_name="beets-deejai",
            )
            if microphone.backend == _NO_BACKEND:
                raise FatalError(NO_MICROPHONE)
            receiver = _into(chunks)
            next(receiver)
            microphone.start(receiver)
        while True:
            yield chunks.get(timeout=TIMEOUT_S)
    except miniaudio.MiniaudioError as error:
        if not devices():
            raise FatalError(NO_MICROPHONE) from error
        which = f"the microphone {device.name!r}" if device else "the microphone"
        raise FatalError(
            f"{which} cannot be opened ({_reason(error)}); choose another one of "
            "--list-devices by --device, or give a file by --input"
        ) from error
    except queue.Empty:
        raise FatalError(
            "the microphone gives no more sound; is it still plugged in?"
        ) from None
    finally:
        if microphone is not None:
            microphone.close()


def _into(chunks: queue.Queue[bytes]) -> Generator[None, bytes, None]:
    """Take what miniaudio sends, which must never be kept waiting."""
    while True:
        chunk = yield
        # qsize is exact here: nobody else puts anything in.
        if chunks.qsize() < MAX_CHUNKS:
            chunks.put_nowait(bytes(chunk))


def _miniaudio() -> Any:
    try:
        import miniaudio
    except ImportError as error:
        raise FatalError(
            "a microphone needs miniaudio: pip install 'beets-deejai[live]' (--input "
            "takes files and raw audio without it)"
        ) from error
    return miniaudio


def _reason(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
