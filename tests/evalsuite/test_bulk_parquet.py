"""Parquet that is read: values that Python cannot have, text stored as bytes, names of columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from evalsuite.bulk.run_model import Job
from evalsuite.bulk.text_shards import Shard, texts
from evalsuite.errors import MalformedRowError
from tests.support.bulk_rows import answer, from_file

TEXT = pyarrow.array(["a", "b", "c"])


def table(path: Path, **columns: Any) -> str:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return str(path)


def test_a_value_that_cannot_be_read_is_a_bad_row(tmp_path: Path) -> None:
    broken = pyarrow.array([b"a", b"b\xff", b"c"]).view(pyarrow.string())
    when = pyarrow.array([0, 0, 253_402_300_800_000_000], pyarrow.timestamp("us"))
    file = table(tmp_path / "r.parquet", id=pyarrow.array([1, 2, 3]), text=broken, when=when)
    done, seen = answer(Job(file, tmp_path / "o.jsonl"))
    assert seen.problems == [
        "r.parquet:2: column 'text': not UTF-8 (byte 0xff)",
        "r.parquet:3: column 'when': date value out of range",
    ]
    (found,) = from_file(tmp_path / "o.jsonl")
    assert (found["id"], found["text"], done.rows, done.bad) == (1, "a", 3, 2)


def test_what_is_wrong_with_a_whole_column_is_one_message(tmp_path: Path) -> None:
    when = pyarrow.array([0, 0, 0], pyarrow.timestamp("us", "No/Where"))
    file = table(tmp_path / "r.parquet", text=TEXT, when=when)
    with pytest.raises(MalformedRowError, match=r"r\.parquet:1: cannot read the next rows: "):
        answer(Job(file, tmp_path / "o.jsonl"))


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.parquet"])
def test_text_may_be_stored_as_bytes(name: str, tmp_path: Path) -> None:
    raw = pyarrow.array(["Zürich".encode(), b"b\xff", None])
    file = table(tmp_path / "r.parquet", text=raw, raw=raw)
    _, seen = answer(Job(file, tmp_path / name))
    assert seen.problems == [
        "r.parquet:2: column 'text': not UTF-8 (byte 0xff)",
        "r.parquet:3: no text in column 'text'",
    ]
    (found,) = from_file(tmp_path / name)
    kept = found["text"].decode() if name == "o.parquet" else found["text"]  # it keeps its type
    assert kept == "Zürich" and found["label"] == "a"


def test_shards_of_text_may_be_stored_as_bytes(tmp_path: Path) -> None:
    file = table(tmp_path / "r.parquet", text=pyarrow.array(["Zürich".encode(), b"b\xff"]))
    found = texts(Shard(file))
    assert next(found) == "Zürich"
    with pytest.raises(MalformedRowError, match=r"r\.parquet:2: column 'text': not UTF-8 \(byte"):
        next(found)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = pyarrow.Table.from_arrays([TEXT, TEXT], names=["text", "text"])
    pyarrow.parquet.write_table(twice, tmp_path / "r.parquet")
    with pytest.raises(MalformedRowError, match=r"r\.parquet:1: two columns have the name 'text'"):
        answer(Job(str(tmp_path / "r.parquet"), tmp_path / "o.csv"))
    assert not (tmp_path / "o.csv").exists()
