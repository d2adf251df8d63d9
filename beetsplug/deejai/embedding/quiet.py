"""Load heavy frameworks without their noise and without their cost to the collector."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The loggers of TensorFlow and absl write such lines whatever their level is set to.
_NOISE = re.compile(
    rb"[IWE]\d{4} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|WARNING: All log messages before absl|To enable the following instructions"
)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Spare the search for reference cycles what is made in this context.

    The framework's thousands of modules stay to the end. Looking through their objects
    again and again, and once more at exit, takes as long as decoding a dozen tracks.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextlib.contextmanager
def quiet_stderr(*, noise: re.Pattern[bytes] = _NOISE) -> Iterator[None]:
    """Hold back what is written to file descriptor 2 and drop the noise.

    Native code writes there past :data:`sys.stderr`. Other threads may log meanwhile:
    their lines are written when the context ends.

    Parameters
    ----------
    noise
        What lines begin with that are dropped; TensorFlow's if nothing is said.
    """
    try:
        saved = os.dup(2)
    except OSError:
        # Without a standard error there is nothing to keep quiet.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not noise.match(line):
                    with contextlib.suppress(OSError):
                        os.write(2, line)
