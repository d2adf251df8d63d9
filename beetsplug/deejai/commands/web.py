"""``beet deejai web``."""

from __future__ import annotations

import os
import re
import secrets
import socket
import sys
import time
import webbrowser
from contextlib import closing, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from beets.exceptions import UserError
from beets.ui import print_

from beetsplug.deejai.commands.limits import add_choice_options, read_limits
from beetsplug.deejai.commands.tidy_end import ends_tidily
from beetsplug.deejai.commands.values import read_value
from beetsplug.deejai.durations import parse_duration
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.settings import parse_crossfade, parse_port

if TYPE_CHECKING:
    from logging import Logger

    from beets.ui import CommonOptionsParser

    from beetsplug.deejai.session import Session
    from beetsplug.deejai.web.deck import DeckOptions

USAGE = "[OPTIONS]"

TOKEN_VARIABLE = "DEEJAI_TOKEN"
"""Of the environment; unlike an option it is not seen by everybody on the machine."""

_EXTRA = ("flask", "flask_openapi3", "waitress")

MAX_DEMO_S = 3600.0

_TOKEN = re.compile("[A-Za-z0-9._~-]{12,200}")


def add_options(parser: CommonOptionsParser) -> None:
    """Add the verb's options."""
    parser.add_option(
        "--host",
        metavar="HOST",
        help="listen on this address of the machine; 0.0.0.0 is all of them "
        "(default: as configured, 127.0.0.1)",
    )
    parser.add_option(
        "--port",
        metavar="N",
        help="listen on this port; 0 is any that is free (default: as configured, "
        "8050)",
    )
    parser.add_option(
        "--open", action="store_true", default=False, help="open the deck in a browser"
    )
    parser.add_option(
        "--demo", metavar="SECONDS", help="play only so many seconds of each track"
    )
    parser.add_option(
        "--crossfade",
        metavar="TIME",
        help="overlap of two tracks (default: as configured, 6s)",
    )
    parser.add_option(
        "--token",
        metavar="TOKEN",
        help=f"ask visitors for this token; without it {TOKEN_VARIABLE} of the "
        "environment is taken, or, where others can reach the deck, one is made",
    )
    parser.add_option(
        "--allow-host",
        dest="hosts",
        action="append",
        metavar="NAME",
        help="answer to this name, too, as of a proxy or in the home's network; may be "
        "given several times",
    )
    add_choice_options(parser)


def run(session: Session, options: Any, args: list[str], log: Logger) -> None:
    """Open the deck, until Ctrl-C."""
    if args:
        raise UserError("web takes no arguments; --from QUERY chooses what it may play")
    check_extra()
    # It takes a while to import.
    from beetsplug.deejai.web.app import create_app
    from beetsplug.deejai.web.deck import Deck
    from beetsplug.deejai.web.readonly import ReadOnlyLibrary
    from beetsplug.deejai.web.server import start_server

    deck_options = read_deck_options(session, options)
    limits = read_limits(options)
    with closing(ReadOnlyLibrary.like(session.lib)) as lib:
        session.lib = lib
        with closing(Deck(session, deck_options, limits, log)) as deck, ends_tidily():
            # Asked for now, so that the first visitor does not wait.
            if reason := deck.shelf.contents().reason:
                log.warning("{}", reason)
            port, stop = start_server(
                create_app(deck),
                deck_options.host,
                deck_options.port,
                gate=deck.gate,
            )
            try:
                _welcome(deck_options, port, is_opened=options.open)
                with suppress(KeyboardInterrupt):
                    while True:
                        time.sleep(3600)
            finally:
                stop()


def check_extra() -> None:
    """Raise unless what the deck needs beside the rest of the plugin is installed.

    Raises
    ------
    FatalError
        It is not.
    """
    for name in _EXTRA:
        if find_spec(name) is None:
            raise FatalError(f"the deck needs {name}: pip install 'beets-deejai[web]'")


def read_deck_options(session: Session, options: Any) -> DeckOptions:
    """Read how the deck is run.

    Raises
    ------
    UserError
        An option cannot be understood.
    """
    from beetsplug.deejai.web.deck import DeckOptions
    from beetsplug.deejai.web.safety import is_loopback

    settings = session.settings
    host = settings.host if options.host is None else options.host.strip("[] ")
    port, crossfade_s, demo_s = settings.port, settings.crossfade_s, None
    if not host:
        raise UserError("--host takes a name or an address, such as 0.0.0.0")
    if options.port is not None:
        port = read_value("--port", options.port, parse_port)
    if options.crossfade is not None:
        crossfade_s = read_value("--crossfade", options.crossfade, parse_crossfade)
    if options.demo is not None:
        demo_s = read_value("--demo", options.demo, parse_duration)
        if not 1.0 <= demo_s <= MAX_DEMO_S:
            raise UserError("--demo takes one second at least, and one hour at most")
    hosts = tuple(filter(None, map(str.strip, options.hosts or ())))
    return DeckOptions(
        host=host,
        port=port,
        token=_token(options.token, is_private=is_loopback(host) and not hosts),
        hosts=hosts,
        demo_s=demo_s,
        crossfade_s=crossfade_s,
    )


def _token(given: str | None, *, is_private: bool) -> str | None:
    """Return the token to ask for; None where only this machine comes."""
    token = os.environ.get(TOKEN_VARIABLE) if given is None else given
    if token is None:
        return None if is_private else secrets.token_urlsafe(24)
    if not _TOKEN.fullmatch(token):
        name = TOKEN_VARIABLE if given is None else "--token"
        raise UserError(
            f"{name} takes 12 to 200 letters, digits and .-_~, so that it can stand in "
            "an address and not be guessed"
        )
    return token


def _welcome(options: DeckOptions, port: int, *, is_opened: bool) -> None:
    """Say where the deck is."""
    host = _reachable(options.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if options.token is not None:
        address += f"?token={options.token}"
    print_(f"the deck is open at {address} (Ctrl-C closes it)")
    # Whoever waits for this line may read it from a pipe.
    sys.stdout.flush()
    if is_opened:
        webbrowser.open(address)


def _reachable(host: str) -> str:
    """Return the address by which others reach what listens on all of them."""
    from beetsplug.deejai.web.safety import ANYWHERE

    if host not in ANYWHERE:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    outside = "2001:db8::1" if ":" in host else "192.0.2.1"  # For documentation only.
    with socket.socket(family, socket.SOCK_DGRAM) as sock, suppress(OSError):
        # Sends nothing, but chooses from where it would be sent.
        sock.connect((outside, 9))
        return str(sock.getsockname()[0])
    return "localhost"
