"""Sentences of a CoNLL file: a word per line with columns, a blank line between sentences.

>>> list(sentences(Path("train.conll"), word=1, tag=-1))
[(1, ('Maria', 'lives', 'here'), ('B-PER', 'O', 'O'))]

Columns are separated by tabs, or by spaces where a file has no tab. Lines before a sentence's first
word that begin with `#` and a space, and `-DOCSTART-`, are not words; nor is a line with `#` and a
space in a file with tabs. Nor are ranges such as `1-2` (its words follow) and empty nodes such as
`8.1` in the ten columns of CoNLL-U. Columns are counted from 1, and -1 is the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.own.records import Column, content

Sentence = tuple[int, tuple[str, ...], tuple[str, ...]]  # line of its first word, words, tags
_UNIVERSAL = 10  # columns of CoNLL-U, the first of which numbers the words
_NO_WORD = re.compile(r"\d+[-.]\d+")


def sentences(path: Path, word: Column, tag: Column) -> Iterator[Sentence]:
    """The sentences, in order.

    Raises:
        DataError: there is no such file, no sentence in it, or columns have names.
        MalformedRowError: a line lacks a column; names file and line.
    """
    if not (isinstance(word, int) and isinstance(tag, int)):
        raise DataError(f"{path}: its columns have no names; give numbers, from 1: word: 1, tag: 2")
    text = content(path)
    separator = separator_of(text)
    lines = text.split("\n")
    words: list[str] = []
    tags: list[str] = []
    start, found = 0, False
    for number, line in enumerate([*lines, ""], 1):
        line = line.removesuffix("\r")
        if is_remark(line, separator, inside=bool(words)):
            continue
        if line.strip():
            tabs = separator == "\t"
            fields = columns(line, separator)
            numbered = tabs and word != 1 and len(fields) == _UNIVERSAL
            if numbered and _NO_WORD.fullmatch(fields[0]):
                continue
            if not words:
                start = number
            words.append(_field(path, number, fields, word, "word", tabs))
            tags.append(_field(path, number, fields, tag, "tag", tabs))
        elif words:
            found = True
            yield start, tuple(words), tuple(tags)
            words, tags = [], []
    if not found:
        raise DataError(f"{path}: there is no sentence in it")


def separator_of(text: str) -> str:
    """A tab where there is one, else a space."""
    return "\t" if "\t" in text else " "


def columns(line: str, separator: str) -> list[str]:
    """The columns of a line; several spaces are one separator.

    >>> columns("Berlin  B-LOC", " ")
    ['Berlin', 'B-LOC']
    """
    return [field for field in line.split(separator) if field or separator == "\t"]


def is_remark(line: str, separator: str, *, inside: bool) -> bool:
    """Whether a line is no word: the start of a document, or a comment.

    Args:
        inside: whether the line follows a word of its sentence; then `#` with a tag is a word.
    """
    comment = line.startswith("# ") and (
        not inside or (separator == "\t" and separator not in line)
    )
    return comment or line.startswith("-DOCSTART-")


def _field(path: Path, line: int, fields: list[str], column: int, role: str, tabs: bool) -> str:
    """The text of a column. Raises MalformedRowError where there is none."""
    at = column - 1 if column > 0 else column
    last = column < 0 and len(fields) > 1  # the only column is the word's
    if (0 < column <= len(fields)) or (last and len(fields) >= -column):
        if text := fields[at].strip():
            return text
        raise MalformedRowError(path, line, f"an empty {role} (column {column})")
    place = "the last column" if column == -1 else f"column {column}"
    count = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
    by = "tabs" if tabs else "spaces"
    raise MalformedRowError(
        path, line, f"no {role}: it is in {place}, and this line has {count} (separated by {by})"
    )
