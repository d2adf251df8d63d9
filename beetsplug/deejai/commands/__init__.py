"""``beet deejai VERB``: the command and its verbs.

beets builds every command at every start, so the verbs' own modules are imported only
when their options are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from beets.exceptions import UserError
from beets.ui import CommonOptionsParser, Subcommand, SubcommandsOptionParser

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
    "mix": "render a mix of given tracks in the given order",
}
"""Every verb, which is the name of its module, and its help."""


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
        return import_module(f"{__name__}.{self.name}")

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
        if args[0].startswith("-") or not self.parser._subcommand_for_name(args[0]):
            raise UserError(
                f"beet deejai has no verb {args[0]!r}; it has {', '.join(VERBS)}"
            )
        verb, options, rest = self.parser.parse_subcommand(args)
        options.deejai_verb = verb
        return options, rest

    def _run(self, lib: Library, options: Any, args: list[str]) -> None:
        try:
            session = Session(lib, self._config)
            options.deejai_verb.module.run(session, options, args, self._log)
        except DeejaiError as error:
            raise UserError(str(error)) from error
