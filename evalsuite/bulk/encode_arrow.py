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
from evalsuite.bulk.encode_text import Encoded, strange_column, union
from evalsuite.bulk.rows import BadRow

_GROUP = 32  # batches of a row group


class ArrowEncoder:
    """Batches; columns of the input keep their types.

    Args:
        columns: of the input; None where each row names its own.
        schema: of the input; None where its columns are text.
    """

    flat = True

    def __init__(self, columns: Sequence[str] | None, schema: Any) -> None:
        self.begun, self._columns, self._schema = False, columns, schema

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
            record = {**row.fields, **flat(row.answer)}
            if strange := [name for name in record if name not in schema.names]:
                bad.append(strange_column(row.line, strange[0]))
            elif problem := _misfit(record, schema) if self._columns is None else "":
                bad.append(BadRow(row.line, problem))
            else:
                records.append(record)
        batch = pyarrow.RecordBatch.from_pylist(records, schema=schema)
        return start + batch.serialize().to_pybytes(), bad

    def _whole_schema(self, rows: Sequence[Answered]) -> Any:
        import pyarrow

        if self._schema is not None:
            fields = [_plain_field(field) for field in self._schema]
        elif self._columns is not None:
            fields = [pyarrow.field(name, _type_of(rows[0].fields.get(name, ""))) for name in
                      self._columns]  # fmt: skip
        else:
            values = {name: [row.fields.get(name) for row in rows] for name in union(rows)}
            fields = [pyarrow.field(name, _inferred(found)) for name, found in values.items()]
        answer = flat(rows[0].answer)
        fields += [pyarrow.field(name, _type_of(value)) for name, value in answer.items()]
        return pyarrow.schema(fields)


def _type_of(value: Any) -> Any:
    """The type of an answer's column, which does not change from row to row."""
    import pyarrow

    if isinstance(value, list):
        return pyarrow.list_(pyarrow.string())
    if isinstance(value, dict):
        return pyarrow.struct([(name, pyarrow.float64()) for name in value])
    if hasattr(value, "dtype"):
        return pyarrow.list_(pyarrow.float32(), len(value))
    return pyarrow.infer_type([value])


def _plain_field(field: Any) -> Any:
    """Without a dictionary, which a stream would have to hold apart from its batches."""
    import pyarrow

    packed = pyarrow.types.is_dictionary(field.type)
    return field.with_type(field.type.value_type) if packed else field


def _inferred(values: list[Any]) -> Any:
    """The type that fits all values; text where there is none."""
    import pyarrow

    try:
        found = pyarrow.infer_type(values)
    except pyarrow.ArrowException:
        return pyarrow.string()
    return pyarrow.string() if pyarrow.types.is_null(found) else found


def _misfit(record: dict[str, Any], schema: Any) -> str:
    """What of a row of JSON lines has another type than the first rows."""
    import pyarrow

    for name, value in record.items():
        kind = schema.field(name).type
        try:
            pyarrow.array([value], type=kind)
        except (pyarrow.ArrowException, TypeError, OverflowError):
            return f"column {name!r} is no {kind}, as in the first rows"
    return ""


def to_parquet(stream: Path, out: Path) -> None:
    """Write the batches of a stream as a parquet file."""
    import pyarrow
    import pyarrow.parquet

    with (
        stream.open("rb") as file,
        pyarrow.ipc.open_stream(file) as reader,
        pyarrow.parquet.ParquetWriter(out, reader.schema) as writer,
    ):
        batches = iter(reader)
        while group := list(islice(batches, _GROUP)):
            writer.write_table(pyarrow.Table.from_batches(group))
