"""Words with a tag each: in CoNLL form, or a sentence per line with its tags in a second file.

>>> example(Row(path, 1, {"word": "Maria lives here", "tag": "B-PER O O"}), "a", ("O", "B-PER"))
TagExample(id='a', words=('Maria', 'lives', 'here'), tags=('B-PER', 'O', 'O'))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.errors import MalformedRowError
from evalsuite.own.conll import columns, sentences
from evalsuite.own.formats import _label
from evalsuite.own.row import Row
from evalsuite.task import TagExample

if TYPE_CHECKING:
    from evalsuite.own.declaration import Declaration

FORMAT, METRIC = "tagging", "chunk_f1"
ROLES = ({"word": 1, "tag": -1},)
GOLD, LISTS = (), ()
NOUN = "words with a tag each"


def reads_whole(path: Path) -> bool:
    """Every file that has both is read as CoNLL."""
    return True


def labels(rows: Iterable[Row]) -> tuple[str, ...]:
    """All tags of some lines, `O` first."""
    return _label.in_order(tag for row in rows for tag in _tags(row))


def example(row: Row, id: str, labels: Sequence[str]) -> TagExample:
    """The sentence of a line.

    Raises:
        MalformedRowError: a tag is none of the task's, or there is another number of them.
    """
    words, tags = tuple(columns(row.text("word"), " ")), _tags(row)
    if len(words) != len(tags):
        raise row.error(
            f"{len(words)} words and {len(tags)} tags (separated by spaces); give each word a tag"
        )
    if unknown := [tag for tag in tags if tag not in labels]:
        raise row.error(f"unknown tag {unknown[0]!r}; allowed: {' '.join(labels)}")
    return TagExample(id, words, tags)


def _tags(row: Row) -> tuple[str, ...]:
    return tuple(map(row.spelling, columns(row.text("tag"), " ")))


def labels_of_files(declaration: Declaration, paths: Sequence[Path]) -> tuple[str, ...]:
    """All tags of some files, `O` first."""
    word, tag = declaration.column("word"), declaration.column("tag")
    every: set[str] = set()
    for path in paths:
        for _, _, tags in sentences(path, word, tag):
            every.update(map(declaration.spelling, tags))
    return _label.in_order(every)


def examples(
    declaration: Declaration, path: Path, prefix: str, labels: Sequence[str]
) -> Iterator[TagExample]:
    """The sentences of a file; ids are `prefix` and their number, from 0.

    Raises:
        MalformedRowError: a tag is none of the task's, or a line lacks a column.
    """
    allowed = frozenset(labels)
    word, tag = declaration.column("word"), declaration.column("tag")
    for number, (line, words, written) in enumerate(sentences(path, word, tag)):
        tags = tuple(map(declaration.spelling, written))
        for offset, own in enumerate(tags):
            if own not in allowed:
                raise MalformedRowError(
                    path, line + offset, f"unknown tag {own!r}; allowed: {' '.join(labels)}"
                )
        yield TagExample(f"{prefix}-{number}", words, tags)
