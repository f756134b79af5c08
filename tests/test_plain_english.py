"""Plain English: no private idiom in docstrings, help texts, messages, templates and documents.

`docs/glossary.md` has the words we use in their place. `EXEMPT` counts what is left of old text,
per file; it may only shrink. Where a file has fewer such words than it says, lower the number.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("evalsuite", "transfer", "compress", "recipes")
INSTEAD = {
    r"beside": "next to, compared with, at the same time",
    r"so many": "a number, this many",
    r"told": "given, said",
    r"kin": "similar models",
    r"of (?:its|their) own": "separate, own",
    r"hangs? on": "depends on",
    r"held to": "checked against",
    r"(?:what|which) (?:it|each|they) (?:is|are) worth": "its effect, its accuracy",
    r"says so": "reports it, has a message",
    r"leaves": "keeps, does not change",
}
_IDIOM = "|".join(INSTEAD).replace(" ", r"\s+")  # a phrase may go over the end of a line
BANNED = re.compile(rf"(?<![\w`./-])(?:{_IDIOM})(?![\w`/-])", re.IGNORECASE)
EXEMPT: dict[str, int] = {
    "evalsuite/iso_codes.py": 1,  # the code of Kinyarwanda
    "evalsuite/formats/tagging.py": 2,
    "evalsuite/results/task.py": 1,
    "transfer/intermediate/ccg.py": 2,
}


def _texts(path: Path) -> list[str]:
    """Texts of a file that a person may read: all strings of a module, or the whole file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [text]
    return [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _files() -> list[Path]:
    code = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    templates = list((ROOT / "evalsuite/report").rglob("*.j2"))
    recipes = list((ROOT / "recipes/library").rglob("*.yaml"))
    documents = [p for p in (ROOT / "docs").glob("*.md") if p.name not in ("LOG.md", "glossary.md")]
    return sorted([*code, *templates, *recipes, *documents, *ROOT.glob("*.md")])


def test_there_is_something_to_read() -> None:
    assert len(_files()) > 350


@pytest.mark.parametrize(
    "text", ["it leaves rows out", "So many rows", "so\nmany", "XLM-R and kin"]
)
def test_the_old_idiom_is_recognised(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize("text", ["hub_beside", "`leaves`", "kind", "a tree's leaf", "untold"])
def test_names_and_other_words_are_not(text: str) -> None:
    assert not BANNED.search(text)


def test_no_private_idiom_outside_the_list() -> None:
    """Every text in plain words; the list of exemptions is exact, so that it shrinks."""
    problems = []
    for path in _files():
        name = path.relative_to(ROOT).as_posix()
        words = [match[0] for text in _texts(path) for match in BANNED.finditer(text)]
        if len(words) > EXEMPT.get(name, 0):
            problems.append(f"{name}: {', '.join(sorted(set(words)))}; see docs/glossary.md")
        elif len(words) < EXEMPT.get(name, 0):
            problems.append(f"{name}: only {len(words)} left; lower EXEMPT to that number")
    assert not problems, "\n".join(problems)


def test_exempt_files_exist() -> None:
    assert not [name for name in EXEMPT if not (ROOT / name).is_file()]
