"""Text packed with zstd: whole, in several frames, cut short or changed."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
import zstandard

from evalsuite.data.parallel import pairs, segments
from evalsuite.data.unzstd import as_stream, unpacked
from evalsuite.errors import MalformedRowError
from evalsuite.task import DataSource

_NUMBERS = random.Random(1)
LINES = [f"one {_NUMBERS.random()}\tmoja {_NUMBERS.random()}" for _ in range(4000)]
TEXT = "".join(f"{line}\n" for line in LINES).encode()
HALF = len("".join(f"{line}\n" for line in LINES[:2000]))


def from_stream(raw: bytes) -> bytes:
    """Packed without its size, as a program does that does not know it."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(raw)


FORMS = {
    "with its size": zstandard.compress(TEXT),
    "without its size": from_stream(TEXT),
    "two frames": zstandard.compress(TEXT[:HALF]) + zstandard.compress(TEXT[HALF:]),
    "two frames without size": from_stream(TEXT[:HALF]) + from_stream(TEXT[HALF:]),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_lines_of_a_whole_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(FORMS[form])
    assert list(segments(path)) == LINES
    stream = as_stream(unpacked(io.BytesIO(FORMS[form]).read))
    assert stream.read() == TEXT


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.25, 0.75, 1.0])
def test_a_file_cut_short_is_refused(tmp_path: Path, form: str, share: float) -> None:
    path = tmp_path / "parallel/de.tsv.zst"
    path.parent.mkdir()
    raw = FORMS[form]
    path.write_bytes(raw[: int(len(raw) * share) - 1])
    message = r"\.zst:\d+: not readable as zstd \(it is cut short\); copy the file again$"
    with pytest.raises(MalformedRowError, match=message):
        list(segments(path))
    with pytest.raises(MalformedRowError, match=message):
        list(pairs(DataSource("xtreme", tmp_path), "de"))


def test_the_line_after_the_last_whole_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.zst"
    second = from_stream(TEXT[HALF:])
    path.write_bytes(from_stream(TEXT[:HALF]) + second[:20])
    read: list[str] = []
    with pytest.raises(MalformedRowError, match=rf"a\.txt\.zst:{len(LINES) // 2 + 1}: "):
        read.extend(segments(path))
    assert read == LINES[: len(read)]


def test_other_bytes_after_a_frame_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(from_stream(TEXT) + b"more of it")
    with pytest.raises(MalformedRowError, match=r"not readable as zstd \(zstd decompress"):
        list(segments(path))
