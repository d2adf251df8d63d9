from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from beetsplug.deejai.commands.tidy_end import ends_tidily

# Under nohup, which the tests may run under, SIGHUP would be ignored.
CODE = """
import signal, sys, time
for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
from beetsplug.deejai.commands.tidy_end import ends_tidily
try:
    with ends_tidily():
        print("ready", flush=True)
        time.sleep(30)
finally:
    print("tidied", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_process_that_is_told_to_end_cleans_up(name: str) -> None:
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        output, _ = process.communicate(timeout=10)
    assert output == "tidied\n"
    assert process.returncode == 128 + number


def test_handlers_of_others_stay() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ends_tidily():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_afterwards_a_signal_ends_the_process_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ends_tidily():
        pass
    assert signal.getsignal(signal.SIGTERM) == before


def test_in_another_thread_nothing_is_changed() -> None:
    seen = []

    def work() -> None:
        with ends_tidily():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
