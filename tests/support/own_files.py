"""Declared tasks of one file, for tests of their formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import task_of
from evalsuite.own.own_task import OwnTask
from evalsuite.task import (
    DataSource,
)

SOURCE = DataSource("files")
PAIR = {"first": 1, "second": 2, "score": 3}
FLAGS = {"text": "text", "labels": ["joy", "fear"]}
CHOICES = {"choices": ["a", "b"]}


def declared(format: str, split: str, name: str, raw: str | bytes, **keys: Any) -> OwnTask:
    Path(name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return task_of("mine", Declaration(format=format, **{split: {"de": name}}, **keys))


def read(format: str, split: str, name: str, raw: str | bytes, **keys: Any) -> list[Any]:
    return [*declared(format, split, name, raw, **keys).load(SOURCE, split, "de")]  # type: ignore[arg-type]


def squad(*questions: dict[str, Any], context: str = "Rome fell in 476.", indent: int = 1) -> str:
    tree = {"data": [{"title": "T", "paragraphs": [{"context": context, "qas": [*questions]}]}]}
    return json.dumps(tree, indent=indent, ensure_ascii=False)


WHEN = {"id": "q1", "question": "When?", "answers": [{"text": "476", "answer_start": 13}]}
