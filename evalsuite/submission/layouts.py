"""The layouts of prediction files: how each is read, and how its text is written.

>>> one_per_line(["neutral", "entailment"], ())
'neutral\nentailment\n'

A format names the layout of its files (`to_text` and `read_file` in `evalsuite.formats`). All
readers raise MissingDataError where there is no file, and MalformedRowError where a line does not
fit. All writers raise ValueError where a prediction does not fit in a line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite.data import files
from evalsuite.errors import MalformedRowError

LAYOUT = (
    "<task>/test-<lang>.tsv, .json for answers and rankings, .jsonl for choices and sets of labels"
)


def one_per_line(rows: Sequence[Any], ids: Sequence[str]) -> str:
    """A label or a row number per line."""
    return _blocks([[str(row) for row in rows]])


def tags_to_text(rows: Sequence[Sequence[Any]], ids: Sequence[str]) -> str:
    """A tag per line, a blank line between sentences."""
    if not all(len(row) for row in rows):
        raise ValueError("a sentence without tags")
    return _blocks([[str(tag) for tag in row] for row in rows])


def _blocks(blocks: Sequence[Sequence[str]]) -> str:
    for cell in (cell for block in blocks for cell in block):
        if not cell or cell != cell.strip() or "\n" in cell:
            raise ValueError("a prediction that is empty or not one line")
    return "\n".join("".join(f"{cell}\n" for cell in block) for block in blocks)


def pairs_to_text(rows: Sequence[str | None], ids: Sequence[str]) -> str:
    """A pair of sentence ids per line, separated by a tab; rows without a partner are left out."""
    pairs = zip(ids, rows, strict=True)
    return "".join(f"{id}\t{partner}\n" for id, partner in pairs if partner is not None)


def choices_to_text(rows: Sequence[Any], ids: Sequence[str]) -> str:
    """An object per line, its `label` the number of the choice."""
    return "".join(json.dumps({"label": int(row)}) + "\n" for row in rows)


def label_sets_to_text(rows: Sequence[Sequence[str]], ids: Sequence[str]) -> str:
    """An object per line, its `labels` those of the row."""
    return "".join(json.dumps({"labels": list(row)}, ensure_ascii=False) + "\n" for row in rows)


def answers_to_text(rows: Sequence[Any], ids: Sequence[str]) -> str:
    """Question id -> answer."""
    return _by_id(ids, [str(row) for row in rows])


def rankings_to_text(rows: Sequence[Sequence[str]], ids: Sequence[str]) -> str:
    """Query id -> ids of candidates, the best first."""
    return _by_id(ids, [list(row) for row in rows])


def _by_id(ids: Sequence[str], values: Sequence[Any]) -> str:
    return json.dumps(dict(zip(ids, values, strict=True)), indent=4) + "\n"


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


def read_scores(source: Path, what: str) -> list[float]:
    """One number a line."""
    found = []
    for number, line in enumerate(read_labels(source, what), 1):
        try:
            found.append(float(line))
        except ValueError:
            raise MalformedRowError(source, number, f"{line!r} is no score") from None
    return found


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


def read_label_sets(source: Path, what: str) -> list[tuple[str, ...]]:
    """One object a line, its `labels` those of the row."""
    found = []
    for number, row in files.objects(source, what, LAYOUT):
        labels = row.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise MalformedRowError(source, number, f"{labels!r} is no list of labels")
        found.append(tuple(labels))
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
    """A label may be `<head>`, as a web page begins; `score_folders` refuses pages itself."""
    return [line.strip() for line in files.lines(source, what, LAYOUT, own=True)]
