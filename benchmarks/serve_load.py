"""`serve` under load: errors, times, memory, throughput compared with `predict`'s, and bad clients.

python -m benchmarks.serve_load BUNDLE [--clients 200] [--seconds 20] [--rows 1]

BUNDLE has a label per row. Clients ask one after the other over the loopback, each request of
`--rows` texts of 1 to 40 words. Prints errors, rows per second, the share of `predict`'s on the
same rows, processor time per row of both, p50 and p99, and the server's memory before and after.
Then what it answers to a body of 100 MB, broken JSON, a million short texts and a body that comes
slowly; and requests that are in work when the process is asked to end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from evalsuite.inference.answers import head_for
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session

WORDS = [
    "the",
    "rain",
    "train",
    "Haus",
    "früh",
    "maison",
    "rue",
    "lluvia",
    "дождь",
    "水",
    "घर",
    "maji",
]
WINDOW = 2048  # rows that `predict` reads at once


def texts(count: int) -> list[str]:
    """Texts of 1 to 40 words."""
    chance = random.Random(0)
    return [" ".join(chance.choices(WORDS, k=chance.randint(1, 40))) for _ in range(count)]


def predict_rate(bundle: Path, rows: list[str]) -> tuple[float, float]:
    """Rows per second of `predict`'s code, without the opening, and processor seconds per row."""
    head, session = head_for(bundle), Session(open_model(bundle))
    examples = [head.example([text]) for text in rows]
    list(head.answers(session, examples[:WINDOW]))  # a warm-up
    started, used = time.perf_counter(), time.process_time()
    for begin in range(0, len(examples), WINDOW):
        list(head.answers(session, examples[begin : begin + WINDOW]))
    seconds, used = time.perf_counter() - started, time.process_time() - used
    return len(rows) / seconds, used / len(rows)


async def ask(port: int, body: bytes, pause: float = 0.0) -> tuple[int, bytes]:
    """Status and body of an answer; with a pause the body is sent in ten parts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode())
        part = -(-len(body) // 10) if pause else len(body)
        answer = asyncio.ensure_future(_answer(reader))  # it may come before all is sent
        with suppress(ConnectionError):
            for begin in range(0, len(body), part):
                writer.write(body[begin : begin + part])
                await writer.drain()
                await asyncio.sleep(pause)
        return await answer
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def client(port: int, bodies: list[bytes], until: float, seen: list[Any]) -> None:
    """One client on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        body = random.choice(bodies)
        started = time.perf_counter()
        head = f"POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status, _ = await _answer(reader)
        seen.append((status, time.perf_counter() - started))
    writer.close()


async def load(port: int, server: psutil.Process, given: Any) -> tuple[float, float]:
    """Print how it answers; rows per second and processor seconds per row."""
    rows = texts(given.rows * 500)
    bodies = [
        json.dumps({"inputs": rows[begin : begin + given.rows]}).encode()
        for begin in range(0, len(rows), given.rows)
    ]
    seen: list[Any] = []
    before, used = server.memory_info().rss, sum(server.cpu_times()[:2])
    started = time.perf_counter()
    until = started + given.seconds
    await asyncio.gather(*(client(port, bodies, until, seen) for _ in range(given.clients)))
    seconds = time.perf_counter() - started
    used = sum(server.cpu_times()[:2]) - used
    times = sorted(taken for _, taken in seen)
    print("answers by status:", dict(Counter(status for status, _ in seen)))
    print(f"p50 {times[len(times) // 2]:.3f} s, p99 {times[len(times) * 99 // 100]:.3f} s")
    print(f"memory {before / 1e6:.0f} to {server.memory_info().rss / 1e6:.0f} MB")
    count = len(seen) * given.rows
    return count / seconds, used / count


async def bad_clients(port: int, server: psutil.Process) -> None:
    """Print what bad requests are answered."""
    before = server.memory_info().rss
    million = json.dumps({"inputs": ["a"] * 1_000_000}).encode()
    small = json.dumps({"inputs": ["a"] * 700_000}, separators=(",", ":")).encode()
    for name, body, pause in (
        ("100 MB", bytes(100_000_000), 0.0),
        ("broken JSON", b'{"inputs": ["a"', 0.0),
        ("a million texts", million, 0.0),
        ("700,000 texts", small, 0.0),
        ("a slow body", b'{"inputs": ["a"]}', 0.5),
        ("after all that", b'{"inputs": ["a"]}', 0.0),
    ):
        status, answer = await ask(port, body, pause)
        print(f"{name}: {status} {answer[:140].decode()}")
    print(f"memory {before / 1e6:.0f} to {server.memory_info().rss / 1e6:.0f} MB")


async def end(port: int, child: subprocess.Popen[str]) -> None:
    """Ask the process to end while requests are in work."""
    body = json.dumps({"inputs": texts(500)}).encode()
    waiting = [asyncio.ensure_future(ask(port, body)) for _ in range(4)]
    await asyncio.sleep(0.5)
    child.terminate()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    ended = [type(one).__name__ if isinstance(one, BaseException) else one[0] for one in found]
    print(f"asked to end with four requests in work: {ended}, exit code {child.wait(60)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rows", type=int, default=1)
    given = parser.parse_args()
    command = [sys.executable, "-m", "recipes.cli", "serve", f"m={given.bundle}", "--port", "0"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr is not None
        said = ""
        while "serving at" not in said:
            said = child.stderr.readline()
            assert said, "the server did not start"
        port, server = int(said.rsplit(":", 1)[1]), psutil.Process(child.pid)
        rate, each = asyncio.run(load(port, server, given))
        asyncio.run(bad_clients(port, server))
        asyncio.run(end(port, child))
    finally:
        child.kill()
    alone, alone_each = predict_rate(given.bundle, texts(given.rows * 500))
    print(f"{rate:.0f} rows/s, {100 * rate / alone:.0f}% of predict's {alone:.0f}")
    print(f"processor ms per row: {1000 * each:.2f}, of predict {1000 * alone_each:.2f}")


if __name__ == "__main__":
    main()
