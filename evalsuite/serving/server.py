"""Listen on an address until the process is asked to end.

After SIGTERM or SIGINT no connection is accepted, running requests are answered, and the process
ends with exit code 0. A second SIGINT does not wait for requests.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from evalsuite.errors import EvalsuiteError
from evalsuite.serving.connection_limits import protocol
from evalsuite.serving.limits import Limits

KEEP_ALIVE = 75  # seconds that a connection stays open between requests


class AddressError(EvalsuiteError):
    """The server cannot listen on this address."""


def listen(host: str, port: int) -> socket.socket:
    """A socket on this address.

    Raises:
        AddressError: it is taken, not of this machine, or empty.
    """
    if not host:  # for a socket this is every network
        raise AddressError(
            "the address to listen on is empty\n"
            "name one with --host: 127.0.0.1 is this machine alone, 0.0.0.0 every network"
        )
    try:
        host.encode("idna")  # a socket raises a TypeError where this fails
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        raise AddressError(
            f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}\n"
            "choose another one with --host and --port"
        ) from None


def run(app: Any, listening: socket.socket, limits: Limits, ready: Callable[[str], None]) -> None:
    """Answer requests until the process is asked to end.

    Args:
        ready: called with the address, once it is answered on.
    """
    server = _Server(settings(app, limits), lambda: ready(_address(listening)))
    # uvicorn raises the signal again once it has ended, for who waits for that
    before = {number: signal.signal(number, _ended) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settings(app: Any, limits: Limits) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http=protocol(limits),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(limits.stop)),
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _ended(number: int, frame: Any) -> None:
    """The server has ended already."""


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
