"""Predictions as files, in the layout XTREME takes submissions in.

xnli/test-sw.tsv       one label a line
xcopa/test-sw.jsonl    an object a line, {"label": 0}
udpos/test-sw.tsv      one tag a word a line, a blank line between sentences (panx the same)
tatoeba/test-sw.tsv    one row number of the English side a line, from 0
bucc2018/test-de.tsv   a pair of sentence ids a line, de-000000001 TAB en-000000007
xquad/test-de.json     an answer a question id
lareqa/test-de.json    candidates' ids, the best first, a question id

>>> write(Path("predictions"), "xnli", "sw", ["neutral", "entailment"])
PosixPath('predictions/xnli/test-sw.tsv')

Checked byte for byte against `mock_test_data/predictions` of google-research/xtreme. Tatoeba's row
numbers count the LASER files' lines; the official scorer counts the sorted file's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite.data import files
from evalsuite.errors import MalformedRowError
from evalsuite.task import Format, Split

LAYOUT = "<task>/test-<lang>.tsv, .json for answers and rankings, .jsonl for choices"
_SUFFIX: dict[Format, str] = {"span": "json", "ranking": "json", "choice": "jsonl"}


def path(
    directory: Path, task: str, language: str, split: Split = "test", form: Format | None = None
) -> Path:
    """Where one language's predictions lie; `form` as in `write`."""
    return directory / task / f"{split}-{language}.{_SUFFIX.get(form or format_of(task), 'tsv')}"


def write(
    directory: Path,
    task: str,
    language: str,
    rows: Sequence[Any],
    split: Split = "test",
    ids: Sequence[str] = (),
    form: Format | None = None,
) -> Path:
    """Write one language's predictions, whole or not at all, and return where.

    Args:
        rows: a label, a sequence of tags, the number of a row or a choice, an answer, or a
            sequence of candidates' ids for each example; the id of its partner or None.
        split: names the file; a benchmark submission is of `test`.
        ids: of the questions answered, of the queries, or of the sentences with partners.
        form: the task's format, needed where it is none of the benchmark's tasks.

    Raises:
        ValueError: no rows, a sentence without tags, or a label that is no single line.
        UnknownNameError: no such task.
    """
    form = form or format_of(task)
    if not len(rows):
        raise ValueError(f"{task} {language}: no predictions to write")
    target = path(directory, task, language, split, form)
    if form == "choice":
        return _put(target, "".join(json.dumps({"label": int(row)}) + "\n" for row in rows))
    if form in ("span", "ranking"):
        said = map(str, rows) if form == "span" else map(list, rows)
        return _put(target, json.dumps(dict(zip(ids, said, strict=True)), indent=4) + "\n")
    if form == "mining":
        pairs = zip(ids, rows, strict=True)
        return _put(target, "".join(f"{id}\t{said}\n" for id, said in pairs if said is not None))
    if form == "tagging":
        blocks = [[str(tag) for tag in row] for row in rows]
        if not all(blocks):
            raise ValueError(f"{task} {language}: a sentence without tags")
    else:
        blocks = [[str(row) for row in rows]]
    if not all(cell and cell == cell.strip() and "\n" not in cell for b in blocks for cell in b):
        raise ValueError(f"{task} {language}: a prediction that is empty or not one line")
    text = "\n".join("".join(f"{cell}\n" for cell in block) for block in blocks)
    return _put(target, text)


def _put(target: Path, text: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
    return target


def read(
    directory: Path, task: str, language: str, split: Split = "test", form: Format | None = None
) -> Any:
    """What `write` wrote: labels, lists of tags, numbers of rows or choices, answers by question
    id, lists of candidates by query id, or pairs of sentence ids; `form` as in `write`.

    Raises:
        MissingDataError: there is no such file.
        MalformedRowError: it is empty or no text, a blank line is among labels, or a number is
            none.
        UnknownNameError: no such task.
    """
    form = form or format_of(task)
    source = path(directory, task, language, split, form)
    what = f"predictions for {task} {language}"
    if form == "tagging":
        return read_tags(source, what)
    if form == "span":
        return read_answers(source, what)
    if form == "ranking":
        return read_rankings(source, what)
    if form == "choice":
        return read_choices(source, what)
    if form == "mining":
        return read_pairs(source, what)
    return read_rows(source, what) if form == "retrieval" else read_labels(source, what)


def read_labels(source: Path, what: str) -> list[Any]:
    """One label a line; errors are those of `read`, as for all readers here."""
    found = _lines(source, what)
    for number, line in enumerate(found, 1):
        if not line:
            raise MalformedRowError(source, number, "a blank line where a prediction is due")
    return found


def read_rows(source: Path, what: str) -> list[Any]:
    """One row number a line."""
    found = read_labels(source, what)
    for number, line in enumerate(found, 1):
        if not line.isdecimal():
            raise MalformedRowError(source, number, f"{line!r} is no row number")
    return [int(line) for line in found]


def read_tags(source: Path, what: str) -> list[Any]:
    """One tag a line, a blank line between sentences."""
    sentences: list[list[str]] = [[]]
    for line in _lines(source, what):
        if line:
            sentences[-1].append(line)
        elif sentences[-1]:
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def read_pairs(source: Path, what: str) -> list[tuple[str, ...]]:
    """Two sentence ids a line, separated by a tab; none where the file is empty."""
    if source.is_file() and not source.stat().st_size:
        return []
    found = [tuple(line.split("\t")) for line in _lines(source, what)]
    for number, pair in enumerate(found, 1):
        if len(pair) != 2:
            raise MalformedRowError(source, number, "no pair of sentence ids separated by a tab")
    return found


def read_answers(source: Path, what: str) -> dict[str, str]:
    """Question id -> predicted answer."""
    tree = files.tree(source, what, LAYOUT)
    if not isinstance(tree, dict) or not all(isinstance(said, str) for said in tree.values()):
        raise MalformedRowError(source, 1, "no JSON object of question ids and answers")
    return tree


def read_choices(source: Path, what: str) -> list[int]:
    """One object a line, its `label` the number of the choice."""
    found = []
    for number, row in files.objects(source, what, LAYOUT):
        label = row.get("label")
        if not isinstance(label, int) or isinstance(label, bool) or label < 0:
            raise MalformedRowError(source, number, f"{label!r} is no number of a choice")
        found.append(label)
    return found


def read_rankings(source: Path, what: str) -> dict[str, list[str]]:
    """Query id -> ids of candidates, the best first."""
    tree = files.tree(source, what, LAYOUT)
    if not isinstance(tree, dict) or not all(
        isinstance(ids, list) and all(isinstance(id, str) for id in ids) for ids in tree.values()
    ):
        raise MalformedRowError(source, 1, "no JSON object of query ids and lists of candidates")
    return tree


def _lines(source: Path, what: str) -> list[str]:
    return [line.strip() for line in files.lines(source, what, LAYOUT)]


def format_of(task: str) -> Format:
    """Of a task, by its name; raises UnknownNameError."""
    from evalsuite.registry import TASKS

    return TASKS.get(task).format
