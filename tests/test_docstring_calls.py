"""Calls in the examples of docstrings pass what the functions take; nothing is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from doctest import DocTestParser
from inspect import Parameter, Signature
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("evalsuite", "transfer", "compress", "recipes")
EITHER, NAMED, NONE = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY, Parameter.empty
Definition = ast.FunctionDef | ast.ClassDef


def taken(made: ast.FunctionDef) -> list[Parameter]:
    """The parameters of a function."""
    own = made.args
    names = [*own.posonlyargs, *own.args]
    values = [*[None] * (len(names) - len(own.defaults)), *own.defaults]
    found = [parameter(one.arg, EITHER, value) for one, value in zip(names, values, strict=True)]
    if own.vararg:
        found.append(Parameter(own.vararg.arg, Parameter.VAR_POSITIONAL))
    pairs = zip(own.kwonlyargs, own.kw_defaults, strict=True)
    found += [parameter(one.arg, NAMED, value) for one, value in pairs]
    if own.kwarg:
        found.append(Parameter(own.kwarg.arg, Parameter.VAR_KEYWORD))
    return found


def parameter(name: str, kind: object, default: ast.expr | None) -> Parameter:
    return Parameter(name, kind, default=NONE if default is None else default)


def signature_of(made: Definition) -> Signature | None:
    """None of a class that inherits what makes it."""
    if isinstance(made, ast.FunctionDef):
        return Signature(taken(made))
    for one in made.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return Signature(taken(one)[1:])
    decorators = " ".join(map(ast.unparse, made.decorator_list))
    if made.bases or "dataclass" not in decorators:
        return None
    kind = NAMED if "kw_only=True" in decorators else EITHER
    fields = [one for one in made.body if isinstance(one, ast.AnnAssign)]
    return Signature([parameter(ast.unparse(one.target), kind, one.value) for one in fields])


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Calls of names in the examples of all docstrings; `...` stands for more arguments."""
    for made in ast.walk(tree):
        if not isinstance(made, Definition | ast.Module):
            continue
        for example in DocTestParser().get_examples(ast.get_docstring(made) or ""):
            try:
                code = ast.parse(re.sub(r"(?<![\w\"'])\.\.\.(?!\w)", "*_", example.source))
            except SyntaxError:
                continue  # a placeholder where no argument is
            for one in ast.walk(code):
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Name):
                    yield one.func.id, one


def problems(text: str) -> list[str]:
    """Calls of a module's own functions and classes that raise a TypeError."""
    tree, found = ast.parse(text), []
    made = {one.name: signature_of(one) for one in tree.body if isinstance(one, Definition)}
    for name, call in calls(tree):
        if (signature := made.get(name)) is None:
            continue
        given = [one for one in call.args if not isinstance(one, ast.Starred)]
        named = {one.arg: one.value for one in call.keywords if one.arg}
        whole = len(given) + len(named) == len(call.args) + len(call.keywords)
        try:
            (signature.bind if whole else signature.bind_partial)(*given, **named)
        except TypeError as error:
            found.append(f"{ast.unparse(call)}: {error}")
    return found


def test_examples_pass_what_is_taken() -> None:
    found = {}
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        if wrong := problems(path.read_text(encoding="utf-8")):
            found[path.relative_to(ROOT).as_posix()] = wrong
    assert found == {}


def test_a_call_that_does_not_fit_is_found() -> None:
    text = '''"""A module.

>>> made(1, {call})
"""
def made(one, two, *, three=3): ...
'''
    for call in ("2", "two=2, three=4", "...", "three=4, ..."):
        assert problems(text.format(call=call)) == []
    for call in ("2, 3", "", "2, four=4", "..., four=4"):
        assert len(problems(text.format(call=call))) == 1
