"""The bytes of a file or of standard input, unpacked, with the share that was read.

>>> with opened("rows.csv.gz") as stream:
...     stream.lines.readline()
b'text,label'

Whether bytes are packed is seen from the bytes, whatever the name says.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evalsuite.data.mistaken import mistaken
from evalsuite.data.unzstd import as_stream, unpacked
from evalsuite.errors import DataError, MalformedRowError

STDIN = "-"
STDIN_NAME = "standard input"  # in messages
_CHUNK = 1 << 14  # bytes read at once; where they are packed, what comes out can be far more
_HEAD = 1 << 12
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


@dataclass(frozen=True, slots=True)
class ByteStream:
    """An open input.

    Attributes:
        name: for messages.
        lines: the unpacked bytes; reading raises DataError where the file is damaged.
        raw: the bytes as they are in the file.
        size: of the file; None where it is a pipe.
        packed: whether the file is compressed.
    """

    name: str
    lines: io.BufferedReader[Any]
    raw: IO[bytes]
    size: int | None
    packed: bool = False

    def done(self) -> float | None:
        """The share of the file that was read; None of a pipe."""
        return min(1.0, self.raw.tell() / self.size) if self.size else None


@contextmanager
def opened(file: str) -> Iterator[ByteStream]:
    """Open a file, or standard input where it is `-`.

    Raises:
        DataError: it cannot be read or unpacked.
        MalformedRowError: it is something else than rows, such as a web page.
    """
    name = STDIN_NAME if file == STDIN else file
    with ExitStack() as stack:
        try:
            raw: Any = sys.stdin.buffer
            if file != STDIN:
                raw = stack.enter_context(Path(file).expanduser().open("rb"))
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(f"{file} cannot be read: {error}") from None
        buffered = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
        packed = buffered.peek(4)[:4].startswith((_GZIP, _ZSTD))
        chunks = _chunks(buffered, name)
        lines = as_stream(chunks)
        head = lines.peek(_HEAD)[:_HEAD]
        if not head.startswith(_PARQUET) and (problem := mistaken(head)):
            raise MalformedRowError(name, 1, problem)
        yield ByteStream(name, lines, buffered, _size(buffered), packed)


def _size(raw: IO[bytes]) -> int | None:
    with suppress(OSError, ValueError):  # it has no descriptor
        status = os.fstat(raw.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else None
    return None


def _chunks(raw: Any, name: str) -> Iterator[bytes]:
    """The unpacked bytes, a part at a time.

    Raises:
        DataError: they cannot be read or unpacked.
    """
    import zstandard

    try:
        start = raw.peek(4)[:4]
        read: Callable[[int], bytes] = raw.read1
        if start.startswith(_GZIP):
            read = gzip.GzipFile(fileobj=raw).read1
        if start.startswith(_ZSTD):
            yield from unpacked(raw.read1)
            return
        while chunk := read(_CHUNK):
            yield chunk
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise DataError(f"{name} cannot be read to its end: {error}") from None
