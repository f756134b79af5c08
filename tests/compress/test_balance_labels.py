"""Plain text drawn so that the labels the teacher gives to it are equally frequent."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_shapes import XLMR
from pydantic import ValidationError
from quick import distillation, options
from small_tokenizer import TOKENIZER
from stage_options import options_of

from compress.distill.balance import REPEATS, balanced, equally_often
from compress.distill.balance_rules import balance_problems
from compress.distill.distill import distill
from compress.distill.plain_text import Texts
from compress.distill.targets import Targets
from compress.distill.training_text import read_text
from compress.errors import StudentError
from evalsuite.plain_config import plain_config
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, HeadFacts
from recipes.stages._shared.distilling_work import distilling_work
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.planned_text import Rows
from recipes.stages.distill import Config, check, unused_keys
from transfer.supervised.train_tasks import train_tasks

XNLI = TASKS.get("xnli")
EMBEDDED = DataSource("embedded")
LABELS = ("short", "middle", "long")


def counted(rows: list[int], given: list[str]) -> Counter[str]:
    return Counter(given[row] for row in rows)


def test_each_label_is_drawn_as_often() -> None:
    given = ["a"] * 50 + ["b"] * 30 + ["c"] * 20
    rows, counts = equally_often(given, 30, seed=1)
    assert counted(rows, given) == {"a": 10, "b": 10, "c": 10} and len(set(rows)) == 30
    assert counts == {"a": 50, "b": 30, "c": 20}
    assert equally_often(given, 30, seed=1)[0] == rows != equally_often(given, 30, seed=2)[0]


def test_rows_of_a_rare_label_are_drawn_again_but_not_always() -> None:
    given = ["common"] * 90 + ["rare"] * 10
    rows, _ = equally_often(given, 200, seed=1)
    assert counted(rows, given) == {"common": 100, "rare": 100}  # each ten times
    given = ["common"] * 99 + ["rare"]
    rows, _ = equally_often(given, 200, seed=1)
    assert counted(rows, given) == {"rare": 2 * REPEATS, "common": 200 - 2 * REPEATS}
    assert equally_often(["one"] * 5, 12, seed=1)[1] == {"one": 5}
    assert len(equally_often(["one"] * 5, 12, seed=1)[0]) == 12


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    """Eighty short lines, sixteen longer ones, four long ones."""
    path = tmp_path / "de.txt"
    lines = [f"Zeile {n}." for n in range(80)] + [f"Eine Zeile, Nummer {n}." for n in range(16)]
    path.write_text("\n".join([*lines, *(f"{'Sehr lang ' * 9}{n}." for n in range(4))]) + "\n")
    return (path,)


def by_length(tensors: dict[str, Any]) -> torch.Tensor:
    """A teacher whose label is how long a text is."""
    sizes = tensors["attention_mask"].sum(-1)
    return torch.stack([sizes <= 7, (sizes > 7) & (sizes <= 16), sizes > 16], -1).float()


def test_batches_of_plain_text_are_replaced_and_those_of_rows_are_not(
    files: tuple[Path, ...], tmp_path: Path
) -> None:
    how = distillation(multilingual=0.5, text=files, max_pairs=None, max_steps=24, batch_size=4)
    text = read_text([XNLI], EMBEDDED, TOKENIZER, how, "pair")
    targets = Targets.compute([by_length], text.parts, tmp_path / "targets")
    given = [LABELS[number] for number in targets.best(1)]
    found, summary = balanced(text, targets, LABELS, how)
    for before, after in zip(text.batches, found.batches, strict=True):
        assert before.part == after.part and len(after.indices) == 4
        assert (before == after) == (before.part == 0)
    drawn = counted([row for b in found.batches if b.part for row in b.indices], given)
    plain = sum(batch.part for batch in found.batches)
    assert sum(drawn.values()) == 4 * plain and plain > 8
    rare = given.count("long")
    assert drawn["long"] >= min(rare * REPEATS * 4 * plain // 100, 4 * plain // 3) - 1
    assert summary == {
        "the teacher's labels of plain text": ", ".join(
            f"{label} {given.count(label)}" for label in LABELS
        )
    }
    nothing = dataclasses.replace(text, batches=[b for b in text.batches if b.part == 0])
    assert balanced(nothing, targets, LABELS, how)[0].batches == nothing.batches


def test_the_teacher_reads_all_plain_text_and_of_rows_those_in_batches(
    files: tuple[Path, ...],
) -> None:
    how = distillation(multilingual=0.5, text=files, max_pairs=None, max_steps=6, batch_size=4)
    text = read_text([XNLI], EMBEDDED, TOKENIZER, how, "pair")
    found = text.cached_rows(all_plain=True)
    assert found is not None
    assert found[0] == {row for b in text.batches if b.part == 0 for row in b.indices}
    assert len(found[0]) < len(text.parts[0]) and found[1] == set(range(100))
    apart = dataclasses.replace(text, theirs=[text.parts[0], Texts([[5]] * 70, 1)])
    found = apart.cached_rows(all_plain=True)
    assert found is not None and found[1] == set(range(70))


class FakeText:
    """Text of which only the number of rows matters, each of ten tokens."""

    def task(self, *asked: Any) -> Rows:
        return Rows({"en": (10,)}, {"en": 5000}, 0.0, 0.0)

    def parallel(self, *asked: Any) -> Rows:
        return Rows({"de": (10,)}, {"de": 300}, 0.0, 0.0)

    def held_out(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("keys", "rows"),
    [
        ({"hidden": 0}, 100 + 300),  # 25 of 50 batches are of the task
        ({"hidden": 0, "max_steps": 9000}, 5000 + 300),
        ({"hidden": 1}, 100 + 300 + 200),
        ({"hidden": 0, "balance_labels": False}, 200),
    ],
)
def test_plan_counts_what_the_teacher_reads(keys: dict[str, Any], rows: int) -> None:
    sizes = plain_config(XLMR)
    asked = config(**{"max_steps": 50, "batch_size": 4, "multilingual": 0.5, **keys})
    text: Any = FakeText()
    teacher = PlannedModel(sizes, "pair")
    found = distilling_work(asked, PlannedModel(sizes, "pair"), teacher, text)
    read = sum(one.rows * one.count for one in found.batches if one.backward == "none")
    assert read == pytest.approx(rows)


@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_a_distillation_balances_and_names_the_labels(
    hidden: float, files: tuple[Path, ...], tiny_base: Path, tmp_path: Path
) -> None:
    how = options(method="full", method_options={}, max_examples=24)
    train_tasks(tiny_base, [XNLI], EMBEDDED, how, work=tmp_path / "w", out=tmp_path / "t")
    asked = distillation(
        multilingual=0.5,
        text=files,
        max_pairs=None,
        max_steps=4,
        hidden=hidden,
        balance_labels=True,
    )
    said: list[str] = []
    _, facts = distill(
        tmp_path / "t", [XNLI], EMBEDDED, asked, work=tmp_path / "d", out=tmp_path / "s",
        progress=lambda fraction, text: said.append(text),
    )  # fmt: skip
    (total,) = {re.sub(".* of | rows", "", text) for text in said if text.startswith("teacher:")}
    assert 100 < int(total) <= 100 + 4 * asked.batch_size
    named = str(facts["the teacher's labels of plain text"])
    parts = [part.rsplit(" ", 1) for part in named.split(", ")]
    assert [label for label, _ in parts] == list(XNLI.labels)
    assert sum(int(number) for _, number in parts) == 100
    assert facts["teacher's logits"] == "once per row"


def test_a_teacher_that_gives_no_label_per_text_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    how = options(method="full", method_options={}, max_examples=24)
    task = TASKS.get("udpos")
    train_tasks(tiny_base, [task], EMBEDDED, how, work=tmp_path / "w", out=tmp_path / "t")
    with pytest.raises(StudentError, match="one label per text, and it has a tagging head"):
        distill(
            tmp_path / "t", [task], EMBEDDED, distillation(balance_labels=True, multilingual=0.5),
            work=tmp_path / "d", out=tmp_path / "s",
        )  # fmt: skip


def config(**changes: Any) -> Config:
    keys = {"name": "s", "stage": "distill", "teacher": "t", "tasks": ["xnli"], **changes}
    return Config.model_validate({"balance_labels": True} | keys)


def test_check_refuses_what_cannot_be_balanced() -> None:
    def refused(artifact: Artifact, match: str, **keys: Any) -> None:
        with pytest.raises(StageInputError, match=match):
            check(config(**keys), {"teacher": [artifact]})

    nli = Artifact("checkpoint", task="xnli")
    check(config(), {"teacher": [nli]})
    check(config(), {"teacher": [Artifact("checkpoint", external=True)]})
    refused(nli, "balance_labels: chooses text by the teacher's labels, and no logits", logits=0)
    refused(nli, "before training; leave cache out", cache="never", hidden=0)
    (problem,) = unused_keys(config(multilingual=0))
    assert problem.startswith("balance_labels: with multilingual: 0 no multilingual text is read")
    tagger = Artifact("checkpoint", task="udpos")
    refused(tagger, "it has a tagging head; leave it out", tasks=["udpos"])
    score = Artifact("checkpoint", external=True, head=HeadFacts("pair", answers="score"))
    refused(score, "and it gives a score; leave it out", tasks=[])
    with pytest.raises(ValidationError, match=r"stream: .* so remove balance_labels"):
        config(stream={"de": ["de.txt"]})
    streamed = dataclasses.replace(distillation(balance_labels=True), stream="text")
    assert "a stream is read while training" in balance_problems(streamed, "pair", "label")[0]
    off = dataclasses.replace(streamed, balance_labels=False)
    assert balance_problems(off, "tagging", "score") == []


def test_without_plain_text_there_is_nothing_to_balance(tiny_nli: Path, tmp_path: Path) -> None:
    asked = distillation(balance_labels=True, multilingual=0.0)
    with pytest.raises(StudentError, match=r"^balance_labels: with multilingual: 0 no plain text"):
        distill(tiny_nli, [XNLI], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("multilingual", "balances"), [(0.0, False), (0.2, True)])
def test_a_variant_without_plain_text_does_not_balance(
    multilingual: float, balances: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = Artifact("checkpoint", "xnli")
    given = options_of(config(multilingual=multilingual), teacher, tmp_path, monkeypatch)
    assert given.balance_labels == balances
