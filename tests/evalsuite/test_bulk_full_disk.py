"""A disk that fills: one message, and what was answered is kept."""

from __future__ import annotations

import gzip
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evalsuite.bulk import windows
from evalsuite.bulk.open_rows import Reading, open_rows
from evalsuite.bulk.run_model import Job
from evalsuite.errors import DataError
from tests.support.bulk_rows import answer, as_file

LIMIT = 20_000  # bytes of a file
AGAIN = "what was answered is kept; put that right, then run the same command again"


@contextmanager
def little_room() -> Iterator[None]:
    """The system refuses files over the limit, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def rows(path: Path) -> str:
    """Three windows of 9,000 bytes, which are far smaller when they are packed."""
    return str(as_file(path, [{"text": str(n) * 3000} for n in range(9)]))


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.parquet", "o.csv.gz"])
def test_a_run_goes_on_after_the_disk_was_full(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "ROWS", 3)
    file, out = rows(tmp_path / "r.csv"), tmp_path / name
    with little_room(), pytest.raises(DataError) as error:
        answer(Job(file, out))
    assert str(error.value).startswith(f"{out} cannot be written: File too large\n{AGAIN}")
    assert not out.exists()
    _, seen = answer(Job(file, out))
    assert seen.resumed == 6
    whole = tmp_path / "whole" / name
    whole.parent.mkdir()
    answer(Job(file, whole))
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.partial*"))


def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path: Path) -> None:
    file, out = str(as_file(tmp_path / "r.csv", [{"text": "a" * 30_000}])), tmp_path / "o.csv"
    with little_room(), pytest.raises(DataError) as error:
        answer(Job(file, out))
    assert str(error.value).endswith("\nput that right, then run the same command again")
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]


def test_a_disk_that_fills_while_the_output_is_made_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = rows(tmp_path / "r.csv"), tmp_path / "o.csv.gz"

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(DataError, match="No space left on") as end:
        patch.setattr("evalsuite.bulk.journal.shutil.copyfileobj", full)
        answer(Job(file, out))
    assert AGAIN in str(end.value)
    assert answer(Job(file, out))[1].resumed == 9


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_standard_output_that_cannot_be_written(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = rows(tmp_path / "r.csv")
    with Path("/dev/full").open("w") as full:  # closing it would fail if it still held rows
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(DataError) as error:
            answer(Job(file, to=to))
    assert str(error.value) == (
        "standard output cannot be written: No space left on device\n"
        "put that right and begin again; with --output FILE a run goes on where it stopped"
    )


def test_the_folder_where_rows_wait_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = rows(tmp_path / "r.csv")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with little_room(), pytest.raises(DataError, match=r"TMPDIR .*, or name a file: --output FILE"):
        answer(Job(file, to="parquet"))
    packed = gzip.compress(b"PAR1" + bytes(3 * LIMIT))
    (tmp_path / "r.parquet.gz").write_bytes(packed)
    with (
        little_room(),
        pytest.raises(DataError, match=f"{tmp_path} cannot be written: File too large\n.*TMPDIR"),
        open_rows(str(tmp_path / "r.parquet.gz"), Reading()),
    ):
        pass
