from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from beetsplug.deejai.output.mixing.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_blocks_come_in_order() -> None:
    with read_ahead(range(1000), max_blocks=3) as blocks:
        assert list(blocks) == list(range(1000))


def test_an_error_comes_after_the_blocks_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("two")

    with read_ahead(failing(), max_blocks=3) as blocks:
        assert next(blocks) == 1
        with pytest.raises(ValueError, match="two"):
            next(blocks)


def test_blocks_are_made_in_another_thread() -> None:
    def names() -> Iterator[str]:
        yield threading.current_thread().name

    with read_ahead(names(), max_blocks=1) as blocks:
        assert next(blocks) != threading.current_thread().name


def test_the_thread_waits_for_its_reader() -> None:
    made = []

    def endless() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield made[-1]

    with read_ahead(endless(), max_blocks=4) as blocks:
        next(blocks)
        time.sleep(0.3)
        # One was taken, four wait, and one is in the thread's hands.
        assert len(made) <= 6


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_no_thread_is_left_when_the_reader_leaves_early(
    error: type[BaseException] | None,
) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()

    def leave() -> None:
        with read_ahead(endless(), max_blocks=2) as blocks:
            next(blocks)
            if error:
                raise error

    if error:
        with pytest.raises(error):
            leave()
    else:
        leave()
    assert threading.active_count() == before


def test_a_reader_that_waits_gets_something_meanwhile() -> None:
    def slow() -> Iterator[int]:
        time.sleep(0.35)
        yield 1

    with read_ahead(slow(), max_blocks=2, meanwhile=0) as blocks:
        assert list(blocks) in ([0, 0, 1], [0, 0, 0, 1])
