"""Reads the body of a request, which may be neither too large nor too slow.

A body that is too large is refused by its declared length, before it is read, or where it passes
the limit. What else the client sends is then read and thrown away for a moment, since a client that
is still sending would not see the answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evalsuite.serving.json_answer import json_answer
from evalsuite.serving.limits import Limits
from evalsuite.serving.refusals import (
    BusyError,
    ClientLeftError,
    RefusalError,
    TooLargeError,
    TooSlowError,
)

LINGER = 10.0  # seconds in which the rest of a refused body is thrown away


class BodyLimit:
    """Reads the body, and gives the application all of it as one message."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._held = 0  # bytes of all bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.read):
                await self._read(scope, receive, body)
        except ClientLeftError:
            self._held -= len(body)
            return
        except (RefusalError, TimeoutError) as error:
            self._held -= len(body)
            body.clear()
            await self._refuse(error, scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": bytes(body)}]

        async def whole() -> Message:
            return messages.pop() if messages else await receive()

        try:
            with suppress(ClientLeftError):
                await self._app(scope, whole, send)
        finally:
            self._held -= len(body)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> None:
        """Read the body.

        Raises:
            TooLargeError: it is larger than one may be.
            BusyError: with the others it is too much.
            ClientLeftError: the client did not send all of it.
        """
        declared = _declared_length(scope)
        if declared > self._limits.body:
            raise self._too_large(f"{declared:,}")
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            part = message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) + len(part) > self._limits.body:
                raise self._too_large(f"more than {self._limits.body:,}")
            if self._held + len(part) > self._limits.bodies:
                raise BusyError(
                    f"requests of {self._held:,} bytes are in work, and this server holds "
                    f"{self._limits.bodies:,}; send this one again later"
                )
            body += part
            self._held += len(part)

    def _too_large(self, size: str) -> TooLargeError:
        return TooLargeError(
            f"the request has {size} bytes; this server takes {self._limits.body:,}, so send its "
            "rows in several requests"
        )

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        if not isinstance(error, RefusalError):
            error = TooSlowError(f"the request did not arrive within {self._limits.read:g} seconds")
        scope["refused"] = error.status
        answer = json_answer(error.body(), error.status, {"connection": "close", **error.headers()})
        headers = answer.raw_headers
        await send({"type": "http.response.start", "status": error.status, "headers": headers})
        more = isinstance(error, TooLargeError) and not _asks_first(scope)
        await send({"type": "http.response.body", "body": answer.body, "more_body": more})
        if more:
            await _throw_away(receive)
            await send({"type": "http.response.body", "body": b""})


def _declared_length(scope: Scope) -> int:
    headers: Any = dict(scope["headers"])
    declared = headers.get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


def _asks_first(scope: Scope) -> bool:
    """Whether the client waits for a word before it sends the body."""
    return (b"expect", b"100-continue") in [
        (name, value.lower()) for name, value in scope["headers"]
    ]


async def _throw_away(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
