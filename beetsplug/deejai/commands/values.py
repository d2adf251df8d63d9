"""Read the values that options take."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from beets.exceptions import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


def read_value(option: str, text: str, parse: Callable[[str], T]) -> T:
    """Return what an option names.

    Raises
    ------
    UserError
        `parse` raised ValueError; the message names the option.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
