"""Rows of a parquet file, one batch of them in memory at a time.

>>> rows = Parquet("rows.parquet")
>>> rows.columns
('text', 'label')
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

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

    def done(self) -> float | None:
        """The share of the rows that was read."""
        count: int = self._file.metadata.num_rows
        return self._read / count if count else None

    def __iter__(self) -> Iterator[Row | BadRow]:
        import pyarrow

        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                for fields in batch.to_pylist():
                    self._read += 1
                    yield Row(self._read, fields)
        except (OSError, pyarrow.ArrowException) as error:
            raise MalformedRowError(
                self.name, self._read + 1, f"cannot read the next rows: {error}"
            ) from None
