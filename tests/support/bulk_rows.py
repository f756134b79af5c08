"""Rows in files of every form, and runs over them with a function as the model."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import zstandard

from evalsuite.bulk.journal import Done
from evalsuite.bulk.output import TABLES, VECTORS
from evalsuite.bulk.rows import BadRow
from evalsuite.bulk.run_model import Job, run
from evalsuite.inference.answers import Sentences, Texts

ROWS = [{"id": str(n), "text": f'line {n}, é\n "q"' if n == 3 else f"line {n}"} for n in range(9)]

LONGEST = 10_000  # characters of a text that these models read


class Seen:
    """Notes what a run reports."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.rows = self.resumed = 0

    def bad(self, name: str, row: BadRow) -> None:
        self.problems.append(f"{Path(name).name}:{row.line}: {row.problem}")

    def update(self, rows: int, resumed: int, share: float | None, *, utf8: bool = False) -> None:
        self.rows, self.resumed = rows, resumed


def label(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """By the length of the texts."""
    return [
        {"label": "ab"[len(" ".join(texts)) % 2], "scores": {"a": 0.25, "b": 0.75}}
        for texts in rows
    ]


def vectors(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [{"vector": np.full(3, len(text), dtype=np.float32)} for (text,) in rows]


def answer(
    job: Job, texts: Texts | None = None, model: Callable[..., Any] = label
) -> tuple[Done, Seen]:
    seen = Seen()
    allowed = VECTORS if model is vectors else TABLES

    def answered(rows: Sequence[Sequence[str]]) -> tuple[list[dict[str, Any]], int]:
        return model(rows), sum(len(text) > LONGEST for texts in rows for text in texts)

    return run(job, texts or Sentences(), lambda: (answered, 3), allowed, seen), seen


def as_file(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    """The rows in the form that the name says."""
    import csv

    name = path.name
    if ".parquet" in name:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    text = io.StringIO()
    if ".jsonl" in name:
        text.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if ".tsv" in name else ",")
        writer.writeheader()
        writer.writerows(rows)
    raw = text.getvalue().encode()
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(raw))
    return path


def from_file(path: Path) -> list[dict[str, Any]]:
    import csv

    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    text = io.StringIO(raw.decode(), newline="")
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text]
    return list(csv.DictReader(text, delimiter="\t" if ".tsv" in path.name else ","))
