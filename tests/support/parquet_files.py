"""Parquet files of rows, whole and broken in many ways."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

Rows = list[dict[str, Any]]


def as_parquet(rows: Rows) -> bytes:
    return as_parquet_table(pyarrow.Table.from_pylist(rows))


def broken_parquet(rows: Rows, text: str, gold: str) -> dict[str, tuple[bytes, int | None]]:
    """Case -> content, and the row that the message has to name."""
    plain = as_parquet(rows)
    middle = plain.index(b"PAR1", 4) // 2
    table = pyarrow.Table.from_pylist(rows)
    arrow = io.BytesIO()
    with pyarrow.ipc.new_file(arrow, table.schema) as file:
        file.write_table(table)
    bad_bytes = [{**row, text: str(row[text]).encode()} for row in rows]
    bad_bytes[1][text] = b"\xe9"
    twice = pyarrow.table([*table.columns, table.column(text)], names=[*table.column_names, text])
    return {
        "not parquet": (b"PAR1 and so on", None),
        "cut short": (plain[:-9], None),
        "no row": (make_empty(rows), None),
        "a number that is not finite": (as_parquet(changed_type(rows, gold)), 2),
        "an empty file": (b"", None),
        "a web page": (b"<!DOCTYPE html><html></html>", None),
        "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid 1\n", None),
        "rows of CSV": (b"a,b\n1,2\n", None),
        "an Arrow file": (arrow.getvalue(), None),
        "packed by zip": (b"PK\x03\x04" + plain, None),
        "packed and cut short": (gzip.compress(plain, mtime=0)[:-9], None),
        "without its middle": (plain[:middle] + plain[middle + 20 :], None),
        "footer overwritten": (plain[:-40] + b"\xff" * 32 + plain[-8:], None),
        "a text that is null": (as_parquet([rows[0], {**rows[1], text: None}]), 2),
        "bytes that are not UTF-8": (as_parquet(bad_bytes), 2),
        "two columns of one name": (as_parquet_table(twice), 1),
    }


def as_parquet_table(table: pyarrow.Table) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def make_empty(rows: Rows) -> bytes:
    out = io.BytesIO()
    schema = pyarrow.schema([(name, pyarrow.string()) for name in rows[0]])
    pyarrow.parquet.write_table(schema.empty_table(), out)
    return out.getvalue()


def changed_type(rows: Rows, gold: str) -> Rows:
    return [{**rows[0], gold: 1.0}, {**rows[1], gold: float("nan")}]
