"""Read a result file, and say in words what is wrong with one that cannot be used.

>>> read_record(Path("000.teacher.xnli.json"), TaskResult).task
'xnli'
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from evalsuite.errors import DataError
from evalsuite.results.record import Record

R = TypeVar("R", bound=Record)


def read_record(path: Path, record_type: type[R]) -> R:
    """One result, with every number in its range.

    Raises:
        DataError: the file cannot be read, or holds what no stage writes.
    """
    try:
        return record_type.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise DataError(
            f"{path} was changed by hand or damaged: {first_problem(error)}\n"
            f"delete the folder {path.parent} and run the recipe again: the stage is made again"
        ) from error


def first_problem(error: ValidationError) -> str:
    """`metrics.accuracy.de: 950.0 is not a percentage (and 2 more)`."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"][:1].lower() + first["msg"][1:]
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more else ""
    return f"{where}: {said}{rest}" if where else said + rest
