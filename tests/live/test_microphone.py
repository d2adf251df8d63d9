"""What there is to say of microphones on any machine, with one or without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.live.microphone import devices, find_device


def test_microphones_are_counted_from_one_and_none_is_made_of_silence() -> None:
    found = devices()
    assert [device.number for device in found] == list(range(1, len(found) + 1))
    assert not any("Discard all samples" in device.name for device in found)


def test_a_microphone_that_is_not_there_is_told() -> None:
    with pytest.raises(FatalError, match="there is no microphone") as caught:
        find_device("no such microphone")
    assert "\n" not in str(caught.value)


def test_without_miniaudio_the_remedy_is_told() -> None:
    code = (
        "import sys; sys.modules['miniaudio'] = None\n"
        "from beetsplug.deejai.live.microphone import record\n"
        "try: next(record())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("FatalError a microphone needs miniaudio")
    assert "pip install 'beets-deejai[live]'" in result.stdout
