r"""The text of a file of data, from its bytes: UTF-8 without a byte-order mark, or one message.

>>> decoded(Path("a.tsv"), b"\xef\xbb\xbfword\tlabel")
'word\tlabel'
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

from evalsuite.data.mistaken import EMPTY, mistaken
from evalsuite.errors import MalformedRowError

OTHERS_ARE = "other rows are UTF-8, so correct this one, do not convert the file"
_PACKED = (".gz", ".zst")


def decoded(path: Path, raw: bytes, *, by_line: bool = True, own: bool = False) -> str:
    """The text of bytes that were read from `path`.

    Args:
        by_line: the file has one row per line.
        own: lingopress wrote the file, so it is what its name says, whatever its first line.

    Raises:
        MalformedRowError: they are empty, no such text, not UTF-8, or have NUL bytes.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise MalformedRowError(path, 1, EMPTY)
    if not own and (problem := mistaken(raw, by_line=by_line)):
        raise MalformedRowError(path, 1, problem)
    if (nul := raw.find(b"\0")) >= 0:
        line = raw.count(b"\n", 0, nul) + 1
        raise MalformedRowError(path, line, "a NUL byte; the file is damaged or not UTF-8 text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        remedy = OTHERS_ARE if _has_utf8(raw) else conversion(path.name)
        problem = f"not UTF-8 (byte 0x{raw[error.start]:02x}); {remedy}"
        raise MalformedRowError(path, line, problem) from None


def _has_utf8(raw: bytes) -> bool:
    """Whether a line beyond ASCII is UTF-8; to convert the file would spoil it."""
    for line in raw.split(b"\n"):
        with suppress(UnicodeDecodeError):
            if not line.decode("utf-8").isascii():
                return True
    return False


def conversion(name: str) -> str:
    """What to do with a file that is not UTF-8.

    >>> conversion("new.csv")
    'convert it: iconv -f <encoding> -t utf-8 new.csv'
    >>> conversion("new.csv.gz")
    'unpack it and convert it: iconv -f <encoding> -t utf-8 new.csv'
    """
    unpack = ""
    if name.lower().endswith(_PACKED):
        unpack, name = "unpack it and ", name.rpartition(".")[0]
    command = f"iconv -f <encoding> -t utf-8 {shlex.quote(name) if name else ''}".rstrip()
    return f"{unpack}convert it: {command}"
