"""What one server accepts: sizes, numbers and times.

>>> Limits(rows=64).queue
4096
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _limit(default: float, unit: str, about: str, least: float = 1) -> Any:
    return field(default=default, metadata={"unit": unit, "help": about, "least": least})


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server; each is an option of `lingopress serve`.

    Attributes:
        body: bytes of a request.
        bodies: bytes of all requests that are being read or answered.
        rows: of a request.
        text: characters of a text.
        queue: rows that wait, per model.
        batch: rows that are run together.
        wait: milliseconds that a row waits for others, where nothing runs.
        answer: seconds until a request must be answered.
        read: seconds until a request must have arrived, its headers and its body each, and until
            something more of an answer must have been read.
        connections: open at the same time.
        stop: seconds that running requests have when the server ends.
    """

    body: int = _limit(4 << 20, "BYTES", "Size of a request.", 1024)
    bodies: int = _limit(256 << 20, "BYTES", "Size of all requests in work.", 1024)
    rows: int = _limit(1024, "N", "Rows per request.")
    text: int = _limit(20_000, "N", "Characters per text.")
    queue: int = _limit(4096, "N", "Rows that wait, per model.")
    batch: int = _limit(128, "N", "Rows that are run together.")
    wait: float = _limit(2.0, "MS", "Milliseconds that a row waits for others when idle.", 0)
    answer: float = _limit(30.0, "SECONDS", "Time to answer a request.", 0.1)
    read: float = _limit(20.0, "SECONDS", "Time to send a request or read more of an answer.", 0.1)
    connections: int = _limit(1024, "N", "Connections at the same time.")
    stop: float = _limit(30.0, "SECONDS", "Time for running requests when the server ends.", 0)
