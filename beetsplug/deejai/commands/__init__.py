"""``beet deejai VERB``: the command and its verbs.

beets builds every command at every start, so the verbs' own modules are imported only
when their options are asked for.
"""

from __future__ import annotations

import sqlite3
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from beets.dbcore.query import ParsingError
from beets.exceptions import UserError
from beets.ui import (
    CommonOptionsParser,
    Subcommand,
    SubcommandsOptionParser,
    print_,
)

from beetsplug.deejai.errors import DeejaiError
from beetsplug.deejai.session import Session

if TYPE_CHECKING:
    import optparse
    from logging import Logger

    from beets.library import Library

VERBS = {
    "scan": "make vectors for tracks that have none or a stale one",
    "status": "tell which tracks have a vector, and what failed",
    "pool": "recompute the track vectors from the stored slices",
    "similar": "list the tracks that sound most like a seed",
    "playlist": "keep playing songs like this",
    "journey": "join the dots between waypoints",
    "reorder": "put the tracks of a playlist in a smoother order",
    "mix": "render a mix of given tracks in the given order",
    "map": "draw the library as a map of how it sounds",
    "live": "listen to a microphone, and propose what to play next",
    "web": "open the web deck: press play, and it keeps playing",
    "genres train": "learn the genres of the library from its own tags",
    "genres show": "show which genres a track is made of",
    "genres write": "write the genre that is heard to a field of its own",
    "genres scan": "hear what came later with a genre network",
    "filters": "find the tracks that the network's filters respond to",
    "train track2vec": "learn vectors of tracks from the playlists they are in",
    "train factors": "learn vectors of tracks by factorising playlists or play counts",
    "train encoder": "train an encoder on the library's music",
    "evaluate": "report how well the encoder hears this library",
    "models": "list encoders",
    "models import": "check an encoder, keep a copy and use it",
    "models choose": "use an encoder that is listed",
}
"""Every verb and its help; its module has the same name, with _ for a space."""


def _verbs_within(name: str) -> list[str]:
    """List the second words of the verbs whose first word is `name`."""
    pairs = (verb.split() for verb in VERBS)
    return [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == name]


class VerbParser(CommonOptionsParser):
    """An option parser whose errors are one line, as all of beets' errors are."""

    def error(self, msg: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UserError(f"{msg} (see {self.get_prog_name()} -h)")


class Verb(Subcommand):
    """A verb whose module is imported when it is needed."""

    def __init__(self, name: str, help: str) -> None:
        self._parser: CommonOptionsParser | None = None
        super().__init__(name, help=help)

    @property
    def module(self) -> Any:
        """The verb's module: ``USAGE``, ``add_options(parser)`` and ``run``."""
        return import_module(f"{__name__}.{self.name.replace(' ', '_')}")

    @property
    def parser(self) -> CommonOptionsParser:
        """The verb's option parser, made at its first use."""
        if self._parser is None:
            self._parser = VerbParser(usage=f"%prog {self.module.USAGE}")
            self._parser.description = self.help
            self._parser.prog = f"beet deejai {self.name}"
            self.module.add_options(self._parser)
        return self._parser

    @parser.setter
    def parser(self, parser: CommonOptionsParser) -> None:
        # Subcommand.__init__ hands over a parser without options; ours comes later.
        pass

    @property
    def root_parser(self) -> optparse.OptionParser | None:
        """The parser of the command that the verb belongs to."""
        return self._root_parser

    @root_parser.setter
    def root_parser(self, root_parser: optparse.OptionParser) -> None:
        self._root_parser = root_parser


class DeejaiCommand(Subcommand):
    """The command ``deejai``, which hands on to its verbs."""

    parser: SubcommandsOptionParser

    def __init__(self, config: Any, log: Logger) -> None:
        parser = SubcommandsOptionParser(usage="%prog VERB [OPTIONS] [ARGS...]")
        parser.add_subcommand(*(Verb(name, text) for name, text in VERBS.items()))
        super().__init__(
            "deejai", parser=parser, help="find music that sounds alike, and play on"
        )
        self._config = config
        self._log = log
        self.func = self._run

    def parse_args(self, args: list[str]) -> tuple[optparse.Values, list[str]]:
        """Parse the verb and its options."""
        args = list(args)
        if args and args[0] == "help":
            args = [*args[1:2], "-h"]
        if not args or args[0] in ("-h", "--help"):
            self.parser.print_help()
            raise SystemExit(0)
        if " ".join(args[:2]) in VERBS:
            args[:2] = [" ".join(args[:2])]
        elif args[0] not in VERBS and (within := _verbs_within(args[0])):
            if args[1:2] not in ([], ["-h"], ["--help"]):
                raise UserError(
                    f"beet deejai {args[0]} has no {args[1]!r}; it has "
                    f"{', '.join(within)}"
                )
            for name in within:
                print_(f"beet deejai {args[0]} {name:12} {VERBS[f'{args[0]} {name}']}")
            raise SystemExit(0)
        if args[0].startswith("-") or not self.parser._subcommand_for_name(args[0]):
            raise UserError(
                f"beet deejai has no verb {args[0]!r}; it has {', '.join(VERBS)}"
            )
        verb, options, rest = self.parser.parse_subcommand(args)
        options.deejai_verb = verb
        options.deejai_args = rest
        return options, rest

    def _run(self, lib: Library, options: Any, args: list[str]) -> None:
        try:
            session = Session(lib, self._config)
            options.deejai_verb.module.run(session, options, args, self._log)
        except (DeejaiError, ParsingError) as error:
            raise UserError(str(error)) from error
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise UserError(
                "another program is writing to the library: what was written before is "
                "kept; run the command again when the other one is done"
            ) from error
