"""What a request may carry: how much, of which kind, and JSON without traps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from beetsplug.deejai.web.refusal import Refusal

MAX_JSON_DEPTH = 16

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Allowance:
    """What the requests to one route may carry.

    Attributes
    ----------
    mime
        Of the body.
    max_bytes
        Of the body.
    """

    mime: str
    max_bytes: int


USUAL = Allowance(JSON, 1_000_000)

_ALLOWANCES = {
    # 200 MB of music, and what a form adds.
    "/api/v1/uploads": Allowance("multipart/form-data", 210_000_000),
    # Half a minute at 192 kHz.
    "/api/v1/live": Allowance("application/octet-stream", 12_000_000),
}

MAX_BYTES = max(each.max_bytes for each in (USUAL, *_ALLOWANCES.values()))


def allowance(path: str) -> Allowance:
    """Return what requests to a path may carry."""
    if path.startswith("/rest/"):
        return Allowance(FORM, 100_000)
    return _ALLOWANCES.get(path, USUAL)


def check_json(text: bytes) -> None:
    """Raise unless this is a JSON object of plain values.

    Python's reader takes NaN, infinite numbers and half characters, all of which fail
    later in odd places, and it ends in a stack overflow when lists are nested deeply.

    Raises
    ------
    Refusal
        400; the message says what is wrong.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise Refusal(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, "the body is no JSON object")
    level: list[Any] = [value]
    for _ in range(MAX_JSON_DEPTH):
        for each in level:
            _check_plain(each)
        level = [part for each in level for part in _parts(each)]
    if level:
        raise _too_deep()


def _too_deep() -> Refusal:
    return Refusal(400, "the JSON in the body is nested too deeply")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _check_plain(value: Any) -> None:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise Refusal(400, "a number in the body is too large")
    if isinstance(value, str) and ("\0" in value or not _is_text(value)):
        raise Refusal(400, "a text in the body holds what is no character")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # Half of a pair of surrogates.
        return False
    return True
