"""The deck's server: waitress, with limits on what one visitor can hold up."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.web.answers import SAFE_HEADERS, refusal
from beetsplug.deejai.web.bodies import MAX_BYTES, USUAL, allowance
from beetsplug.deejai.web.gate import Gate
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.safety import tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable

N_THREADS = 24
"""Requests that are served at once; who streams a track may hold one for a while."""

MAX_CONNECTIONS = 400

_MAX_HEADER_BYTES = 32_768
_POLL_S = 1.0


@dataclass(frozen=True)
class Patience:
    """How long a visitor may take, in seconds.

    Attributes
    ----------
    header_s
        Until a request is there, its body apart.
    body_s
        Until its body is there, too.
    idle_s
        Between two requests.
    stuck_s
        Without taking anything of an answer, as a player does that was paused. It asks
        again, from where it stopped.
    """

    header_s: float = 20.0
    body_s: float = 15 * 60.0
    idle_s: float = 60.0
    stuck_s: float = 5 * 60.0


def start_server(
    app: Any,
    host: str,
    port: int,
    *,
    gate: Gate | None = None,
    patience: Patience | None = None,
) -> tuple[int, Callable[[], None]]:
    """Serve an application in the background.

    Parameters
    ----------
    app
        A WSGI application.
    host, port
        Where to listen; port 0 takes any that is free.
    gate
        Who may send large bodies; None: everybody.
    patience
        How long a visitor may take.

    Returns
    -------
    port : int
        Where it listens by now.
    stop : callable
        Ends all connections, and returns when the server's threads have ended.

    Raises
    ------
    FatalError
        Nothing can listen there; the message names the remedy.
    """
    # It warns whenever more requests come at once than it has threads.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    sock = _bound(host, port)
    patience = patience or Patience()
    adjustments = Adjustments(
        sockets=[sock],
        ident="",
        connection_limit=MAX_CONNECTIONS,
        max_request_header_size=_MAX_HEADER_BYTES,
        max_request_body_size=MAX_BYTES + 1,
        channel_timeout=max(1, round(patience.idle_s)),
        cleanup_interval=1,
        asyncore_use_poll=True,
        log_socket_errors=False,
    )
    adjustments.patience = patience
    adjustments.gate = gate or Gate(None)
    channels: dict[int, Any] = {}
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(N_THREADS)
    server = _Server(
        app,
        map=channels,
        _sock=sock,
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
        bind_socket=False,
    )
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            wasyncore.loop(timeout=_POLL_S, use_poll=True, map=channels, count=1)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        dispatcher.shutdown()
        wasyncore.close_all(channels, ignore_all=True)

    thread = threading.Thread(target=serve, name="deejai-server", daemon=True)
    thread.start()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            server.pull_trigger()
        thread.join()

    return int(server.effective_port), stop


def _bound(host: str, port: int) -> socket.socket:
    """Take a place to listen at.

    Raises
    ------
    FatalError
        It cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FatalError(f"--host {host!r}: there is no such address") from error
    family, kind, protocol, _, address = min(
        found, key=lambda each: each[0] != socket.AF_INET
    )
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Else a deck that was just ended keeps its port for a minute. On Windows
            # this would let two programs have one port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise FatalError(_why_not_bound(error, host, port)) from error
    return sock


def _why_not_bound(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use already: --port takes another one"
    if error.errno == errno.EACCES:
        return f"port {port} needs special rights: --port takes one from 1024 up"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: --host takes one that is"
    reason = error.strerror or str(error)
    return f"cannot listen on {host}, port {port}: {reason} (see --host and --port)"


class _Refused(BadRequest):  # type: ignore[misc] # it has no types
    """What a request is answered with that never reaches the application."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Parser(HTTPRequestParser):  # type: ignore[misc] # it has no types
    """Refuses after the header what would be refused after the body."""

    def __init__(self, adjustments: Any, address: str) -> None:
        super().__init__(adjustments)
        self._address = address
        self.started_at = time.monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        has_two_lengths = self.chunked and "CONTENT_LENGTH" in self.headers
        # HTTP/1.0 knows no chunks; the header is left only there.
        if has_two_lengths or "TRANSFER_ENCODING" in self.headers:
            # What one program takes for the body another takes for a request.
            raise ParsingError("it is not clear where the request ends")

    def received(self, data: bytes) -> int:
        try:
            consumed: int = super().received(data)
        except OSError:
            # A large body is kept in a temporary file until all of it is there.
            self._refuse(507, "the deck's disk is full")
            return len(data)
        if self.headers_finished and not self.error:
            self._check_size(max(self.content_length, self.body_bytes_received))
        return consumed

    def _check_size(self, n_bytes: int) -> None:
        max_bytes = allowance(self.path).max_bytes
        if n_bytes > max_bytes:
            self._refuse(413, f"the body has more than {max_bytes} bytes")
        elif n_bytes > USUAL.max_bytes:
            # Such a body would lie on the disk before anybody looks at it.
            headers = {f"HTTP_{name}": text for name, text in self.headers.items()}
            try:
                self.adj.gate.admit_any(self._address, tokens_of(headers))
            except Refusal as error:
                self._refuse(error.status, error.message)

    def _refuse(self, status: int, message: str) -> None:
        self.error = _Refused(status, message)
        self.expect_continue = False
        self.completed = True

    def is_late(self) -> bool:
        """Whether the request takes longer to arrive than anybody needs."""
        patience: Patience = self.adj.patience
        patience_s = patience.body_s if self.headers_finished else patience.header_s
        return time.monotonic() - self.started_at > patience_s


class _ErrorTask(ErrorTask):  # type: ignore[misc] # it has no types
    """Answers what never reaches the application, as the application would."""

    def execute(self) -> None:
        error = self.request.error
        path = getattr(self.request, "path", "/")
        status, headers, body = refusal(error.code, str(error.body), path)
        self.status = status
        self.response_headers.extend({**headers, **SAFE_HEADERS}.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc] # it has no types
    """A connection."""

    error_task_class = _ErrorTask

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # It counts who guesses.
        self.parser_class = partial(_Parser, address=self.addr[0])


class _Server(TcpWSGIServer):  # type: ignore[misc] # it has no types
    """Ends connections that keep others waiting."""

    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        stuck_before = now - self.adj.patience.stuck_s
        for channel in self.active_channels.values():
            request = channel.request
            is_late = request is not None and request.is_late()
            is_stuck = (
                channel.total_outbufs_len and channel.last_activity < stuck_before
            )
            if is_late or is_stuck:
                channel.will_close = True
