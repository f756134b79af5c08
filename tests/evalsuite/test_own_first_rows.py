"""`check` reads the first row of every file of a declared task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.own.formats import span
from evalsuite.own.own_task import SPLITS, OwnTask
from tests.support.own_files import SOURCE, WHEN, squad

QUERIES = "query,relevant\nWeather?,a1\n"
SPAN_OFF = {**WHEN, "answers": [{"text": "410", "answer_start": 13}]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def task(format: str, files: dict[str, str], **keys: Any) -> OwnTask:
    """A task whose splits are in the files of that name, whatever the end of the name."""
    for name, text in files.items():
        Path(name).write_text(text)
    stems = {Path(name).stem: name for name in files}
    splits: dict[str, Any] = {
        split: {"en": name} for split, name in stems.items() if split in SPLITS
    }
    return task_of("mine", Declaration(format=format, **splits, **keys))


@pytest.mark.parametrize(
    ("pool", "problem"),
    [
        ("key,text\na1,It rains.\n", "pool.csv:1: no column 'id'; there are: key, text"),
        ("id,text\na1,\n", "pool.csv:2: an empty id or text"),
        ("", "pool.csv:1: the file is empty; was its download cut short?"),
    ],
)
def test_files_of_candidates(pool: str, problem: str) -> None:
    keys = {"candidates": {"en": "good.csv", "de": "pool.csv"}}
    Path("good.csv").write_text("id,text\na1,It rains.\na1,Again.\n")
    found = task("retrieval", {"test.csv": QUERIES, "pool.csv": pool}, **keys)
    assert found.first_row_problems() == [problem]


@pytest.mark.parametrize("split", ["dev", "test"])
@pytest.mark.parametrize(
    ("format", "good", "bad", "end", "problem"),
    [
        ("tagging", "a O\nb B-X\n", "a\nb\n", "conll", ":1: no tag: it is in the last column"),
        ("tagging", "a O\nb B-X\n", "a B-Y\n", "conll", ":1: unknown tag 'B-Y'; allowed: O B-X"),
        ("span", squad(WHEN), "{", "json", ":1: not JSON"),
        ("span", squad(WHEN), squad(SPAN_OFF), "json", ":10: question 'q1': the answer '410'"),
    ],
)
def test_conll_and_squad(
    split: str, format: str, good: str, bad: str, end: str, problem: str
) -> None:
    files = {f"train.{end}": good, f"dev.{end}": good, f"test.{end}": good}
    assert task(format, files).first_row_problems() == []
    (said,) = task(format, files | {f"{split}.{end}": bad}).first_row_problems()
    assert said.startswith(f"{split}.{end}{problem}")


def test_a_squad_file_of_tests_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counted(path: Path) -> bytes:
        read.append(path)
        return path.read_bytes()

    monkeypatch.setattr(span, "raw_content", counted)
    found = task("span", {"test.json": squad(WHEN)})
    assert found.first_row_problems() == [] and found.available(SOURCE, "test") == ("en",)
    assert read == [Path("test.json")]


def test_questions_without_answers_are_no_problem_in_a_test_file() -> None:
    hidden = squad({"id": "q1", "question": "When?"})
    found = task("span", {"test.json": hidden})
    assert found.first_row_problems() == [] and found.available(SOURCE, "test") == ()
    table = json.dumps({"question": "When?", "context": "In 476."})
    assert task("span", {"test.jsonl": table}).first_row_problems() == []
