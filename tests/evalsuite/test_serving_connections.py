"""Connections to a server with a real socket: clients that leave, and too many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

pytest.importorskip("fastapi")

from served import Echo, listening

BODY = b'{"inputs": ["It rains."]}'
REQUEST = b"POST /v1/predict HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n%s"
Work = Callable[[str, int, httpx2.AsyncClient], Awaitable[Any]]


def with_server(model: Echo, work: Work, **limits: Any) -> Any:
    async def run() -> Any:
        async with (
            listening([model], **limits) as (host, port),
            httpx2.AsyncClient(base_url=f"http://{host}:{port}") as http,
        ):
            return await asyncio.wait_for(work(host, port, http), 30)

    return asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("sent", [BODY, BODY[:9]], ids=["whole", "half"])
def test_a_client_that_leaves_before_its_answer_is_counted_and_nothing_is_logged(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    model = Echo()
    model.may_answer.clear()

    async def work(host: str, port: int, http: httpx2.AsyncClient) -> httpx2.Response:
        _, writer = await asyncio.open_connection(host, port)
        writer.write(REQUEST % (len(BODY), sent))
        await writer.drain()
        if sent == BODY:
            await until(lambda: bool(model.batches))
        else:
            await asyncio.sleep(0.1)
        writer.close()
        counted = 'requests_total{route="/v1/predict",status="499"} 1.0'
        while counted not in (await http.get("/metrics")).text:
            await asyncio.sleep(0.005)
        model.may_answer.set()
        return await http.post("/v1/predict", content=BODY)

    try:
        answer = with_server(model, work)
    finally:
        model.may_answer.set()
    assert answer.json()["results"] == [{"label": "It rains."}]
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_one_connection_too_many_is_told_when_to_come_again() -> None:
    async def work(host: str, port: int, http: httpx2.AsyncClient) -> list[httpx2.Response]:
        answers = [await http.get("/health")]  # its connection stays open
        async with httpx2.AsyncClient(base_url=f"http://{host}:{port}") as other:
            answers.append(await other.post("/v1/predict", content=BODY))
        answers.append(await http.get("/health"))
        return answers

    first, refused, again = with_server(Echo(), work, connections=1)
    assert first.status_code == again.status_code == 200
    assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert refused.json()["error"] == {
        "message": "too many connections are open; this server takes 1, so send the request again "
        "later",
        "type": "too_many_connections",
        "param": None,
        "code": 503,
    }


def test_empty_lines_hold_no_connection() -> None:
    async def work(host: str, port: int, http: httpx2.AsyncClient) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(REQUEST % (len(BODY), BODY))
        await reader.readuntil(b"]}")
        writer.write(b"\r\n")
        left: bytes = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return left

    assert with_server(Echo(), work, read=0.3) == b""


async def asked(
    host: str, port: int, text: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A connection on which a text was sent, and the head of the answer."""
    body = b'{"inputs": ["%s"]}' % text
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(REQUEST % (len(body), body))
    return reader, writer, await reader.readuntil(b"\r\n\r\n")


def test_an_answer_that_nobody_reads_does_not_stay() -> None:
    text = b"a" * 30_000_000  # more than the system keeps for both sides

    async def work(host: str, port: int, http: httpx2.AsyncClient) -> int:
        reader, writer, _ = await asked(host, port, text)
        await asyncio.sleep(2)  # a while is 0.3 s
        try:
            return len(await reader.read(-1))
        except ConnectionResetError:
            return 0
        finally:
            writer.close()

    large = 64 << 20
    assert with_server(Echo(), work, read=0.3, body=large, text=large) < len(text)


def test_an_answer_that_is_read_slowly_arrives() -> None:
    """The system takes more of it in steps of a megabyte or more, and each takes over a while."""
    text = b"a" * 10_000_000  # more than the system keeps for both sides

    async def work(host: str, port: int, http: httpx2.AsyncClient) -> int:
        reader, writer, head = await asked(host, port, text)
        wanted = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        read = 0
        while read < wanted and (some := await reader.read(65_536)):
            read += len(some)
            await asyncio.sleep(0.035)
        writer.close()
        return wanted - read

    large = 64 << 20
    assert with_server(Echo(), work, read=0.5, body=large, text=large) == 0
