"""Vectors as one numpy array: row n is that of row n of the input, NaN where that is bad."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from evalsuite.bulk.answered import Answered
from evalsuite.bulk.encode_text import Encoded
from evalsuite.bulk.rows import BadRow

_HEADER = 128  # bytes; the shape is known when all rows are there


class NumpyEncoder:
    """Little-endian float32 after an empty header, which `write_header` fills in."""

    flat = False

    def __init__(self, width: int) -> None:
        self.begun, self._width = False, width

    def encode(self, window: Sequence[Answered | BadRow]) -> Encoded:
        """See `Encoder`."""
        import numpy as np

        empty = np.full(self._width, np.nan, dtype="<f4")
        rows = [
            next(iter(row.answer.values())) if isinstance(row, Answered) else empty
            for row in window
        ]
        start = b"" if self.begun else bytes(_HEADER)
        self.begun = True
        return start + np.asarray(rows, dtype="<f4").tobytes(), []


def write_header(path: Path, width: int) -> None:
    """Fill in the header of a file of vectors; a second time changes nothing.

    A file without a row is empty, and gets the header of an array of no rows.
    """
    import numpy as np

    rows = max(0, path.stat().st_size - _HEADER) // (4 * width)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    )
    assert len(header.getvalue()) == _HEADER  # up to shapes of some 20 digits
    with path.open("r+b") as file:
        file.write(header.getvalue())
