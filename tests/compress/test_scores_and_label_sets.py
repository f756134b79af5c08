"""Declared tasks of scores and of several labels: trained, in a mixture, distilled, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation, options
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from compress.distill.distill import distill
from compress.prune.importance import surprise
from evalsuite.agreement.predictions import same
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.own.declaration import Declaration
from evalsuite.own.declared import declare, task_of
from evalsuite.submission import files
from evalsuite.task import DataSource
from transfer.objectives.gold import gold_loss
from transfer.supervised.train_tasks import train_tasks

SOURCE = DataSource("files")


@pytest.fixture
def tasks(tmp_path: Path) -> Any:
    """A task of each format, with rows in English and German."""
    texts = ["A man sleeps.", "A dog runs.", "Two women talk.", "It rains."] * 2
    scores = "".join(f"{text}\t{text}\t{n % 3}.5\n" for n, text in enumerate(texts))
    flags = "".join(f"{text}\t{n % 2}\t{int(n > 4)}\n" for n, text in enumerate(texts))
    (tmp_path / "scores.tsv").write_text("first\tsecond\tscore\n" + scores)
    (tmp_path / "flags.tsv").write_text("text\tjoy\tfear\n" + flags)
    (tmp_path / "one.tsv").write_text("text\tjoy\nEs regnet.\t1\nA.\t0\n")

    def made(name: str, file: str, other: str, **keys: Any) -> Any:
        train, test = str(tmp_path / file), str(tmp_path / other)
        given = {"train": {"en": train}, "dev": {"en": train}, "test": {"en": train, "de": test}}
        return task_of(name, Declaration(**given, **keys))

    flag_columns = {"text": "text", "labels": ["joy", "fear"]}
    found = {
        "likeness": made(
            "likeness", "scores.tsv", "scores.tsv", format="regression", columns={"first": "first"}
        ),
        "moods": made("moods", "flags.tsv", "one.tsv", format="multilabel", columns=flag_columns),
    }
    declare(found)
    yield found
    declare({})


@pytest.mark.parametrize(
    ("name", "problem", "answers", "metric"),
    [
        ("likeness", "regression", "score", "spearman"),
        ("moods", "multi_label_classification", "labels", "macro_f1"),
    ],
)
def test_a_task_is_trained_scored_and_distilled(
    name: str, problem: str, answers: str, metric: str, tasks: Any, tiny_base: Path, tmp_path: Path
) -> None:
    task = tasks[name]
    quick = options(method="full", method_options={})
    train_tasks(tiny_base, [task], SOURCE, quick, work=tmp_path / "w", out=tmp_path / "t")
    model = open_model(tmp_path / "t")
    assert (model.answers, model.labels) == (answers, task.labels)
    assert model.model.config.problem_type == problem  # type: ignore[attr-defined]
    taught = distillation(labels=1.0, hidden=0.5)
    distill(tmp_path / "t", [task], SOURCE, taught, work=tmp_path / "d", out=tmp_path / "s")
    student = open_model(tmp_path / "s")
    assert student.answers == answers and student.layers == 1
    how = EvaluationOptions(languages=("en", "de"))
    result = evaluate(student, task, SOURCE, label="s", out=tmp_path / "p", options=how)
    assert result.main_metric == metric and set(result.metrics[metric]) == {"en", "de"}
    assert result.signature.startswith(f"{metric}|")
    assert result.unlabelled == ({"de": ("fear",)} if name == "moods" else {})
    said = files.read(tmp_path / "p", name, "en", form=task.format)
    assert len(said) == 8 and same(task.format, said, said) == 100


def test_a_mixture_of_a_score_and_of_several_labels(
    tasks: Any, tiny_base: Path, tmp_path: Path
) -> None:
    both = list(tasks.values())
    quick = options(method="full", method_options={}, max_steps=2)
    trained = train_tasks(tiny_base, both, SOURCE, quick, work=tmp_path / "w", out=tmp_path / "t")
    assert trained.summary["steps"] == 2 and (tmp_path / "t/heads.safetensors").is_file()


def test_gold_losses_are_those_of_torch() -> None:
    logits, gold = torch.randn(3, 4), torch.tensor([1, 0, 3])
    assert gold_loss(logits, gold) == nn.functional.cross_entropy(logits, gold)
    scores = torch.tensor([[0.5], [2.0]])
    assert gold_loss(scores, torch.tensor([[0.5], [1.0]])) == pytest.approx(0.5)
    flags = torch.tensor([[1.0, 0.0, 1.0, 0.0]] * 3)
    wanted = nn.functional.binary_cross_entropy_with_logits(logits, flags)
    assert gold_loss(logits, flags) == wanted
    tokens, tags = torch.randn(2, 3, 4), torch.tensor([[1, -100, 2], [0, 3, -100]])
    kept = nn.functional.cross_entropy(tokens[tags >= 0], tags[tags >= 0])
    assert gold_loss(tokens, tags) == pytest.approx(kept)


@pytest.mark.parametrize("answers", ["score", "labels"])
def test_answers_drawn_from_a_head_depend_on_its_outputs(answers: Any) -> None:
    """The mean gradient of what a score or a set of labels surprises by is not 0, as a softmax of
    one logit would make it."""
    logits = torch.tensor([[0.3], [-0.7]], requires_grad=True)
    draw, mask = torch.Generator().manual_seed(0), torch.ones(2, 5)
    asked = surprise(SequenceClassifierOutput(logits=logits), mask, None, draw, answers)
    assert asked.shape == (2,)
    (slope,) = torch.autograd.grad(asked.sum(), logits)
    assert (slope != 0).all()
    if answers == "score":
        known = surprise(
            SequenceClassifierOutput(logits=logits),
            mask,
            torch.tensor([[0.3], [0.3]]),
            draw,
            answers,
        )
        assert known.tolist() == pytest.approx([0, 0.5])
