"""The command that made a list, written so that it can be typed again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optparse
    from collections.abc import Iterator

_DELIVERY = (
    "outputs",
    "explain",
    "loudness",
    "keep_silence",
    "bitrate",
    "quality",
    "sample_rate",
    "cue",
    "m3u8",
    "preview",
)
"""Options that say where the list goes, what is printed and how it is rendered.

The crossfade is not among them: `--length` counts it.
"""


def command_line(options: Any) -> str:
    """Write the command that was parsed into `options`, quoted for a shell.

    Where the list goes and how it is printed is left out. Options are
    written as they hold now, so that a seed which was drawn is among them.

    Parameters
    ----------
    options
        As :class:`~beetsplug.deejai.commands.DeejaiCommand` parsed them.
    """
    verb, args = options.deejai_verb, options.deejai_args
    given = [
        word
        for option in verb.parser.option_list
        for word in _words(option, options, verb.parser.defaults)
    ]
    words = [*args, *given]
    if any(arg.startswith("-") for arg in args):
        words = [*given, "--", *args]
    return shlex.join(["beet", "deejai", *verb.name.split(), *words])


def _words(
    option: optparse.Option, options: Any, defaults: dict[str, Any]
) -> Iterator[str]:
    # beets' -f and -p are callbacks, and say how to print.
    if option.dest in (None, *_DELIVERY) or option.action == "callback":
        return
    value = getattr(options, option.dest)
    if value is None or value == defaults.get(option.dest):
        return
    name = option.get_opt_string()
    if option.action == "store_true":
        yield name
        return
    for one in value if option.action == "append" else [value]:
        yield from (name, str(one))
