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

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite.registry import FORMATS, TASKS
from evalsuite.task import Format, Split


def path(
    directory: Path, task: str, language: str, split: Split = "test", form: Format | None = None
) -> Path:
    """Path of the predictions for one language; `form` as in `write`."""
    suffix = FORMATS.get(form or format_of(task)).SUFFIX
    return directory / task / f"{split}-{language}.{suffix}"


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
    try:
        text: str = FORMATS.get(form).to_text(rows, ids)
    except ValueError as error:
        raise ValueError(f"{task} {language}: {error}") from None
    return _put(path(directory, task, language, split, form), text)


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
    return FORMATS.get(form).read_file(source, f"predictions for {task} {language}")


def format_of(task: str) -> Format:
    """Of a task, by its name; raises UnknownNameError."""
    return TASKS.get(task).format
