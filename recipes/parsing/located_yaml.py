"""YAML read safely, every value with the place it came from.

>>> node = parse("name: demo\\nmatrix: {size: [base]}", "r.yaml", Problems("r.yaml"))
>>> node["matrix"].plain(), node["matrix"].where
({'size': ['base']}, 'r.yaml:2')

Stricter than YAML 1.1 where it surprises: a key written twice, a bare `no` or `on` (a boolean
in YAML 1.1, a language code to a reader), a merge key, a tag and a date are handled here.
`1e-4` is a number.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from recipes.parsing.node import Node, Scalar
from recipes.parsing.problems import Problems, shortened

_LIMIT = 20_000  # values a recipe may hold, aliases counted each time they are used
_DEPTH = 40  # of lists and mappings in each other
_CHARACTERS = 1_000_000
_INTEGERS = range(-(2**63), 2**64)
FLOAT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")
_TAG = "tag:yaml.org,2002:"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, file: str, problems: Problems, where: str | None = None) -> Node | None:
    """Read one YAML document.

    Args:
        file: name to put before line numbers.
        where: fixed place for all values, instead of `file:line`.
    """
    try:
        if too_much := _too_much(text):
            line, what = too_much
            problems.add(where or f"{file}:{line}", f"{what}, which no recipe needs")
            return None
        tree = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = where or (f"{file}:{mark.line + 1}" if mark else file)
        problems.add(place, f"not valid YAML: {_with_tabs(text, mark) or error.problem}")
        return None
    except UnicodeError:  # of the command line: Python keeps such bytes as halves of characters
        problems.add(where or file, "it holds bytes that are not UTF-8; write it as UTF-8")
        return None
    except (yaml.YAMLError, RecursionError) as error:
        problems.add(where or file, f"not valid YAML: {error}")
        return None
    if tree is None:
        return Node(None, where or f"{file}:1")
    return _Builder(file, problems, where).build(tree)


def _with_tabs(text: str, mark: yaml.Mark | None) -> str:
    """The mistake where the line of a mark is indented with a tab; else an empty text.

    YAML's own words for it are that the tab, which nobody sees, "cannot start any token".
    """
    line = "" if mark is None else [*text.split("\n"), ""][mark.line]
    indented = re.match(r"[ -]*\t", line)
    return "the line is indented with a tab; YAML takes spaces alone" if indented else ""


def _too_much(text: str) -> tuple[int, str] | None:
    """The line where a text has too much of something, and of what; None where it has not.

    It is found before a tree is made of the text, since whoever makes one calls itself as deep.
    """
    if len(text) > _CHARACTERS:
        return 1, f"it has {len(text):,} characters"
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > _DEPTH:
            return line, f"its values are nested deeper than {_DEPTH} levels"
        if number > 3 * _LIMIT:
            return line, f"it has more than {_LIMIT:,} values"
    return None


class _Builder:
    def __init__(self, file: str, problems: Problems, where: str | None) -> None:
        self.file, self.problems, self.fixed, self.count = file, problems, where, 0
        self.scalars = yaml.constructor.SafeConstructor()

    def place(self, node: Any) -> str:
        return self.fixed or f"{self.file}:{node.start_mark.line + 1}"

    def build(self, node: Any, depth: int = 0) -> Node:
        self.count += 1
        where = self.place(node)
        if self.count > _LIMIT or depth > _DEPTH:
            if self.count != _LIMIT + 2:
                self.problems.add(where, "too many values, or nested too deep, for a recipe")
            self.count = _LIMIT + 1
            return Node(None, where)
        plain_tags = {"MappingNode": "map", "SequenceNode": "seq"}
        if type(node).__name__ in plain_tags and node.tag != _TAG + plain_tags[type(node).__name__]:
            self.problems.add(where, f"the YAML tag {node.tag} is not allowed in a recipe")
            return Node(None, where)
        if isinstance(node, yaml.MappingNode):
            return Node(self.mapping(node, depth), where)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.build(item, depth + 1) for item in node.value], where)
        return Node(self.scalar(node, where), where, str(node.value))

    def mapping(self, node: Any, depth: int) -> dict[str, Node]:
        result: dict[str, Node] = {}
        for key_node, value_node in node.value:
            where, key = self.place(key_node), key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.add(where, "a key must be a plain word")
                continue
            if key == "<<":
                self.problems.add(where, "merge keys (<<) are not read; use extends:")
                continue
            if key in result:
                first = result[key].where
                self.problems.add(where, f"the key {key!r} is written twice, first at {first}")
                continue
            value = self.build(value_node, depth + 1)
            value.where = where
            result[key] = value
        return result

    def scalar(self, node: Any, where: str) -> Scalar:
        text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
        if tag == "bool" and text.lower() not in ("true", "false"):
            self.problems.add(
                where,
                f"a bare {text} is a boolean in YAML: "
                f'write "{text}" (quoted) for the word or language, or true / false',
            )
            return text
        if tag == "timestamp":
            return text
        if tag == "str" and not node.style and FLOAT.fullmatch(text):
            return float(text)
        if tag not in ("str", "int", "float", "bool", "null"):
            self.problems.add(where, f"the YAML tag {node.tag} is not allowed in a recipe")
            return text
        try:
            value = self.scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self.problems.add(where, f"{shortened(repr(text), 60)} cannot be read as {tag}")
            return text
        if isinstance(value, int) and value not in _INTEGERS:
            self.problems.add(where, f"{shortened(text, 60)} is a number of more than 64 bits")
            return 0
        return value if isinstance(value, str | int | float | bool) else None
