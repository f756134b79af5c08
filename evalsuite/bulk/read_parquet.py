"""Rows of a parquet file, one batch of them in memory at a time.

>>> rows = Parquet("rows.parquet", file)
>>> rows.columns
('text', 'label')
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from evalsuite.bulk.read_text import check_once, not_utf8
from evalsuite.bulk.rows import BadRow, Row
from evalsuite.errors import DataError, MalformedRowError

_BATCH = 1024


class Parquet:
    """An open parquet file.

    Args:
        name: for messages.
        file: seekable.

    Raises:
        DataError: it is no parquet file.
        MalformedRowError: two of its columns have one name.
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        import pyarrow
        import pyarrow.parquet

        self.name, self._read = name, 0
        try:
            self._file = pyarrow.parquet.ParquetFile(file)
        except (OSError, pyarrow.ArrowException) as error:
            raise DataError(f"{name} cannot be read: {error}") from None
        self.schema: Any = self._file.schema_arrow
        self.columns: tuple[str, ...] | None = tuple(self.schema.names)
        check_once(name, 1, self.schema.names)

    def utf8(self) -> bool:
        """Parquet has no other text."""
        return True

    def done(self) -> float | None:
        """The share of the rows that was read."""
        count: int = self._file.metadata.num_rows
        return self._read / count if count else None

    def __iter__(self) -> Iterator[Row | BadRow]:
        import pyarrow

        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                for fields in _converted(batch):
                    self._read += 1
                    if isinstance(fields, str):
                        yield BadRow(self._read, fields)
                    else:
                        yield Row(self._read, fields)
        except (OSError, pyarrow.ArrowException) as error:
            raise MalformedRowError(
                self.name, self._read + 1, f"cannot read the next rows: {error}"
            ) from None


def _converted(batch: Any) -> list[dict[str, Any] | str]:
    """The rows of a batch; in place of one with a value that Python cannot have, what is wrong."""
    import pyarrow

    try:
        rows: list[dict[str, Any] | str] = batch.to_pylist()
        return rows
    except pyarrow.ArrowException:  # of the whole column, such as an unknown time zone
        raise
    except (ValueError, OverflowError):
        return [_row(batch.slice(at, 1)) for at in range(batch.num_rows)]


def _row(batch: Any) -> dict[str, Any] | str:
    fields: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            fields[name] = column[0].as_py()
        except UnicodeDecodeError as error:
            return f"column {name!r}: {not_utf8(error)}"
        except (ValueError, OverflowError) as error:  # the year 10000
            return f"column {name!r}: {error}"
    return fields
