"""A small validator for the JSON Schema keywords that the schema of recipes uses.

>>> errors({"properties": {"seed": {"type": "integer"}}}, {"seed": "x"})
["seed: 'x' is not of type integer"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
NOTES = {"$schema", "$defs", "title", "description", "default", "deprecated", "format"}
LIMITS: dict[str, Any] = {
    "minimum": lambda value, limit: value >= limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}


def errors(schema: Any, value: Any) -> list[str]:
    """What is wrong with a value; raises KeyError for a keyword that is not known here."""
    return list(_errors(schema, value, "", schema))


def _errors(schema: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{path}: not allowed"
        return
    for keyword, wanted in schema.items():
        if keyword not in NOTES and keyword not in ("then", "else"):
            yield from _CHECKS[keyword](schema, wanted, value, path, root)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name])


def _type(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if not _is(value, wanted):
        yield f"{path}: {value!r} is not of type {wanted}"


def _enum(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if value not in wanted:
        yield f"{path}: {value!r} is not one of {wanted}"


def _const(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if value != wanted:
        yield f"{path}: {value!r} is not {wanted!r}"


def _pattern(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, str) and not re.search(wanted, value):
        yield f"{path}: {value!r} does not match {wanted}"


def _limit(keyword: str) -> Any:
    def check(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
        if _is(value, "number") and not LIMITS[keyword](value, wanted):
            yield f"{path}: {value} breaks {keyword} {wanted}"

    return check


def _required(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{path}: {key} is missing" for key in wanted if key not in value)


def _properties(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    for key in wanted.keys() & (value if isinstance(value, dict) else {}):
        yield from _errors(wanted[key], value[key], f"{path}.{key}".strip("."), root)


def _additional(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    for key in value.keys() - schema.get("properties", {}) if isinstance(value, dict) else ():
        if wanted is False:
            yield f"{path}: unknown key {key}"
        else:
            yield from _errors(wanted, value[key], f"{path}.{key}".strip("."), root)


def _names(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        yield from _errors(wanted, key, f"{path}.{key}".strip("."), root)


def _items(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    for place, item in enumerate(value if isinstance(value, list) else ()):
        yield from _errors(wanted, item, f"{path}[{place}]", root)


def _min_items(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, list | dict) and len(value) < wanted:
        yield f"{path}: has fewer than {wanted} entries"


def _any_of(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    if all(list(_errors(option, value, path, root)) for option in wanted):
        yield f"{path}: {value!r} fits none of the {len(wanted)} forms"


def _all_of(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    for part in wanted:
        yield from _errors(part, value, path, root)


def _if(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    holds = not list(_errors(wanted, value, path, root))
    yield from _errors(schema.get("then" if holds else "else", True), value, path, root)


def _ref(schema: Any, wanted: Any, value: Any, path: str, root: Any) -> Iterator[str]:
    yield from _errors(root["$defs"][wanted.removeprefix("#/$defs/")], value, path, root)


_CHECKS: dict[str, Any] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "minItems": _min_items,
    "minProperties": _min_items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "if": _if,
    "$ref": _ref,
    **{keyword: _limit(keyword) for keyword in LIMITS},
}
