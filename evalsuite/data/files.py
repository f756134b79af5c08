"""Text files in the layouts of the XTREME download scripts, read with errors that name the line.

xnli/dev-sw.tsv      premise TAB hypothesis TAB label
udpos/test-sw.tsv    word TAB tag; a blank line ends a sentence
tatoeba.swh-eng.swh  one sentence a line; tatoeba.swh-eng.eng has its translations, same order

Lines end at `\\n` (or `\\r\\n`) and nowhere else: U+2028 and its like occur inside sentences.
A byte-order mark at the start is dropped. Line numbers count from 1.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from evalsuite.data.csv_reader import csv_reader
from evalsuite.data.decoded import decoded
from evalsuite.data.json_text import parse
from evalsuite.data.mistaken import is_there, refuse_mistaken
from evalsuite.errors import DataError, MalformedRowError, MissingDataError


class Tagged(NamedTuple):
    """One sentence of a tagging file; `tags` is empty where the file hides them."""

    line: int
    words: tuple[str, ...]
    tags: tuple[str, ...]


def lines(path: Path, what: str, layout: str, *, own: bool = False) -> list[str]:
    """All lines of a UTF-8 file, without their ends.

    Args:
        what: whose file it is, for the message ("xnli sw, dev split").
        layout: where such files are expected.
        own: as of `decoded`.

    Raises:
        MissingDataError: there is no such file.
        MalformedRowError: it is empty, no such text, not UTF-8, or has NUL bytes.
        DataError: it cannot be read.
    """
    text = _text(path, what, layout, by_line=True, own=own)
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _text(path: Path, what: str, layout: str, *, by_line: bool, own: bool = False) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise MissingDataError(path, what, layout) from None
    except OSError as error:
        raise DataError(f"{what}: cannot read {path}: {error.strerror}") from None
    return decoded(path, raw, by_line=by_line, own=own)


def tree(path: Path, what: str, layout: str) -> Any:
    """What a JSON file holds; arguments and errors are those of `lines`, also for broken JSON."""
    return parse(path, 1, _text(path, what, layout, by_line=False))


def objects(path: Path, what: str, layout: str) -> Iterator[tuple[int, Any]]:
    """`(line, object)` of a file with one JSON object a line; errors as those of `tree`."""
    for number, line in enumerate(lines(path, what, layout), 1):
        yield number, _object(path, number, line)


def stream(path: Path, what: str, layout: str) -> Iterator[tuple[int, Any]]:
    """The same of a file too large to hold, a line at a time."""
    if not is_there(path):
        raise MissingDataError(path, what, layout)
    refuse_mistaken(path)
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                yield number, _object(path, number, line)
    except UnicodeDecodeError as error:
        raise MalformedRowError(path, 1, f"not UTF-8: {error.reason}") from None
    except OSError as error:
        raise DataError(f"{what}: cannot read {path}: {error.strerror}") from None


def _object(path: Path, number: int, line: str) -> Any:
    row = parse(path, number, line)
    if not isinstance(row, dict):
        raise MalformedRowError(path, number, f"no JSON object: {_shown(line)}")
    return row


def table(
    path: Path,
    what: str,
    layout: str,
    needed: Sequence[str],
    *,
    quoted: bool,
    short: float = 0.0,
    left_out: Counter[str] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """`(line, column -> field)` of a file whose first line names its columns.

    Args:
        needed: columns there must be.
        quoted: comma-separated with quotation marks (CSV), else separated by tabs as they stand.
        short: share of rows that may lack columns and are then left out.
        left_out: counts them.

    Raises:
        MalformedRowError: a column or a field is absent, or a quotation mark.
    """
    content = lines(path, what, layout)
    rows = (
        csv_reader((f"{line}\n" for line in content), strict=True)
        if quoted
        else csv_reader(content, delimiter="\t", quoting=csv.QUOTE_NONE)
    )
    names: list[str] = []
    left = int(short * len(content))
    while True:
        line = rows.line_num + 1
        try:
            fields = next(rows, None)
        except csv.Error as error:
            raise MalformedRowError(path, line, f"no row of CSV: {error}") from None
        if fields is None:
            return
        if not names:
            names = fields
            if absent := [name for name in needed if name not in names]:
                raise MalformedRowError(
                    path,
                    line,
                    f"the first line names the columns, and {', '.join(absent)} is none of "
                    f"{_shown(content[0])}",
                )
        elif len(fields) == len(names):
            yield line, dict(zip(names, fields, strict=True))
        elif len(fields) < len(names) and left:
            left -= 1
            if left_out is not None:
                left_out["columns are missing"] += 1
        elif fields:
            raise MalformedRowError(
                path,
                line,
                f"{len(fields)} columns where {len(names)} are due: {_shown(content[line - 1])}",
            )


def pairs(
    path: Path, what: str, layout: str, *, hidden: bool = False, blank: bool = False
) -> Iterator[tuple[int, str, str, str | None]]:
    """`(line, first, second, label)` of a three-column file.

    Args:
        hidden: a two-column row is a test row with its label hidden, label None.
        blank: a row may have no text in either sentence; one without the other is an error.

    The XTREME scripts write these files with Python's `csv`, which wraps a field that has quote
    marks in more of them. They are unwrapped here; XTREME's own reader keeps them.
    """
    for number, line in enumerate(lines(path, what, layout), 1):
        fields = [_unquoted(field) for field in line.split("\t")]
        if len(fields) != 3 and not (hidden and len(fields) == 2):
            raise MalformedRowError(
                path,
                number,
                f"{len(fields)} columns separated by tabs where 3 are due "
                f"(first sentence, second sentence, label): {_shown(line)}",
            )
        written = [bool(field.strip()) for field in fields[:2]]
        if not all(written) and (any(written) or not blank):
            raise MalformedRowError(path, number, f"an empty sentence: {_shown(line)}")
        yield number, fields[0], fields[1], fields[2].strip() if len(fields) == 3 else None


def _unquoted(field: str) -> str:
    """Undo `csv`'s quoting: `"He said ""no"" twice"` is `He said "no" twice`."""
    inside = field[1:-1]
    if len(field) < 2 or field[0] != '"' or field[-1] != '"' or '""' not in inside:
        return field
    return field if '"' in inside.replace('""', "") else inside.replace('""', '"')


def tagged(
    path: Path, what: str, layout: str, labels: Sequence[str], *, hidden: bool = False
) -> list[Tagged]:
    """Sentences of a two-column file; the last needs no blank line after it.

    Args:
        hidden: a file whose first row has one column hides its tags (XTREME's test files do), and
            then all its rows must.
    """
    sentences: list[Tagged] = []
    words: list[str] = []
    tags: list[str] = []
    allowed, width = frozenset(labels), 0
    content = lines(path, what, layout)
    for number, line in enumerate([*content, ""], 1):
        if not line.strip(" \t"):
            if words:
                sentences.append(Tagged(number - len(words), tuple(words), tuple(tags)))
                words, tags = [], []
            continue
        fields = line.split("\t")
        width = width or (1 if hidden and len(fields) == 1 else 2)
        if len(fields) != width:
            raise MalformedRowError(
                path,
                number,
                f"{len(fields)} columns separated by tabs where {width} are due "
                f"({'word, tag' if width == 2 else 'word; this file hides its tags'}): "
                f"{_shown(line)}",
            )
        if not fields[0]:
            raise MalformedRowError(path, number, f"a tag without a word: {_shown(line)}")
        if width == 2 and fields[1] not in allowed:
            raise MalformedRowError(
                path, number, f"unknown tag {fields[1]!r}; allowed: {' '.join(labels)}"
            )
        words.append(fields[0])
        tags.extend(map(intern, fields[1:]))  # one object per tag, not one per word
    return sentences


def aligned(path: Path, english: Path, what: str, layout: str) -> Iterator[tuple[int, str, str]]:
    """`(line, foreign, english)` of two files, one sentence a line in the same order."""
    left, right = lines(path, what, layout), lines(english, what, layout)
    if len(left) != len(right):
        raise MalformedRowError(
            path,
            min(len(left), len(right)) + 1,
            f"{len(left):,} lines against {len(right):,} in {english.name}; "
            "the two are aligned by line, so one of them is cut short or changed",
        )
    for number, (first, second) in enumerate(zip(left, right, strict=True), 1):
        for side, sentence in ((path, first), (english, second)):
            if not sentence.strip():
                raise MalformedRowError(side, number, "an empty sentence")
        yield number, first, second


def _shown(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:60] + "...")
