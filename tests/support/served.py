"""A server in this process, with a socket or without, and models for it that need no file."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import httpx2
import numpy as np
import uvicorn

from evalsuite.serving import server
from evalsuite.serving.app import create_app
from evalsuite.serving.limits import Limits


class Echo:
    """Answers each row with itself, slowly if asked; a row `fail` fails.

    Attributes:
        batches: the rows of each batch.
        may_answer: cleared, no batch ends.
    """

    prefix = "query: "
    members = ()

    def __init__(self, name: str = "echo", kind: Any = "predict", seconds: float = 0.0) -> None:
        self.name, self.kind, self.seconds = name, kind, seconds
        self.batches: list[list[Any]] = []
        self.card = {"kind": kind}
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answered_by(self) -> dict[str, int]:
        return {}

    def row(self, texts: Sequence[str], language: str | None = None) -> Any:
        return texts[0] if self.kind == "embeddings" else tuple(texts)

    def row_of_words(self, words: Sequence[str]) -> Any:
        return ("words", *words)

    def answer(self, rows: Sequence[Any]) -> list[Any]:
        self.batches.append(list(rows))
        time.sleep(self.seconds)
        self.may_answer.wait(30)
        if ("fail",) in rows:
            raise ValueError("no such row")
        if self.kind == "embeddings":
            return [(vector(text), len(text)) for text in rows]
        return [{"label": " ".join(row)} for row in rows]


def vector(text: str) -> np.ndarray:
    """Of 8 numbers, length 1, another one per text."""
    values = np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], np.uint8) + np.float32(1)
    return np.asarray(values / np.linalg.norm(values), np.float32)


@asynccontextmanager
async def client(
    models: Sequence[Any], api_key: str | None = None, **limits: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that has begun, and ends afterwards; it sends no key."""
    app = create_app(models, Limits(**limits), api_key)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://here") as found,
    ):
        yield found


@asynccontextmanager
async def listening(models: Sequence[Any], **limits: Any) -> AsyncIterator[tuple[str, int]]:
    """Host and port of a server that runs as `lingopress serve` runs it, and ends afterwards.

    What it logs goes to the loggers `uvicorn` and no further: its own set-up of Python's logging
    would close the handlers of the tests.
    """
    limited = Limits(**limits)
    with patch.object(uvicorn.Config, "configure_logging"):
        running = uvicorn.Server(server.settings(create_app(models, limited), limited))
    with server.listen("127.0.0.1", 0) as place:
        ended = asyncio.ensure_future(running.serve(sockets=[place]))
        while not running.started:
            assert not ended.done()
            await asyncio.sleep(0.01)
        try:
            yield place.getsockname()
        finally:
            running.should_exit = True
            await ended
