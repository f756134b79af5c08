"""Multilingual text of a student from files, one sentence per line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from quick import distillation
from small_tokenizer import TOKENIZER

from compress.distill import plain_text
from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Task
from transfer.loop.batch_plan import Batch


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


def test_what_is_longer_is_left_out_not_cut(tmp_path: Path) -> None:
    lines = ["Es regnet.", "Ein sehr langer Satz, " * 8, "Gewonnen!", "Der dritte."]
    (tmp_path / "de.txt").write_text("\n".join(lines) + "\n")
    options = distillation(max_pairs=2, max_length=12, text=(tmp_path / "de.txt",))
    source = DataSource("files")

    def tokens(head: str | None, **more: Any) -> list[list[int]]:
        asked = dataclasses.replace(options, **more)
        return plain_text.read(source, TOKENIZER, asked, head).ids

    def encoded(*rows: Any) -> list[list[int]]:
        return [found.ids for found in tokenization.load(TOKENIZER).encode_batch(rows)]

    cut = tokens(None)
    assert [len(row) for row in cut] == [len(encoded(lines[0])[0]), 12]
    assert tokens(None, skip_longer=True) == encoded(lines[0], lines[2])  # the second that fits
    both = tokens("pair", skip_longer=True, max_length=20)
    assert both == encoded((lines[0], lines[2]), (lines[2], lines[0]))
    with pytest.raises(DataError, match=r"no line of .*de.txt fits in max_length: 3; skip_longer"):
        tokens(None, skip_longer=True, max_length=3)


def test_windows_of_a_long_line_are_of_its_sentence(tmp_path: Path) -> None:
    lines = ["Es regnet.", "Ein sehr langer Satz, " * 8, "Gewonnen!"]
    (tmp_path / "de.txt").write_text("\n".join(lines) + "\n")
    options = distillation(
        max_length=16, text=(tmp_path / "de.txt",), sentences=1.0, each_side=True
    )
    text = plain_text.read(
        DataSource("files"), TOKENIZER, options, "tagging", teacher=TOKENIZER, pieces="words"
    )
    assert isinstance(text, plain_text.Parallel) and len(text) > 4
    every = text.sides(Batch(0, tuple(range(len(text))), 0))
    assert every == [lines[0], *[lines[1]] * (len(text) - 2), lines[2]]
    assert text.sides(Batch(0, (len(text) - 1, 2), 0)) == [lines[2], lines[1]]


def test_pairs_that_are_longer_are_left_out() -> None:
    embedded = DataSource("embedded")
    options = distillation(max_pairs=30, max_length=14, sentences=1.0, each_side=True)
    cut = plain_text.read(embedded, TOKENIZER, options, None, teacher=TOKENIZER)
    whole = plain_text.read(
        embedded,
        TOKENIZER,
        dataclasses.replace(options, skip_longer=True),
        None,
        teacher=TOKENIZER,
    )
    tokenizer = tokenization.load(TOKENIZER)

    def longest(pair: tuple[str, ...]) -> int:
        return max(len(tokenizer.encode(side)) for side in pair)

    assert isinstance(whole, plain_text.Parallel)
    assert isinstance(cut, plain_text.Parallel)
    assert max(map(longest, whole.pairs)) <= 14 < max(map(longest, cut.pairs))
    assert len(whole.pairs) > 30  # of each language as many as before, where there are
    with pytest.raises(DataError, match="skip_longer: true drops pairs longer than max_le"):
        plain_text.read(
            embedded, TOKENIZER, dataclasses.replace(options, skip_longer=True, max_length=3), None
        )


def test_a_teacher_that_reads_other_pieces_is_given_the_same_pairs(tiny_english: Path) -> None:
    """Whose pieces count is said, so that both read the same text."""
    options = distillation(max_pairs=30, max_length=14, skip_longer=True)
    embedded = DataSource("embedded")
    own = plain_text.read(embedded, TOKENIZER, options, None)
    theirs = plain_text.read(embedded, tiny_english, options, None, counted=TOKENIZER)
    assert len(own.ids) == len(theirs.ids) > 30
