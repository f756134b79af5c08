"""Answered rows as an Arrow stream, of which the parquet file is made when all rows are there.

A parquet file has its index at the end, so one that was cut short cannot be gone on with; a stream
of Arrow batches can.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from evalsuite.bulk.answered import Answered, flat
from evalsuite.bulk.arrow_types import answer_type, fits_parquet, inferred, misfit, plain_field
from evalsuite.bulk.encode_text import Encoded, json_text, strange_column, union
from evalsuite.bulk.rows import BadRow

_GROUP = 32  # batches of a row group


class ArrowEncoder:
    """Batches; columns of the input keep their types.

    Of JSON lines the first rows decide: each row after them must fit. A column that parquet cannot
    have, such as one of numbers and words or of objects without keys, is JSON text.

    Args:
        columns: of the input; None where each row names its own.
        schema: of the input; None where its columns are text.
    """

    flat = True

    def __init__(self, columns: Sequence[str] | None, schema: Any) -> None:
        self.begun, self._columns, self._schema = False, columns, schema
        self._as_json: list[str] = []

    def encode(self, window: Sequence[Answered | BadRow]) -> Encoded:
        """See `Encoder`."""
        import pyarrow

        rows = [row for row in window if isinstance(row, Answered)]
        start = b""
        if rows and not self.begun:
            self.begun = True
            self._schema = self._whole_schema(rows)
            start = self._schema.serialize().to_pybytes()
        if not rows:
            return start, []
        schema, bad = self._schema, []
        records = []
        for row in rows:
            fields = {name: self._stored(name, value) for name, value in row.fields.items()}
            record = {**fields, **flat(row.answer)}
            if strange := [name for name in record if name not in schema.names]:
                bad.append(strange_column(row.line, strange[0]))
            elif problem := misfit(fields, schema) if self._columns is None else "":
                bad.append(BadRow(row.line, problem))
            else:
                records.append(record)
        batch = pyarrow.RecordBatch.from_pylist(records, schema=schema)
        return start + batch.serialize().to_pybytes(), bad

    def _stored(self, name: str, value: Any) -> Any:
        return json_text(value) if name in self._as_json and value is not None else value

    def _whole_schema(self, rows: Sequence[Answered]) -> Any:
        import pyarrow

        if self._schema is not None:
            fields = [plain_field(field) for field in self._schema]
        elif self._columns is not None:
            fields = [pyarrow.field(name, answer_type(rows[0].fields.get(name, ""))) for name in
                      self._columns]  # fmt: skip
        else:
            kinds = {name: inferred([row.fields.get(name) for row in rows]) for name in union(rows)}
            self._as_json = [
                name for name, kind in kinds.items() if kind is None or not fits_parquet(kind)
            ]
            fields = [
                pyarrow.field(name, pyarrow.string() if name in self._as_json else kind)
                for name, kind in kinds.items()
            ]
        answer = flat(rows[0].answer)
        fields += [pyarrow.field(name, answer_type(value)) for name, value in answer.items()]
        return pyarrow.schema(fields)


def to_parquet(stream: Path, out: Path) -> None:
    """Write the batches of a stream as a parquet file; without any row it has no columns."""
    import pyarrow
    import pyarrow.parquet

    if not stream.stat().st_size:
        pyarrow.parquet.write_table(pyarrow.table({}), out)
        return
    with (
        stream.open("rb") as file,
        pyarrow.ipc.open_stream(file) as reader,
        pyarrow.parquet.ParquetWriter(out, reader.schema) as writer,
    ):
        batches = iter(reader)
        while group := list(islice(batches, _GROUP)):
            writer.write_table(pyarrow.Table.from_batches(group))
