r"""Files that are not what their name says: pointers, web pages, packed files, other line ends.

>>> mistaken(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a...")
'it looks like a Git LFS pointer and not the file itself; in the repository, type: git lfs pull'

A file of rows that is one of these must be an error: skipped, its language would be missing from
the scores.
"""

from __future__ import annotations

import os
from pathlib import Path

from evalsuite.errors import DataError, MalformedRowError

EMPTY = "the file is empty; was its download cut short?"
_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 16
_POINTERS = (
    (b"version https://git-lfs.github.com/", "a Git LFS pointer", "git lfs pull"),
    (b"/annex/objects/", "a git-annex pointer", "git annex get"),
)
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7-Zip",
    b"PAR1": "Parquet",
}
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte-order marks of UTF-16; one of UTF-32 begins so too


def mistaken(raw: bytes, *, packed: str = "", by_line: bool = True) -> str | None:
    """What the first bytes of a file look like, and what to do; None where nothing is strange.

    Args:
        packed: the kind of packed data that is expected, such as `zstd`.
        by_line: the file has one row a line.
    """
    for start, kind, command in _POINTERS:
        if raw.startswith(start):
            return (
                f"it looks like {kind} and not the file itself; in the repository, type: {command}"
            )
    for start, kind in _PACKED.items():
        if raw.startswith(start) and kind != packed:
            return f"it looks like {kind} data; unpack the file and keep its name"
    if packed:
        return None
    if raw.startswith(_WIDE):
        return "it looks like UTF-16 text; convert it: iconv -f utf-16 -t utf-8"
    if raw.removeprefix(_BOM).lstrip()[:16].lower().startswith(_PAGES):
        return "it looks like a web page and not data; download the file again"
    if by_line and raw.count(b"\r") - raw.count(b"\r\n") > raw.count(b"\n"):
        return "its lines end as on old Macs (CR alone); convert them: tr '\\r' '\\n'"
    return None


def refuse_mistaken(path: Path, *, unpacked: bool = False) -> None:
    """Look at the first bytes of a file of data.

    Args:
        unpacked: whoever reads it unpacks it first, whatever its name.

    Raises:
        MalformedRowError: it is empty, or not what its name says.
        DataError: it cannot be read.
    """
    raw = head(path)
    packed = {".zst": "zstd", ".gz": "gzip", ".parquet": "Parquet"}.get(path.suffix, "")
    if unpacked and raw.startswith(tuple(_PACKED)):
        return
    text = not packed and not raw.removeprefix(_BOM).strip()
    if not raw or (text and len(raw) < _HEAD):
        raise MalformedRowError(path, 1, EMPTY)
    if problem := mistaken(raw, packed=packed, by_line=path.suffix != ".json"):
        raise MalformedRowError(path, 1, problem)


def head(path: Path) -> bytes:
    """The first bytes of a file; raises DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def hides_labels(path: Path, columns: int) -> bool:
    """Whether rows have one column less than `columns`, as the test files of the XTREME scripts.

    False where that is not so, or the file is no such text at all: whoever reads it then gets the
    error that says what is wrong.
    """
    try:
        raw = head(path)
    except DataError:
        return False
    if mistaken(raw):
        return False
    first = next((line for line in raw.split(b"\n") if line.strip()), None)
    return first is not None and first.count(b"\t") + 2 == columns


def is_there(path: Path) -> bool:
    """Whether the path is taken, if only by a link to a file that does not exist."""
    return os.path.lexists(path)
