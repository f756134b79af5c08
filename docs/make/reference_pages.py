"""docs/cli.md, docs/errors.md and docs/api.md, from the code.

python -m docs.make.reference_pages         writes them; a test compares them with the code
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import click
import typer.main
from typer.cli import get_docs_for_click

import lingopress
from recipes.cli.app import app

DOCS = Path(__file__).resolve().parents[1]
MADE = "This page is made from the code: `python -m docs.make.reference_pages`."
PACKAGES = ("evalsuite", "transfer", "compress", "recipes")
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):$")


def commands() -> str:
    """Every command with its arguments and options, as typer documents them."""
    command = typer.main.get_command(app)
    with click.Context(command, info_name="lingopress") as context:  # type: ignore[arg-type]
        page = get_docs_for_click(obj=command, ctx=context, name="lingopress")  # type: ignore[arg-type]
    _, _, rest = page.partition("\n")
    example = "lingopress run quickstart\nlingopress predict quickstart:int8 lines.txt"
    more = f"{MADE} `lingopress COMMAND --help` prints the same."
    head = f"# Commands\n\n```\n{example}\n```\n\n{more}\n"
    codes = (
        "Exit codes: 0; 2 for what you can put right; 1 for a stage that broke; 130 after Ctrl-C."
    )
    return head + "\n" + codes + "\n" + rest.replace("<", "&lt;").rstrip() + "\n"


def errors() -> str:
    """Every error that a person can put right, with its meaning and exit code."""
    from recipes.errors import StageFailedError

    example = (
        "$ lingopress run qickstart\n"
        "error: recipe 'qickstart' is neither a file nor a known recipe; did you mean 'quickstart'?"
    )
    head = (
        f"# Errors\n\n```text\n{example}\n```\n\nEvery mistake ends in one message: what is wrong, "
        "where, and what to type next. `--debug` adds the traceback. In Python the same errors are "
        f"raised, with the same messages; `lingopress.ERRORS` catches all of them. {MADE}\n"
    )
    parts = [head]
    for package in PACKAGES:
        module = importlib.import_module(f"{package}.errors")
        parts += [
            f"## {package}\n",
            "| error | is a | meaning | exit code |",
            "| --- | --- | --- | --- |",
        ]
        for name, kind in vars(module).items():
            if (
                inspect.isclass(kind)
                and issubclass(kind, Exception)
                and kind.__module__ == module.__name__
            ):
                code = 1 if issubclass(kind, StageFailedError) else 2
                meaning = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
                parts.append(f"| `{name}` | `{kind.__bases__[0].__name__}` | {meaning} | {code} |")
        parts.append("")
    return "\n".join(parts)


def api() -> str:
    """What `import lingopress` has."""
    example = 'import lingopress\n\nrun = lingopress.run("quickstart")\nprint(run.report)'
    shows = f"{MADE} [python.md](python.md) shows how it is used."
    parts = [f"# Python API\n\n```python\n{example}\n```\n\n{shows}\n"]
    for name in sorted(lingopress.__all__, key=str.lower):
        item = getattr(lingopress, name)
        parts.append(f"## `lingopress.{name}`\n")
        if not callable(item):
            names = ", ".join(f"`{kind.__name__}`" for kind in item)
            parts.append(f"{names}: what a person can put right; the message says how.\n")
            continue
        if not inspect.isclass(item):
            parts.append(_signature(f"lingopress.{name}", item))
        parts.append(_docstring(item))
        for member, method in vars(item).items() if inspect.isclass(item) else ():
            documented = inspect.isfunction(method) or isinstance(method, property)
            if member.startswith("_") or not documented:
                continue
            parts.append(f"### `{name}.{member}`\n")
            if inspect.isfunction(method):
                parts.append(_signature(f"{name}.{member}", method))
            parts.append(_docstring(method))
    return "\n".join(parts).rstrip() + "\n"


def _signature(name: str, function: Callable[..., object]) -> str:
    """A call with its annotations, on one line or one parameter per line."""
    signature = inspect.signature(function)
    # Annotations are strings, and print as what was written; defaults keep their quotes.
    plain = [
        f"{value.replace(annotation=value.empty)}"
        if value.annotation is value.empty
        else str(value).replace(repr(value.annotation), str(value.annotation), 1)
        for value in signature.parameters.values()
    ]
    stars = [n for n, v in enumerate(signature.parameters.values()) if v.kind is v.KEYWORD_ONLY]
    after_rest = any(v.kind is v.VAR_POSITIONAL for v in signature.parameters.values())
    if stars and not after_rest:
        plain.insert(stars[0], "*")
    result = f" -> {signature.return_annotation}"
    shown = f"({', '.join(plain)}){result}"
    if len(name + shown) > 95:
        shown = "(\n" + "".join(f"    {part},\n" for part in plain) + ")" + result
    return f"```text\n{name}{shown}\n```\n"


def _docstring(item: object) -> str:
    """A docstring in Google's style as Markdown: sections become lists."""
    out: list[str] = []
    for line in (inspect.getdoc(item) or "").splitlines():
        entry = re.match(r"^    ([\w, ]+): (.*)$", line)
        if section := SECTION.match(line):
            out += [f"**{section[1]}**", ""]
        elif entry:
            out.append(f"- `{entry[1]}`: {entry[2]}")
        else:
            out.append(line.replace("        ", "  ", 1) if line.startswith("        ") else line)
    return "\n".join(out).strip() + "\n"


PAGES = {"cli.md": commands, "errors.md": errors, "api.md": api}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
