"""Closes connections that send their headers too slowly, or too many of them.

uvicorn limits the time between requests, and not the time that the headers of one take.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES = 64 << 10


class LimitedHeaders(HttpToolsProtocol):
    """uvicorn's connection, with limits on headers.

    Attributes:
        seconds: that they may take.
    """

    seconds: ClassVar[float] = 20.0
    _due: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client may send its first request."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._end()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._end()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        if self._due is not None:  # no headers are complete, so all of it belongs to them
            self._size += len(data)
            if self._size > HEADER_BYTES:
                self.transport.close()

    def _begin(self) -> None:
        if self._due is None:
            self._size = 0
            self._due = self.loop.call_later(self.seconds, self.transport.close)

    def _end(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def protocol(seconds: float) -> type[asyncio.Protocol]:
    """The protocol for uvicorn that waits so long for the headers of a request."""
    return type("LimitedHeaders", (LimitedHeaders,), {"seconds": seconds})
