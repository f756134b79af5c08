"""Closes connections that send headers too slowly, or read no answer, and those that are too many.

uvicorn limits the time between requests until any byte comes, and not the time that headers take,
nor the time in which an answer is read. Where too many connections are open, its refusal is no JSON
and does not say when to come again.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from contextlib import suppress
from typing import Any, ClassVar

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from evalsuite.serving.json_answer import json_answer
from evalsuite.serving.limits import Limits
from evalsuite.serving.refusals import ConnectionsError

HEADER_BYTES = 64 << 10


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's connection, with limits on headers, unread answers and how many there are."""

    limits: ClassVar[Limits] = Limits()
    _due: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client may send its first request."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._end()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._end()
        usual: Any = self.app
        if len(self.connections) > self.limits.connections:
            self.app = self._refuse
        super().on_headers_complete()
        self.app = usual

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or empty lines before one."""
        if self.cycle is None or self.cycle.response_complete:
            self._begin()
        super().data_received(data)
        if self._due is not None:  # no headers are complete, so all of it belongs to them
            self._size += len(data)
            if self._size > HEADER_BYTES:
                self.transport.close()

    def on_response_complete(self) -> None:
        """An answer is written, and may wait to be read."""
        super().on_response_complete()
        if self._unread is not None:
            self._unread.cancel()
        self._watch(None)

    def _watch(self, before: int | None) -> None:
        """Leave where nothing of an answer was read for a while; closing would wait for ever."""
        waiting = self.transport.get_write_buffer_size()
        left = waiting + _sent_and_not_taken(self.transport)
        if before is not None and left >= before:
            self.transport.abort()
        elif waiting:
            self._unread = self.loop.call_later(self.limits.read, self._watch, left)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = ConnectionsError(
            f"too many connections are open; this server takes {self.limits.connections:,}, so "
            "send the request again later"
        )
        headers = {**error.headers(), "connection": "close"}
        await json_answer(error.body(), error.status, headers)(scope, receive, send)

    def _begin(self) -> None:
        if self._due is None:
            self._size = 0
            self._due = self.loop.call_later(self.limits.read, self.transport.close)

    def _end(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def _sent_and_not_taken(transport: asyncio.Transport) -> int:
    """Bytes that the system holds for the client; 0 where it does not tell.

    It takes more of an answer in large steps alone, so a slow reader shows here first.
    """
    socket = transport.get_extra_info("socket")
    with suppress(OSError, ValueError, AttributeError):
        (held,) = struct.unpack("i", fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(held)
    return 0


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol for uvicorn with the limits of a server."""
    return type("LimitedConnection", (LimitedConnection,), {"limits": limits})
