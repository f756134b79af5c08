"""The keys of stages, training methods and recipes, in words; nothing is run.

>>> keys_of_stage("trim")[0].keys[1]
Key(name='languages', type='list of language codes', default='[]', range='', about='Language ...')

Everything is read from the config classes: the type from the annotation, the range from the
field's limits, the sentence from its description. Groups are the classes a config is made of.
`lingopress ls stages NAME`, docs/reference.md and the tests all use these tables.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recipes.parsing.recipe_file import Recipe
from recipes.stages._shared.contract import Noun, StageConfig
from recipes.stages._shared.registry import STAGES
from transfer.registry import METHODS

HEADER = ("key", "type", "default", "range", "meaning")
_PLAIN: dict[Any, tuple[str, str]] = {  # type -> one, several
    bool: ("true or false", "booleans"),
    int: ("integer", "integers"),
    float: ("number", "numbers"),
    str: ("text", "texts"),
    Any: ("value", "values"),
}


class Key(NamedTuple):
    """One key of a config: what it takes and what it means."""

    name: str
    type: str
    default: str
    range: str
    about: str


class KeyGroup(NamedTuple):
    """Keys that belong together, under a heading."""

    title: str
    keys: tuple[Key, ...]


def keys_of_stage(kind: str) -> list[KeyGroup]:
    """The keys of a stage: its own first, then those it shares with other stages.

    Raises:
        UnknownNameError: there is no such stage; offers the nearest name.
    """
    return groups(STAGES.get(kind).Config, f"Keys of {kind}")


def keys_of_recipe() -> list[KeyGroup]:
    """The keys of a recipe file outside its stages."""
    return groups(Recipe, "Keys of a recipe")


def keys_of_method(name: str) -> list[KeyGroup]:
    """The keys of `train` that a training method reads; none where it has no options.

    They are the options that the method's `Options` declare, those of its `prepare` and `check`,
    and those named in its `KEYS`, as far as they are keys of `train`.

    Raises:
        UnknownNameError: there is no such method; offers the nearest name.
    """
    method: Any = METHODS.get(name)
    fields = STAGES.get("train").Config.model_fields
    declared = getattr(method, "Options", None)
    options = {
        *(() if declared is None else inspect.get_annotations(declared)),
        *_options(method.prepare),
        *_options(method.check),
        *getattr(method, "KEYS", ()),
    }
    keys = tuple(_key(key, field) for key, field in fields.items() if key in options)
    return [KeyGroup(f"Keys of train with method: {name}", keys)] if keys else []


def _options(function: Callable[..., Any]) -> list[str]:
    """Names of a function's keyword-only arguments."""
    parameters = inspect.signature(function).parameters.values()
    return [option.name for option in parameters if option.kind is option.KEYWORD_ONLY]


def groups(config: type[BaseModel], title: str) -> list[KeyGroup]:
    """A config's keys, by the class that defines each."""
    homes: dict[type, list[Key]] = {}
    for name, field in config.model_fields.items():
        home = next(base for base in config.__mro__ if name in inspect.get_annotations(base))
        homes.setdefault(home, []).extend(_with_inner(name, field))
    order = sorted(homes, key=lambda home: (home is StageConfig, config.__mro__.index(home)))
    return [
        KeyGroup(title if home is config else _first_line(home), tuple(homes[home]))
        for home in order
    ]


def _first_line(config: type) -> str:
    return (config.__doc__ or "").split("\n", 1)[0].removesuffix(".")


def _with_inner(name: str, field: FieldInfo) -> list[Key]:
    """A key, and the keys of the mapping it takes: `shape`, `shape.layers`, ..."""
    keys = [_key(name, field)]
    for option in _options_of(field.annotation):
        if isinstance(option, type) and issubclass(option, BaseModel) and _documented(option):
            keys += [_key(f"{name}.{inner}", own) for inner, own in option.model_fields.items()]
    return keys


def _documented(config: type[BaseModel]) -> bool:
    return all(field.description for field in config.model_fields.values())


def _key(name: str, field: FieldInfo) -> Key:
    annotation: Any = field.annotation
    if field.metadata:
        annotation = Annotated[(annotation, *field.metadata)]
    words = in_words(annotation)
    default = "required" if field.is_required() else shown(field.default)
    if not field.is_required() and field.default is not None and _takes_none(field.annotation):
        words += ", or null"
    limits = [*_limits(field.metadata), *_inner_limits(field.annotation)]
    span = re.sub(r"^from (\S+), up to ", r"\1 to ", ", ".join(dict.fromkeys(limits)))
    return Key(name, words, default, span, field.description or "")


def shown(value: object) -> str:
    """A default as a recipe would write it.

    >>> shown(("query", "value")), shown(None), shown(2e-4)
    ('[query, value]', 'none', '0.0002')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{}" if not value else str(dict(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value) or "empty"


def in_words(annotation: Any) -> str:
    """A type in words; None is left out.

    >>> in_words(tuple[int, ...] | None), in_words(Literal["fp32", "bf16"])
    ('list of integers', 'one of fp32, bf16')
    """
    return " or ".join(dict.fromkeys(_one(option) for option in _options_of(annotation)))


def _one(annotation: Any) -> str:
    if noun := _noun(annotation):
        return noun.one
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _one(arguments[0])
    if origin is Literal:
        names = ", ".join(map(str, arguments))
        return f"one of {names}" if len(arguments) > 1 else names
    if origin in (tuple, list):
        return f"list of {_several(arguments[0])}"
    if origin is dict:
        return f"mapping from {in_words(arguments[0])} to {in_words(arguments[1])}"
    return _PLAIN[annotation][0] if annotation in _PLAIN else "mapping"


def _several(annotation: Any) -> str:
    if noun := _noun(annotation):
        return noun.several
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation in _PLAIN:
        return _PLAIN[annotation][1]
    if get_origin(annotation) is dict:
        return "mappings"
    return in_words(annotation)


def _noun(annotation: Any) -> Noun | None:
    """What a value is called, where the annotation names it."""
    marks: Iterable[Any] = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Noun)), None)


def _options_of(annotation: Any) -> list[Any]:
    """The members of a union without None; the annotation itself where it is no union."""
    if _noun(annotation):
        return [annotation]
    if get_origin(annotation) is Annotated:
        inner = get_args(annotation)[0]
        return [annotation] if get_origin(inner) is None else _options_of(inner)
    if get_origin(annotation) in (Union, types.UnionType):
        members = (_options_of(o) for o in get_args(annotation) if o is not types.NoneType)
        return [option for member in members for option in member]
    return [annotation]


def _takes_none(annotation: Any) -> bool:
    return types.NoneType in get_args(annotation)


def _limits(metadata: Iterable[Any]) -> list[str]:
    """Limits in words: `from 0`, `below 1`; of a list's length, `at least 1`."""
    words = []
    for limit in metadata:
        if isinstance(limit, Ge):
            words.append(f"from {shown(limit.ge)}")
        elif isinstance(limit, Gt):
            words.append(f"above {shown(limit.gt)}")
        elif isinstance(limit, Le):
            words.append(f"up to {shown(limit.le)}")
        elif isinstance(limit, Lt):
            words.append(f"below {shown(limit.lt)}")
        elif isinstance(limit, MinLen):
            words.append(f"at least {limit.min_length}")
    return words


def _inner_limits(annotation: Any) -> list[str]:
    """Limits of the values in a list or in an optional type."""
    words: list[str] = []
    for mark in getattr(annotation, "__metadata__", ()):
        words += _limits(getattr(mark, "metadata", [mark]))
    if get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            words += _inner_limits(inner)
    return words
