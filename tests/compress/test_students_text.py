"""Multilingual text of a student from files, one sentence per line."""

from __future__ import annotations

from pathlib import Path

import pytest
from quick import distillation
from small_tokenizer import TOKENIZER

from compress.distill import plain_text
from evalsuite import tokenization
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Task


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Task:
    path = tmp_path_factory.mktemp("own") / "train.csv"
    path.write_text("text,label\nIt rains.,weather\nWe won.,sports\n")
    return OwnTask("topics", Declaration(format="classification", train={"en": str(path)}))


@pytest.mark.parametrize("own", [True, False])
def test_a_students_text_may_be_files(topics: Task, own: bool, tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text("Es regnet.\nGewonnen!\nDer dritte.\n")
    (tmp_path / "hi.txt").write_text("बारिश हो रही है।\n")
    tasks = [topics] if own else [TASKS.get("xnli")]
    files = (tmp_path / "de.txt", tmp_path / "hi.txt")
    options = distillation(max_pairs=2, text=files)
    found = plain_text.read(DataSource("files"), TOKENIZER, options, "pair", tasks)
    tokenizer = tokenization.load(TOKENIZER)
    lines = [("Es regnet.", "Gewonnen!"), ("Gewonnen!", "Es regnet."), ("बारिश हो रही है।",) * 2]
    inputs = [line[0] for line in lines] if own else lines
    assert found.ids == [encoding.ids for encoding in tokenizer.encode_batch(inputs)]
