"""The files of a split as a recipe has them: one path with `{language}`, or a path per code.

>>> declared_paths({"en": Path("en/test.csv"), "de": Path("de/test.csv")}, patterns, "test", "pair")
'{language}/test.csv'

A path with `{language}` stands for all files that exist. Where some of them are not of the split,
as `de/train.csv` is not with `--train-on en`, each file is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalsuite.errors import DataError
from evalsuite.guess.rows import Place
from evalsuite.own.declaration import LANGUAGE, PLACE, Declaration
from evalsuite.task import Split


def declared_paths(
    found: Mapping[str, Place], patterns: Mapping[Path, str | None], split: Split, format: str
) -> Any:
    """What a recipe says of a split.

    Args:
        found: language -> its file, or part of a row -> file.
        patterns: file -> path with `{language}`, where its name has the code.
    """
    pattern = _pattern(found, patterns)
    if pattern is not None and _files(pattern, split, format) == dict(found):
        return pattern
    return {
        language: {part: str(path) for part, path in place.items()}
        if isinstance(place, dict)
        else str(place)
        for language, place in found.items()
    }


def _files(pattern: str | dict[str, str], split: Split, format: str) -> dict[str, Any]:
    """The files that a run would read; none where it would refuse the path."""
    try:
        return dict(Declaration.model_validate({"format": format, split: pattern}).places(split))
    except (DataError, ValidationError):
        return {}


def _pattern(
    found: Mapping[str, Place], patterns: Mapping[Path, str | None]
) -> str | dict[str, str] | None:
    """The one path with `{language}` of all files, or that of each part of a row."""
    if len(found) < 2:
        return None
    common = [
        {part: _with_place(path, language, patterns) for part, path in place.items()}
        if isinstance(place, dict)
        else _with_place(place, language, patterns)
        for language, place in found.items()
    ]
    first = common[0]
    if any(other != first for other in common[1:]):
        return None
    if isinstance(first, dict):
        paths = {part: path for part, path in first.items() if path is not None}
        return paths if len(paths) == len(first) else None
    return first


def _with_place(path: Path, language: str, patterns: Mapping[Path, str | None]) -> str | None:
    if path in patterns:
        return patterns[path]
    parts = [PLACE if part == language else part for part in path.parts]  # one that init wrote
    return str(Path(*parts)) if LANGUAGE.fullmatch(language) else None
