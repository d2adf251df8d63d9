"""Training on every device there is, of one machine or several, by Keras' own means."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from beetsplug.deejai.embedding.inference import first_line
from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.embedding.quiet import quiet_stderr
from beetsplug.deejai.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

VARIABLES = (
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)
"""What ``keras.distribution.initialize`` reads from the environment."""


@dataclass(frozen=True)
class Devices:
    """The devices that share every batch, as one of the processes sees them.

    The processes, one on each machine, run the same steps in lockstep: what one asks of
    the methods here all must ask, in the same order. A single process asks nobody.

    Attributes
    ----------
    n_devices
        Devices of all processes together.
    n_processes
        How many processes there are.
    process
        Which of them this is; the first, 0, is the one that tells and writes.
    """

    n_devices: int = 1
    n_processes: int = 1
    process: int = 0

    def __str__(self) -> str:
        line = f"every batch is split over {self.n_devices} devices"
        if self.n_processes > 1:
            line += f" of {self.n_processes} processes; this is process {self.process}"
        return line if self.is_first else f"{line}, and process 0 tells how it goes"

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that tells and writes."""
        return self.process == 0

    def n_tracks(self, wanted: int) -> int:
        """Return how many tracks a batch has so that all devices have equally many.

        Raises
        ------
        FatalError
            There is not one for each device.
        """
        if wanted < self.n_devices:
            raise FatalError(
                f"{wanted} tracks cannot be split over {self.n_devices} devices: give "
                "more music, raise --tracks, or use fewer devices"
            )
        return wanted - wanted % self.n_devices

    def from_first(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the array of the first process; all give one of its shape and type."""
        if self.n_processes == 1:
            return array
        from jax.experimental import multihost_utils

        # As bytes: JAX would round what has 64 bits.
        data = np.frombuffer(array.tobytes(), dtype=np.uint8)
        sent = np.asarray(multihost_utils.broadcast_one_to_all(data))
        return np.frombuffer(sent.tobytes(), array.dtype).reshape(array.shape)

    def bytes_from_first(self, data: bytes) -> bytes:
        """Return the bytes of the first process, whatever the others give."""
        if self.n_processes == 1:
            return data
        n_bytes = int(self.from_first(np.array(len(data))))
        sent = data if self.is_first else bytes(n_bytes)
        return self.from_first(np.frombuffer(sent, dtype=np.uint8)).tobytes()

    def agreed(self, value: Any) -> Any:
        """Return the value of the first process, of a kind that JSON knows.

        Two machines may differ in the last digit of what both compute, but whatever is
        decided must be decided alike.
        """
        if self.n_processes == 1:
            return value
        return json.loads(self.bytes_from_first(json.dumps(value).encode()))

    @contextlib.contextmanager
    def fail_together(self) -> Iterator[None]:
        """Let an error of one process be one of all, for they would wait for it.

        Raises
        ------
        FatalError
            Another process has failed.
        """
        if self.n_processes == 1:
            yield
            return
        failure = None
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again when all know of it
            failure = error
        failed = self._gather(np.array(failure is not None))
        if failure is not None:
            raise failure
        if failed.any():
            raise FatalError(
                f"process {int(np.argmax(failed))} of {self.n_processes} failed: see "
                "what it says where it runs"
            )

    def require_alike(self, *parts: str) -> None:
        """Make sure that all processes are about to do the same.

        Parameters
        ----------
        parts
            What must be the same in all of them.

        Raises
        ------
        FatalError
            It is not.
        """
        if self.n_processes == 1:
            return
        digest = hashlib.sha256(json.dumps(parts).encode()).digest()
        digests = self._gather(np.frombuffer(digest, dtype=np.uint8))
        if (digests != digests[0]).any():
            raise FatalError(
                "the processes differ in music, targets or options: give all of them "
                "the same command and the same files under the same paths"
            )

    def _gather(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the arrays of all processes, shape (n_processes, ...)."""
        from jax.experimental import multihost_utils

        return np.asarray(multihost_utils.process_allgather(array))


ALONE = Devices()
"""One device, or what the backend makes of all, and no other process."""


@contextlib.contextmanager
def all_devices(
    devices: Sequence[str] | None = None,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> Iterator[Devices]:
    """Split every batch over several devices (``keras.distribution.DataParallel``).

    Networks must be made and trained in this context. Where the environment says so
    (:data:`VARIABLES`), this process first joins others
    (``keras.distribution.initialize``). Keras distributes with its JAX backend; with
    another one device is used.

    Parameters
    ----------
    devices
        Keras' names of devices; None for all GPUs or TPUs, or, where there are several
        processes, for all CPUs if there is nothing else. One device, or none, is left
        to the backend's own choice.
    report
        Receives lines for the user.

    Yields
    ------
    Devices
        The devices that share the work.

    Raises
    ------
    FatalError
        The other processes cannot be joined, or do not have equally many devices; or
        training broke off because a device or another process was lost.
    """
    with quiet_stderr():
        keras = import_keras()
    _join_others(keras, report)
    if keras.backend.backend() != "jax":
        yield ALONE
        return
    import jax

    several = jax.process_count() > 1
    each = Counter(device.process_index for device in jax.devices())
    if len(set(each.values())) > 1:
        raise FatalError(
            "every process must have equally many devices: hide the others "
            "(CUDA_VISIBLE_DEVICES)"
        )
    found = list(devices or keras.distribution.list_devices())
    if devices is None and not several:
        found = [name for name in found if not name.startswith("cpu")]
    if len(found) < 2:
        yield ALONE
        return
    # Every process draws its own share of a batch: there is nothing left to shard.
    parallel = keras.distribution.DataParallel(devices=found, auto_shard_dataset=False)
    shared = Devices(len(found), parallel.num_processes, parallel.data_shard_id)
    try:
        with parallel.scope():
            yield shared
    except FatalError:
        raise
    except BaseException as error:
        if several:
            atexit.register(_leave)
        # JAX's runtime raises either, with the code of its status before the message.
        if (
            several
            and isinstance(error, (RuntimeError, ValueError))
            and re.match(r"[A-Z_]+: ", str(error))
        ):
            raise FatalError(
                f"training broke off ({shorten(first_line(error), 150)}): if another "
                "process was lost, start all of them again, and they go on from the "
                "last checkpoint"
            ) from error
        raise


def _leave() -> None:
    """End this process at once, and with it the others.

    JAX would first wait five minutes for them to end, and they for their next step.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def _join_others(keras: Any, report: Callable[[str], None]) -> None:
    """Join the processes that the environment names, if it does.

    Raises
    ------
    FatalError
        The environment is not complete, or Keras cannot distribute.
    """
    given = [name for name in VARIABLES if os.environ.get(name)]
    if not given:
        return
    backend = keras.backend.backend()
    if backend != "jax":
        raise FatalError(
            f"{given[0]} is set, but Keras with {backend} trains in one process only: "
            "install jax and set KERAS_BACKEND=jax"
        )
    import jax

    if jax.distributed.is_initialized():
        return
    with quiet_stderr():
        # Else Keras draws a seed for all and says much. Every network sets its own.
        keras.utils.set_random_seed(0)
    report("waiting for the other processes, 5 minutes at most")
    try:
        keras.distribution.initialize()
    except (ValueError, IndexError, RuntimeError) as error:
        raise FatalError(
            f"cannot join the other processes ({first_line(error)}): "
            f"{VARIABLES[0]} is HOST:PORT of the first one, {VARIABLES[1]} how many "
            f"there are and {VARIABLES[2]} which of them this is, from 0"
        ) from error
