"""How one stage names another, or a model from outside.

`teacher` · `teacher[task=xnli]` · `teacher[size=base,task=xnli]` name stages; `org/name`,
`org/name@revision`, `./directory`, `~/directory` and `package:name/folder` name models outside
the recipe.
"""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from recipes.stages._shared.contract import StageConfig, _Reference

_STAGE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)(\[(?P<variant>[^\[\]]*)\])?")


class StageReference(NamedTuple):
    """A stage's name and the matrix values asked for."""

    name: str
    variant: dict[str, str]


def parse_reference(text: str) -> StageReference | None:
    """A reference to a stage, or None where the text does not have its form.

    >>> parse_reference("teacher[size=base, task=xnli]")
    StageReference(name='teacher', variant={'size': 'base', 'task': 'xnli'})
    >>> parse_reference("FacebookAI/xlm-roberta-base") is None
    True
    """
    match = _STAGE.fullmatch(text.strip())
    if match is None:
        return None
    variant = {}
    for pair in filter(None, (match["variant"] or "").split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            return None
        variant[name.strip()] = value.strip()
    return StageReference(match["name"], variant)


def is_external(text: str) -> bool:
    """Whether a reference names a model outside the recipe."""
    return parse_reference(text) is None and ("/" in text or text.startswith((".", "~")))


def named_model(text: str) -> str:
    """A model as a recipe names it: a folder here that begins with no dot begins with one.

    >>> named_model("models/small")   # where there is such a folder
    './models/small'
    """
    if not text.startswith((".", "~", "/", "package:")) and Path(text).is_dir():
        return f"./{text}"
    return text


def roles(config: type[StageConfig]) -> dict[str, Literal["one", "many"]]:
    """Fields of a stage's config that name inputs, in order of declaration."""
    found: dict[str, Literal["one", "many"]] = {}
    for name, field in config.model_fields.items():
        annotation: Any = field.annotation
        if field.metadata:
            annotation = Annotated[(annotation, *field.metadata)]
        target = _referenced(annotation)
        if target is not None:
            found[name] = "many" if get_origin(target) is tuple else "one"
    return found


def _referenced(annotation: Any) -> Any:
    """What a `_Reference` marks inside an annotation, optional or not; None if nothing."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        if any(isinstance(mark, _Reference) for mark in marks):
            return _strip_optional(inner)
        return _referenced(inner)
    if get_origin(annotation) in (Union, types.UnionType):
        for option in get_args(annotation):
            target = _referenced(option)
            if target is not None:
                return target
    return None


def _strip_optional(annotation: Any) -> Any:
    options = [a for a in get_args(annotation) if a is not type(None)]
    return options[0] if get_origin(annotation) in (Union, types.UnionType) else annotation
