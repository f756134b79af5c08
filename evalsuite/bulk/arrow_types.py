"""Arrow types of the columns of a parquet file that is written.

>>> inferred([{"a": 1}, {"a": 2, "b": "x"}])
StructType(struct<a: int64, b: string>)
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

_DEEPEST = 32  # levels of lists and objects; a stream of Arrow batches has 64 at most


def answer_type(value: Any) -> Any:
    """The type of an answer's column, which does not change from row to row."""
    import pyarrow

    if isinstance(value, list):
        return pyarrow.list_(pyarrow.string())
    if isinstance(value, dict):
        return pyarrow.struct([(name, pyarrow.float64()) for name in value])
    if hasattr(value, "dtype"):
        return pyarrow.list_(pyarrow.float32(), len(value))
    return pyarrow.infer_type([value])


def plain_field(field: Any) -> Any:
    """Without dictionaries at any depth, which a stream would have to hold apart from its batches.

    >>> plain_field(pyarrow.field("tags", pyarrow.list_(pyarrow.dictionary("int8", "string"))))
    pyarrow.Field<tags: list<item: string>>
    """
    return field.with_type(_plain_type(field.type))


def _plain_type(kind: Any) -> Any:
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if types.is_struct(kind):
        return pyarrow.struct([plain_field(part) for part in kind])
    if types.is_map(kind):
        key, item = plain_field(kind.key_field), plain_field(kind.item_field)
        return pyarrow.map_(key, item, keys_sorted=kind.keys_sorted)
    if types.is_fixed_size_list(kind):
        return pyarrow.list_(plain_field(kind.value_field), kind.list_size)
    for is_kind, made in (
        (types.is_list, pyarrow.list_),
        (types.is_large_list, pyarrow.large_list),
        (types.is_list_view, pyarrow.list_view),
        (types.is_large_list_view, pyarrow.large_list_view),
    ):
        if is_kind(kind):
            return made(plain_field(kind.value_field))
    return kind


def inferred(values: list[Any]) -> Any:
    """The type that keeps all values of JSON; None where there is none. Of no value it is text.

    >>> inferred([1, 2**63]), inferred([1, "a"])
    (DataType(uint64), None)
    """
    import pyarrow

    kinds = [pyarrow.uint64()]
    with suppress(pyarrow.ArrowException):
        kinds.insert(0, pyarrow.infer_type(values))
    if pyarrow.types.is_null(kinds[0]):
        return pyarrow.string()
    return next((kind for kind in kinds if all(_kept(value, kind) for value in values)), None)


def fits_parquet(kind: Any, depth: int = 0) -> bool:
    """Whether a parquet file can have a column of an inferred type.

    It can have no object without keys, and none that is nested very deep.
    """
    import pyarrow

    if pyarrow.types.is_struct(kind):
        parts = [part.type for part in kind]
    elif pyarrow.types.is_list(kind):
        parts = [kind.value_type]
    else:
        return True
    return bool(parts) and depth < _DEEPEST and all(fits_parquet(part, depth + 1) for part in parts)


def misfit(fields: dict[str, Any], schema: Any) -> str:
    """What of a row of JSON lines has another type than the first rows; empty where all fits."""
    for name, value in fields.items():
        kind = schema.field(name).type
        if not _kept(value, kind):
            return f"column {name!r} is no {kind}, as in the first rows"
    return ""


def _kept(value: Any, kind: Any) -> bool:
    """Whether a column of a type can have a value, and gives it back."""
    import pyarrow

    try:
        return _same(value, pyarrow.array([value], type=kind)[0].as_py())
    except (pyarrow.ArrowException, TypeError, OverflowError):
        return False


def _same(value: Any, stored: Any) -> bool:
    """Whether a stored value has all that the value has; keys may be added, with null.

    Arrow takes 1.5 for the integer 1, and passes over keys that a type does not have.
    """
    if isinstance(value, dict) and isinstance(stored, dict):
        return value.keys() <= stored.keys() and all(
            _same(value.get(name), part) for name, part in stored.items()
        )
    if isinstance(value, list) and isinstance(stored, list):
        return len(value) == len(stored) and all(map(_same, value, stored))
    return bool(value == stored) and isinstance(value, bool) == isinstance(stored, bool)
