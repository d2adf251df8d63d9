"""What beets' own conftest would bring, which is not shipped."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import pytest
from beets.test._common import DummyIO
from beets.util import cached_classproperty
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Two tests run at a time: how long one takes says nothing of what it tests.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
# One commit gets one answer from .ci/run. By hand chance goes on looking, and this
# makes it look hard: --hypothesis-profile=hunt.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, max_examples=3000)

# Started in the background of a shell, programs ignore Ctrl-C, and so do those that
# they start: tests that send it would wait in vain.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _fresh_beets() -> Iterator[None]:
    """Forget what beets keeps per process: field types, a handler of this stderr."""
    cached_classproperty.cache.clear()
    yield
    cached_classproperty.cache.clear()
    logging.getLogger("beets").handlers.clear()


@pytest.fixture
def io(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capteesys: pytest.CaptureFixture[str],
) -> DummyIO:
    """Standard input and output as beets' own helpers want them."""
    dummy = DummyIO(monkeypatch, capteesys)
    if request.instance is not None:
        request.instance.io = dummy
    return dummy
