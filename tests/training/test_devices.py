"""Training on several devices and in several processes, which it is all the same to."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training.devices import ALONE, VARIABLES, Devices, all_devices

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "support" / "train_together.py"

needs_jax = pytest.mark.skipif(not find_spec("jax"), reason="needs JAX")


def start(*args: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, args)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            # Compiling takes longer than a few steps.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Return the last line of a process that must end well."""
    try:
        out, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return out.splitlines()[-1]


def environment(process: int, *, port: int) -> dict[str, str]:
    """Make the environment of one of two processes."""
    values = (f"127.0.0.1:{port}", "2", str(process))
    return dict(zip(VARIABLES, values, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("together")
    music = folder / "music"
    for album in ("one slice", "two slices"):
        (music / album).mkdir(parents=True)
    for k in range(5):
        wave = tone(110 * 2**k) + clicks(per_second=3 + k)
        write_sound(music / "one slice" / f"{k}.wav", wave)
    for k in range(3):
        wave = tone(200 * 2**k, seconds=11) + noise(seconds=11, seed=k) / 4
        write_sound(music / "two slices" / f"{k}.wav", wave)
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> list[dict[str, Any]]:
    """What is told by a process alone, and by two together."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    music, alone, together = (folder / name for name in ("music", "alone", "together"))
    processes = [
        start(SCRIPT, music, alone),
        start(SCRIPT, music, together, **environment(0, port=port)),
        start(SCRIPT, music, together, **environment(1, port=port)),
    ]
    return [json.loads(finish(process)) for process in processes]


def figures(said: list[str], name: str) -> list[float]:
    return [float(text) for text in re.findall(rf"{name} (-?[\d.]+)", " ".join(said))]


@needs_jax
def test_two_processes_learn_what_one_learns(
    told: list[dict[str, Any]], folder: Path
) -> None:
    alone, *together = told
    assert len(figures(alone["said"], "loss")) == 3
    for one in together:
        for name in ("loss", "target", "solved halves"):
            expected = figures(alone["said"], name)
            assert figures(one["said"], name) == pytest.approx(expected, abs=0.002)
    states = [
        np.load(folder / name / "process-0.npz") for name in ("alone", "together")
    ]
    for name in set(states[0].files) - {"state"}:
        np.testing.assert_allclose(states[0][name], states[1][name], atol=1e-3)


@needs_jax
def test_only_the_first_process_writes_and_both_go_on_from_it(
    told: list[dict[str, Any]], folder: Path
) -> None:
    assert all("going on after step 4" in one["said"] for one in told)
    files = {path.name for path in (folder / "together").iterdir()}
    assert files == {"a.keras", "process-0.npz", "work"}


@needs_jax
def test_processes_that_differ_or_fail_end_together(told: list[dict[str, Any]]) -> None:
    _, first, second = (one["errors"] for one in told)
    assert first[0] == second[0]
    assert first[0].startswith("the processes differ in music, targets or options")
    assert first[1].startswith("process 1 of 2 failed")
    assert second[1] == "no space left"


@needs_jax
def test_devices_can_be_named() -> None:
    code = (
        "import keras\n"
        "from beetsplug.deejai.training.devices import all_devices\n"
        "with all_devices() as devices: print(devices.n_devices)\n"
        "with all_devices(['cpu:0', 'cpu:1']) as devices:\n"
        "    dense = keras.layers.Dense(1); dense.build((1, 1))\n"
        "    n = len(dense.kernel.value.sharding.device_set)\n"
        "print(devices, '-', n, keras.distribution.distribution())"
    )
    flags = "--xla_force_host_platform_device_count=2"
    out = finish(start("-c", code, XLA_FLAGS=flags))
    assert out == "every batch is split over 2 devices - 2 None"


@needs_jax
def test_an_environment_that_is_not_complete_is_told() -> None:
    code = (
        "from beetsplug.deejai.errors import FatalError\n"
        "from beetsplug.deejai.training.devices import all_devices\n"
        "try:\n"
        "    with all_devices(): pass\n"
        "except FatalError as error: print(error)"
    )
    out = finish(start("-c", code, **{VARIABLES[1]: "2"}))
    assert out.startswith("cannot join the other processes")
    assert all(name in out for name in VARIABLES)


def test_several_processes_need_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[1], "2")
    with pytest.raises(FatalError, match="KERAS_BACKEND=jax"), all_devices():
        pass


def test_every_device_gets_as_many_tracks() -> None:
    assert ALONE.n_tracks(7) == 7
    assert Devices(4, 2, 1).n_tracks(11) == 8
    with pytest.raises(FatalError, match="3 tracks cannot be split over 4 devices"):
        Devices(4, 2, 1).n_tracks(3)
