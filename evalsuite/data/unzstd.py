"""Bytes packed with zstd, unpacked in parts; data that are cut short are an error.

>>> b"".join(unpacked(io.BytesIO(zstandard.compress(b"one") + zstandard.compress(b" two")).read))
b'one two'

zstandard's own reader ends at a cut without an error, and does not compare what follows the first
frame with the size that the frame names.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

_CHUNK = 1 << 14  # packed bytes read at once; far more may come out
_BUFFER = 1 << 16


def unpacked(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The content of all frames, a part at a time.

    Args:
        read: gives at most this many of the next packed bytes.

    Raises:
        zstandard.ZstdError: they are damaged, or end within a frame.
    """
    import zstandard

    unpacker, inside = zstandard.ZstdDecompressor().decompressobj(), False
    while chunk := read(_CHUNK):
        while chunk:
            if part := unpacker.decompress(chunk):
                yield part
            inside, chunk = not unpacker.eof, unpacker.unused_data
            if not inside:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
    if inside:
        raise zstandard.ZstdError("it is cut short")


def as_stream(parts: Iterator[bytes]) -> io.BufferedReader:
    """Parts of bytes as a file that is read."""
    return io.BufferedReader(_Parts(parts), _BUFFER)


class _Parts(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._parts, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
